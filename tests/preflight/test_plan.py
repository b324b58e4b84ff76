from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight.actions import Action
from preflight.aws import Aws
from preflight.errors import PlanError
from preflight.found import Found, Owner
from preflight.plan import Plan
from preflight.quota import Demand
from preflight.quotas.catalogue import SUBNETS_PER_VPC, VPCS
from preflight.resource import Ids, Resource

OWNER = Owner(cluster="dev", account="111122223333", region="us-west-2")


class Box(Resource):
    """Something of no service, which holds others and takes room."""

    kind = "test/box"
    creates = (
        Action(
            name="test:CreateBox",
            on=("arn:{owner.partition}:test:{owner.region}:{owner.account}:{self.name}",),
            context={"test:Zone": "{self.zone}", "test:Owners": ("{owner.cluster}", "all")},
        ),
    )
    finds = (Action(name="test:ListBoxes"),)
    deletes = (Action(name="test:DeleteBox"),)

    inside: tuple[Box, ...] = ()
    zone: str = "a"
    room: float | None = 1
    shelf: str = ""

    def demands(self) -> Iterator[Demand]:
        yield Demand(quota=VPCS)
        yield Demand(quota=SUBNETS_PER_VPC, amount=self.room, within=self.shelf)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        raise NotImplementedError

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        raise NotImplementedError

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        raise NotImplementedError


def plan(*resources: Resource, owner: Owner = OWNER) -> Plan:
    return Plan(owner=owner, resources=resources)


@st.composite
def graphs(draw: Callable[..., Any]) -> tuple[tuple[Box, ...], tuple[Box, ...]]:
    """Draw boxes that need some of those before them, and the same ones in another order."""
    boxes: list[Box] = []
    for number in range(draw(st.integers(1, 8))):
        chosen = draw(st.lists(st.sampled_from(boxes), unique=True)) if boxes else []
        last = draw(st.booleans())
        boxes.append(
            Box(name=f"b{number}", after=tuple(chosen))
            if last
            else Box(name=f"b{number}", inside=tuple(chosen))
        )
    return tuple(boxes), tuple(draw(st.permutations(boxes)))


@given(graphs())
def test_the_order_does_not_depend_on_how_the_resources_are_listed(
    drawn: tuple[tuple[Box, ...], tuple[Box, ...]],
) -> None:
    one, other = drawn
    assert [b.address for b in plan(*one).ordered] == [b.address for b in plan(*other).ordered]
    assert plan(*one).digest == plan(*other).digest


@given(graphs())
def test_nothing_comes_before_what_it_needs(
    drawn: tuple[tuple[Box, ...], tuple[Box, ...]],
) -> None:
    ordered = plan(*drawn[1]).ordered
    assert {*ordered} == {*drawn[0]}
    for place, box in enumerate(ordered):
        assert all(ordered.index(needed) < place for needed in box.needs)


def test_a_cycle_is_an_error_that_names_its_members() -> None:
    first, second, third = Box(name="a"), Box(name="b"), Box(name="c")
    for box, needed in ((first, second), (second, third), (third, first)):
        object.__setattr__(box, "after", (needed,))
    with pytest.raises(PlanError, match="a cycle: test/box/") as cycle:
        plan(first, second, third).ordered  # noqa: B018 - the property raises
    assert all(box.address in cycle.value.message for box in (first, second, third))


def test_two_resources_at_one_address_are_an_error() -> None:
    with pytest.raises(PlanError, match=r"planned twice: test/box/a$"):
        plan(Box(name="a"), Box(name="b"), Box(name="a", zone="b")).ordered  # noqa: B018


def test_what_is_needed_and_not_planned_is_an_error() -> None:
    with pytest.raises(PlanError, match="test/box/a needs test/box/b, which is not planned"):
        plan(Box(name="a", inside=(Box(name="b"),))).ordered  # noqa: B018


@pytest.mark.parametrize(
    "changed",
    [
        plan(Box(name="a", zone="b"), Box(name="b")),
        plan(Box(name="a", after=(Box(name="b"),)), Box(name="b")),
        plan(Box(name="a"), Box(name="c")),
        plan(Box(name="a")),
        plan(Box(name="a"), Box(name="b"), owner=Owner(cluster="x", account="1", region="r")),
    ],
    ids=["a parameter", "an order", "a name", "one less", "another owner"],
)
def test_the_digest_is_another_when_anything_is(changed: Plan) -> None:
    assert changed.digest != plan(Box(name="a"), Box(name="b")).digest


def test_the_digest_is_the_same_in_every_process() -> None:
    boxes = plan(Box(name="a", inside=(Box(name="b"),)), Box(name="b"))
    assert boxes.digest == boxes.digest.lower()
    assert len(boxes.digest) == 64
    # Written down, because a Permit may outlive the process that gave the verdict.
    assert boxes.digest.startswith("8b7aced5")


def test_actions_are_filled_in_and_said_once() -> None:
    found = plan(Box(name="a"), Box(name="b"), Box(name="c")).actions
    names = [action.name for action in found]
    assert names.count("test:CreateBox") == 3
    assert names.count("test:ListBoxes") == names.count("test:DeleteBox") == 1
    create = next(action for action in found if action.name == "test:CreateBox")
    assert create.on == ("arn:aws:test:us-west-2:111122223333:a",)
    assert dict(create.context) == {"test:Zone": "a", "test:Owners": ("dev", "all")}


def test_demands_are_added_up_where_they_count() -> None:
    demands = plan(
        Box(name="a", room=2, shelf="x"), Box(name="b", room=3, shelf="x"), Box(name="c", room=4)
    ).demands
    assert demands[VPCS, ""] == 3
    assert demands[SUBNETS_PER_VPC, "x"] == 5
    assert demands[SUBNETS_PER_VPC, ""] == 4


@given(st.permutations([1.0, None, 2.0]))
def test_one_amount_nobody_knows_makes_the_sum_unknown(rooms: list[float | None]) -> None:
    boxes = [Box(name=str(number), room=room) for number, room in enumerate(rooms)]
    assert plan(*boxes).demands[SUBNETS_PER_VPC, ""] is None


def test_kinds_names_and_price_follow_from_the_resources() -> None:
    one = plan(Box(name="a"))
    assert one.kinds == (Box,)
    assert list(one.names) == []
    assert one.price.monthly_usd == 0
    assert one.price.unpriced == ()
