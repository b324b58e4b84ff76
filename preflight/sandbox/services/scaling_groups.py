"""Auto Scaling groups: not deleted while they have instances or a scaling activity.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html
The words are those of the API's own examples, as clients for it test against them.
"""

from __future__ import annotations

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request


def refuse(request: Request) -> None:
    """An Auto Scaling group with instances goes only by force."""
    groups = request.world.backend("autoscaling", request.region).autoscaling_groups
    group = groups.get(request.parameters.get("AutoScalingGroupName"))
    if group is not None and group.instance_states and not request.parameters.get("ForceDelete"):
        raise AwsFault(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot"
            " instance request(s) still in the group.",
        )


def refuse_taken_name(request: Request) -> None:
    """A name is there once in a Region."""
    name = request.parameters["AutoScalingGroupName"]
    if name in request.world.backend("autoscaling", request.region).autoscaling_groups:
        message = (
            "AutoScalingGroup by this name already exists - A group with the name"
            f" {name} already exists"
        )
        raise AwsFault("AlreadyExists", message)


RULES = {
    ("autoscaling", "CreateAutoScalingGroup"): refuse_taken_name,
    ("autoscaling", "DeleteAutoScalingGroup"): refuse,
}
