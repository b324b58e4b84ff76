"""EC2's own word on the very requests of a plan: DryRun asks every policy and changes nothing.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html
"""

from __future__ import annotations

from typing import Any, NoReturn

from preflight.actions import action_of
from preflight.aws import Aws
from preflight.errors import AccessDenied, AwsError
from preflight.found import Owner
from preflight.plan import Plan
from preflight.resource import Resource

WOULD_WORK = "DryRunOperation"


class _Trial(Aws):
    """A view that makes each request a trial, and refuses those that cannot be one."""

    def __init__(self, aws: Aws) -> None:
        self.__dict__.update(vars(aws))

    def call(
        self, service: str, operation: str, *, region: str | None = None, **parameters: Any
    ) -> dict[str, Any]:
        if service != "ec2":
            raise AwsError(f"{service} has no trials", service=service, operation=operation)
        return super().call(service, operation, region=region, DryRun=True, **parameters)


class _NoIds:
    """Nothing has been made yet."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner

    def __getitem__(self, resource: Resource) -> NoReturn:
        raise KeyError(resource.address)


def trials(aws: Aws, plan: Plan) -> dict[str, bool]:
    """Try what of the plan's EC2 needs nothing that is yet to be made; True is "allowed".

    Anything but a clear yes or no, such as a quota that is used up, is left out.
    """
    found: dict[str, bool] = {}
    for kind in plan.kinds:
        first = next(one for one in plan.ordered if type(one) is kind)
        if not first.kind.startswith("ec2/") or first.needs:
            continue
        try:
            first.create(_Trial(aws), _NoIds(plan.owner), "trial")
        except AccessDenied as error:
            found[error.action] = False
        except AwsError as error:
            if error.code == WOULD_WORK:
                found[action_of(error.service, error.operation)] = True
    return found
