"""What `preflight role show` reads of a role, and how it is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from preflight.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.role_found import RoleFound
    from checks.role_trust import Tried
    from preflight.aws import Aws
    from preflight.check import Answer
    from preflight.finding import Finding
    from preflight.found import Owner
    from preflight.profile import Profile
    from reports.view import Outcome

#: The shortest session there is; nothing is done with it.
SECONDS = 900


def findings(
    aws: Aws, profile: Profile, owner: Owner, external_id: str | None
) -> tuple[Finding, ...]:
    """Verify a role; raises `AwsError` where it cannot be read."""
    from checks.role_trust import TRUST, lived
    from checks.vendor_role import judge
    from preflight.finding import Finding
    from preflight.gate import SEVERITY
    from provision.blueprint.vendor_role import inline

    found = read(aws, owner)
    answers: list[Answer] = []
    if profile.role is not None:
        answers += judge(profile.role, found, external_id, inline(profile.role))
    if external_id is not None:
        answers += lived(_try(aws, found, external_id))
    return tuple(
        Finding(
            check="role",
            status=answer.status,
            subject=answer.subject,
            message=answer.message,
            hint=answer.hint,
            severity=answer.severity or SEVERITY[answer.status],
            url=answer.url or TRUST,
            data=answer.data,
        )
        for answer in answers
    )


def read(aws: Aws, owner: Owner) -> RoleFound:
    """Read a role with its policies."""
    from checks.role_found import RoleFound
    from provision.blueprint.vendor_role import role_name

    name = role_name(owner)
    role: dict[str, Any] = aws.call("iam", "GetRole", RoleName=name)["Role"]
    listed = aws.each("iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName=name)
    attached = tuple(str(one["PolicyArn"]) for one in listed)
    inline = {
        title: aws.call("iam", "GetRolePolicy", RoleName=name, PolicyName=title)["PolicyDocument"]
        for title in aws.each("iam", "ListRolePolicies", "PolicyNames", RoleName=name)
    }
    versions: dict[str, str] = {}
    for arn in attached:
        if ":iam::aws:policy/" in arn:
            continue
        try:
            versions[arn] = aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"][
                "DefaultVersionId"
            ]
        except AwsError:
            continue  # what is not there is said to be unseen
    return RoleFound(
        arn=role["Arn"],
        name=name,
        trust=role["AssumeRolePolicyDocument"],
        seconds=int(role.get("MaxSessionDuration") or 3600),
        attached=attached,
        inline=inline,
        boundary=(role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        versions=versions,
    )


def _try(aws: Aws, found: RoleFound, right: str) -> Tried:
    """Assume it with the right and with a wrong external id; nothing that comes back is kept."""
    from checks.role_trust import WRONG_ID, Tried, may_assume
    from preflight.aws import while_fresh

    def assume(external_id: str) -> None:
        aws.call(
            "sts",
            "AssumeRole",
            RoleArn=found.arn,
            RoleSessionName="preflight-show",
            ExternalId=external_id,
            DurationSeconds=SECONDS,
        )

    def trusted() -> None:
        """Whom the role does not trust need not wait until STS knows it."""
        if may_assume(found, aws.identity.arn, right):
            while_fresh(aws, found.arn, lambda: assume(right))
        else:
            assume(right)

    return Tried(right=_error(trusted), wrong=_error(lambda: assume(WRONG_ID)))


def _error(ask: Callable[[], None]) -> AwsError | None:
    try:
        ask()
    except AwsError as error:
        return error
    return None


def outcome_of(found: tuple[Finding, ...]) -> Outcome:
    """Say in one word whether the role is what the vendor needs."""
    from preflight.finding import Status
    from reports.view import Outcome

    statuses = {finding.status for finding in found}
    if Status.FAIL in statuses:
        return Outcome.CLOSED
    return Outcome.INCOMPLETE if Status.UNKNOWN in statuses else Outcome.DONE


def needing(aws: Aws, role_arn: str) -> tuple[tuple[str, str], ...]:
    """Name the clusters, with their Regions, that were built by a role and are still there.

    A role is global and its clusters may be anywhere. Whoever builds a cluster has an access entry
    in it. Raises `AwsError` where nobody can tell: then the role stays.
    """
    from concurrent.futures import ThreadPoolExecutor

    regions = [str(one["RegionName"]) for one in aws.each("ec2", "DescribeRegions", "Regions")]
    with ThreadPoolExecutor(max_workers=16) as pool:
        found = list(pool.map(lambda region: _needing_in(aws.at(region), role_arn), regions))
    return tuple(one for each in found for one in each)


def _needing_in(aws: Aws, role_arn: str) -> list[tuple[str, str]]:
    from preflight.found import CLUSTER_TAG, tag_map

    needing = []
    for name in aws.each("eks", "ListClusters", "clusters"):
        tags = tag_map(aws.call("eks", "DescribeCluster", name=name)["cluster"].get("tags"))
        if CLUSTER_TAG not in tags:
            continue
        entries = aws.each("eks", "ListAccessEntries", "accessEntries", clusterName=name)
        if role_arn in entries:
            needing.append((tags[CLUSTER_TAG], aws.region))
    return needing
