"""Tables in memory, and the transactions on them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.events import RecordedEvent
from domain.letters import QueuedLetter
from domain.newcomer import Origin
from domain.one_time_token import OneTimeToken
from domain.reversal import Reversal
from domain.session import Session
from domain.sign_up import SignUpRequest
from domain.suppression import Suppression
from domain.user import Credential, User


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter with what the queue knows about it."""

    letter: QueuedLetter
    status: str = "queued"
    lease_id: UUID | None = None
    lease_until: datetime | None = None
    done_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """An address that gets no letters, unless that was lifted."""

    suppression: Suppression
    lifted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a username, and until when; None is for good."""

    holder: UUID
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Taken:
    """One unit of a limit: when it was taken, when it falls free, and what tells it from others."""

    moment: datetime
    expires_at: datetime
    stamp: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event, with what becomes of its address once it has been kept for long enough."""

    event: RecordedEvent
    masked_address: str


@dataclass(slots=True)
class Tables:
    """Everything stored. Rows are frozen, so a copy of the dicts is a copy of the world."""

    users: dict[UUID, User] = field(default_factory=dict)
    credentials: dict[UUID, Credential] = field(default_factory=dict)
    origins: dict[UUID, Origin] = field(default_factory=dict)
    sign_ups: dict[UUID, SignUpRequest] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    tokens: dict[bytes, OneTimeToken] = field(default_factory=dict)
    letters: dict[UUID, LetterRow] = field(default_factory=dict)
    sessions: dict[UUID, Session] = field(default_factory=dict)
    events: dict[UUID, EventRow] = field(default_factory=dict)
    reversals: dict[UUID, Reversal] = field(default_factory=dict)
    suppressions: dict[str, SuppressionRow] = field(default_factory=dict)
    limits: dict[tuple[str, str], list[Taken]] = field(default_factory=dict)

    def copy(self) -> "Tables":
        """The same rows in dicts of their own."""
        return Tables(
            users=dict(self.users),
            credentials=dict(self.credentials),
            origins=dict(self.origins),
            sign_ups=dict(self.sign_ups),
            claims=dict(self.claims),
            tokens=dict(self.tokens),
            letters=dict(self.letters),
            sessions=dict(self.sessions),
            events=dict(self.events),
            reversals=dict(self.reversals),
            suppressions=dict(self.suppressions),
            limits={key: list(taken) for key, taken in self.limits.items()},
        )


class MemoryTransaction:
    """A copy of the tables that replaces them at commit."""

    def __init__(self, store: "MemoryStore") -> None:
        self._store = store
        self.tables = store.tables.copy()

    async def commit(self) -> None:
        """Make it true."""
        self._store.tables = self.tables.copy()


class MemoryStore:
    """One writer at a time, like SQLite; readers see what is committed."""

    def __init__(self) -> None:
        self.tables = Tables()
        self._writer = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Tables]:
        """What is committed now."""
        yield self.tables

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[MemoryTransaction]:
        """A transaction; left without commit, it never was."""
        async with self._writer:
            yield MemoryTransaction(self)
