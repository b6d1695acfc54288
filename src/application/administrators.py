"""Who may administer, and what is written down of what they do (ASVS 6.3.2, 8.2.1, 8.3.1)."""

from dataclasses import dataclass
from uuid import UUID

from application.ports.administration import Administration
from application.recognition import Caller
from domain.client import Client
from domain.errors import Forbidden, NotFound
from domain.events import Event, EventKind
from domain.role import ADMINISTRATOR
from domain.user import Credential, User


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Somebody with a shell where Ostiary runs, who holds its database and its secret anyway."""


Administrator = Caller | CommandLine
"""Who asks; whether they may is judged by each use case, from what their row says now."""


def demand_administrator(caller: Administrator) -> None:
    """Raise `Forbidden` for everybody else."""
    if isinstance(caller, Caller) and caller.user.role != ADMINISTRATOR:
        raise Forbidden


def is_own(caller: Administrator, user_id: UUID) -> bool:
    """Whether it is their own account."""
    return isinstance(caller, Caller) and caller.user.id == user_id


async def hold_account(unit: Administration, caller: Administrator, user_id: UUID) -> tuple[User, Credential | None]:
    """The account that is acted on, and until the unit ends the caller stays as good an administrator as they are.

    Of two who demote each other at once, one does. Raises `Forbidden` for a caller who is none by now, `NotFound`.
    """
    demand_administrator(caller)
    acting = caller.user.id if isinstance(caller, Caller) else user_id
    both = sorted({acting, user_id})  # in one order, so that nobody waits for somebody who waits for them
    credentials = {each: await unit.accounts.hold(each) for each in both}
    users = {each: await unit.users.hold(each) for each in both}
    if isinstance(caller, Caller):
        administrator = users[acting]
        if administrator is None or administrator.disabled or administrator.role != ADMINISTRATOR:
            raise Forbidden
    user = users[user_id]
    if user is None:
        raise NotFound
    return user, credentials[user_id]


def act(
    kind: EventKind, caller: Administrator, client: Client | None, user: User | None, reason: str | None = None
) -> Event:
    """What is written down of it: who did it to whom, or that it was done at the command line."""
    by_person = isinstance(caller, Caller)
    return Event(
        kind=kind,
        client=client,
        email=user.email if user else None,
        user_id=user.id if user else None,
        actor_id=caller.user.id if isinstance(caller, Caller) else None,
        reason=reason if by_person else "cli",
    )
