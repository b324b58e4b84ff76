"""Threat detection: one detector for the whole account and Region, so usually somebody else's."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import Found, Owner, tag_map
from preflight.resource import Ids, Resource

_ARN = "arn:{owner.partition}:guardduty:{owner.region}:{owner.account}:detector/*"
_SERVICE = "guardduty.amazonaws.com"


class Detector(Resource):
    """GuardDuty turned on. AWS allows one detector per account and Region: one that is there is
    adopted, and an adopted one carries no tag of ours and is never deleted.

    https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateDetector.html
    """

    kind = "guardduty/detector"
    creates = (
        *actions("guardduty:ListDetectors"),
        Action(name="guardduty:CreateDetector", tagged=True),
        Action(name="guardduty:TagResource", on=(_ARN,), tagged=True, by_hand=True),
        Action(
            name="iam:CreateServiceLinkedRole",
            on=(
                "arn:{owner.partition}:iam::{owner.account}:role/aws-service-role/"
                f"{_SERVICE}/AWSServiceRoleForAmazonGuardDuty",
            ),
            context={"iam:AWSServiceName": _SERVICE},
            by_hand=True,
        ),
    )
    finds = (
        *actions("guardduty:ListDetectors"),
        Action(name="guardduty:GetDetector", on=(_ARN,)),
    )
    deletes = (Action(name="guardduty:DeleteDetector", on=(_ARN,)),)

    def adopt(self, aws: Aws) -> str | None:
        """Give the id of the detector that is there."""
        ids = aws.each("guardduty", "ListDetectors", "DetectorIds")
        return next((str(id) for id in ids), None)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Turn GuardDuty on and give the detector's id."""
        answer = aws.call(
            "guardduty",
            "CreateDetector",
            Enable=True,
            ClientToken=token,
            Tags=ids.owner.tags(self.address),
        )
        return str(answer["DetectorId"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag; there is one at most to look at."""
        for id in aws.each("guardduty", "ListDetectors", "DetectorIds"):
            try:
                described = aws.call("guardduty", "GetDetector", DetectorId=id)
            except NotFound:
                continue  # gone since it was listed
            tags = tag_map(described.get("Tags"))
            here = Found(
                kind=cls.kind,
                id=str(id),
                region=owner.region,
                arn=f"arn:{owner.partition}:guardduty:{owner.region}:{owner.account}:detector/{id}",
                name=str(id),
            )
            if (ours := here.owned(tags, owner)) is not None:
                yield ours

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Turn GuardDuty off; its findings go with it."""
        aws.call("guardduty", "DeleteDetector", DetectorId=found.id)
