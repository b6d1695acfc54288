"""Administrators act on accounts that are there. None of them ever sees or sets a password (ASVS 6.4.6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from application.administrators import Administrator, CommandLine, act, demand_administrator, hold_account, is_own
from application.ports.administration import Administration
from application.ports.environment import Clock, EventLog
from application.ports.units_of_work import Opens
from domain.client import Client
from domain.declared_fields import DeclaredFields, changed_fields
from domain.errors import OwnAccount, Violation
from domain.events import EventKind
from domain.role import ADMINISTRATOR, parse_role
from domain.user import User
from domain.violations import Violations

BATCH = 500
"""Sessions ended in one transaction when all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeUserCommand:
    """Who asks, whom to change, and to what; what is not given stays. `malformed` is what the edge could not read."""

    caller: Administrator
    user_id: UUID
    role: str | None = None
    disabled: bool | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    """Declared fields, those that their owner may not set included."""
    client: Client | None = None
    malformed: tuple[Violation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChangeUser:
    """Sets role and declared fields, and disables or enables: all that is given, or nothing.

    Disabling ends every session, and the credential's version is raised, so that neither a sign-in under way, nor a
    letter sent before, nor enabling brings anything back. Everything is true at the next request, for Ostiary's own
    endpoints under a live access token too. An administrator can neither demote nor disable themselves. Raises
    `Forbidden`, `ValidationError`, `NotFound`, `OwnAccount`, `Unavailable`.
    """

    administration: Opens[Administration]
    declared: DeclaredFields
    clock: Clock
    events: EventLog

    async def __call__(self, command: ChangeUserCommand) -> User:
        caller = command.caller
        demand_administrator(caller)
        violations = Violations(command.malformed)
        role = violations.parse_optional("role", command.role, parse_role)
        fields = self.declared.judge(violations, command.fields, by_administrator=True)
        violations.settle()
        now = self.clock.now()
        async with self.administration() as unit:
            user, credential = await hold_account(unit, caller, command.user_id)
            changed = replace(user, role=role or user.role, fields=changed_fields(user.fields, fields))
            if command.disabled is not None and command.disabled is not user.disabled:
                changed = replace(changed, disabled_at=now if command.disabled else None)
            if is_own(caller, user.id) and (changed.disabled or changed.role != ADMINISTRATOR):
                raise OwnAccount
            happened = [act(kind, caller, command.client, user, what) for kind, what in _changes(user, changed)]
            if not happened:
                return user
            await unit.users.save(changed)
            if changed.disabled and not user.disabled:
                await unit.sessions.end_all(user.id)
                if credential is not None:
                    await unit.accounts.replace(credential, credential.password_hash, now)
            for event in happened:
                await unit.events.add(event, now)
            await unit.commit()
        for event in happened:
            self.events.record(event)
        return changed


def _changes(was: User, now: User) -> list[tuple[EventKind, str | None]]:
    """What happened, in the words of the record; the values are not in it."""
    what = [name for name in ("role", "fields") if getattr(was, name) != getattr(now, name)]
    changes: list[tuple[EventKind, str | None]] = [(EventKind.USER_CHANGED, ",".join(what))] if what else []
    if was.disabled is not now.disabled:
        changes.append((EventKind.USER_DISABLED if now.disabled else EventKind.USER_ENABLED, None))
    return changes


@dataclass(frozen=True, slots=True, kw_only=True)
class EndUserSessionsCommand:
    """Who asks, and whose sessions to end."""

    caller: Administrator
    user_id: UUID
    client: Client | None = None


@dataclass(frozen=True, kw_only=True)
class EndUserSessions:
    """Ends every session of one user, access tokens issued under them included. Raises `Forbidden`, `NotFound`,
    `Unavailable`."""

    administration: Opens[Administration]
    clock: Clock
    events: EventLog

    async def __call__(self, command: EndUserSessionsCommand) -> None:
        now = self.clock.now()
        async with self.administration() as unit:
            user, _ = await hold_account(unit, command.caller, command.user_id)
            event = act(EventKind.SESSIONS_ENDED, command.caller, command.client, user)
            await unit.sessions.end_all(user.id)
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)


@dataclass(frozen=True, kw_only=True)
class EndAllSessions:
    """Ends everybody's sessions and says how many, in batches; the event is written with the first. Asked by the
    command line alone. Raises `Unavailable`; what has ended until then has ended."""

    administration: Opens[Administration]
    clock: Clock
    events: EventLog

    async def __call__(self) -> int:
        event = act(EventKind.SESSIONS_ENDED, CommandLine(), None, None)
        total, ended = 0, BATCH
        while ended == BATCH:
            async with self.administration() as unit:
                if total == 0:
                    await unit.events.add(event, self.clock.now())
                ended = await unit.everybodys_sessions.end(BATCH)
                await unit.commit()
            total += ended
        self.events.record(event)
        return total
