"""What the permissions check says when the simulator cannot be asked, or not about everything."""

from __future__ import annotations

import json
from collections.abc import Iterable

from checks.principal import Entity, Principal
from checks.simulation import Ruling
from preflight.check import Answer
from preflight.errors import AccessDenied
from preflight.finding import Status

SIMULATE = "iam:SimulatePrincipalPolicy"


def refused(behind: Entity, rulings: Iterable[Ruling]) -> Answer | None:
    """Say once that nothing was simulated at all, and how that would go."""
    errors = [ruling.error for ruling in rulings]
    first = next(iter(errors), None)
    if first is None or any(error is None for error in errors):
        return None
    denial = next((error for error in errors if isinstance(error, AccessDenied)), None)
    if denial is not None:
        return _not_granted(behind, denial.action or SIMULATE)
    guess = "allow iam:GetRole: the path of the role is a guess" if behind.guessed else first.hint
    return Answer(
        status=Status.UNKNOWN,
        subject="simulation",
        message=f"nothing is known of the permissions of {behind.arn}: {first}",
        hint=guess,
        data={"decision": "unknown", "layer": "unknown"},
    )


def _not_granted(behind: Entity, action: str) -> Answer:
    allow = {"Effect": "Allow", "Action": action, "Resource": behind.arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    kind, name = behind.arn.split(":")[5].split("/")[0], behind.arn.rpartition("/")[2]
    return Answer(
        status=Status.UNKNOWN,
        subject="simulation",
        message=f"{action} is not allowed, so that nothing is known of the permissions",
        hint=(
            f"aws iam put-{kind}-policy --{kind}-name {name} --policy-name preflight-simulate"
            f" --policy-document '{document}'"
        ),
        data={"missing_action": action, "action": action, "layer": "unknown"},
    )


def no_entity(builder: Principal) -> Answer:
    """Say that there is no user or role to simulate."""
    return Answer(
        status=Status.UNKNOWN,
        subject="simulation",
        message=f"{builder.kind.words} {builder.name} cannot be simulated: IAM has no such entity",
        hint="sign in as an IAM user or a role, or give --role-arn",
        data={"decision": "unknown", "layer": "unknown"},
    )
