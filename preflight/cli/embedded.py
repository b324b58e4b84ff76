"""The way to the embedded AWS, which is an extra of the installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from preflight.errors import UsageError

if TYPE_CHECKING:
    from preflight.sandbox.server import Sandbox


def embedded(*arguments: Any, **options: Any) -> Sandbox:
    """Make a sandbox; raises `UsageError` where the extra is not installed."""
    try:
        from preflight.sandbox.server import Sandbox
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the embedded AWS is not installed ({error.name} is missing)",
            "pip install 'preflight-eks[sandbox]'",
        ) from error
    return Sandbox(*arguments, **options)
