"""The collections over dicts: `application.ports.collections`, in the fewest words."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from adapters.memory.store import Claim, LetterRow, Tables
from domain.email_address import EmailAddress
from domain.letters import LEASE, Outcome, QueuedLetter
from domain.one_time_token import OneTimeToken, Purpose
from domain.sign_up import SignUpRequest
from domain.username import Username

FORGOTTEN = EmailAddress("")
"""What a letter's recipient is wiped to."""


class MemorySignUps:
    """`SignUps`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, sign_up: SignUpRequest) -> None:
        self._tables.sign_ups[sign_up.id] = sign_up

    async def get(self, sign_up_id: UUID) -> SignUpRequest | None:
        return self._tables.sign_ups.get(sign_up_id)

    async def waiting_by_cookie(self, cookie_digest: bytes, now: datetime) -> tuple[UUID, EmailAddress] | None:
        return self._newest([row for row in self._waiting(now) if row.cookie_digest == cookie_digest])

    async def newest_waiting(self, email: EmailAddress, now: datetime) -> UUID | None:
        found = self._newest([row for row in self._waiting(now) if row.email == email])
        return found[0] if found else None

    def _waiting(self, now: datetime) -> list[SignUpRequest]:
        return [row for row in self._tables.sign_ups.values() if row.proven_at is None and row.expires_at > now]

    @staticmethod
    def _newest(rows: list[SignUpRequest]) -> tuple[UUID, EmailAddress] | None:
        newest = max(rows, key=lambda row: row.created_at, default=None)
        return (newest.id, newest.email) if newest else None

    async def settle(self, sign_up_id: UUID, now: datetime) -> bool:
        row = self._tables.sign_ups.get(sign_up_id)
        if row is None or row.proven_at is not None or row.expires_at <= now:
            return False
        self._tables.sign_ups[sign_up_id] = replace(
            row, proven_at=now, password_hash=None, name=None, username=None, fields={}
        )
        return True

    async def delete_waiting(self, email: EmailAddress, *, keep: UUID) -> None:
        for row in list(self._tables.sign_ups.values()):
            if row.email == email and row.id != keep and row.proven_at is None:
                del self._tables.sign_ups[row.id]

    async def delete(self, sign_up_id: UUID) -> None:
        self._tables.sign_ups.pop(sign_up_id, None)


class MemoryUsernameClaims:
    """`UsernameClaims`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def claim(self, username: Username, *, holder: UUID, now: datetime, expires_at: datetime | None) -> bool:
        held = self._tables.claims.get(username.name)
        lapsed = held is not None and held.expires_at is not None and held.expires_at <= now
        if held is not None and held.holder != holder and not lapsed:
            return False
        self._tables.claims[username.name] = Claim(holder, expires_at)
        return True

    async def settle(self, username: Username, *, holder: UUID) -> bool:
        held = self._tables.claims.get(username.name)
        if held is None or held.holder != holder:
            return False
        self._tables.claims[username.name] = Claim(holder, None)
        return True

    async def release(self, username: Username, *, holder: UUID, expires_at: datetime) -> None:
        held = self._tables.claims.get(username.name)
        if held is not None and held.holder == holder:
            self._tables.claims[username.name] = Claim(holder, expires_at)


class MemoryTokens:
    """`Tokens`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, token: OneTimeToken) -> None:
        self._tables.tokens[token.digest] = token

    async def find(self, digest: bytes, purpose: Purpose) -> OneTimeToken | None:
        token = self._tables.tokens.get(digest)
        if token is None or token.purpose is not purpose:
            return None
        credential = self._tables.credentials.get(token.user_id) if token.user_id else None
        of_today = credential is not None and credential.version == token.credential_version
        superseded = (token.credential_version is not None and not of_today) or any(
            row.letter.subject_id == token.subject_id
            and row.letter.purpose is token.purpose
            and row.letter.created_at > token.requested_at
            for row in self._tables.letters.values()
        )
        return replace(token, superseded=superseded)

    async def forget(self, user_id: UUID) -> None:
        for token in list(self._tables.tokens.values()):
            if user_id in (token.user_id, token.subject_id):
                del self._tables.tokens[token.digest]

    async def spend(self, digest: bytes, purpose: Purpose, now: datetime) -> bool:
        token = await self.find(digest, purpose)
        if token is None or token.superseded or token.used_at is not None or token.expires_at <= now:
            return False
        self._tables.tokens[digest] = replace(token, used_at=now)
        return True


class MemoryLetters:
    """`Letters`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def enqueue(self, letter: QueuedLetter) -> None:
        self._tables.letters[letter.id] = LetterRow(letter)

    async def forget(self, user_id: UUID, recipient: EmailAddress, until: datetime) -> None:
        subjects = {user_id, *(each.id for each in self._tables.reversals.values() if each.user_id == user_id)}
        for row in list(self._tables.letters.values()):
            letter = row.letter
            about = letter.subject_id in subjects or letter.recipient == recipient
            if about and letter.created_at <= until and row.status != "queued":
                self._tables.letters[letter.id] = replace(row, letter=replace(letter, recipient=FORGOTTEN))

    async def lease(self, lease_id: UUID, now: datetime, most: int) -> list[QueuedLetter]:
        due = [
            row
            for row in self._tables.letters.values()
            if row.status == "queued"
            and row.letter.due_at <= now
            and (row.lease_until is None or row.lease_until <= now)
        ]
        leased = []
        for row in sorted(due, key=lambda row: row.letter.due_at)[:most]:
            letter = replace(row.letter, attempts=row.letter.attempts + 1)
            self._tables.letters[letter.id] = replace(row, letter=letter, lease_id=lease_id, lease_until=now + LEASE)
            leased.append(letter)
        return leased

    async def is_newest(self, letter: QueuedLetter) -> bool:
        return letter.subject_id is None or not any(
            row.letter.subject_id == letter.subject_id
            and row.letter.purpose is letter.purpose
            and row.letter.created_at > letter.created_at
            for row in self._tables.letters.values()
        )

    async def by_token(self, digest: bytes, purpose: Purpose) -> tuple[UUID, EmailAddress] | None:
        token = self._tables.tokens.get(digest)
        if token is None or token.purpose is not purpose:
            return None
        letters = (row.letter for row in self._tables.letters.values() if row.letter.purpose is purpose)
        return next(
            (
                (token.subject_id, letter.recipient)
                for letter in letters
                if letter.subject_id == token.subject_id and letter.recipient != FORGOTTEN
            ),
            None,
        )

    async def decide(self, letter_id: UUID, outcome: Outcome, subject_id: UUID | None) -> None:
        if row := self._tables.letters.get(letter_id):
            letter = replace(row.letter, outcome=outcome, subject_id=subject_id)
            self._tables.letters[letter_id] = replace(row, letter=letter)

    async def mark_sent(self, letter_id: UUID, lease_id: UUID, outcome: Outcome, now: datetime) -> None:
        if row := self._held(letter_id, lease_id):
            letter = replace(row.letter, outcome=outcome)
            self._tables.letters[letter_id] = replace(
                row, letter=letter, status="sent", lease_id=None, done_at=now, reason=None
            )

    async def mark_delayed(self, letter_id: UUID, lease_id: UUID, due_at: datetime, reason: str) -> None:
        if row := self._held(letter_id, lease_id):
            letter = replace(row.letter, due_at=due_at)
            self._tables.letters[letter_id] = replace(
                row, letter=letter, lease_id=None, lease_until=None, reason=reason
            )

    async def mark_abandoned(self, letter_id: UUID, lease_id: UUID, now: datetime, reason: str) -> None:
        if row := self._held(letter_id, lease_id):
            self._tables.letters[letter_id] = replace(
                row, status="abandoned", lease_id=None, done_at=now, reason=reason
            )

    def _held(self, letter_id: UUID, lease_id: UUID) -> LetterRow | None:
        row = self._tables.letters.get(letter_id)
        return row if row and row.lease_id == lease_id and row.status == "queued" else None
