"""Where the journals are: one file per account, Region and cluster under the state folder.

https://specifications.freedesktop.org/basedir-spec/latest/
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from preflight.clock import Clock
from preflight.journal import Journal


def default_folder() -> Path:
    """Give `$XDG_STATE_HOME/preflight`, or its default under the home folder."""
    root = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(root).expanduser() / "preflight"


@dataclass(frozen=True, kw_only=True)
class State:
    """The state folder of one user."""

    folder: Path

    def journal(
        self, account: str, region: str, cluster: str, clock: Clock | None = None
    ) -> Journal:
        """Give the journal of a cluster; nothing is read or made before it is entered."""
        return Journal(self.folder / account / region / f"{cluster}.sqlite3", clock=clock)

    def role_journal(self, account: str, role_name: str) -> Journal:
        """Give the journal of a vendor's role."""
        return Journal(self.folder / account / "roles" / f"{role_name}.sqlite3")

    def has(self, account: str, region: str, cluster: str) -> bool:
        """Say whether there is a journal of this cluster here."""
        return (self.folder / account / region / f"{cluster}.sqlite3").exists()

    def clusters(self, account: str, region: str) -> Iterator[str]:
        """Name the clusters that have a journal here."""
        for path in sorted((self.folder / account / region).glob("*.sqlite3")):
            yield path.stem
