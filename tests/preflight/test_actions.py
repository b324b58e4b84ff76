from __future__ import annotations

import botocore.session
import pytest

from preflight.actions import PREFIXES, RENAMED, Action, action_of, actions


class Thing:
    name = "it"
    account = "111122223333"


def test_an_action_is_named_by_client_and_operation_unless_iam_calls_it_otherwise() -> None:
    assert action_of("ec2", "CreateVpc") == "ec2:CreateVpc"
    assert action_of("elbv2", "DescribeTags") == "elasticloadbalancing:DescribeTags"
    assert action_of("service-quotas", "GetServiceQuota") == "servicequotas:GetServiceQuota"
    assert action_of("s3", "ListBuckets") == "s3:ListAllMyBuckets"


def test_only_real_clients_and_operations_have_other_names() -> None:
    session = botocore.session.get_session()
    clients = session.get_available_services()
    assert {*PREFIXES} <= {*clients}
    by_client: dict[str, set[str]] = {}
    for name in RENAMED:
        client, operation = name.split(":")
        if client not in by_client:
            by_client[client] = {*session.get_service_model(client).operation_names}
        assert operation in by_client[client], name
        assert RENAMED[name].startswith(f"{client}:")


def test_templates_are_filled_in_from_the_resource_and_its_owner() -> None:
    action = Action(
        name="x:Do",
        on=("arn:{owner.account}:{self.name}", "*"),
        context={"x:One": "{self.name}", "x:Many": ("{owner.account}", "plain")},
        tagged=True,
        by_hand=True,
    )
    filled = action.of(Thing(), Thing())
    assert filled.on == ("arn:111122223333:it", "*")
    assert dict(filled.context) == {"x:One": "it", "x:Many": ("111122223333", "plain")}
    assert (filled.name, filled.tagged, filled.by_hand) == ("x:Do", True, True)


def test_a_template_of_something_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError):
        Action(name="x:Do", on=("{self.nothing}",)).of(Thing(), Thing())


def test_actions_without_a_resource_are_on_everything() -> None:
    assert [(each.name, each.on) for each in actions("a:B", "a:C")] == [
        ("a:B", ("*",)),
        ("a:C", ("*",)),
    ]
