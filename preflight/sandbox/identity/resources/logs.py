"""CloudWatch Logs: log groups, with the trailing `:*` that all but the tagging actions have.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
"""

from __future__ import annotations

from preflight.sandbox.identity.resources.arn import ANY, Arns, arn
from preflight.sandbox.request import Request

_WITHOUT_RESOURCE = (
    "DescribeDeliveries",
    "DescribeDestinations",
    "DescribeExportTasks",
    "DescribeQueries",
    "DescribeResourcePolicies",
    "DeleteResourcePolicy",
    "PutResourcePolicy",
)


def logs(request: Request) -> Arns:
    """Name the log group; DescribeLogGroups is judged on all of them."""
    given = request.parameters
    if given.get("resourceArn"):
        return [str(given["resourceArn"])]
    if request.operation == "DescribeLogGroups":
        return [arn(request, "logs", "log-group:*")]
    name = given.get("logGroupName")
    if name:
        return [arn(request, "logs", f"log-group:{name}:*")]
    return [ANY if request.operation.startswith(_WITHOUT_RESOURCE) else None]
