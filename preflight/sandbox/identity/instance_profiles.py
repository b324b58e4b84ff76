"""Instance profiles that EC2 and Auto Scaling do not find: there are none, or they are too new.

With `consistency.iam_propagation` a new profile, or one that was just given its role, is not known
yet, as preflight/sandbox/identity/propagation.py has it for roles.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

from __future__ import annotations

from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity.propagation import Propagation, is_on
from preflight.sandbox.request import Request, Response


def profile_changed(request: Request, _: Response) -> None:
    """A profile was made, or given its role."""
    if is_on(request):
        name = request.parameters["InstanceProfileName"]
        request.world.part(Propagation).begin(("instance-profile", name))


def _is_known(request: Request, name: str) -> bool:
    profiles = request.world.backend("iam", "aws").instance_profiles.values()
    if all(profile.name != name for profile in profiles):
        return False
    changes = request.world.part(Propagation)
    return not (is_on(request) and changes.is_under_way(("instance-profile", name)))


def _name(wanted: Any) -> str:
    """Give the name of a profile that is told by name or ARN."""
    given = wanted if isinstance(wanted, str) else wanted.get("Name") or wanted.get("Arn") or ""
    return str(given).rpartition("/")[2]


def refuse_instances(request: Request) -> None:
    """RunInstances with a profile that EC2 does not know."""
    wanted = request.parameters.get("IamInstanceProfile")
    if wanted and not _is_known(request, _name(wanted)):
        message = (
            f"Value ({_name(wanted)}) for parameter iamInstanceProfile.name is invalid."
            " Invalid IAM Instance Profile name"
        )
        raise AwsFault("InvalidParameterValue", message)


def refuse_launch_configuration(request: Request) -> None:
    """CreateLaunchConfiguration with one that Auto Scaling does not know."""
    wanted = request.parameters.get("IamInstanceProfile")
    if wanted and not _is_known(request, _name(wanted)):
        message = f"Invalid IamInstanceProfile: {_name(wanted)}. Invalid IAM Instance Profile name"
        raise AwsFault("ValidationError", message)


EFFECTS = {
    ("iam", "AddRoleToInstanceProfile"): profile_changed,
    ("iam", "CreateInstanceProfile"): profile_changed,
}
RULES = {
    ("autoscaling", "CreateLaunchConfiguration"): refuse_launch_configuration,
    ("ec2", "RunInstances"): refuse_instances,
}
