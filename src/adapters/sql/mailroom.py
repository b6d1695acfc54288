"""For the operator: where letters are, and who gets none."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Transaction
from adapters.sql.events import SqlEvents
from adapters.sql.outbox import letter_from
from adapters.sql.tables import letters, reversals, suppressions, users
from adapters.sql.upsert import upsert
from application.ports.mailroom import LetterFilter, LetterRecord, LetterState
from domain.email_address import EmailAddress
from domain.letters import Outcome
from domain.suppression import Suppression, SuppressionReason


class SqlLetterRegister:
    """`application.ports.mailroom.LetterRegister`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(
        self, which: LetterFilter, now: datetime, *, after: LetterRecord | None, most: int
    ) -> list[LetterRecord]:
        statement = select(letters).order_by(letters.c.created_at.desc(), letters.c.id.desc()).limit(most)
        if which.state is not None:
            statement = statement.where(letters.c.status == which.state.value)
        if which.recipient is not None:
            statement = statement.where(letters.c.recipient == which.recipient.canonical)
        if after is not None:
            place = tuple_(letters.c.created_at, letters.c.id)
            statement = statement.where(place < tuple_(after.letter.created_at, after.letter.id))
        return [_record_from(row, now) for row in await self._connection.execute(statement)]

    async def get(self, letter_id: UUID, now: datetime) -> LetterRecord | None:
        row = (await self._connection.execute(select(letters).where(letters.c.id == letter_id))).one_or_none()
        return _record_from(row, now) if row else None

    async def requeue(self, letter_id: UUID, now: datetime) -> bool:
        statement = (
            update(letters)
            .where(
                letters.c.id == letter_id,
                letters.c.expires_at > now,
                letters.c.recipient != "",  # forgotten
                or_(letters.c.lease_id.is_(None), letters.c.lease_until <= now),
            )
            .values(
                status=LetterState.QUEUED.value,
                # It is decided anew, and the version before, whose workers may run beside, knows no such outcome.
                outcome=func.nullif(letters.c.outcome, Outcome.SUPPRESSED.value),
                attempts=0,
                due_at=now,
                done_at=None,
                reason=None,
                lease_id=None,
                lease_until=None,
            )
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def abandon(self, letter_id: UUID, now: datetime, reason: str) -> bool:
        of_nobody = exists().where(
            reversals.c.id == letters.c.subject_id,
            ~exists().where(users.c.id == reversals.c.user_id).correlate(reversals),
        )
        statement = (
            update(letters)
            .where(letters.c.id == letter_id, letters.c.status == LetterState.QUEUED.value)
            .values(
                status=LetterState.ABANDONED.value,
                recipient=case((of_nobody, ""), else_=letters.c.recipient),
                done_at=now,
                reason=reason,
                lease_id=None,
                lease_until=None,
            )
        )
        return (await self._connection.execute(statement)).rowcount == 1


class SqlSuppressed:
    """`application.ports.mailroom.Suppressed`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, email: EmailAddress, now: datetime) -> Suppression | None:
        statement = select(suppressions).where(suppressions.c.email == email.canonical, *_in_force(now))
        row = (await self._connection.execute(statement)).one_or_none()
        return _suppression_from(row) if row else None


class SqlSuppressions:
    """`application.ports.mailroom.Suppressions`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, suppression: Suppression) -> bool:
        values = {
            "reason": suppression.reason.value,
            "source": suppression.source,
            "since": suppression.since,
            "until": suppression.until,
            "lifted_at": None,
        }
        statement = (
            upsert(self._connection, suppressions)
            .values(email=suppression.email.canonical, **values)
            .on_conflict_do_update(
                index_elements=[suppressions.c.email],
                set_=values,
                where=or_(
                    suppressions.c.lifted_at < suppression.since,
                    suppressions.c.lifted_at.is_(None) & (suppressions.c.until < suppression.until),
                ),
            )
            .returning(suppressions.c.email)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def lift(self, email: EmailAddress, now: datetime, kept_until: datetime) -> bool:
        statement = (
            update(suppressions)
            .where(suppressions.c.email == email.canonical, *_in_force(now))
            .values(lifted_at=now, until=kept_until)
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def find(self, now: datetime, *, after: EmailAddress | None, most: int) -> list[Suppression]:
        statement = select(suppressions).where(*_in_force(now)).order_by(suppressions.c.email).limit(most)
        if after is not None:
            statement = statement.where(suppressions.c.email > after.canonical)
        return [_suppression_from(row) for row in await self._connection.execute(statement)]


class SqlMailroom:
    """`application.ports.mailroom.Mailroom`."""

    def __init__(self, transaction: Transaction, key: bytes) -> None:
        self.letters = SqlLetterRegister(transaction.connection)
        self.suppressions = SqlSuppressions(transaction.connection)
        self.events = SqlEvents(transaction.connection, key)
        self.commit = transaction.commit


def _in_force(now: datetime) -> Any:
    return suppressions.c.until > now, suppressions.c.lifted_at.is_(None)


def _record_from(row: Row[Any], now: datetime) -> LetterRecord:
    return LetterRecord(
        letter=letter_from(row),
        state=LetterState(row.status),
        reason=row.reason,
        in_hand=row.lease_id is not None and row.lease_until > now,
        done_at=row.done_at,
    )


def _suppression_from(row: Row[Any]) -> Suppression:
    return Suppression(
        email=EmailAddress(row.email),
        reason=SuppressionReason(row.reason),
        source=row.source,
        since=row.since,
        until=row.until,
    )
