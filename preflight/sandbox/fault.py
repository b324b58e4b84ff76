"""The one exception by which any stage of the sandbox answers with an AWS error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AwsFault(Exception):
    """An AWS error answer: code, message and HTTP status, and extra members if the shape has any.

    `code` is what the client reads in `error.response["Error"]["Code"]`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        http_status: int = 400,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status
        self.members = dict(members or {})
