"""Ending sessions (R56)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from application.ports.environment import EventLog
from application.ports.units_of_work import Opens, SessionKeeping
from application.use_cases.identify import Caller
from domain.client import Client
from domain.events import Event, EventKind


class Scope(StrEnum):
    """Which of the caller's sessions to end."""

    THIS = "this"
    OTHERS = "others"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutCommand:
    """Who signs out, and of what."""

    caller: Caller
    scope: Scope = Scope.THIS
    client: Client


@dataclass(frozen=True, kw_only=True)
class SignOut:
    """Ends sessions at once and for good, access tokens issued under them included. Raises `Unavailable`."""

    keeping: Opens[SessionKeeping]
    events: EventLog

    async def __call__(self, command: SignOutCommand) -> None:
        session = command.caller.session
        async with self.keeping() as unit:
            match command.scope:
                case Scope.THIS:
                    await unit.sessions.end(session.id)
                case Scope.OTHERS:
                    await unit.sessions.end_all(session.user_id, keep=session.id)
                case Scope.ALL:
                    await unit.sessions.end_all(session.user_id)
                case _:
                    assert_never(command.scope)
            await unit.commit()
        self.events.record(
            Event(kind=EventKind.SIGNED_OUT, client=command.client, user_id=session.user_id, reason=command.scope.value)
        )
