from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight import names, profile
from preflight.found import CLUSTER_TAG, Owner
from preflight.namerule import NameRule

CLUSTERS = st.from_regex(names.CLUSTER.pattern, fullmatch=True).filter(lambda n: len(n) <= 253)
ANYTHING = st.text(min_size=1, max_size=90)
SUFFIXES = st.one_of(
    st.sampled_from(["", "node", "ebs-csi", "m5-large-spot", "x-s3", "s3alias", "node--a", "a.b"]),
    st.text(max_size=80),
)
RULES = st.sampled_from(names.RULES)

MODELS = [
    (names.EKS_CLUSTER, "eks", "CreateCluster", "name"),
    (names.ROLE, "iam", "CreateRole", "RoleName"),
    (names.POLICY, "iam", "CreatePolicy", "PolicyName"),
    (names.USER, "iam", "CreateUser", "UserName"),
    (names.INSTANCE_PROFILE, "iam", "CreateInstanceProfile", "InstanceProfileName"),
    (names.EVENT_RULE, "events", "PutRule", "Name"),
    (names.LOG_GROUP, "logs", "CreateLogGroup", "logGroupName"),
    (names.KEY_ALIAS, "kms", "CreateAlias", "AliasName"),
    (names.REPOSITORY, "ecr", "CreateRepository", "repositoryName"),
    (names.QUERY_LOG, "route53resolver", "CreateResolverQueryLogConfig", "Name"),
    (names.SESSION, "sts", "AssumeRole", "RoleSessionName"),
    (names.EXTERNAL_ID, "sts", "AssumeRole", "ExternalId"),
]


#: Rules that AWS writes in prose alone: the model has no pattern for these.
PROSE = [
    (names.NODE_GROUP, "eks", "CreateNodegroup", "nodegroupName"),
    (names.BUCKET, "s3", "CreateBucket", "Bucket"),
    (names.LAUNCH_TEMPLATE, "ec2", "CreateLaunchTemplate", "LaunchTemplateName"),
    (names.SECURITY_GROUP, "ec2", "CreateSecurityGroup", "GroupName"),
    (names.KEY_PAIR, "ec2", "CreateKeyPair", "KeyName"),
    (names.QUEUE, "sqs", "CreateQueue", "QueueName"),
    (names.TOPIC, "sns", "CreateTopic", "Name"),
    (names.LOAD_BALANCER, "elbv2", "CreateLoadBalancer", "Name"),
    (names.TARGET_GROUP, "elbv2", "CreateTargetGroup", "Name"),
    (names.STACK, "cloudformation", "CreateStack", "StackName"),
]
#: Here the model lets almost everything through, and prose does not.
STRICTER = [
    (names.AUTO_SCALING_GROUP, "autoscaling", "CreateAutoScalingGroup", "AutoScalingGroupName")
]


def metadata(service: str, operation: str, member: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation).input_shape
    assert shape is not None
    found: dict[str, Any] = shape.members[member].metadata
    return found


def test_every_rule_is_held_against_the_model_or_known_to_have_none_there() -> None:
    held = [rule for rule, *_ in (*MODELS, *PROSE, *STRICTER)]

    assert {rule.kind for rule in held} == {rule.kind for rule in names.RULES}
    assert len(held) == len(names.RULES)


@pytest.mark.parametrize(("rule", "service", "operation", "member"), PROSE)
def test_a_rule_of_prose_fits_the_lengths_of_the_model_which_has_no_pattern(
    rule: NameRule, service: str, operation: str, member: str
) -> None:
    told = metadata(service, operation, member)

    assert "pattern" not in told
    assert rule.minimum >= told.get("min", 0)
    assert rule.maximum <= told.get("max", rule.maximum)


@pytest.mark.parametrize(("rule", "service", "operation", "member"), STRICTER)
@given(st.data())
@settings(max_examples=80, deadline=None)
def test_what_a_stricter_rule_takes_the_model_takes_too(
    rule: NameRule, service: str, operation: str, member: str, data: st.DataObject
) -> None:
    name = data.draw(st.from_regex(rule.pattern, fullmatch=True))

    assert re.fullmatch("[ -~]*", name), "the pattern of the model is written for Java"
    assert metadata(service, operation, member)["max"] == rule.maximum


@settings(max_examples=100, deadline=None)
@given(RULES, CLUSTERS, SUFFIXES)
def test_what_the_owner_called_it_stays_in_a_tag_whatever_aws_is_told(
    rule: NameRule, cluster: str, suffix: str
) -> None:
    owner = Owner(cluster=cluster, account="111122223333", region="us-west-2")
    name = names.derive(rule, cluster, suffix)

    kept = owner.tags("eks/cluster/main")[CLUSTER_TAG]
    assert kept == cluster
    assert names.derive(rule, kept, suffix) == name


def test_the_default_vendor_s_rule_is_its_own_sentence_word_for_word() -> None:
    said = (
        "lower case alphanumeric characters, '-' or '.' is allowed but not '_', "
        "and must start and end with an alphanumeric character"
    )
    assert names.CLUSTER.text == said
    rule = profile.load("grid").name_rule
    assert rule is not None
    assert rule.text == said


def kept_for_aws(rule: NameRule, name: str) -> bool:
    """Say whether a name breaks one of the rules that AWS writes in prose only."""
    return (
        not name.startswith(rule.required_prefix)
        or name.startswith(rule.forbidden_prefixes)
        or name == rule.required_prefix
    )


@pytest.mark.parametrize(("rule", "service", "operation", "member"), MODELS)
def test_a_rule_and_the_model_of_aws_agree_on_every_name(
    rule: NameRule, service: str, operation: str, member: str
) -> None:
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation).input_shape.members[member].metadata

    @settings(max_examples=80, deadline=None)
    @given(
        st.one_of(
            st.from_regex(rule.pattern, fullmatch=True, alphabet=st.characters(codec="ascii")),
            st.text(st.sampled_from("aZ09-_.:/ +@'#\n"), max_size=70),
            st.integers(1, 1300).map(lambda n: rule.required_prefix + "a" * n),
        )
    )
    def agree(name: str) -> None:
        fits = re.fullmatch(shape["pattern"], name, re.ASCII) is not None
        accepted = fits and shape["min"] <= len(name) <= shape["max"]
        legal = not names.problems(rule, name)
        assert legal == (accepted and not kept_for_aws(rule, name))

    agree()


@settings(max_examples=200, deadline=None)
@given(RULES, st.one_of(CLUSTERS, ANYTHING), SUFFIXES)
def test_a_derived_name_is_legal_whatever_the_cluster_is_called(
    rule: NameRule, cluster: str, suffix: str
) -> None:
    assert names.problems(rule, names.derive(rule, cluster, suffix)) == ()


@settings(max_examples=200, deadline=None)
@given(RULES, st.sets(st.tuples(st.one_of(CLUSTERS, ANYTHING), SUFFIXES), min_size=2, max_size=6))
def test_no_two_things_share_a_derived_name(rule: NameRule, things: set[tuple[str, str]]) -> None:
    derived = {names.derive(rule, cluster, suffix) for cluster, suffix in things}
    assert len(derived) == len(things)


@settings(max_examples=200, deadline=None)
@given(RULES, CLUSTERS, SUFFIXES, SUFFIXES)
def test_a_cluster_called_like_a_derived_name_gets_another_one(
    rule: NameRule, cluster: str, suffix: str, other: str
) -> None:
    first = names.derive(rule, cluster, suffix)
    impostor = first.removeprefix(rule.required_prefix)
    if impostor != cluster:
        assert names.derive(rule, impostor) != first
    if other != suffix:
        assert names.derive(rule, impostor, other) != first


@pytest.mark.parametrize("rule", names.RULES, ids=lambda rule: rule.kind)
@pytest.mark.parametrize(
    "cluster",
    ["xn--a", "sthree-x", "amzn-s3-demo-x", "sg-1", "internal-x", "aws", "7", "a" * 253, "..", "É"],
)
def test_a_name_that_aws_keeps_for_itself_is_avoided(rule: NameRule, cluster: str) -> None:
    for suffix in ("", "x-s3", "s3alias", "node", "n" * 200):
        assert names.problems(rule, names.derive(rule, cluster, suffix)) == ()


def test_dots_and_hyphens_give_different_names() -> None:
    dotted = names.derive(names.EKS_CLUSTER, "a.b", "node")
    assert dotted == "a-b-2e7336dc--node"
    assert names.derive(names.EKS_CLUSTER, "a-b", "node") == "a-b--node"
    assert names.derive(names.ROLE, "a.b", "node") == "a.b--node"
    assert names.derive(names.BUCKET, "a.b", "logs") == "a-b-2e7336dc--logs"


def test_a_suffix_cannot_be_taken_for_a_part_of_the_cluster() -> None:
    assert names.derive(names.ROLE, "dev", "node-ebs") != names.derive(
        names.ROLE, "dev-node", "ebs"
    )


def test_a_derived_name_is_the_same_in_every_run() -> None:
    name = names.derive(names.LOAD_BALANCER, "a-rather-long-cluster-name", "front-door")
    assert name == "a-rather-lo-616fd964--front-door"
    assert len(name) <= 32


def test_an_alias_gets_the_prefix_that_kms_wants() -> None:
    assert names.derive(names.KEY_ALIAS, "dev", "secrets") == "alias/dev--secrets"


@pytest.mark.parametrize(
    ("rule", "name", "said"),
    [
        (names.CLUSTER, "my_cluster", "'_' at position 3 is not allowed: lower case alphanumeric"),
        (names.CLUSTER, "Dev", "'D' at position 1 is not allowed"),
        (names.CLUSTER, "-dev", "It must not start with '-' (position 1)"),
        (names.CLUSTER, "dev.", "It must not end with '.' (position 4)"),
        (names.CLUSTER, "dev\n", r"'\n' at position 4 is not allowed"),
        (names.CLUSTER, "dév", r"'\xe9' at position 2 is not allowed"),
        (names.ROLE, "r" * 70, "It is 70 characters long, 6 more than the 64 of an IAM role name"),
        (names.BUCKET, "ab", "It is 2 characters long; an S3 bucket name needs 3 to 63"),
        (names.BUCKET, "10.0.0.1", "'10.0.0.1' does not fit"),
        (names.BUCKET, "a..b", "'a..b' does not fit"),
        (names.BUCKET, "xn--abc", "It must not start with 'xn--'"),
        (names.BUCKET, "abc--x-s3", "It must not end with '--x-s3'"),
        (names.KEY_ALIAS, "secrets", "It must start with 'alias/'"),
        (names.KEY_ALIAS, "alias/aws/s3", "It must not start with 'alias/aws/'"),
        (names.LOG_GROUP, "aws/x", "It must not start with 'aws/'"),
        (names.EKS_CLUSTER, "", "The name is empty; an EKS cluster name needs 1 to 100"),
    ],
)
def test_a_problem_says_what_is_wrong_and_where(rule: NameRule, name: str, said: str) -> None:
    assert any(text.startswith(said) for text in names.problems(rule, name)), names.problems(
        rule, name
    )


def test_several_problems_are_all_told() -> None:
    assert len(names.problems(names.CLUSTER, "_A" + "b" * 260 + "-")) == 4


@pytest.mark.parametrize("name", ["a", "0", "a..b", "a.-b", "team-a.dev", "a" * 253])
def test_the_vendor_rule_is_taken_at_its_word(name: str) -> None:
    assert names.problems(names.CLUSTER, name) == ()


@pytest.mark.parametrize("rule", names.RULES, ids=lambda rule: rule.kind)
def test_every_rule_names_the_page_it_rests_on(rule: NameRule) -> None:
    assert rule.url.startswith("https://docs.aws.amazon.com/")
