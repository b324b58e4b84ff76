"""The cluster's name, and every name that follows from it."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.check import Answer, Context, check
from preflight.finding import Status
from preflight.namerule import NameRule
from preflight.names import EKS_CLUSTER, derive, problems
from preflight.plan import Name


@check(
    "names",
    "Every name is legal where it is used",
    why=(
        "A name is refused by the service that gets it last, when half of the cluster stands: EKS "
        "takes no dot, IAM no more than 64 characters."
    ),
    fix="Choose a cluster name of lower case letters, digits and hyphens, 50 characters at most.",
    url="https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html",
)
def names(context: Context) -> Iterator[Answer]:
    """Judge the cluster's name by the vendor's rule and each derived name by AWS's."""
    yield _cluster(context)
    yield from _claimed(context)
    planned = tuple(context.plan.names)
    wrong = [answer for name in planned if (answer := _judged(name)) is not None]
    yield from wrong
    yield from _changed(context.spec.name, planned)
    if not wrong:
        yield Answer(
            status=Status.PASS,
            subject="derived names",
            message=f"{len(planned)} derived names are legal",
            data={"names": {name.address: name.value for name in planned}},
        )


def _cluster(context: Context) -> Answer:
    cluster, vendor = context.spec.name, context.profile.title
    rule = context.profile.name_rule
    subject = f"cluster {cluster}"
    if found := context.profile.name_problems(cluster):
        proposal = proposed(rule, cluster) if rule else None
        return Answer(
            status=Status.FAIL,
            subject=subject,
            message=f"{cluster!r} is no cluster name for {vendor}: {' '.join(found)}",
            hint=f"call it {proposal}: `name: {proposal}`" if proposal else None,
            url=context.profile.url,
            data={"name": cluster, "problems": list(found), "proposal": proposal},
        )
    text = f"{cluster!r} fits {vendor}'s rule" if rule else f"{vendor} has no rule for names"
    return Answer(status=Status.PASS, subject=subject, message=text, data={"name": cluster})


def _claimed(context: Context) -> Iterator[Answer]:
    """Refuse tags of the spec by which the vendor finds what it deletes."""
    vendor = context.profile
    for key in sorted(context.spec.tags):
        if vendor.claims(key, context.plan.owner.eks_name):
            yield Answer(
                status=Status.FAIL,
                subject=f"tag {key}",
                message=f"{vendor.title} deletes by the tag {key}, which the spec puts on all",
                hint=f"take {key} out of `tags:`",
                url=vendor.url,
                data={"tag": key},
            )


def _judged(name: Name) -> Answer | None:
    found = problems(name.rule, name.value)
    if not found:
        return None
    proposal = proposed(name.rule, name.value)
    return Answer(
        status=Status.FAIL,
        subject=f"{name.address} {name.rule.kind}",
        message=f"{name.value!r} cannot be the name of {name.address}: {' '.join(found)}",
        hint=f"a legal name would be {proposal}" if proposal else None,
        url=name.rule.url,
        data={
            "address": name.address,
            "name": name.value,
            "rule": name.rule.kind,
            "problems": list(found),
            "proposal": proposal,
        },
    )


def _changed(cluster: str, planned: tuple[Name, ...]) -> Iterator[Answer]:
    """Say under which name EKS will know a cluster whose own name it would refuse."""
    for name in planned:
        refused = " ".join(problems(EKS_CLUSTER, cluster))
        if name.rule != EKS_CLUSTER or name.value == cluster or problems(name.rule, name.value):
            continue
        why = refused or "a name that ends like a hash gets one of its own"
        yield Answer(
            status=Status.PASS,
            subject=f"{name.address} renamed",
            message=f"EKS will know {cluster!r} as {name.value!r}: {why}",
            hint=f"aws eks describe-cluster --name {name.value}",
            url=name.rule.url,
            data={"asked": cluster, "name": name.value, "rule": name.rule.kind},
        )


def proposed(rule: NameRule, name: str) -> str | None:
    """Give a legal name that looks like an illegal one, or None when none is found."""
    plain = "".join(c if c.isalnum() else "-" for c in name.lower() if c.isascii()).strip("-")
    for candidate in (rule.required_prefix + plain[: rule.maximum].strip("-"), derive(rule, name)):
        if candidate and not problems(rule, candidate):
            return candidate
    return None
