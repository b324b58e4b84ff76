"""The order in which kinds can be deleted."""

from __future__ import annotations

from provision.order import gone_first
from provision.resources.kinds import KINDS
from provision.resources.oidc import OidcProvider
from provision.resources.policies import Policy
from provision.resources.roles import Role
from provision.strays.kinds import STRAYS


def test_a_few_kinds_can_be_ordered_without_those_their_fields_name() -> None:
    assert gone_first((Role, Policy)) == {"iam/role": frozenset(), "iam/policy": {"iam/role"}}
    assert gone_first((OidcProvider,)) == {"iam/oidc-provider": frozenset()}


def test_all_kinds_can_be_ordered_and_none_waits_for_itself() -> None:
    first = gone_first((*KINDS, *STRAYS))
    assert first.keys() == {kind.kind for kind in (*KINDS, *STRAYS)}
    assert not [kind for kind, others in first.items() if kind in others]
    assert "eks/nodegroup" in first["eks/cluster"]
    assert "eks/cluster" in first["logs/log-group"]
