"""Reads what an audit of quotas judges: whole accounts, or what plans take of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from preflight.cli import quota_findings as say
from preflight.cli.quota_places import WORKERS, Seen, Unseen
from preflight.errors import AwsError, UsageError
from preflight.finding import Coverage, Finding

if TYPE_CHECKING:
    from preflight.quota import Quota
    from preflight.quotas.audit import Row, Thresholds


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was found: rows for quotas, and findings about what has no row."""

    rows: tuple[Row, ...] = ()
    left_out: tuple[tuple[Seen, Quota], ...] = ()
    unseen: tuple[Unseen, ...] = ()
    more: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every row and every gap as a finding; subjects name the place where there are several."""
        places = {(row.account, row.region) for row in self.rows}
        several = len(places) + len(self.unseen) > 1
        return (
            *(say.of_row(row, with_place=several) for row in self.rows),
            *(
                say.not_counted(quota, seen.account, seen.aws.region, with_place=several)
                for seen, quota in self.left_out
            ),
            *map(say.of_unseen, self.unseen),
            *self.more,
        )

    @property
    def coverage(self) -> tuple[Coverage, ...]:
        """How much was looked at in each place."""
        return say.coverage(self.rows, self.unseen)


def chosen(names: Iterable[str]) -> tuple[Quota, ...]:
    """Give the rows of the catalogue named `vpc` or `vpc/L-F678F1CE`, all of them for no name.

    Raises `UsageError` for a service or a code that is not in the catalogue.
    """
    from preflight.quotas.catalogue import CATALOGUE

    words = [word.strip() for name in names for word in name.split(",") if word.strip()]
    if not words:
        return CATALOGUE
    known = {quota.service for quota in CATALOGUE} | {str(quota) for quota in CATALOGUE}
    for word in words:
        if word not in known:
            near = difflib.get_close_matches(word, known, n=2)
            services = ", ".join(sorted({quota.service for quota in CATALOGUE}))
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            raise UsageError(
                f"no quota of the catalogue is called {word!r}", f"{hint}services: {services}"
            )
    return tuple(q for q in CATALOGUE if q.service in words or str(q) in words)


def of_accounts(
    seen: Sequence[Seen], quotas: Sequence[Quota], thresholds: Thresholds, *, deep: bool
) -> Audit:
    """Read limit and use of quotas everywhere at the same time; nothing here raises for AWS."""
    from preflight.once import Once
    from preflight.quotas.audit import is_global, judge_row
    from preflight.quotas.figures import read_figures
    from preflight.quotas.limits import Limits
    from preflight.quotas.usage import Usage

    wanted = [(place, [q for q in quotas if place.is_first or not is_global(q)]) for place in seen]

    def rows(one: tuple[Seen, list[Quota]]) -> list[Row]:
        place, listed = one
        usage = Usage(place.aws, Once(), deep=deep)
        keys = [(quota, "") for quota in listed if deep or not quota.deep]
        # Who is asking is asked beside: the longest list of limits does not wait for it.
        with ThreadPoolExecutor(max_workers=1) as beside:
            who = beside.submit(lambda: place.account)
            figures = read_figures(keys, usage, Limits(place.aws, usage, [q for q, _ in keys]))
            account, region = who.result(), place.aws.region
        return [judge_row(account, region, each, 0.0, thresholds) for each in figures]

    def looked(one: tuple[Seen, list[Quota]]) -> list[Row] | Unseen:
        try:
            return rows(one)
        except AwsError as error:  # one place must not take the others down with it
            return Unseen(account=one[0].account, region=one[0].aws.region, error=error)

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        answers = list(pool.map(looked, wanted))
    found = [row for some in answers if not isinstance(some, Unseen) for row in some]
    unseen = tuple(each for each in answers if isinstance(each, Unseen))
    left = tuple((place, q) for place, some in wanted for q in some if q.deep and not deep)
    return Audit(rows=tuple(found), left_out=left, unseen=unseen)
