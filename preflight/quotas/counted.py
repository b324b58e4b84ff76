"""What a counter is: AWS's rule over lists that `Usage` has read, and ways to write one briefly."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from preflight.quotas.usage import Look, Usage

Row = Mapping[str, Any]
#: What each container of a kind has in it, by the container's name.
Shares = Mapping[str, float]


@dataclass(frozen=True)
class Counted:
    """A counter with the lists it reads, and so with the IAM actions it needs.

    `within` names a zone or another container that is there already, for quotas of such; without
    it the use is that of the fullest one.
    """

    count: Callable[[Usage, str], float]
    looks: tuple[Look, ...]
    #: For quotas counted in each container of a kind.
    shares: Callable[[Usage], Shares] | None = None

    def __call__(self, usage: Usage, within: str = "") -> float:
        """Count what is in use. Raises `AwsError` when one of the lists could not be read."""
        return self.count(usage, within)

    def fullest(self, usage: Usage) -> str:
        """Name the container that has the most in it, "" where there is none. Raises as above."""
        shares = {} if self.shares is None else self.shares(usage)
        return max(sorted(shares), key=lambda name: shares[name], default="")

    @property
    def actions(self) -> frozenset[str]:
        """The IAM actions that counting needs."""
        return frozenset(each.action for look in self.looks for each in look.needs)


def reads(*needed: Look) -> Callable[[Callable[[Usage], float]], Counted]:
    """Make a counter of a function that adds something up."""
    return lambda count: Counted(lambda usage, _: count(usage), needed)


def shared(*needed: Look) -> Callable[[Callable[[Usage], Shares]], Counted]:
    """Make a counter of a function that tells what each container has in it."""

    def counted(shares: Callable[[Usage], Shares]) -> Counted:
        def count(usage: Usage, within: str) -> float:
            found = shares(usage)
            return float(found.get(within, 0.0) if within else max(found.values(), default=0.0))

        return Counted(count, needed, shares)

    return counted


def rows_of(look: Look) -> Counted:
    """Count all rows of a list, whoever owns them."""
    return reads(look)(lambda usage: float(len(usage.rows(look))))


def own_of(look: Look) -> Counted:
    """Count the rows of a list that are the account's own."""
    return reads(look)(lambda usage: float(len(usage.mine(look))))


def number(look: Look, name: str) -> Counted:
    """Take a number that AWS has counted itself."""
    return reads(look)(lambda usage: float(usage.rows(look)[0][name]))


def own_in(look: Look, container: str) -> Counted:
    """Count the account's own rows in each container; `container` is the field that names it."""
    return shared(look)(lambda usage: Tally(row[container] for row in usage.mine(look)))
