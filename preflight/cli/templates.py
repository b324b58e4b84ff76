"""Identities as text for other tools: Terraform, CloudFormation, and commands of the AWS CLI."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from preflight.plan import Plan

Document = Mapping[str, Any]
#: What stands in documents for the external id, which is never written into a file.
EXTERNAL_ID = "{{external id}}"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to write: managed policies by name, and the role they are for, where there is one."""

    policies: Mapping[str, Document] = field(default_factory=dict)
    boundary: tuple[str, Document] | None = None
    role: RoleText | None = None

    @property
    def every(self) -> dict[str, Document]:
        """Give all documents by name, the boundary last."""
        return {**self.policies, **(dict([self.boundary]) if self.boundary else {})}


@dataclass(frozen=True, kw_only=True)
class RoleText:
    """A role: its trust policy, AWS's managed policies by ARN, and inline ones by name."""

    name: str
    path: str
    trust: Document
    seconds: int
    managed: tuple[str, ...] = ()
    inline: Mapping[str, Document] = field(default_factory=dict)


def of_plan(plan: Plan) -> Wanted:
    """Read the role and the policies of a plan of `provision.blueprint.vendor_role`."""
    from provision.blueprint.vendor_role import BOUNDARY
    from provision.resources.policies import Policy
    from provision.resources.roles import Role

    policies = [one for one in plan.ordered if isinstance(one, Policy)]
    role = next(one for one in plan.ordered if isinstance(one, Role))
    edge = next((one for one in policies if one.name == BOUNDARY), None)
    return Wanted(
        policies={one.policy_name: one.document for one in policies if one is not edge},
        boundary=(edge.policy_name, edge.document) if edge else None,
        role=RoleText(
            name=role.role_name,
            path="/",
            trust=role.trust,
            seconds=role.max_session,
            managed=role.managed,
            inline=role.inline,
        ),
    )


def terraform(wanted: Wanted) -> str:
    """Write HCL; `jsonencode` keeps the documents as they are."""
    parts = [_terraform_policy(name, document) for name, document in wanted.every.items()]
    if wanted.role is not None:
        parts.append(_terraform_role(wanted, wanted.role))
    return "\n\n".join(parts) + "\n"


def _terraform_policy(name: str, document: Document) -> str:
    return (
        f'resource "aws_iam_policy" "{_label(name)}" {{\n'
        f"  name   = {json.dumps(name)}\n  policy = {_encoded(document)}\n}}"
    )


def _terraform_role(wanted: Wanted, role: RoleText) -> str:
    label = _label(role.name)
    boundary = _label(wanted.boundary[0]) if wanted.boundary else ""
    lines = [
        'variable "external_id" {\n  type      = string\n  sensitive = true\n}\n',
        f'resource "aws_iam_role" "{label}" {{',
        f"  name                 = {json.dumps(role.name)}",
        f"  path                 = {json.dumps(role.path)}",
        f"  max_session_duration = {role.seconds}",
        f"  assume_role_policy   = {_encoded(role.trust)}",
    ]
    if boundary:
        lines.append(f"  permissions_boundary = aws_iam_policy.{boundary}.arn")
    lines.append("}")
    arns = [(_label(arn), json.dumps(arn)) for arn in role.managed]
    arns += [(_label(name), f"aws_iam_policy.{_label(name)}.arn") for name in wanted.policies]
    for name, arn in arns:
        lines.append(
            f'\nresource "aws_iam_role_policy_attachment" "{name}" {{\n'
            f"  role       = aws_iam_role.{label}.name\n  policy_arn = {arn}\n}}"
        )
    for name, document in role.inline.items():
        lines.append(
            f'\nresource "aws_iam_role_policy" "{_label(name)}" {{\n'
            f"  name   = {json.dumps(name)}\n  role   = aws_iam_role.{label}.id\n"
            f"  policy = {_encoded(document)}\n}}"
        )
    lines.append(f'\noutput "role_arn" {{\n  value = aws_iam_role.{label}.arn\n}}')
    return "\n".join(lines)


def _encoded(document: Document) -> str:
    text = json.dumps(document, indent=2).replace("${", "$${").replace("%{", "%%{")
    text = text.replace(json.dumps(EXTERNAL_ID), "var.external_id")
    return "jsonencode(" + text.replace("\n", "\n  ") + ")"


def _label(name: str) -> str:
    label = re.sub("[^A-Za-z0-9_]+", "_", name.rpartition("/")[2])
    return label if label[:1].isalpha() else f"_{label}"


def cloudformation(wanted: Wanted) -> str:
    """Write a template in JSON, which CloudFormation reads like YAML.

    A statement is one line: as a body, a template may be 51,200 bytes long.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    """
    resources = {
        _logical(name): _cloudformation_policy(name, document)
        for name, document in wanted.every.items()
    }
    template: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09"}
    if wanted.role is not None:
        template["Parameters"] = {"ExternalId": {"Type": "String", "NoEcho": True, "MinLength": 2}}
        resources["Role"] = _cloudformation_role(wanted, wanted.role)
        template["Outputs"] = {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}}
    return _statement_by_line({**template, "Resources": resources}) + "\n"


def _statement_by_line(template: Mapping[str, Any]) -> str:
    lines: dict[str, str] = {}

    def folded(value: Any) -> Any:
        if isinstance(value, list):
            return [folded(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        if "Effect" in value:
            mark = f"statement {len(lines)}"
            lines[json.dumps(mark)] = json.dumps(value)
            return mark
        return {key: folded(each) for key, each in value.items()}

    text = json.dumps(folded(template), indent=2)
    return re.sub('"statement [0-9]+"', lambda found: lines[found[0]], text)


def _cloudformation_policy(name: str, document: Document) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"ManagedPolicyName": name, "PolicyDocument": document},
    }


def _cloudformation_role(wanted: Wanted, role: RoleText) -> dict[str, Any]:
    text = json.dumps(role.trust).replace(json.dumps(EXTERNAL_ID), '{"Ref": "ExternalId"}')
    properties: dict[str, Any] = {
        "RoleName": role.name,
        "Path": role.path,
        "MaxSessionDuration": role.seconds,
        "AssumeRolePolicyDocument": json.loads(text),
        "ManagedPolicyArns": [*role.managed, *({"Ref": _logical(n)} for n in wanted.policies)],
        "Policies": [
            {"PolicyName": name, "PolicyDocument": document}
            for name, document in role.inline.items()
        ],
    }
    if wanted.boundary is not None:
        properties["PermissionsBoundary"] = {"Ref": _logical(wanted.boundary[0])}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _logical(name: str) -> str:
    return "".join(part.capitalize() for part in re.split("[^A-Za-z0-9]+", name))


def aws_cli(wanted: Wanted, account: str, partition: str) -> str:
    """Write a shell script; it takes the external id from the environment."""
    lines = ["set -eu", ': "${EXTERNAL_ID:?give the external id in EXTERNAL_ID}"']
    lines += _cli_commands(wanted, f"arn:{partition}:iam::{account}:policy")
    return "\n".join(lines) + "\n"


def _cli_commands(wanted: Wanted, arns: str) -> Iterator[str]:
    for name, document in wanted.every.items():
        yield _command("create-policy", policy_name=name, policy_document=_short(document))
    role = wanted.role
    if role is None:
        return
    trust = shlex.quote(_short(role.trust)).replace(EXTERNAL_ID, "'\"$EXTERNAL_ID\"'")
    more = {"permissions_boundary": f"{arns}/{wanted.boundary[0]}"} if wanted.boundary else {}
    made = _command(
        "create-role",
        role_name=role.name,
        path=role.path,
        max_session_duration=str(role.seconds),
        **more,
    )
    yield f"{made} --assume-role-policy-document {trust}"
    for arn in (*role.managed, *(f"{arns}/{name}" for name in wanted.policies)):
        yield _command("attach-role-policy", role_name=role.name, policy_arn=arn)
    for name, document in role.inline.items():
        yield _command(
            "put-role-policy",
            role_name=role.name,
            policy_name=name,
            policy_document=_short(document),
        )


def _command(operation: str, **parameters: str) -> str:
    words = ["aws", "iam", operation]
    for name, value in parameters.items():
        words += [f"--{name.replace('_', '-')}", value]
    return shlex.join(words)


def _short(document: Document) -> str:
    return json.dumps(document, separators=(",", ":"))
