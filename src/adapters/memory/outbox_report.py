"""How the outbox is doing."""

from adapters.memory.store import MemoryStore
from application.ports.monitoring import OutboxState


class MemoryOutboxReport:
    """`application.ports.monitoring.OutboxReport`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def __call__(self) -> OutboxState:
        async with self._store.reading() as tables:
            rows = list(tables.letters.values())
        waiting = [row.letter for row in rows if row.status == "queued"]
        return OutboxState(
            waiting=len(waiting),
            asked_for=min((letter.created_at for letter in waiting), default=None),
            due=min((letter.due_at for letter in waiting), default=None),
            abandoned=sum(row.status == "abandoned" for row in rows),
        )
