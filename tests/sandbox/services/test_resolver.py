"""Query logging of Route 53 Resolver, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

GROUP = "arn:aws:logs:us-west-2:111122223333:log-group:dns:*"


@pytest.fixture
def resolver(client: Any) -> Any:
    return client("route53resolver")


@pytest.fixture
def vpc(client: Any) -> str:
    return str(client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def make(resolver: Any, name: str = "dev--dns", **more: Any) -> dict[str, Any]:
    asked = {"DestinationArn": GROUP, "CreatorRequestId": f"token-{name}", **more}
    answer = resolver.create_resolver_query_log_config(Name=name, **asked)
    made: dict[str, Any] = answer["ResolverQueryLogConfig"]
    return made


def status(resolver: Any, id: str) -> str:
    found = resolver.get_resolver_query_log_config(ResolverQueryLogConfigId=id)
    return str(found["ResolverQueryLogConfig"]["Status"])


def codes(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_configuration_is_creating_then_created_then_deleting_then_gone(
    sandbox: Sandbox, resolver: Any
) -> None:
    made = make(resolver)
    id = made["Id"]
    assert (made["Status"], status(resolver, id)) == ("CREATING", "CREATING")
    sandbox.world.clock.advance(10)
    assert status(resolver, id) == "CREATED"
    for _ in range(2):
        going = resolver.delete_resolver_query_log_config(ResolverQueryLogConfigId=id)
        assert going["ResolverQueryLogConfig"]["Status"] == "DELETING"
    sandbox.world.clock.advance(9)
    (listed,) = resolver.list_resolver_query_log_configs()["ResolverQueryLogConfigs"]
    assert listed["Status"] == "DELETING"
    sandbox.world.clock.advance(1)
    assert resolver.list_resolver_query_log_configs()["ResolverQueryLogConfigs"] == []
    for ask, key in (
        (resolver.get_resolver_query_log_config, {"ResolverQueryLogConfigId": id}),
        (resolver.delete_resolver_query_log_config, {"ResolverQueryLogConfigId": id}),
        (resolver.list_tags_for_resource, {"ResourceArn": made["Arn"]}),
    ):
        with pytest.raises(ClientError) as error:
            ask(**key)
        assert codes(error) == "ResourceNotFoundException"


def test_a_configuration_deleted_while_it_is_made_does_not_come_back(
    sandbox: Sandbox, resolver: Any
) -> None:
    id = make(resolver)["Id"]
    sandbox.world.clock.advance(5)
    resolver.delete_resolver_query_log_config(ResolverQueryLogConfigId=id)
    sandbox.world.clock.advance(6)
    assert status(resolver, id) == "DELETING"


def test_the_same_request_makes_one_configuration_and_another_with_its_token_is_refused(
    resolver: Any,
) -> None:
    first, second = make(resolver), make(resolver)
    assert first["Id"] == second["Id"]
    assert len(resolver.list_resolver_query_log_configs()["ResolverQueryLogConfigs"]) == 1
    with pytest.raises(ClientError) as error:
        make(resolver, "other", CreatorRequestId="token-dev--dns")
    assert codes(error) == "ResourceExistsException"


def test_tags_are_kept_from_creation_on_listed_changed_and_taken_away(resolver: Any) -> None:
    arn = make(resolver, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])["Arn"]

    def tags(**more: Any) -> dict[str, str]:
        listed = resolver.list_tags_for_resource(ResourceArn=arn, **more)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in listed}

    assert tags() == {"a": "1", "b": "2"}
    pages = resolver.get_paginator("list_tags_for_resource").paginate(
        ResourceArn=arn, PaginationConfig={"PageSize": 1}
    )
    assert [len(page["Tags"]) for page in pages] == [1, 1]
    resolver.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "3"}])
    resolver.untag_resource(ResourceArn=arn, TagKeys=["b"])
    assert tags() == {"a": "3"}


def test_tags_are_those_of_one_configuration_and_go_with_it(
    sandbox: Sandbox, resolver: Any
) -> None:
    gone = make(resolver, "gone", Tags=[{"Key": "a", "Value": "1"}])
    stays = make(resolver, "stays")
    assert resolver.list_tags_for_resource(ResourceArn=stays["Arn"])["Tags"] == []
    resolver.delete_resolver_query_log_config(ResolverQueryLogConfigId=gone["Id"])
    sandbox.world.clock.advance(10)
    for ask, more in (
        (resolver.list_tags_for_resource, {}),
        (resolver.tag_resource, {"Tags": [{"Key": "a", "Value": "1"}]}),
        (resolver.untag_resource, {"TagKeys": ["a"]}),
    ):
        with pytest.raises(ClientError) as error:
            ask(ResourceArn=gone["Arn"], **more)
        assert codes(error) == "ResourceNotFoundException"


def test_rules_of_the_resolver_keep_their_tags_too(resolver: Any) -> None:
    rule = resolver.create_resolver_rule(
        CreatorRequestId="r", RuleType="SYSTEM", DomainName="example.com"
    )["ResolverRule"]
    resolver.tag_resource(ResourceArn=rule["Arn"], Tags=[{"Key": "a", "Value": "1"}])
    assert resolver.list_tags_for_resource(ResourceArn=rule["Arn"])["Tags"] == [
        {"Key": "a", "Value": "1"}
    ]
    resolver.untag_resource(ResourceArn=rule["Arn"], TagKeys=["a"])
    assert resolver.list_tags_for_resource(ResourceArn=rule["Arn"])["Tags"] == []


def test_a_configuration_stays_until_no_vpc_is_associated(
    sandbox: Sandbox, resolver: Any, vpc: str
) -> None:
    id = make(resolver)["Id"]
    pair = {"ResolverQueryLogConfigId": id, "ResourceId": vpc}
    made = resolver.associate_resolver_query_log_config(**pair)
    association = made["ResolverQueryLogConfigAssociation"]

    def state() -> str:
        found = resolver.get_resolver_query_log_config_association(
            ResolverQueryLogConfigAssociationId=association["Id"]
        )
        return str(found["ResolverQueryLogConfigAssociation"]["Status"])

    assert (association["Status"], state()) == ("CREATING", "CREATING")
    sandbox.world.clock.advance(10)
    assert state() == "ACTIVE"
    with pytest.raises(ClientError) as error:
        resolver.associate_resolver_query_log_config(**pair)
    assert codes(error) == "ResourceExistsException"
    for _ in range(2):
        with pytest.raises(ClientError, match=vpc) as error:
            resolver.delete_resolver_query_log_config(ResolverQueryLogConfigId=id)
        assert codes(error) == "InvalidRequestException"
        resolver.disassociate_resolver_query_log_config(**pair)
        assert state() == "DELETING"
    sandbox.world.clock.advance(10)
    with pytest.raises(ClientError) as error:
        resolver.disassociate_resolver_query_log_config(**pair)
    assert codes(error) == "ResourceNotFoundException"
    found = resolver.get_resolver_query_log_config(ResolverQueryLogConfigId=id)
    assert found["ResolverQueryLogConfig"]["AssociationCount"] == 0
    resolver.delete_resolver_query_log_config(ResolverQueryLogConfigId=id)
    with pytest.raises(ClientError) as error:
        resolver.associate_resolver_query_log_config(**pair)
    assert codes(error) == "InvalidRequestException"


def test_lists_are_filtered(resolver: Any, vpc: str) -> None:
    first, second = make(resolver, "first"), make(resolver, "second")
    for each in (first, second):
        resolver.associate_resolver_query_log_config(
            ResolverQueryLogConfigId=each["Id"], ResourceId=vpc
        )

    def ids(operation: str, member: str, name: str, value: str) -> list[str]:
        answer = getattr(resolver, operation)(Filters=[{"Name": name, "Values": [value]}])
        return [one.get("ResolverQueryLogConfigId", one["Id"]) for one in answer[member]]

    configs = ("list_resolver_query_log_configs", "ResolverQueryLogConfigs")
    associations = (
        "list_resolver_query_log_config_associations",
        "ResolverQueryLogConfigAssociations",
    )
    assert ids(*configs, "Name", "first") == [first["Id"]]
    assert ids(*configs, "Status", "CREATED") == []
    wanted = ("ResolverQueryLogConfigId", second["Id"])
    assert ids(*associations, *wanted) == [second["Id"]]
    assert set(ids(*associations, "ResourceId", vpc)) == {first["Id"], second["Id"]}
