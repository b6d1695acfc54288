"""Housekeeping: what has served its time is forgotten (ASVS 14.2.7)."""

from collections import Counter
from dataclasses import dataclass

from application.ports.environment import Clock, EventLog, Purge
from domain.events import Event, EventKind
from domain.retention import Retention

BATCH = 500
"""Rows of one kind deleted in one transaction: short enough that nobody waits for it."""


@dataclass(frozen=True, kw_only=True)
class KeepHouse:
    """Deletes expired sign-ups, claims, tokens, sessions and limits, old letters and events, batch after batch, until
    none are left, and shortens client addresses in events; says how many of each. Raises `Unavailable`; what was
    deleted until then stays deleted.
    """

    purge: Purge
    retention: Retention
    clock: Clock
    events: EventLog

    async def __call__(self) -> dict[str, int]:
        total: Counter[str] = Counter()
        while counts := await self.purge(self.clock.now(), BATCH, self.retention):
            total.update(counts)
            if max(counts.values()) < BATCH:
                break
        deleted = {name: count for name, count in total.items() if count}
        if deleted:
            self.events.record(Event(kind=EventKind.PURGED, counts=tuple(sorted(deleted.items()))))
        return deleted
