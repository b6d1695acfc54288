"""Administrators look: who is here, and what one account is like (R55)."""

import unicodedata
from dataclasses import dataclass
from uuid import UUID

from application.administrators import Administrator, demand_administrator
from application.ports.administration import Oversight, Place, UserFilter
from application.ports.environment import Clock, DeviceNames
from application.ports.units_of_work import Opens
from application.recognition import Caller
from application.use_cases.sessions import ListedSession
from domain.email_address import EmailAddress
from domain.errors import NotFound, Violation
from domain.sentence import Sentence
from domain.user import User
from domain.username import Username
from domain.violations import Broken, Violations

MOST_USERS = 100

_LONGEST_SEARCH = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUsersCommand:
    """Who asks, for whom, and behind which place to go on; at most `MOST_USERS` at a time. `malformed` is what the edge
    could not read."""

    caller: Administrator
    search: str | None = None
    """Part of an address, a name or a username, or a whole id."""
    role: str | None = None
    disabled: bool | None = None
    verified: bool | None = None
    after: Place | None = None
    most: int = MOST_USERS
    malformed: tuple[Violation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ListUsers:
    """Users, newest first, for administrators. Raises `Forbidden`, `ValidationError`, `Unavailable`."""

    oversight: Opens[Oversight]

    async def __call__(self, command: ListUsersCommand) -> list[User]:
        demand_administrator(command.caller)
        violations = Violations(command.malformed)
        which = UserFilter(
            text=violations.parse_optional("search", command.search or None, _searchable),
            role=violations.parse_optional("role", command.role or None, _searchable),
            disabled=command.disabled,
            verified=command.verified,
        )
        violations.settle()
        async with self.oversight() as unit:
            return await unit.directory.find(which, after=command.after, most=min(command.most, MOST_USERS))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowUserCommand:
    """Who asks, and about whom."""

    caller: Administrator
    whom: UUID | EmailAddress | Username


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownUser:
    """A user, with the sessions that are alive, last seen first."""

    user: User
    sessions: list[ListedSession]


@dataclass(frozen=True, kw_only=True)
class ShowUser:
    """One user, for administrators; nothing of the password. Raises `Forbidden`, `NotFound`, `Unavailable`."""

    oversight: Opens[Oversight]
    device_names: DeviceNames
    clock: Clock

    async def __call__(self, command: ShowUserCommand) -> ShownUser:
        caller = command.caller
        demand_administrator(caller)
        async with self.oversight() as unit:
            user = await unit.directory.get(command.whom)
            if user is None:
                raise NotFound
            sessions = await unit.sessions.of_user(user.id, self.clock.now())
        own = caller.session.id if isinstance(caller, Caller) else None
        return ShownUser(
            user=user,
            sessions=[ListedSession.of(each, self.device_names, current=each.id == own) for each in sessions],
        )


def _searchable(text: str) -> str:
    if len(text) > _LONGEST_SEARCH:
        raise Broken("too_long", Sentence("Search for at most %(most)d characters.", most=_LONGEST_SEARCH))
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise Broken("invalid_characters", Sentence("Control characters are not accepted."))
    return text
