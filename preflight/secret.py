"""External ids: made here, kept in files that only their owner can read, never printed unasked."""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import dataclass
from pathlib import Path

ALPHABET = string.ascii_letters + string.digits


def external_id(length: int) -> str:
    """Make an external id of letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


@dataclass(frozen=True, kw_only=True)
class SecretFile:
    """The file that holds the external id of one role, mode 0600."""

    path: Path

    @classmethod
    def of_role(cls, folder: Path, account: str, role_name: str) -> SecretFile:
        """Name the file of a role under the state folder."""
        return cls(path=folder / account / "roles" / f"{role_name}.json")

    def read(self) -> str | None:
        """Give the external id, or None where none was kept."""
        try:
            kept = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        return str(kept["external_id"])

    def write(self, external_id: str) -> None:
        """Keep the external id; the file is never readable for others, not even for a moment."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self.path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"external_id": external_id}, file)
        temporary.replace(self.path)

    def forget(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
