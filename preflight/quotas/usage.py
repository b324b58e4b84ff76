"""What an account uses: each list read at most once, shared by every counter that needs it.

A `Look` is one call that lists something; `Usage` makes it when a counter first asks. A look that
was denied raises for every counter that needs it, and for no other: nothing is ever "none in use".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from preflight.actions import action_of
from preflight.aws import Aws
from preflight.errors import AccessDenied, PreflightError
from preflight.finding import EMPTY

T = TypeVar("T")
Rows = list[dict[str, Any]]

#: How many pages are read of a list that may be very long, unless asked for all.
FIRST_PAGES = 2


class NotCounted(PreflightError):
    """A list was too long to be read to its end; `at_least` is what was seen of it."""

    def __init__(self, at_least: int) -> None:
        super().__init__(f"there are more than {at_least}, and they were not counted to the end")
        self.at_least = at_least


class Remembers(Protocol):
    """Gives the same value for the same key, fetched at most once (`preflight.once.Once`)."""

    def get(self, key: str, fetch: Callable[[], T]) -> T:
        """Fetch under a key at most once."""
        ...


def first_allowed(principals: tuple[Aws, ...], look: Callable[[Aws], T]) -> T:
    """Look as the first principal that may; raises the first one's `AccessDenied` if none may."""
    denied: AccessDenied | None = None
    for aws in principals:
        try:
            return look(aws)
        except AccessDenied as error:
            denied = denied or error
    assert denied is not None, "there is always a first principal"  # noqa: S101
    raise denied


@dataclass(frozen=True, eq=False)
class Look:
    """One list of an account: an operation, and where in its answer the rows are (JMESPath)."""

    service: str
    operation: str
    path: str
    parameters: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    #: May be very long: not read to its end unless `Usage.deep`.
    long: bool = False

    @property
    def action(self) -> str:
        """The IAM action of the call."""
        return action_of(self.service, self.operation)

    @property
    def key(self) -> str:
        """The same for the same list."""
        return f"{self.service}:{self.operation}"

    @property
    def needs(self) -> tuple[Look, ...]:
        """All lists that reading this one reads."""
        return (self,)

    def read(self, usage: Usage) -> Rows:
        """Read all pages."""
        return first_allowed(usage.principals, lambda aws: self._read_as(aws, usage))

    def _read_as(self, aws: Aws, usage: Usage) -> Rows:
        import jmespath

        expression = jmespath.compile(self.path)
        pages: list[Rows] = []
        for page in aws.pages(self.service, self.operation, **self.asked(aws, usage)):
            pages.append(expression.search(page) or [])
            if self.long and not usage.deep and len(pages) > FIRST_PAGES:
                raise NotCounted(len(_each_once(pages)))
        return _each_once(pages)

    def asked(self, aws: Aws, usage: Usage) -> Mapping[str, Any]:
        """Give the parameters of the call."""
        del aws, usage
        return self.parameters


def _each_once(pages: list[Rows]) -> Rows:
    """Put pages together; a row that is told on two of them is one."""
    if len(pages) == 1:
        return pages[0]
    return list({repr(row): row for page in pages for row in page}.values())


class Usage:
    """What is in use in one account and Region, read as it is needed; safe between threads.

    `also` is another principal of the same account to look as where `aws` is denied: a vendor's
    role seldom may list what the customer's own user may. `deep` reads very long lists to the end.
    """

    def __init__(
        self, aws: Aws, once: Remembers, *, also: Aws | None = None, deep: bool = False
    ) -> None:
        self.principals = (aws,) if also is None or also is aws else (aws, also)
        self.deep = deep
        self._once = once

    @property
    def account(self) -> str:
        """The account's id: what others share with it does not count against its limits."""
        return self.principals[0].identity.account

    def rows(self, look: Look) -> Rows:
        """Give the rows of a list, whoever owns them. Raises `AwsError` and `NotCounted`."""
        where = self.principals[0].region
        return self._once.get(f"usage:{where}:{look.key}", lambda: look.read(self))

    def mine(self, look: Look) -> Rows:
        """Give the rows that this account owns; a row that names no owner is its own."""
        rows = self.rows(look)
        account = self.account
        return [row for row in rows if row.get("OwnerId", account) == account]
