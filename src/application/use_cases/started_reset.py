"""An administrator starts a reset: the letter goes to the owner, and only they choose (ASVS 6.2.10, 6.4.6)."""

from dataclasses import dataclass
from uuid import UUID

from application.administrators import Administrator, act, demand_administrator, hold_account, is_own
from application.letter_requests import LetterRequests
from application.ports.administration import Administration
from application.ports.environment import Clock, EventLog
from application.ports.units_of_work import Opens
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import AccountDisabled, OwnAccount
from domain.events import EventKind
from domain.letters import Occasion, address_subject
from domain.password import NO_PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class StartResetCommand:
    """Who asks, and whose password is to be chosen anew; `expire_password` when somebody else may know it."""

    caller: Administrator
    user_id: UUID
    expire_password: bool = False
    client: Client | None = None


@dataclass(frozen=True, kw_only=True)
class StartReset:
    """Queues the letter to choose a new password, to the address that the account has, and returns that.

    With `expire_password` the old password lets nobody in any more, whatever becomes of the letter, and every session
    ends; not for one's own account. Raises `Forbidden`, `NotFound`, `OwnAccount`, `AccountDisabled`,
    `Unavailable`.
    """

    administration: Opens[Administration]
    letters: LetterRequests
    clock: Clock
    events: EventLog

    async def __call__(self, command: StartResetCommand) -> EmailAddress:
        caller = command.caller
        demand_administrator(caller)
        kinds = [EventKind.PASSWORD_RESET_REQUESTED]
        if command.expire_password:
            if is_own(caller, command.user_id):
                raise OwnAccount
            kinds.insert(0, EventKind.PASSWORD_EXPIRED)
        now = self.clock.now()
        async with self.administration() as unit:
            user, credential = await hold_account(unit, caller, command.user_id)
            if user.disabled:
                raise AccountDisabled
            if command.expire_password:
                if credential is not None:
                    await unit.accounts.replace(credential, NO_PASSWORD, now)
                await unit.sessions.end_all(user.id)
            subject = address_subject(user.email)
            await unit.letters.enqueue(
                self.letters.make(Occasion.FORGOT_PASSWORD, user.email, subject, now, client=None)
            )
            happened = [act(kind, caller, command.client, user) for kind in kinds]
            for event in happened:
                await unit.events.add(event, now)
            await unit.commit()
        for event in happened:
            self.events.record(event)
        return user.email
