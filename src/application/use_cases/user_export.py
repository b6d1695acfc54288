"""Carrying everybody out, so that nobody is locked in (R36)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from application.paging import PAGE, page_by_page
from application.ports.environment import Clock, EventLog
from application.ports.transfer import Emigration
from application.ports.units_of_work import Journal, Opens
from domain.events import Event, EventKind
from domain.newcomer import Newcomer


@dataclass(frozen=True, kw_only=True)
class ExportUsers:
    """Everybody, with hashes and origins, by id: nobody is locked in. Who comes or goes meanwhile may be missed.

    Asked by the command line alone, and by no endpoint. Raises `Unavailable`.
    """

    emigration: Opens[Emigration]
    journal: Opens[Journal]
    clock: Clock
    events: EventLog

    async def __call__(self) -> AsyncIterator[Newcomer]:
        exported = Event(kind=EventKind.USERS_EXPORTED, reason="cli")
        # Before anybody is handed out, so that an export that is cut off has left its trace as well.
        async with self.journal() as unit:
            await unit.events.add(exported, self.clock.now())
            await unit.commit()
        self.events.record(exported)
        async for newcomer in page_by_page(self._page_after):
            yield newcomer

    async def _page_after(self, last: Newcomer | None) -> Sequence[Newcomer]:
        async with self.emigration() as unit:
            return await unit.residents.page(last.user.id if last else None, PAGE)
