"""What was done to one cluster, written before it is done, so that a killed run can be resumed.

SQLite in WAL mode with full synchronisation: an entry that was appended survives a power cut. An
INTENT is durable before its call is sent; ACCEPTED holds the id AWS gave; READY, FAILED, GONE come
after. A lease keeps two operators apart: its holder beats, and every entry is fenced by it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from preflight.clock import Clock, SystemClock
from preflight.errors import Refused, UsageError

VERSION = 1
#: A holder that has not beaten for so long is taken for dead. Calls last up to a minute.
LEASE_SECONDS = 120.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, run TEXT NOT NULL, event TEXT NOT NULL,
    address TEXT NOT NULL, id TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lease (
    one INTEGER PRIMARY KEY CHECK (one = 1), holder TEXT NOT NULL, fence INTEGER NOT NULL,
    expires REAL NOT NULL
);
"""


class Event(StrEnum):
    """What happened to one resource, in the order in which it can happen."""

    INTENT = "intent"
    ACCEPTED = "accepted"
    #: A shared thing of the account is used; it is never deleted.
    ADOPTED = "adopted"
    READY = "ready"
    FAILED = "failed"
    #: Its deletion is about to be asked for.
    DOOMED = "doomed"
    GONE = "gone"
    #: About the whole cluster: a waiver, a take-over.
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the journal; `detail` holds the token, the hash of the parameters, a reason."""

    sequence: int
    at: datetime
    run: str
    event: Event
    address: str
    id: str
    detail: Mapping[str, Any]


class Journal:
    """The journal of one cluster. Use from one thread; open several for several readers."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self.path = path
        self._clock: Clock = clock or SystemClock()
        self._fence: int | None = None
        self._run = ""
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made with its final mode, never readable for others even for a moment.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            self._connection = sqlite3.connect(self.path, isolation_level=None, timeout=10)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"{self.path} is not a journal: {error}",
                "move it away; the next run rebuilds it from the tags in AWS",
            ) from error
        version = self.fact("version")
        if version is None:
            self.remember("version", str(VERSION))
        elif version != str(VERSION):
            raise UsageError(f"{self.path} was written by another version ({version})")
        return self

    def __exit__(self, *_: object) -> None:
        if self._fence is not None:
            self._sql.execute("DELETE FROM lease WHERE fence = ?", (self._fence,))
            self._fence = None
        self._sql.close()
        self._connection = None

    def lock(self, holder: str, run: str) -> None:
        """Take the lease for a run; raises `Refused` while somebody else holds it."""
        now = self._clock.now().timestamp()
        with self._transaction():
            row = self._sql.execute("SELECT holder, fence, expires FROM lease").fetchone()
            if row is not None and row[2] > now:
                raise Refused(
                    f"{row[0]} is at work on this cluster",
                    f"wait for it; a dead one is given up after {LEASE_SECONDS:.0f} seconds",
                )
            fence = int(self.fact("fence") or 0) + 1
            self._put_fact("fence", str(fence))
            self._sql.execute(
                "INSERT OR REPLACE INTO lease VALUES (1, ?, ?, ?)",
                (holder, fence, now + LEASE_SECONDS),
            )
        self._fence, self._run = fence, run

    def beat(self) -> None:
        """Keep the lease; raises `Refused` when somebody else took it."""
        expires = self._clock.now().timestamp() + LEASE_SECONDS
        with self._transaction():
            self._check_fence()
            self._sql.execute("UPDATE lease SET expires = ?", (expires,))

    def append(self, event: Event, address: str, *, id: str = "", **detail: Any) -> None:
        """Write an entry durably; raises `Refused` when the lease was lost."""
        with self._transaction():
            self._check_fence()
            self._sql.execute(
                "INSERT INTO entries (at, run, event, address, id, detail) VALUES (?,?,?,?,?,?)",
                (
                    self._clock.now().isoformat(),
                    self._run,
                    event,
                    address,
                    id,
                    json.dumps(detail, sort_keys=True, default=str),
                ),
            )

    def entries(self) -> Iterator[Entry]:
        """Give every entry, oldest first."""
        for row in self._sql.execute("SELECT * FROM entries ORDER BY sequence").fetchall():
            yield Entry(
                sequence=row[0],
                at=datetime.fromisoformat(row[1]),
                run=row[2],
                event=Event(row[3]),
                address=row[4],
                id=row[5],
                detail=json.loads(row[6]),
            )

    def latest(self) -> dict[str, Entry]:
        """Give the newest entry of every resource."""
        return {entry.address: entry for entry in self.entries() if entry.event != Event.NOTE}

    def end(self) -> None:
        """Close the book on a cluster that is gone: the next one of this name is another.

        Its client tokens must differ from this one's, or AWS would answer with what was deleted.
        """
        for address, entry in self.latest().items():
            if entry.event not in {Event.GONE, Event.ADOPTED}:
                self.append(Event.GONE, address, id=entry.id, with_the_rest=True)
        self.remember("incarnation", "")

    def fact(self, key: str) -> str | None:
        """Read something remembered about the cluster (`incarnation`, `spec`)."""
        row = self._sql.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, key: str, value: str) -> None:
        """Remember something about the cluster."""
        with self._transaction():
            self._put_fact(key, value)

    @property
    def _sql(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("a journal is a context manager: `with Journal(path) as ...`")
        return self._connection

    def _put_fact(self, key: str, value: str) -> None:
        self._sql.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, value))

    def _check_fence(self) -> None:
        if self._fence is None:
            return  # a reader, or a test: nobody to be kept apart from
        row = self._sql.execute("SELECT fence, holder FROM lease").fetchone()
        if row is None or row[0] != self._fence:
            who = row[1] if row else "somebody"
            raise Refused(f"{who} took this cluster over", "see `preflight clusters`")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._sql.execute("ROLLBACK")
            raise
        self._sql.execute("COMMIT")
