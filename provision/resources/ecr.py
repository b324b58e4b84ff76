"""Image repositories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from preflight.actions import Action
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import Found, Owner, tag_map
from preflight.names import REPOSITORY, NameRule, derive
from preflight.quota import Demand
from preflight.quotas.catalogue import REPOSITORIES
from preflight.resource import Ids, Resource

_ALL = "arn:{owner.partition}:ecr:{owner.region}:{owner.account}:repository/*"
_ARN = "arn:{owner.partition}:ecr:{owner.region}:{owner.account}:repository/{self.repository_name}"
_HEAD = replace(REPOSITORY, maximum=128)


def prefix(owner: Owner) -> str:
    """Give the namespace of an owner's repositories: `dev/`."""
    return f"{derive(_HEAD, owner.cluster)}/"


def repository_name(owner: Owner, name: str) -> str:
    """Name the repository that the plan calls `name`: `dev/images`."""
    return prefix(owner) + name


class Repository(Resource):
    """A private image repository that scans what is pushed; kept at tear-down unless asked for.

    `repository_name` comes from `ecr.repository_name(owner, name)` and is the id. Images without a
    tag expire after `expire_days`.
    """

    kind = "ecr/repository"
    creates = (
        Action(name="ecr:CreateRepository", on=(_ARN,), tagged=True),
        Action(name="ecr:TagResource", on=(_ARN,), tagged=True, by_hand=True),
        Action(name="ecr:PutLifecyclePolicy", on=(_ARN,)),
    )
    finds = (
        Action(name="ecr:DescribeRepositories", on=(_ALL,)),
        Action(name="ecr:ListTagsForResource", on=(_ARN,)),
    )
    deletes = (Action(name="ecr:DeleteRepository", on=(_ARN,)),)
    holds_data = True

    repository_name: str
    expire_days: int = 14

    def demands(self) -> Iterator[Demand]:
        """One of the repositories of the Region."""
        yield Demand(quota=REPOSITORIES)

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The repository's name."""
        yield REPOSITORY, self.repository_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the repository. ECR has no client token: the name is unique."""
        del token
        tags = sorted(ids.owner.tags(self.address).items())
        answer = aws.call(
            "ecr",
            "CreateRepository",
            repositoryName=self.repository_name,
            imageScanningConfiguration={"scanOnPush": True},
            encryptionConfiguration={"encryptionType": "AES256"},
            tags=[{"Key": key, "Value": value} for key, value in tags],
        )
        return str(answer["repository"]["repositoryName"])

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Let images without a tag expire.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
        """
        del ids
        rule = {
            "rulePriority": 1,
            "description": "images that no tag names any more",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": self.expire_days,
            },
            "action": {"type": "expire"},
        }
        text = json.dumps({"rules": [rule]})
        aws.call("ecr", "PutLifecyclePolicy", repositoryName=id, lifecyclePolicyText=text)

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by namespace, then by tag."""
        own = prefix(owner)
        for repository in aws.each("ecr", "DescribeRepositories", "repositories"):
            arn, name = repository["repositoryArn"], repository["repositoryName"]
            if not name.startswith(own):
                continue
            try:
                tags = tag_map(aws.call("ecr", "ListTagsForResource", resourceArn=arn)["tags"])
            except NotFound:
                continue  # gone since it was listed
            here = Found(
                kind=cls.kind,
                id=name,
                region=owner.region,
                arn=arn,
                name=name,
                created=repository.get("createdAt"),
            )
            if (ours := here.owned(tags, owner)) is not None:
                yield ours

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Delete it with all its images."""
        aws.call("ecr", "DeleteRepository", repositoryName=found.id, force=True)
