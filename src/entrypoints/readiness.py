"""Whether the service can do its work just now: asked of the parts it needs, briefly and not too often."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from application.ports.environment import Clock
from application.ports.monitoring import OutboxReport
from domain.errors import Unavailable

FRESH_SECONDS = 1.0
"""However often somebody probes, the database is asked no more often."""

DEADLINE_SECONDS = 2.0
"""What has not answered by then does not answer."""

LATE = timedelta(minutes=5)
"""A letter that is overdue by more. Coarse, because an exact age would tell when others signed up."""

_log = structlog.get_logger("ostiary.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What was found, each in a word."""

    database: str
    """ok, unavailable"""
    schema: str
    """ok, mismatch, unknown"""
    letters: str
    """ok, late, unknown"""


_ALL_WELL = Checks(database="ok", schema="ok", letters="ok")
_NOTHING_KNOWN = Checks(database="unavailable", schema="unknown", letters="unknown")


@dataclass(kw_only=True)
class Readiness:
    """Asks, and remembers the answer for a second. A change for the worse or the better is a line in the log."""

    database: Callable[[], Awaitable[bool]]
    schema_fits: Callable[[], Awaitable[bool]]
    outbox: OutboxReport
    clock: Clock

    def __post_init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._found = _ALL_WELL
        self._asked_at: float | None = None

    async def __call__(self) -> Checks:
        """What is so, or was a second ago. Never raises `Unavailable`."""
        async with self._one_at_a_time:
            now = asyncio.get_running_loop().time()
            if self._asked_at is not None and now - self._asked_at < FRESH_SECONDS:
                return self._found
            found = await self._ask()
            if found != self._found:
                _log.warning("readiness", database=found.database, schema=found.schema, letters=found.letters)
            self._found, self._asked_at = found, asyncio.get_running_loop().time()
            return found

    async def _ask(self) -> Checks:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                if not await self.database():
                    return _NOTHING_KNOWN
                if not await self.schema_fits():
                    return Checks(database="ok", schema="mismatch", letters="unknown")
                due = (await self.outbox()).due
        except (Unavailable, TimeoutError):
            return _NOTHING_KNOWN
        late = due is not None and due < self.clock.now() - LATE
        return Checks(database="ok", schema="ok", letters="late" if late else "ok")
