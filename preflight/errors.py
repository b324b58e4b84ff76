"""Everything that can go wrong, as one tree, each error with what to do about it.

PreflightError
├── UsageError            the command line was wrong                                  exit 2
│   └── SpecError         a spec, profile, scenario or report file is wrong           exit 2
├── AwsError              AWS answered with an error; operation, code, request id     exit 4
│   ├── AccessDenied      the caller may not do this; names the missing action
│   ├── NotFound          the thing is not there
│   ├── AlreadyExists     the name is taken
│   ├── Busy              an earlier operation on the same thing is still going on
│   ├── Dependency        something else still uses the thing
│   ├── Propagating       IAM has not yet told every service about a new role
│   ├── QuotaExceeded     a limit of the account is reached
│   ├── Throttled         too many requests, retries included
│   ├── RegionDisabled    STS is not activated in this Region for this account
│   ├── Unreachable       no connection: nothing is known about the request
│   └── CredentialsError  no, expired or invalid credentials
├── PlanError             a plan that cannot be carried out, such as a cycle          exit 1
├── GateClosed            a check failed or could not look                            exit 3
├── BuildFailed           a build or tear-down failed or was left partial             exit 6
├── Refused               not done, on purpose: alive, locked, wrong account          exit 7
└── PluginError           a plugin could not be loaded                                exit 2
"""

from __future__ import annotations

from typing import ClassVar


class PreflightError(Exception):
    """An error that a user can read: what is (`message`) and what to do (`hint`)."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PreflightError):
    """The command line asks for something that does not make sense."""

    exit_code = 2


class SpecError(UsageError):
    """A file the user wrote is wrong; `where` is `file:line` and `path` the dotted key."""

    def __init__(
        self, message: str, *, where: str | None = None, path: str = "", hint: str | None = None
    ) -> None:
        parts = [part for part in (where, path, message) if part]
        super().__init__(": ".join(parts), hint)
        self.where = where
        self.path = path


class AwsError(PreflightError):
    """AWS answered with an error that no more special class describes."""

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        service: str = "",
        operation: str = "",
        code: str = "",
        request_id: str = "",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.service = service
        self.operation = operation
        self.code = code
        self.request_id = request_id

    def __str__(self) -> str:
        call = f"{self.service}:{self.operation}" if self.operation else self.service
        code = f" [{self.code}]" if self.code else ""
        return f"{call}{code}: {self.message}" if call else self.message


class AccessDenied(AwsError):
    """The caller may not do this; `action` is the IAM action to grant."""

    def __init__(self, message: str, *, action: str = "", **details: str) -> None:
        super().__init__(message, **details)
        self.action = action


class NotFound(AwsError):
    """The thing asked for is not there (any more, or yet)."""


class AlreadyExists(AwsError):
    """The name is taken, or the thing was made before."""


class Busy(AwsError):
    """An earlier operation on the same thing is still going on; try again later."""


class Dependency(AwsError):
    """Something else still uses the thing; it can be deleted when that is gone."""


class Propagating(AwsError):
    """IAM has not yet told every service about a new role or policy."""


class QuotaExceeded(AwsError):
    """A limit of the account is reached; waiting will not help."""


class Throttled(AwsError):
    """Too many requests, even after the retries of `preflight.aws`."""


class RegionDisabled(AwsError):
    """STS is not activated in this Region for this account."""


class Unreachable(AwsError):
    """No connection, or it broke off: nothing is known about the request."""


class CredentialsError(AwsError):
    """There are no credentials, or AWS does not accept them."""


class PlanError(PreflightError):
    """A plan that cannot be carried out, such as one with a cycle."""


class GateClosed(PreflightError):
    """A check failed or could not look, and nothing waives it."""

    exit_code = 3


class BuildFailed(PreflightError):
    """A build or a tear-down failed, or was left partial; the journal knows how far it came."""

    exit_code = 6


class Refused(PreflightError):
    """Not done, on purpose: the cluster is alive, somebody else holds it, the account is wrong."""

    exit_code = 7


class PluginError(PreflightError):
    """A plugin could not be loaded, or is not what its entry point says."""

    exit_code = 2
