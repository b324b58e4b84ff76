"""Which limits were asked for from here: what `preflight quotas watch` goes on with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from preflight.quotas.increase import Filed

_FIELDS = ("id", "service", "code", "region", "desired", "status")


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """A file of JSON lines for each account, only ever appended to; its user's alone (0600)."""

    path: Path

    @classmethod
    def of(cls, folder: Path, account: str) -> Ledger:
        """Give the ledger of an account in a state folder; nothing is made before it is used."""
        return cls(path=folder / account / "quota-requests.jsonl")

    def add(self, filed: Filed, specs: Sequence[Path], at: datetime) -> None:
        """Write one request down; it is on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        line = asdict(filed) | {"specs": [str(each.resolve()) for each in specs]}
        text = json.dumps(line | {"at": at.isoformat()}) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())

    def entries(self) -> dict[tuple[str, str, str], Filed]:
        """Give the newest request for each quota."""
        newest = (
            Filed(**{name: line[name] for name in _FIELDS})  # type: ignore[arg-type]
            for line in self._lines()
        )
        return {filed.key: filed for filed in newest}

    def specs(self) -> tuple[Path, ...]:
        """Name the specs that the newest request was made for, those that are still there."""
        lines = list(self._lines())
        named = lines[-1]["specs"] if lines else []
        paths = [Path(each) for each in named] if isinstance(named, list) else []
        return tuple(each for each in paths if each.is_file())

    def _lines(self) -> Iterator[dict[str, object]]:
        if not self.path.is_file():
            return
        for text in self.path.read_text("utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # a line that a power cut tore; AWS's own history has the request
            if isinstance(line, dict) and {*_FIELDS, "specs"} <= line.keys():
                yield line
