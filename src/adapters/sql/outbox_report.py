"""How the outbox is doing, in one statement that the index on status bounds to the letters it counts."""

from sqlalchemy import func, select

from adapters.sql.database import Database
from adapters.sql.tables import letters
from application.ports.monitoring import OutboxState

_QUEUED, _ABANDONED = "queued", "abandoned"
_COUNTS = (
    select(
        letters.c.status,
        func.count().label("number"),
        func.min(letters.c.created_at).label("asked_for"),
        func.min(letters.c.due_at).label("due"),
    )
    .where(letters.c.status.in_([_QUEUED, _ABANDONED]))
    .group_by(letters.c.status)
)


class SqlOutboxReport:
    """`application.ports.monitoring.OutboxReport`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self) -> OutboxState:
        async with self._database.reading() as connection:
            rows = {row.status: row for row in await connection.execute(_COUNTS)}
        waiting, abandoned = rows.get(_QUEUED), rows.get(_ABANDONED)
        return OutboxState(
            waiting=waiting.number if waiting else 0,
            asked_for=waiting.asked_for if waiting else None,
            due=waiting.due if waiting else None,
            abandoned=abandoned.number if abandoned else 0,
        )
