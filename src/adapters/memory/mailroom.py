"""For the operator: where letters are, and who gets none."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from adapters.memory.collections import FORGOTTEN
from adapters.memory.events import MemoryEvents
from adapters.memory.store import LetterRow, MemoryTransaction, SuppressionRow, Tables
from application.ports.mailroom import LetterFilter, LetterRecord, LetterState
from domain.email_address import EmailAddress
from domain.letters import Outcome
from domain.suppression import Suppression


class MemoryLetterRegister:
    """`LetterRegister`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(
        self, which: LetterFilter, now: datetime, *, after: LetterRecord | None, most: int
    ) -> list[LetterRecord]:
        found = [
            _record_from(row, now)
            for row in self._tables.letters.values()
            if which.state in (None, row.status) and which.recipient in (None, row.letter.recipient)
        ]
        if after is not None:
            found = [record for record in found if _place(record) < _place(after)]
        return sorted(found, key=_place, reverse=True)[:most]

    async def get(self, letter_id: UUID, now: datetime) -> LetterRecord | None:
        row = self._tables.letters.get(letter_id)
        return _record_from(row, now) if row else None

    async def requeue(self, letter_id: UUID, now: datetime) -> bool:
        row = self._tables.letters.get(letter_id)
        if row is None or row.letter.expires_at <= now or row.letter.recipient == FORGOTTEN or _in_hand(row, now):
            return False
        outcome = None if row.letter.outcome is Outcome.SUPPRESSED else row.letter.outcome
        self._tables.letters[letter_id] = LetterRow(replace(row.letter, attempts=0, due_at=now, outcome=outcome))
        return True

    async def abandon(self, letter_id: UUID, now: datetime, reason: str) -> bool:
        row = self._tables.letters.get(letter_id)
        if row is None or row.status != LetterState.QUEUED:
            return False
        reversal = self._tables.reversals.get(row.letter.subject_id or letter_id)
        gone = reversal is not None and reversal.user_id not in self._tables.users
        letter = replace(row.letter, recipient=FORGOTTEN) if gone else row.letter
        self._tables.letters[letter_id] = LetterRow(
            letter, status=LetterState.ABANDONED.value, done_at=now, reason=reason
        )
        return True


class MemorySuppressed:
    """`Suppressed`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of(self, email: EmailAddress, now: datetime) -> Suppression | None:
        row = self._tables.suppressions.get(email.canonical)
        return row.suppression if row and row.lifted_at is None and row.suppression.until > now else None


class MemorySuppressions:
    """`Suppressions`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, suppression: Suppression) -> bool:
        row = self._tables.suppressions.get(suppression.email.canonical)
        if row is not None and (
            row.suppression.until >= suppression.until if row.lifted_at is None else row.lifted_at >= suppression.since
        ):
            return False
        self._tables.suppressions[suppression.email.canonical] = SuppressionRow(suppression)
        return True

    async def lift(self, email: EmailAddress, now: datetime, kept_until: datetime) -> bool:
        suppression = await MemorySuppressed(self._tables).of(email, now)
        if suppression is None:
            return False
        self._tables.suppressions[email.canonical] = SuppressionRow(
            replace(suppression, until=kept_until), lifted_at=now
        )
        return True

    async def find(self, now: datetime, *, after: EmailAddress | None, most: int) -> list[Suppression]:
        every = [EmailAddress(address) for address in sorted(self._tables.suppressions)]
        behind = [email for email in every if after is None or email.canonical > after.canonical]
        found = [await MemorySuppressed(self._tables).of(email, now) for email in behind]
        return [suppression for suppression in found if suppression is not None][:most]


class MemoryMailroom:
    """`Mailroom`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.letters = MemoryLetterRegister(transaction.tables)
        self.suppressions = MemorySuppressions(transaction.tables)
        self.events = MemoryEvents(transaction.tables)
        self.commit = transaction.commit


def _place(record: LetterRecord) -> tuple[datetime, UUID]:
    return record.letter.created_at, record.letter.id


def _in_hand(row: LetterRow, now: datetime) -> bool:
    return row.lease_id is not None and row.lease_until is not None and row.lease_until > now


def _record_from(row: LetterRow, now: datetime) -> LetterRecord:
    return LetterRecord(
        letter=row.letter,
        state=LetterState(row.status),
        reason=row.reason,
        in_hand=_in_hand(row, now),
        done_at=row.done_at,
    )
