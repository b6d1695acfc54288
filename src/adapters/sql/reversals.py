"""What an owner may still undo."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import reversals
from domain.letters import Occasion
from domain.reversal import Reversal


class SqlReversals:
    """`application.ports.collections.Reversals`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, reversal: Reversal) -> None:
        await self._connection.execute(
            insert(reversals).values(
                id=reversal.id,
                user_id=reversal.user_id,
                occasion=reversal.occasion.value,
                sealed=reversal.sealed,
                made_at=reversal.made_at,
                expires_at=reversal.expires_at,
            )
        )

    async def get(self, reversal_id: UUID) -> Reversal | None:
        return await self._newest(reversals.c.id == reversal_id)

    async def deletion_of(self, user_id: UUID) -> Reversal | None:
        return await self._newest(
            reversals.c.user_id == user_id, reversals.c.occasion == Occasion.ACCOUNT_DELETED.value
        )

    async def last_made_at(self, user_id: UUID) -> datetime | None:
        newest = await self._newest(reversals.c.user_id == user_id)
        return newest.made_at if newest else None

    async def forget_since(self, user_id: UUID, made_at: datetime) -> None:
        await self._connection.execute(
            delete(reversals).where(reversals.c.user_id == user_id, reversals.c.made_at >= made_at)
        )

    async def _newest(self, *which: ColumnElement[bool]) -> Reversal | None:
        statement = select(reversals).where(*which).order_by(reversals.c.made_at.desc()).limit(1)
        row: Any = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            return None
        return Reversal(
            id=row.id,
            user_id=row.user_id,
            occasion=Occasion(row.occasion),
            sealed=row.sealed,
            made_at=row.made_at,
            expires_at=row.expires_at,
        )
