"""Sessions over dicts."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from adapters.memory.store import Tables
from domain.session import Session
from domain.user import User


class MemoryLivingSessions:
    """`LivingSessions`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(self, session_id: UUID) -> tuple[Session, User] | None:
        session = self._tables.sessions.get(session_id)
        user = _living_user(self._tables, session) if session else None
        return (session, user) if session and user else None


class MemorySessions:
    """`Sessions`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, session: Session) -> bool:
        if _living_user(self._tables, session) is None:
            return False
        self._tables.sessions[session.id] = session
        return True

    async def touch(self, session: Session, now: datetime) -> None:
        stored = self._tables.sessions.get(session.id)
        if stored is not None and stored.last_seen_at < now:
            self._tables.sessions[session.id] = replace(
                stored, last_seen_at=now, idle_expires_at=now + session.idle_time
            )

    async def advance(self, successor: Session) -> bool:
        stored = self._tables.sessions.get(successor.id)
        if stored is None or stored.counter != successor.counter - 1 or _living_user(self._tables, stored) is None:
            return False
        self._tables.sessions[stored.id] = replace(
            stored,
            counter=successor.counter,
            refreshed_at=successor.refreshed_at,
            last_seen_at=successor.last_seen_at,
            idle_expires_at=successor.idle_expires_at,
        )
        return True

    async def move(self, session_id: UUID, credential_version: int) -> bool:
        session = self._tables.sessions.get(session_id)
        if session is None:
            return False
        self._tables.sessions[session_id] = replace(session, credential_version=credential_version)
        return True

    async def end_of(self, user_id: UUID, session_id: UUID) -> bool:
        session = self._tables.sessions.get(session_id)
        if session is None or session.user_id != user_id:
            return False
        del self._tables.sessions[session_id]
        return True

    async def end(self, session_id: UUID) -> None:
        self._tables.sessions.pop(session_id, None)

    async def end_all(self, user_id: UUID, *, keep: UUID | None = None) -> int:
        ending = [each.id for each in self._tables.sessions.values() if each.user_id == user_id and each.id != keep]
        for session_id in ending:
            del self._tables.sessions[session_id]
        return len(ending)


class MemoryOwnSessions:
    """`OwnSessions`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_user(self, user_id: UUID, now: datetime) -> list[Session]:
        living = [
            session
            for session in self._tables.sessions.values()
            if session.user_id == user_id and session.alive(now) and _living_user(self._tables, session)
        ]
        return sorted(living, key=lambda session: (-session.last_seen_at.timestamp(), session.id.hex))


def _living_user(tables: Tables, session: Session) -> User | None:
    """The user whose credential version is still that of the session."""
    user = tables.users.get(session.user_id)
    credential = tables.credentials.get(session.user_id)
    if user is None or user.disabled or credential is None:
        return None
    return user if credential.version == session.credential_version else None
