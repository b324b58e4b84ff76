from __future__ import annotations

import os
import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from preflight.errors import Refused, UsageError
from preflight.journal import LEASE_SECONDS, Event, Journal


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal that is not there yet, in a folder that is not there yet."""
    return tmp_path / "111122223333" / "us-west-2" / "dev.sqlite3"


def test_what_was_appended_is_there_for_others_at_once(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(Event.INTENT, "ec2/vpc/main", token="t", parameters="p")
        with sqlite3.connect(path) as other:
            rows = other.execute("SELECT event, address, detail FROM entries").fetchall()
        other.close()
        assert rows == [("intent", "ec2/vpc/main", '{"parameters": "p", "token": "t"}')]
        assert journal._sql.execute("PRAGMA synchronous").fetchone() == (2,)
        assert journal._sql.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_entries_come_back_as_they_were_and_the_newest_counts(path: Path) -> None:
    watch = Watch()
    with Journal(path, clock=watch) as journal:
        journal.lock("alice", "run-1")
        journal.append(Event.INTENT, "a", token="t")
        watch.sleep(5)
        journal.append(Event.ACCEPTED, "a", id="vpc-1")
        journal.append(Event.NOTE, "a", waived="x")
    with Journal(path) as journal:
        first, second, note = journal.entries()
        assert (first.event, first.address, first.detail, first.run) == (
            Event.INTENT,
            "a",
            {"token": "t"},
            "run-1",
        )
        assert second.at - first.at == timedelta(seconds=5)
        assert (second.id, note.event) == ("vpc-1", Event.NOTE)
        assert {a: e.event for a, e in journal.latest().items()} == {"a": Event.ACCEPTED}


def test_facts_are_remembered_and_replaced(path: Path) -> None:
    with Journal(path) as journal:
        assert journal.fact("incarnation") is None
        journal.remember("incarnation", "one")
        journal.remember("incarnation", "two")
    with Journal(path) as journal:
        assert journal.fact("incarnation") == "two"


def test_the_end_closes_what_is_open_and_forgets_who_it_was(path: Path) -> None:
    with Journal(path) as journal:
        journal.remember("incarnation", "one")
        journal.append(Event.READY, "route", id="r")
        journal.append(Event.ADOPTED, "detector", id="d")
        journal.append(Event.GONE, "vpc", id="v")
        journal.end()
        last = {address: entry.event for address, entry in journal.latest().items()}
        assert last == {"route": Event.GONE, "detector": Event.ADOPTED, "vpc": Event.GONE}
        assert len(list(journal.entries())) == 4
        assert not journal.fact("incarnation")


def test_two_do_not_hold_one_cluster(path: Path) -> None:
    watch = Watch()
    with Journal(path, clock=watch) as first, Journal(path, clock=watch) as second:
        first.lock("alice", "1")
        with pytest.raises(Refused, match="alice is at work on this cluster"):
            second.lock("bob", "2")
        watch.sleep(LEASE_SECONDS - 1)
        first.beat()
        watch.sleep(LEASE_SECONDS - 1)
        with pytest.raises(Refused):
            second.lock("bob", "2")


def test_leaving_gives_the_lease_back(path: Path) -> None:
    with Journal(path) as first:
        first.lock("alice", "1")
    with Journal(path) as second:
        second.lock("bob", "2")
        second.append(Event.NOTE, "x")
        assert [(entry.run, entry.address) for entry in second.entries()] == [("2", "x")]


def test_a_holder_that_died_is_given_up_and_can_write_nothing_any_more(path: Path) -> None:
    watch = Watch()
    with Journal(path, clock=watch) as first, Journal(path, clock=watch) as second:
        first.lock("alice", "1")
        first.append(Event.INTENT, "a")
        watch.sleep(LEASE_SECONDS + 1)
        second.lock("bob", "2")
        with pytest.raises(Refused, match="bob took this cluster over"):
            first.append(Event.INTENT, "b")
        with pytest.raises(Refused, match="bob took this cluster over"):
            first.beat()
        assert [entry.address for entry in second.entries()] == ["a"]
        second.append(Event.ACCEPTED, "a")


def test_a_holder_that_leaves_late_does_not_take_the_lease_of_the_next(path: Path) -> None:
    watch = Watch()
    second = Journal(path, clock=watch)
    with second:
        with Journal(path, clock=watch) as first:
            first.lock("alice", "1")
            watch.sleep(LEASE_SECONDS + 1)
            second.lock("bob", "2")
        second.beat()
        second.append(Event.NOTE, "still mine")
        assert [entry.run for entry in second.entries()] == ["2"]


def test_fences_never_repeat(path: Path) -> None:
    fences = []
    for _ in range(3):
        with Journal(path) as journal:
            journal.lock("alice", "1")
            fences.append(journal.fact("fence"))
    assert fences == ["1", "2", "3"]


def test_nobody_else_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        with Journal(path) as journal:
            journal.append(Event.NOTE, "x")
            files = list(path.parent.iterdir())
            assert len(files) >= 2  # with the write-ahead log beside it
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_no_database_is_refused_and_left_as_it_is(path: Path) -> None:
    content = b"this is no database, though it is long enough" * 30
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is not a journal") as refused, Journal(path):
        pass
    assert "rebuilds it from the tags" in str(refused.value.hint)
    assert path.read_bytes() == content


def test_a_journal_of_another_version_is_refused(path: Path) -> None:
    with Journal(path) as journal:
        journal.remember("version", "99")
    with pytest.raises(UsageError, match=r"another version \(99\)"), Journal(path):
        pass


def test_an_entry_that_cannot_be_written_leaves_no_half_of_it(path: Path) -> None:
    with Journal(path) as journal:
        with pytest.raises(TypeError):
            journal.append(Event.NOTE, "x", detail={1: "a", "b": 2})
        journal.append(Event.NOTE, "y")
        assert [entry.address for entry in journal.entries()] == ["y"]
