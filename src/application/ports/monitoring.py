"""For those who run the service: what is measured, and how the outbox is doing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxState:
    """The letters that have not left, and those that never will. Says nothing about whose they are."""

    waiting: int
    """Letters that have not left: due, in hand, or to be tried again later."""
    asked_for: datetime | None
    """When the oldest of them was asked for."""
    due: datetime | None
    """When the one that is due first is, or was, due."""
    abandoned: int
    """Letters that were given up and are still kept for the operator to see."""


@dataclass(frozen=True, slots=True)
class ConnectionsInUse:
    """How many connections to the database are in somebody's hands, of how many there may be."""

    in_use: int
    most: int


class OutboxReport(Protocol):
    """How the outbox is doing."""

    async def __call__(self) -> OutboxState:
        """As of what is committed now. Raises `Unavailable`."""


class Metrics(Protocol):
    """Counts what happens, in little time, and reports it to a monitoring system. No label tells a person, an address
    or a path that somebody made up."""

    def request(self, route: str | None, method: str, status: int, seconds: float) -> None:
        """A request was answered: by this route's template, or by none; status 0 when nobody waited for the answer."""

    def event(self, event: Event) -> None:
        """A security event happened."""

    async def page(self) -> bytes:
        """What a scrape reads, for all processes of this installation on this machine."""

    @property
    def content_type(self) -> str:
        """The format of `page`."""
