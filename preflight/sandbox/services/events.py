"""EventBridge: what moto tells of rules and AWS does not."""

from __future__ import annotations

from preflight.sandbox.request import Request, Response


def without_maker(_: Request, response: Response) -> dict[str, object]:
    """ListRules does not say who made a rule; DescribeRule does.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Rule.html
    """
    rules = [
        {name: value for name, value in rule.items() if name != "CreatedBy"}
        for rule in response.result.get("Rules", ())
    ]
    return {**response.result, "Rules": rules}


EFFECTS = {("events", "ListRules"): without_maker}
