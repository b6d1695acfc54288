"""The outbox: letters-to-be, leased to one worker at a time."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import letters, one_time_tokens, reversals
from domain.email_address import EmailAddress
from domain.letters import LEASE, LONGEST_REASON, Occasion, Outcome, QueuedLetter
from domain.one_time_token import Purpose

_QUEUED, _SENT, _ABANDONED = "queued", "sent", "abandoned"


class SqlLetters:
    """`application.ports.collections.Letters`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def enqueue(self, letter: QueuedLetter) -> None:
        await self._connection.execute(
            insert(letters).values(
                id=letter.id,
                occasion=letter.occasion.value,
                purpose=letter.purpose.value,
                recipient=letter.recipient.canonical,
                subject_id=letter.subject_id,
                status=_QUEUED,
                credential_version=letter.credential_version,
                attempts=letter.attempts,
                locale=letter.locale,
                created_at=letter.created_at,
                due_at=letter.due_at,
                expires_at=letter.expires_at,
            )
        )

    async def forget(self, user_id: UUID, recipient: EmailAddress, until: datetime) -> None:
        about = or_(
            letters.c.subject_id == user_id,
            letters.c.subject_id.in_(select(reversals.c.id).where(reversals.c.user_id == user_id)),
            letters.c.recipient == recipient.canonical,
        )
        await self._connection.execute(
            update(letters)
            .where(
                about,
                letters.c.created_at <= until,
                letters.c.status != _QUEUED,
            )
            .values(recipient="")
        )

    async def lease(self, lease_id: UUID, now: datetime, most: int) -> list[QueuedLetter]:
        due = (
            select(letters.c.id)
            .where(
                letters.c.status == _QUEUED,
                letters.c.due_at <= now,
                or_(letters.c.lease_until.is_(None), letters.c.lease_until <= now),
            )
            .order_by(letters.c.due_at)
            .limit(most)
            .with_for_update(skip_locked=True)
            .cte("due")  # chosen once: as a subquery, PostgreSQL may run it again for each row
        )
        statement = (
            update(letters)
            .where(letters.c.id.in_(select(due)))
            .values(lease_id=lease_id, lease_until=now + LEASE, attempts=letters.c.attempts + 1)
            .returning(letters)
        )
        leased = [letter_from(row) for row in await self._connection.execute(statement)]
        return sorted(leased, key=lambda letter: letter.due_at)

    async def is_newest(self, letter: QueuedLetter) -> bool:
        # Letters about nobody are not about the same nobody: compared with an id that is no subject, none is newer.
        subject_id = letter.subject_id or letter.id
        newer = exists().where(
            letters.c.subject_id == subject_id,
            letters.c.purpose == letter.purpose.value,
            letters.c.created_at > letter.created_at,
        )
        return not await self._connection.scalar(select(newer))

    async def by_token(self, digest: bytes, purpose: Purpose) -> tuple[UUID, EmailAddress] | None:
        statement = (
            select(letters.c.subject_id, letters.c.recipient)
            .join(one_time_tokens, one_time_tokens.c.subject_id == letters.c.subject_id)
            .where(
                one_time_tokens.c.digest == digest,
                one_time_tokens.c.purpose == purpose.value,
                letters.c.purpose == purpose.value,
                letters.c.recipient != "",  # forgotten
            )
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return (row.subject_id, EmailAddress(row.recipient)) if row else None

    async def decide(self, letter_id: UUID, outcome: Outcome, subject_id: UUID | None) -> None:
        await self._connection.execute(
            update(letters).where(letters.c.id == letter_id).values(outcome=outcome.value, subject_id=subject_id)
        )

    async def mark_sent(self, letter_id: UUID, lease_id: UUID, outcome: Outcome, now: datetime) -> None:
        await self._mark(letter_id, lease_id, status=_SENT, outcome=outcome.value, done_at=now, reason=None)

    async def mark_delayed(self, letter_id: UUID, lease_id: UUID, due_at: datetime, reason: str) -> None:
        await self._mark(letter_id, lease_id, due_at=due_at, lease_until=None, reason=reason[:LONGEST_REASON])

    async def mark_abandoned(self, letter_id: UUID, lease_id: UUID, now: datetime, reason: str) -> None:
        await self._mark(letter_id, lease_id, status=_ABANDONED, done_at=now, reason=reason[:LONGEST_REASON])

    async def _mark(self, letter_id: UUID, lease_id: UUID, **values: object) -> None:
        """Only while the lease is ours: a letter that another worker has taken over is that worker's to judge."""
        await self._connection.execute(
            update(letters)
            .where(letters.c.id == letter_id, letters.c.lease_id == lease_id, letters.c.status == _QUEUED)
            .values(lease_id=None, **values)
        )


def letter_from(row: Row[tuple[object, ...]]) -> QueuedLetter:
    """Read a letter from its row."""
    return QueuedLetter(
        id=row.id,
        occasion=Occasion(row.occasion),
        recipient=EmailAddress(row.recipient),
        subject_id=row.subject_id,
        created_at=row.created_at,
        due_at=row.due_at,
        expires_at=row.expires_at,
        credential_version=row.credential_version,
        attempts=row.attempts,
        # A newer version may know more of them.
        outcome=Outcome(row.outcome) if row.outcome in set(Outcome) else None,
        locale=row.locale,
    )
