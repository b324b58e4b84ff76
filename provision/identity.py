"""What tells one try to make a thing from another: parameter hashes and client tokens."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

from preflight.found import Owner
from preflight.journal import Event, Journal
from preflight.resource import Resource


def digest(resource: Resource) -> str:
    """Hash what was asked for, so that a resumed run sees whether it still is."""
    text = json.dumps(resource.parameters, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def client_token(owner: Owner, address: str, generation: int) -> str:
    """Make the client token of one try: the same after a crash, another after a confirmed failure.

    64 hexadecimal digits: NAT gateways allow 64 ASCII characters, the shortest of all.
    """
    text = "\x1f".join((owner.account, owner.region, owner.cluster, owner.incarnation, address))
    return hashlib.sha256(f"{text}\x1f{generation}".encode()).hexdigest()


def history(journal: Journal) -> tuple[dict[str, str], Counter[str]]:
    """Read the digest each resource was last asked for with, and count how it was taken away.

    What is gone may be asked for otherwise the next time, but never with a token it had before:
    AWS would answer with what was deleted.
    """
    asked: dict[str, str] = {}
    removals: Counter[str] = Counter()
    for entry in journal.entries():
        if entry.event is Event.GONE:
            asked.pop(entry.address, None)
        elif "parameters" in entry.detail:
            asked[entry.address] = entry.detail["parameters"]
        removals[entry.address] += entry.event in {Event.DOOMED, Event.GONE}
    return asked, removals
