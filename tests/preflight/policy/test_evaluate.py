"""The decision over all kinds of policies, the documented examples among them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight.policy import (
    Context,
    Layer,
    Outcome,
    Policy,
    Principal,
    PrincipalType,
    Request,
    evaluate,
)

ACCOUNT = "111122223333"
USER = Principal(arn=f"arn:aws:iam::{ACCOUNT}:user/bob")
ROLE = Principal(
    arn=f"arn:aws:iam::{ACCOUNT}:role/ops",
    session_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/bob",
)
BUCKET = "arn:aws:s3:::b"


def policy(*statements: dict[str, object], name: str = "p") -> Policy:
    rows = [{"Effect": "Allow", "Resource": "*"} | one for one in statements]
    return Policy.parse({"Version": "2012-10-17", "Statement": rows}, id=name)


EVERYTHING = policy({"Action": "*"}, name="all")
NOTHING = policy({"Action": "none:None"}, name="none")
DENY = policy({"Effect": "Deny", "Action": "s3:*"}, name="deny")


def ask(principal: Principal = USER, resource: str | None = BUCKET, **context: str) -> Request:
    return Request(
        action="s3:ListBucket", principal=principal, resource=resource, context=Context.of(context)
    )


def bucket_policy(principal: object, effect: str = "Allow", element: str = "Principal") -> Policy:
    return Policy.parse(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": effect,
                element: principal,
                "Action": "s3:*",
                "Resource": BUCKET,
            },
        }
    )


def test_nothing_is_allowed_by_default() -> None:
    decision = evaluate(ask(), identity=[])
    assert (decision.outcome, decision.layer) == (Outcome.IMPLICIT_DENY, Layer.IDENTITY)
    assert decision.reason == "because no identity-based policy allows the s3:ListBucket action"


def test_an_allow_names_its_statement() -> None:
    decision = evaluate(ask(), identity=[NOTHING, EVERYTHING])
    assert decision.allowed
    assert [(one.policy, one.index) for one in decision.matched] == [("all", 0)]
    assert decision.explanation == f"s3:ListBucket on {BUCKET} is allowed by statement 0 of all"


@pytest.mark.parametrize(
    ("layers", "layer", "words"),
    [
        ({"identity": [EVERYTHING, DENY]}, Layer.IDENTITY, "an identity-based policy"),
        ({"boundary": DENY}, Layer.BOUNDARY, "a permissions boundary"),
        ({"scps": [[EVERYTHING, DENY]]}, Layer.SCP, "a service control policy"),
        ({"session": [EVERYTHING, DENY]}, Layer.SESSION, "a session policy"),
        ({"resource": bucket_policy("*", "Deny")}, Layer.RESOURCE, "a resource-based policy"),
    ],
)
def test_an_explicit_deny_of_any_layer_wins(
    layers: dict[str, object], layer: Layer, words: str
) -> None:
    decision = evaluate(ask(), **({"identity": [EVERYTHING]} | layers))  # type: ignore[arg-type]
    assert (decision.outcome, decision.layer) == (Outcome.EXPLICIT_DENY, layer)
    assert decision.reason == f"with an explicit deny in {words}"
    assert len(decision.matched) == 1


@pytest.mark.parametrize(
    ("layers", "layer"),
    [
        ({"boundary": NOTHING}, Layer.BOUNDARY),
        ({"scps": [[EVERYTHING], [NOTHING]]}, Layer.SCP),
        ({"scps": [[NOTHING], [EVERYTHING]]}, Layer.SCP),
        ({"scps": [[EVERYTHING], []]}, Layer.SCP),
        ({"session": []}, Layer.SESSION),
        ({"resource_must_allow": True}, Layer.RESOURCE),
        ({"resource_account": "999999999999"}, Layer.RESOURCE),
    ],
)
def test_every_layer_that_is_there_must_allow(layers: dict[str, object], layer: Layer) -> None:
    decision = evaluate(ask(), identity=[EVERYTHING], **layers)  # type: ignore[arg-type]
    assert (decision.outcome, decision.layer) == (Outcome.IMPLICIT_DENY, layer)
    assert decision.matched == ()


def test_all_layers_together_can_allow() -> None:
    decision = evaluate(
        ask(ROLE),
        identity=[EVERYTHING],
        boundary=EVERYTHING,
        scps=[[NOTHING, EVERYTHING], [EVERYTHING]],
        session=[EVERYTHING],
        resource=bucket_policy("*"),
    )
    assert decision.allowed
    assert {one.layer for one in decision.layers} == set(Layer)


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
@pytest.mark.parametrize(
    ("principal", "named", "layers", "allowed"),
    [
        (USER, USER.arn, {}, True),
        (USER, USER.arn, {"boundary": NOTHING}, True),
        (USER, USER.arn, {"session": [NOTHING]}, False),
        (USER, USER.arn, {"boundary": DENY}, False),
        (USER, USER.arn, {"scps": [[NOTHING]]}, False),
        (USER, ACCOUNT, {}, False),
        (USER, USER.root_arn, {"identity": [EVERYTHING]}, True),
        (USER, "*", {}, True),
        (ROLE, ROLE.arn, {}, True),
        (ROLE, ROLE.arn, {"boundary": NOTHING}, False),
        (ROLE, ROLE.arn, {"session": [NOTHING]}, False),
        (ROLE, ROLE.session_arn, {"boundary": NOTHING, "session": [NOTHING]}, True),
        (ROLE, ROLE.session_arn, {"scps": [[NOTHING]]}, False),
        (ROLE, ROLE.session_arn, {"boundary": DENY}, False),
        (ROLE, ROLE.root_arn, {}, False),
        (ROLE, USER.arn, {}, False),
    ],
)
def test_a_resource_policy_within_the_account_grants_as_far_as_it_names_the_caller(
    principal: Principal, named: str, layers: dict[str, object], allowed: bool
) -> None:
    resource = bucket_policy({"AWS": named})
    decision = evaluate(ask(principal), **({"identity": []} | layers), resource=resource)  # type: ignore[arg-type]
    assert decision.allowed is allowed


@pytest.mark.parametrize(
    ("identity", "named", "allowed"),
    [
        ([EVERYTHING], ACCOUNT, True),
        ([EVERYTHING], USER.arn, True),
        ([EVERYTHING], "999999999999", False),
        ([], USER.arn, False),
        ([], "*", False),
    ],
)
def test_across_accounts_both_sides_must_allow(
    identity: list[Policy], named: str, allowed: bool
) -> None:
    decision = evaluate(
        ask(),
        identity=identity,
        resource=bucket_policy({"AWS": named}),
        resource_account="999999999999",
    )
    assert decision.allowed is allowed


def test_a_policy_that_must_allow_can_do_it_alone_by_naming_the_caller() -> None:
    by_name = bucket_policy({"AWS": USER.arn})
    assert evaluate(ask(), identity=[], resource=by_name, resource_must_allow=True).allowed
    silent = bucket_policy({"AWS": "arn:aws:iam::111122223333:user/alice"})
    assert not evaluate(
        ask(), identity=[EVERYTHING], resource=silent, resource_must_allow=True
    ).allowed


def test_not_principal_spares_only_who_is_listed_with_all_identities() -> None:
    def denied(listed: list[str], caller: Principal, boundary: Policy | None = None) -> bool:
        resource = bucket_policy({"AWS": listed}, "Deny", "NotPrincipal")
        decision = evaluate(
            ask(caller), identity=[EVERYTHING], resource=resource, boundary=boundary
        )
        return decision.outcome is Outcome.EXPLICIT_DENY

    assert not denied([USER.arn, USER.root_arn], USER)
    assert denied([USER.arn], USER)
    assert denied([ROLE.arn, ROLE.root_arn], ROLE)
    assert not denied([ROLE.arn, ROLE.root_arn, str(ROLE.session_arn)], ROLE)
    assert denied([USER.arn, USER.root_arn], USER, EVERYTHING)


def test_a_service_is_named_by_its_own_kind() -> None:
    service = Principal(arn="events.amazonaws.com", type=PrincipalType.SERVICE)
    named = bucket_policy({"Service": "events.amazonaws.com"})
    assert evaluate(ask(service), identity=[], resource=named).allowed
    assert not evaluate(
        ask(service), identity=[], resource=bucket_policy({"AWS": "events.amazonaws.com"})
    ).allowed


def test_root_needs_no_identity_policy_but_obeys_scps() -> None:
    root = Principal(arn=f"arn:aws:iam::{ACCOUNT}:root")
    assert evaluate(ask(root), identity=[]).allowed
    assert evaluate(ask(root), identity=[], scps=[[NOTHING]]).layer is Layer.SCP


REGION_LOCK = policy(
    {
        "Effect": "Deny",
        "NotAction": ["iam:*", "sts:*"],
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
    }
)


def test_the_documented_region_lock_denies_other_regions_only() -> None:
    def decide(region: str) -> Outcome:
        request = ask(USER, BUCKET, **{"aws:RequestedRegion": region})
        return evaluate(request, identity=[EVERYTHING], scps=[[EVERYTHING, REGION_LOCK]]).outcome

    assert decide("eu-west-1") is Outcome.ALLOWED
    assert decide("us-east-1") is Outcome.EXPLICIT_DENY


def test_an_absent_key_denies_and_an_unknown_one_leaves_it_open() -> None:
    absent = evaluate(ask(), identity=[EVERYTHING], scps=[[EVERYTHING, REGION_LOCK]])
    assert (absent.outcome, absent.missing) == (Outcome.EXPLICIT_DENY, ("aws:RequestedRegion",))
    request = Request(
        action="s3:ListBucket", principal=USER, context=Context.of({}, unknown=["aws:*"])
    )
    unknown = evaluate(request, identity=[EVERYTHING], scps=[[EVERYTHING, REGION_LOCK]])
    assert (unknown.outcome, unknown.layer) == (Outcome.UNKNOWN, Layer.SCP)
    assert "aws:RequestedRegion" in unknown.explanation


def test_unknown_does_not_hide_a_sure_denial() -> None:
    request = Request(action="s3:X", principal=USER, context=Context.of({}, unknown=["*"]))
    may_deny = [[EVERYTHING, REGION_LOCK]]
    assert evaluate(request, identity=[], scps=may_deny).outcome is Outcome.IMPLICIT_DENY
    assert evaluate(request, identity=[DENY], scps=may_deny).outcome is Outcome.EXPLICIT_DENY


def test_a_resource_policy_that_may_allow_leaves_it_open() -> None:
    resource = Policy.parse(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": USER.arn},
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
            },
        }
    )
    request = Request(
        action="s3:X", principal=USER, context=Context.of({}, unknown=["aws:SourceIp"])
    )
    decision = evaluate(request, identity=[], resource=resource)
    assert (decision.outcome, decision.layer) == (Outcome.UNKNOWN, Layer.RESOURCE)
    assert evaluate(request, identity=[EVERYTHING], resource=resource).allowed


ACTIONS = ["s3:*", "s3:List*", "s3:ListBucket", "ec2:*", "*", "s3:Get?ucket"]
CONDITIONS = [
    {},
    {"StringEquals": {"aws:username": "bob"}},
    {"StringNotEquals": {"aws:username": "bob"}},
    {"Null": {"aws:username": "true"}},
    {"ForAllValues:StringLike": {"aws:TagKeys": "a*"}},
]
RESOURCES = ["*", BUCKET, "arn:aws:s3:::*", "arn:aws:ec2:*:*:*"]
STATEMENTS = st.builds(
    lambda effect, no_action, no_resource, action, resource, condition: {
        "Effect": effect,
        no_action + "Action": action,
        no_resource + "Resource": resource,
        "Condition": condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["", "Not"]),
    st.sampled_from(["", "Not"]),
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    st.sampled_from(CONDITIONS),
)
ROWS = st.lists(STATEMENTS, min_size=1, max_size=5)
REQUESTS = st.builds(
    lambda action, resource, context, unknown: Request(
        action=action,
        principal=USER,
        resource=resource,
        context=Context.of(context, unknown=unknown),
    ),
    st.sampled_from(["s3:ListBucket", "s3:GetBucket", "ec2:CreateVpc"]),
    st.sampled_from([None, "*", BUCKET]),
    st.sampled_from([{}, {"aws:username": "bob"}, {"aws:TagKeys": ["a", "b"]}]),
    st.sampled_from([[], ["*"]]),
)


def decide(rows: list[dict[str, object]], request: Request) -> Outcome:
    return evaluate(request, identity=[Policy.parse({"Statement": rows})]).outcome


@given(ROWS, STATEMENTS, REQUESTS)
def test_adding_a_deny_never_allows_what_was_denied(
    rows: list[dict[str, object]], more: dict[str, object], request_: Request
) -> None:
    before = decide(rows, request_)
    after = decide([*rows, more | {"Effect": "Deny"}], request_)
    if before is not Outcome.ALLOWED:
        assert after is not Outcome.ALLOWED
    if before is Outcome.EXPLICIT_DENY:
        assert after is Outcome.EXPLICIT_DENY


@given(ROWS, REQUESTS, st.randoms(use_true_random=False))
def test_the_order_of_statements_does_not_matter(
    rows: list[dict[str, object]], request_: Request, random: Random
) -> None:
    mixed = list(rows)
    random.shuffle(mixed)
    assert decide(rows, request_) is decide(mixed, request_)


@given(st.sampled_from(ACTIONS), REQUESTS)
def test_not_action_is_the_complement_of_action(action: str, request_: Request) -> None:
    with_action = decide([{"Effect": "Allow", "Action": action, "Resource": "*"}], request_)
    without = decide([{"Effect": "Allow", "NotAction": action, "Resource": "*"}], request_)
    assert {with_action, without} == {Outcome.ALLOWED, Outcome.IMPLICIT_DENY}


@given(ROWS, REQUESTS, st.sampled_from([{}, {"aws:username": "bob"}, {"aws:username": "eve"}]))
def test_learning_an_unknown_key_never_overturns_an_answer(
    rows: list[dict[str, object]], request_: Request, learned: dict[str, str]
) -> None:
    unsure = Request(
        action=request_.action,
        principal=USER,
        resource=request_.resource,
        context=Context.of({}, unknown=["*"]),
    )
    sure = Request(
        action=request_.action,
        principal=USER,
        resource=request_.resource,
        context=Context.of(learned),
    )
    before = decide(rows, unsure)
    if before is Outcome.EXPLICIT_DENY or before is Outcome.ALLOWED:
        assert decide(rows, sure) is before
    if before is Outcome.IMPLICIT_DENY:
        assert decide(rows, sure) is not Outcome.ALLOWED


@given(ROWS, ROWS, REQUESTS, st.sampled_from(["boundary", "scps", "session"]))
def test_a_limit_never_allows_more(
    rows: list[dict[str, object]], limit: list[dict[str, object]], request_: Request, kind: str
) -> None:
    document = Policy.parse({"Statement": limit})
    as_kind = {"boundary": document, "scps": [[document]], "session": [document]}
    identity = [Policy.parse({"Statement": rows})]
    free = evaluate(request_, identity=identity)
    limited = evaluate(request_, identity=identity, **{kind: as_kind[kind]})  # type: ignore[arg-type]
    if free.outcome is not Outcome.ALLOWED:
        assert limited.outcome is not Outcome.ALLOWED
    if free.outcome is Outcome.EXPLICIT_DENY:
        assert limited.outcome is Outcome.EXPLICIT_DENY
    if limited.allowed:
        assert evaluate(request_, identity=[document]).allowed


@given(ROWS, ROWS, REQUESTS)
def test_within_the_account_a_resource_policy_never_allows_less_unless_it_denies(
    rows: list[dict[str, object]], on: list[dict[str, object]], request_: Request
) -> None:
    identity = [Policy.parse({"Statement": rows})]
    allowing = [one | {"Effect": "Allow", "Principal": {"AWS": USER.arn}} for one in on]
    resource = Policy.parse({"Statement": allowing})
    without = evaluate(request_, identity=identity).outcome
    with_it = evaluate(request_, identity=identity, resource=resource).outcome
    if without in {Outcome.ALLOWED, Outcome.EXPLICIT_DENY}:
        assert with_it is without


def test_a_key_that_is_surely_absent_is_not_unknown() -> None:
    context = Context.of(
        {"ec2:ResourceTag/team": "red"}, unknown=["ec2:*"], absent=["ec2:ResourceTag/*"]
    )
    owner = {"StringNotEquals": {"ec2:ResourceTag/owner": "me"}}
    size = {"StringNotEquals": {"ec2:InstanceType": "m7i.large"}}

    def outcome(condition: dict[str, object]) -> Outcome:
        allow = policy({"Action": "ec2:RunInstances", "Condition": condition})
        asked = Request(action="ec2:RunInstances", principal=USER, context=context)
        return evaluate(asked, identity=[allow]).outcome

    assert outcome(owner) is Outcome.ALLOWED
    assert outcome(size) is Outcome.UNKNOWN
