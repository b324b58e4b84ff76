from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import botocore.session
import pytest

from preflight.actions import RENAMED
from preflight.aws import Aws
from preflight.errors import AwsError, NotFound
from preflight.found import Owner, Strength
from preflight.names import problems
from preflight.plan import Plan
from preflight.price import Charge
from preflight.quota import total
from preflight.quotas.catalogue import NODES_PER_NODEGROUP, vcpu_quota
from preflight.resource import READY, WAIT, Failed, Resource
from provision.resources import ecr, eks, events, kms, logs, nodes, sns, sqs
from provision.resources.access import AccessEntry
from provision.resources.addons import Addon
from provision.resources.ecr import Repository, repository_name
from provision.resources.eks import Cluster, cluster_name
from provision.resources.events import Rule, rule_name
from provision.resources.guardduty import Detector
from provision.resources.iam import path, policy_name, role_name
from provision.resources.kms import Alias, Key, alias_name
from provision.resources.logs import LogGroup, log_group_name
from provision.resources.nodes import Nodegroup
from provision.resources.oidc import OidcProvider
from provision.resources.policies import Policy
from provision.resources.resolver import QueryLogAssociation, QueryLogConfig, config_name
from provision.resources.roles import Role
from provision.resources.s3 import Bucket, bucket_name
from provision.resources.sns import Topic, topic_name
from provision.resources.sqs import Queue, queue_name
from provision.resources.vpc import Subnet, Vpc

Build = Callable[[str], Any]
Kinds = dict[type[Resource], tuple[Resource, ...]]
READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeVolumes", "Resource": "*"}],
}


def things(owner: Owner) -> Kinds:
    """Everything of these kinds that one cluster has."""
    vpc = Vpc(name="main", cidr="10.0.0.0/16")
    subnets = tuple(
        Subnet(name=zone, vpc=vpc, cidr=f"10.0.{index}.0/24", zone=f"us-west-2{zone}")
        for index, zone in enumerate("ab")
    )
    policy = Policy(
        name="volumes",
        path_prefix=path(owner),
        policy_name=policy_name(owner, "volumes"),
        document=DOCUMENT,
    )
    control = _role(owner, "control", services=("eks.amazonaws.com",))
    node = _role(
        owner,
        "node",
        services=("ec2.amazonaws.com",),
        managed=(READ_ONLY,),
        policies=(policy,),
        inline={"volumes": DOCUMENT},
    )
    key = Key(name="secrets")
    cluster_logs = LogGroup(name="cluster", log_group_name=log_group_name(owner, "cluster"))
    dns_logs = LogGroup(name="dns", log_group_name=log_group_name(owner, "dns"))
    cluster = Cluster(
        name="main",
        cluster_name=cluster_name(owner),
        role=control,
        subnets=subnets,
        key=key,
        log_group=cluster_logs,
        service_cidr="172.20.0.0/16",
    )
    queue = Queue(name="events", queue_name=queue_name(owner, "events"))
    dns = QueryLogConfig(name="dns", config_name=config_name(owner, "dns"), log_group=dns_logs)
    return {
        Policy: (policy,),
        Role: (control, node),
        OidcProvider: (OidcProvider(name="main", cluster=cluster),),
        Key: (key,),
        Alias: (Alias(name="secrets", alias_name=alias_name(owner, "secrets"), key=key),),
        LogGroup: (cluster_logs, dns_logs),
        Cluster: (cluster,),
        Addon: (Addon(name="vpc-cni", cluster=cluster),),
        AccessEntry: (
            AccessEntry(
                name="node", cluster=cluster, role=node, policy="AmazonEKSClusterAdminPolicy"
            ),
        ),
        Nodegroup: (
            Nodegroup(
                name="cpu",
                cluster=cluster,
                role=node,
                subnets=subnets,
                instance_types=("m5.large",),
                vcpus={"m5.large": 2},
                maximum=3,
            ),
        ),
        Bucket: (Bucket(name="artifacts", bucket_name=bucket_name(owner, "artifacts")),),
        Repository: (Repository(name="images", repository_name=repository_name(owner, "images")),),
        Queue: (queue,),
        Rule: (
            Rule(
                name="health",
                rule_name=rule_name(owner, "health"),
                pattern={"source": ["aws.health"]},
                queue=queue,
            ),
        ),
        Topic: (Topic(name="alarms", topic_name=topic_name(owner, "alarms")),),
        QueryLogConfig: (dns,),
        QueryLogAssociation: (QueryLogAssociation(name="dns", config=dns, vpc=vpc),),
    }


def _role(owner: Owner, name: str, **fields: Any) -> Role:
    return Role(name=name, path_prefix=path(owner), role_name=role_name(owner, name), **fields)


OWNER = Owner(cluster="prod", account="111122223333", region="us-west-2", incarnation="i-prod")
each_kind = pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=kind.kind) for kind in things(OWNER)]
)


@each_kind
def test_a_thing_is_found_by_its_owner_at_no_cost_for_the_neighbours_and_by_nobody_else(
    kind: type[Resource], builder: Build, connect: Callable[[], Aws]
) -> None:
    prod, twin = builder("prod"), builder("prod-2")
    costs = []
    for each in (prod, twin):
        each.build(*things(each.owner)[kind])
        aws = connect()
        anyone = replace(prod.owner, incarnation="")
        assert {one.id for one in kind.find(aws, anyone)} == {*prod.made(kind).values()}
        costs.append(aws.calls.total)
    # All EKS issuers of the Region are candidates: only their tags tell whose they are.
    assert costs[0] == costs[1] or kind is OidcProvider
    for each in (prod, twin):
        found = each.found(kind)
        assert {one.address: one.id for one in found.values()} == each.made(kind)
        assert {one.strength for one in found.values()} == {Strength.A}
        assert {one.kind for one in found.values()} == {kind.kind}


def _fill(aws: Aws, made: Any) -> None:
    """Put in what users and AWS put in, so that a deletion has everything to do."""
    owner: Owner = made.owner
    role, bucket, rule = (
        role_name(owner, "node"),
        bucket_name(owner, "artifacts"),
        rule_name(owner, "health"),
    )
    if "iam/role/node" in made.made(Role):
        aws.call("iam", "CreateInstanceProfile", InstanceProfileName=role)
        aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName=role, RoleName=role)
    if made.made(Policy) and not made.made(Role):
        (arn,) = made.made(Policy).values()
        aws.call("iam", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=json.dumps(DOCUMENT))
    if made.made(Bucket):
        for key in ("kept", "kept", "removed"):
            aws.call("s3", "PutObject", Bucket=bucket, Key=key, Body=b"1")
        aws.call("s3", "DeleteObject", Bucket=bucket, Key="removed")
        aws.call("s3", "CreateMultipartUpload", Bucket=bucket, Key="unfinished")
    if made.made(Rule):
        targets = [{"Id": f"t{n}", "Arn": f"arn:aws:sns:us-west-2:1:t{n}"} for n in range(11)]
        for start in (0, 6):
            aws.call("events", "PutTargets", Rule=rule, Targets=targets[start : start + 6])


@each_kind
def test_a_thing_is_made_found_and_deleted_by_exactly_the_declared_calls(
    kind: type[Resource], builder: Build, connect: Callable[[], Aws]
) -> None:
    prod = builder("prod")
    wanted = things(prod.owner)[kind]
    prod.build(*(need for each in wanted for need in each.needs))
    prod.aws = connect()
    prod.build(*wanted)
    _fill(connect(), prod)
    found = prod.found(kind)
    for each in wanted:
        kind.delete(prod.aws, found[each.address])
        assert prod.is_gone(kind, found[each.address].id)
        with suppress(NotFound):  # all that AWS may say
            kind.delete(prod.aws, found[each.address])
    declared = {
        action.name
        for each in wanted
        for action in (*each.creates, *kind.finds, *kind.deletes)
        if not action.by_hand
    }
    assert prod.aws.calls.actions == declared
    assert declared >= {action.name for action in kind.creates if not action.by_hand}


def test_a_detector_that_is_there_is_adopted_and_nobody_s_to_delete(
    builder: Build, connect: Callable[[], Aws]
) -> None:
    wanted, other = Detector(name="main"), connect()
    theirs = other.call("guardduty", "CreateDetector", Enable=True)["DetectorId"]
    assert wanted.adopt(other) == theirs
    prod = builder("prod")
    assert prod.found(Detector) == {}
    other.call("guardduty", "DeleteDetector", DetectorId=theirs)
    assert wanted.adopt(prod.aws) is None
    prod.build(wanted)
    found = prod.found(Detector)[wanted.address]
    assert found.id == prod[wanted]
    assert builder("prod-2").found(Detector) == {}
    Detector.delete(prod.aws, found)
    assert prod.is_gone(Detector, found.id)
    declared = (*Detector.creates, *Detector.finds, *Detector.deletes)
    assert prod.aws.calls.actions == {each.name for each in declared if not each.by_hand}


def test_a_cluster_of_the_same_name_that_carries_no_tag_is_nobody_s(builder: Build) -> None:
    prod = builder("prod")
    (cluster,) = things(prod.owner)[Cluster]
    prod.build(cluster)
    arn = f"arn:aws:eks:us-west-2:{prod.owner.account}:cluster/prod"
    prod.aws.call("eks", "UntagResource", resourceArn=arn, tagKeys=["preflight:cluster"])
    for kind in (Cluster, Addon, AccessEntry, Nodegroup):
        assert prod.found(kind) == {}


def test_a_bucket_is_closed_encrypted_versioned_and_only_for_tls(builder: Build) -> None:
    prod = builder("prod")
    (bucket,) = things(prod.owner)[Bucket]
    prod.build(bucket)

    def told(operation: str) -> Any:
        return prod.aws.call("s3", operation, Bucket=prod[bucket])

    closed = told("GetPublicAccessBlock")["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    rules = told("GetBucketEncryption")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert told("GetBucketVersioning")["Status"] == "Enabled"
    statement = json.loads(told("GetBucketPolicy")["Policy"])["Statement"][0]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_role_that_was_there_before_gets_the_trust_and_policies_now_wanted(
    builder: Build,
) -> None:
    prod = builder("prod")
    before = _role(prod.owner, "node", services=("lambda.amazonaws.com",))
    prod.build(before)
    _, node = things(prod.owner)[Role]
    prod.build(*node.needs)
    for _ in range(2):
        node.configure(prod.aws, prod, prod[before])
    name = role_name(prod.owner, "node")
    trust = prod.aws.call("iam", "GetRole", RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"Service": ["ec2.amazonaws.com"]}
    attached = prod.aws.each("iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName=name)
    assert len(list(attached)) == 2


def test_a_role_of_pods_trusts_one_service_account_of_one_cluster(builder: Build) -> None:
    prod = builder("prod")
    (source,) = things(prod.owner)[OidcProvider]
    role = _role(prod.owner, "csi", identity_source=source, service_account="kube-system:ebs-csi")
    prod.build(role)
    name = role_name(prod.owner, "csi")
    trust = prod.aws.call("iam", "GetRole", RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    issuer = prod[source].split("oidc-provider/")[1]
    assert statement["Principal"] == {"Federated": prod[source]}
    assert statement["Condition"]["StringEquals"] == {
        f"{issuer}:aud": "sts.amazonaws.com",
        f"{issuer}:sub": "system:serviceaccount:kube-system:ebs-csi",
    }


def test_a_role_says_which_policies_it_will_attach() -> None:
    _, node = things(OWNER)[Role]
    attached = {
        action.of(node, OWNER).context["iam:PolicyARN"]
        for action in node.creates
        if action.name == "iam:AttachRolePolicy"
    }
    own = "arn:aws:iam::111122223333:policy/preflight/prod--us-west-2/volumes/"
    assert attached == {READ_ONLY, own + policy_name(OWNER, "volumes")}


def test_a_role_says_that_it_will_be_bounded_only_when_it_will() -> None:
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    for role, context in (
        (_role(OWNER, "node", boundary=boundary), {"iam:PermissionsBoundary": boundary}),
        (_role(OWNER, "node"), {}),
    ):
        (creates,) = [action for action in role.creates if action.name == "iam:CreateRole"]
        assert creates.of(role, OWNER).context == context


def test_an_event_target_that_aws_did_not_take_is_an_error() -> None:
    refused = {"FailedEntryCount": 1, "FailedEntries": [{"TargetId": "queue", "ErrorCode": "No"}]}
    with pytest.raises(AwsError, match="queue"):
        events._all_done("PutTargets", refused)
    events._all_done("PutTargets", {"FailedEntryCount": 0})


@pytest.mark.parametrize("cluster", ["prod", "a.b", "x" * 200, "12345678", "dev-abcdef01"])
def test_every_name_is_one_that_aws_accepts(cluster: str) -> None:
    owner = replace(OWNER, cluster=cluster)
    for resources in things(owner).values():
        for resource in resources:
            for rule, name in resource.names():
                assert problems(rule, name) == ()


def test_no_two_clusters_accounts_or_regions_share_a_name_they_must_not_share() -> None:
    def names(owner: Owner, *kinds: type[Resource]) -> set[str]:
        made = things(owner)
        return {name for kind in kinds for each in made[kind] for _, name in each.names()}

    regional = (Cluster, Alias, LogGroup, Bucket, Repository, Queue, Rule, Topic, QueryLogConfig)
    long, longer = (replace(OWNER, cluster="x" * 200 + tail) for tail in ("", "y"))
    assert not names(long, Role, Policy, *regional) & names(longer, Role, Policy, *regional)
    elsewhere = replace(OWNER, region="eu-west-1")
    assert not names(OWNER, Role, Policy, Bucket) & names(elsewhere, Role, Policy, Bucket)
    somebody = replace(OWNER, account="444455556666")
    assert not names(OWNER, Bucket) & names(somebody, Bucket)
    for prefix in (
        ecr.prefix,
        events.prefix,
        sqs.prefix,
        sns.prefix,
        logs.prefix,
        kms.prefix,
        path,
    ):
        assert not prefix(longer).startswith(prefix(long))
        assert not prefix(replace(OWNER, cluster="prod-2")).startswith(prefix(OWNER))


def test_every_declared_action_is_one_of_aws_on_arns_without_holes() -> None:
    reader = botocore.session.get_session()
    for resource in (each for some in things(OWNER).values() for each in some):
        for action in (*resource.creates, *resource.finds, *resource.deletes):
            filled = action.of(resource, OWNER)
            texts = (*filled.on, *(str(value) for value in filled.context.values()))
            assert not any("{" in text or "None" in text for text in texts)
            if action.name not in NOT_OPERATIONS:
                service, operation = action.name.split(":")
                client = {"tag": "resourcegroupstaggingapi"}.get(service, service)
                assert operation in _operations(reader, client), action.name


#: IAM actions that have no operation of their own, or that S3 names otherwise.
NOT_OPERATIONS = {
    "iam:PassRole",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "s3:DeleteObjectVersion",
    *RENAMED.values(),
}


@cache
def _operations(reader: botocore.session.Session, client: str) -> frozenset[str]:
    return frozenset(reader.get_service_model(client).operation_names)


def test_one_plan_of_everything_has_an_order() -> None:
    wanted = {each for resources in things(OWNER).values() for each in resources}
    everything = {*wanted, *(need for each in wanted for need in each.needs)}
    everything |= {need for each in everything for need in each.needs}
    plan = Plan(OWNER, tuple(everything))
    assert len(plan.ordered) == len(everything)
    assert plan.demands[NODES_PER_NODEGROUP, "eks/nodegroup/cpu"] == 3


def test_nodes_need_their_maximum_and_what_a_rolling_update_adds() -> None:
    (group,) = things(OWNER)[Nodegroup]
    assert isinstance(group, Nodegroup)
    quota = vcpu_quota("m5.large", "on-demand")
    assert quota is not None
    # Three nodes, and four while an update rolls through two zones; two vCPUs each.
    assert total(group.demands())[quota, ""] == (3 + 4) * 2
    assert total(replace(group, vcpus={}).demands())[quota, ""] is None
    spot = replace(group, capacity="SPOT")
    assert (quota, "") not in total(spot.demands())
    assert [charge.sku for charge in spot.charges()] == ["ec2/spot/m5.large"]
    assert list(group.charges()) == [Charge(sku="ec2/instance/m5.large", quantity=1)]


def _said(status: str, *codes: str) -> dict[str, Any]:
    return {"status": status, "health": {"issues": [{"code": c, "message": "m"} for c in codes]}}


@pytest.mark.parametrize(
    ("codes", "again"),
    [
        (("IamThrottling",), True),
        (("InternalFailure", "IamThrottling"), True),
        (("IamThrottling", "InsufficientFreeAddresses"), False),
        (("InsufficientFreeAddresses",), False),
        ((), False),
    ],
)
@pytest.mark.parametrize("status", ["CREATE_FAILED", "DEGRADED"])
def test_nodes_that_fail_say_why_and_whether_once_more_would_help(
    status: str, codes: tuple[str, ...], again: bool
) -> None:
    told = nodes.judge(_said(status, *codes))
    assert isinstance(told, Failed)
    assert told.again is again
    assert all(code in told.reason for code in (status, *codes))
    assert (told.hint is not None) == ("InsufficientFreeAddresses" in codes)


def test_nodes_and_clusters_are_waited_for_while_eks_works_on_them() -> None:
    for judge in (nodes.judge, eks.judge):
        assert judge(_said("ACTIVE")) is READY
        assert judge(_said("CREATING")) is judge(_said("UPDATING")) is WAIT
    failed = eks.judge(_said("FAILED", "InsufficientFreeAddresses"))
    assert failed == Failed(reason="FAILED: InsufficientFreeAddresses: m")


def test_nodes_whose_role_was_deleted_are_degraded_and_say_so(builder: Build) -> None:
    prod = builder("prod")
    (group,) = things(prod.owner)[Nodegroup]
    prod.build(group)
    Role.delete(prod.aws, prod.found(Role)["iam/role/node"])
    told = group.ready(prod.aws, prod, prod[group])
    assert isinstance(told, Failed)
    assert "IamNodeRoleNotFound" in told.reason
    assert "IamNodeRoleNotFound" in prod.found(Nodegroup)[group.address].note


def test_an_empty_bucket_is_deleted_with_its_policy_in_place(builder: Build) -> None:
    prod = builder("prod")
    (bucket,) = things(prod.owner)[Bucket]
    prod.build(bucket)
    Bucket.delete(prod.aws, prod.found(Bucket)[bucket.address])
    assert prod.found(Bucket) == {}
