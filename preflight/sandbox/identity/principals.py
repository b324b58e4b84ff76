"""Who signs a request: users, role sessions, and what their keys are worth."""

from __future__ import annotations

import secrets
import string
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from preflight.sandbox.fault import AwsFault

if TYPE_CHECKING:
    from preflight.sandbox.world import World

PrincipalKind = Literal["user", "role", "federated", "root"]


@dataclass(frozen=True, kw_only=True)
class Principal:
    """The signer of a request, as the authorisation sees it.

    `arn` is what GetCallerIdentity says; for a role session `role_arn` is the role's own ARN.
    `session_policy` is the policy document passed when the session was made. `is_privileged`
    marks the sandbox's own set-up, which passes no authorisation, quota or fault. `issued` is when
    temporary credentials were made, in virtual time, and None for long-term keys.
    """

    kind: PrincipalKind
    arn: str
    account: str
    user_id: str
    name: str
    role_arn: str = ""
    session_policy: str | None = None
    session_policy_arns: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    issued: datetime | None = None
    transitive: tuple[str, ...] = ()
    is_privileged: bool = False


@dataclass(frozen=True, kw_only=True)
class Session:
    """Temporary credentials; `expires` is real time in seconds since the epoch."""

    principal: Principal
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires: float


def random_key(prefix: str) -> str:
    """Make an access key id of 20 characters."""
    letters = string.ascii_uppercase + string.digits
    return prefix + "".join(secrets.choice(letters) for _ in range(20 - len(prefix)))


def open_session(world: World, principal: Principal, seconds: int) -> Session:
    """Make temporary credentials for a principal and remember them in the world."""
    session = Session(
        principal=replace(principal, issued=world.clock.now()),
        access_key_id=random_key("ASIA"),
        secret_access_key=secrets.token_urlsafe(30),
        session_token="Sandbox" + secrets.token_urlsafe(120),
        expires=time.time() + seconds,
    )
    with world.lock:
        world.sessions[session.access_key_id] = session
    return session


def principal_of(world: World, access_key_id: str, session_token: str) -> Principal:
    """Find out who owns an access key; raises the fault AWS has for unknown or expired keys."""
    if access_key_id == world.setup_key_id:
        return world.setup_principal
    session = world.sessions.get(access_key_id)
    if session is not None:
        return _session_principal(session, session_token)
    root_key = world.scenario.get("account", {}).get("root_key")
    if root_key and access_key_id == root_key[0] and not session_token:
        return replace(world.setup_principal, is_privileged=False)
    user = _user_of(world, access_key_id)
    if user is None or session_token:
        raise AwsFault(
            "InvalidClientTokenId", "The security token included in the request is invalid.", 403
        )
    return Principal(
        kind="user", arn=user.arn, account=world.account, user_id=user.id, name=user.name
    )


def _session_principal(session: Session, session_token: str) -> Principal:
    if not secrets.compare_digest(session.session_token.encode(), session_token.encode()):
        raise AwsFault(
            "InvalidClientTokenId", "The security token included in the request is invalid.", 403
        )
    if time.time() >= session.expires:
        raise AwsFault("ExpiredToken", "The security token included in the request is expired", 403)
    return session.principal


def _user_of(world: World, access_key_id: str) -> Any:
    """Find the IAM user of an active long-term key in moto's IAM."""
    backend = world.backend("iam", "aws")
    key = backend.access_keys.get(access_key_id)
    if key is None or key.status != "Active":
        return None
    user = backend.users.get(key.user_name)
    return user if user is not None and key in user.access_keys else None
