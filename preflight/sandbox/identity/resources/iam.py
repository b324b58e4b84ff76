"""IAM: users, roles and the rest under their paths, which only IAM's state knows.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from __future__ import annotations

from preflight.sandbox.identity.resources.arn import ANY, Arns, arn
from preflight.sandbox.identity.service_linked import service_linked_role_name
from preflight.sandbox.request import Request

#: Members that hold the ARN itself.
_ARNS = ("PolicySourceArn", "PolicyArn", "OpenIDConnectProviderArn", "SAMLProviderArn")
#: Members that hold a name. The first that is there counts: a role is put into an instance profile.
_NAMES = {
    "InstanceProfileName": "instance-profile",
    "RoleName": "role",
    "GroupName": "group",
    "UserName": "user",
}
#: What a user may leave out the name of: himself.
_OWN = frozenset(
    """
    ChangePassword CreateAccessKey DeleteAccessKey GetLoginProfile GetUser ListAccessKeys
    ListMFADevices ListSSHPublicKeys ListServiceSpecificCredentials ListSigningCertificates
    UpdateAccessKey
    """.split()
)
#: Looks without a resource type.
_LOOKS = frozenset(
    """
    GenerateCredentialReport GetAccountAuthorizationDetails GetAccountPasswordPolicy
    GetAccountSummary GetContextKeysForCustomPolicy GetCredentialReport
    GetOrganizationsAccessReport GetOutboundWebIdentityFederationInfo
    GetServiceLastAccessedDetails GetServiceLastAccessedDetailsWithEntities ListAccountAliases
    ListDelegationRequests ListGroups ListInstanceProfiles ListOpenIDConnectProviders
    ListOrganizationsFeatures ListPolicies ListRoles ListSAMLProviders
    ListSTSRegionalEndpointsStatus ListServerCertificates ListUsers ListVirtualMFADevices
    SimulateCustomPolicy
    """.split()
)


def iam(request: Request) -> Arns:
    """Name the one thing of IAM that the request is about."""
    return [_only(request)]


def _only(request: Request) -> str | None:
    given, operation = request.parameters, request.operation
    if not operation.startswith(("Attach", "Detach")):
        for member in _ARNS:
            if given.get(member):
                return str(given[member])
    for member, kind in _NAMES.items():
        if given.get(member):
            return iam_arn(request, kind, str(given[member]))
    if operation in _OWN and request.principal and request.principal.kind == "user":
        return request.principal.arn
    return _new(request) or (ANY if operation in _LOOKS else None)


def _new(request: Request) -> str | None:
    """Name what is about to be made and has a form of its own."""
    given = request.parameters
    tail = ""
    if request.operation == "CreatePolicy":
        tail = f"policy{given.get('Path') or '/'}{given.get('PolicyName')}"
    elif request.operation == "CreateOpenIDConnectProvider":
        tail = "oidc-provider/" + str(given.get("Url", "")).removeprefix("https://")
    elif request.operation == "CreateServiceLinkedRole":
        service = str(given.get("AWSServiceName", ""))
        name = service_linked_role_name(service, str(given.get("CustomSuffix") or ""))
        tail = f"role/aws-service-role/{service}/{name or '*'}"
    return arn(request, "iam", tail, region="") if tail else None


def iam_arn(request: Request, kind: str, name: str) -> str:
    """Name a user, role, group or instance profile with its path."""
    return arn(request, "iam", f"{kind}{_path(request, kind, name)}{name}", region="")


def _path(request: Request, kind: str, name: str) -> str:
    given = request.parameters.get("Path")
    if given and request.operation.startswith("Create"):
        return str(given)
    with request.world.lock:
        backend = request.world.backend("iam", "aws")
        tables = {
            "group": backend.groups,
            "instance-profile": backend.instance_profiles,
            "role": backend.roles,
            "user": backend.users,
        }
        found = (one.path for one in tables[kind].values() if one.name == name)
        return str(next(found, "/"))
