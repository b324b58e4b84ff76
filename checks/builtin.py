"""The checks of Preflight itself, in the order in which they are reported."""

from __future__ import annotations

from checks.identity import identity
from checks.names import names
from checks.permissions import permissions
from preflight.check import Check

#: A new check is one file and one line here.
CHECKS: tuple[Check, ...] = (
    identity,
    names,
    permissions,
)
