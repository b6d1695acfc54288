"""Time, chance, ids and the record of events: everything else a use case may not take from the machine itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.events import Event
from domain.retention import Retention
from domain.sentence import Sentence


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class Ids(Protocol):
    """Identifiers."""

    def new(self) -> UUID:
        """A random one: ids tell neither order nor number (M8)."""


class Randomness(Protocol):
    """A cryptographic source."""

    def bytes(self, count: int) -> bytes:
        """`count` unpredictable bytes."""

    def fraction(self) -> float:
        """A number from 0 up to 1, evenly spread; for jitter, not for secrets."""


class EventLog(Protocol):
    """Where security events go."""

    def record(self, event: Event) -> None:
        """Write it down. Never raises; addresses are written as pseudonyms."""


class DeviceNames(Protocol):
    """What browsers say they are, in words."""

    def describe(self, user_agent: str) -> Sentence:
        """Such as *Firefox on Linux*; *an unknown device* where it says nothing that is known."""


class Purge(Protocol):
    """Removes what has served its time."""

    async def __call__(self, now: datetime, batch: int, kept: Retention) -> Mapping[str, int]:
        """Delete at most `batch` rows of each kind that are past keeping, and shorten as many client addresses in
        events; how many of each."""
