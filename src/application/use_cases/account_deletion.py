"""Farewell: an account is deleted by its owner, and nothing personal stays (docs/decisions/0013)."""

from dataclasses import dataclass, field

from application.fresh_proof import FreshProof
from application.owner_notices import OwnerNotices
from application.ports.environment import Clock, EventLog
from application.ports.units_of_work import AccountKeeping, Opens
from application.recognition import Caller
from domain.client import Client
from domain.errors import Unauthenticated
from domain.events import Event, EventKind
from domain.letters import NOTICE_TIME, Occasion
from domain.password import Password
from domain.reversal import UNDO_TIME
from domain.violations import Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAccountCommand:
    """Who leaves, and the password unless they have just signed in."""

    caller: Caller
    password: str | None = field(default=None, repr=False)
    client: Client


@dataclass(frozen=True, kw_only=True)
class DeleteAccount:
    """Deletes the user with account, sessions and tokens, wipes their address from letters that have left, and puts a
    pseudonym in their place in the record of events.

    A letter tells them. For as long as its link works, what brings the account back is kept sealed, and their username
    is kept for them. Raises `ValidationError`, `ReauthenticationRequired`, `Unauthenticated`, `RateLimited`,
    `Overloaded`, `Unavailable`.
    """

    keeping: Opens[AccountKeeping]
    proof: FreshProof
    notices: OwnerNotices
    clock: Clock
    events: EventLog

    async def __call__(self, command: DeleteAccountCommand) -> None:
        user_id = command.caller.user.id
        violations = Violations()
        password = violations.parse_optional("password", command.password, Password.parse)
        violations.settle()
        proven = await self.proof.demand(command.caller, password, command.client)
        now = self.clock.now()
        event = Event(kind=EventKind.ACCOUNT_DELETED, client=command.client, user_id=user_id)
        async with self.keeping() as unit:
            credential = await unit.accounts.hold(user_id)
            user = await unit.users.hold(user_id)
            if credential is None or user is None or user.disabled or credential.version != proven.version:
                raise Unauthenticated
            await self.notices.tell(unit, Occasion.ACCOUNT_DELETED, user_id, proven.version, command.client, now)
            if user.username is not None:
                kept_until = now + NOTICE_TIME + UNDO_TIME
                await unit.usernames.release(user.username, holder=user.id, expires_at=kept_until)
            await unit.users.remove(user_id)
            await unit.sign_ups.delete(user_id)
            await unit.tokens.forget(user_id)
            await unit.letters.forget(user_id, user.email, now)
            await unit.events.add(event, now)
            await unit.events.pseudonymise(user_id)
            await unit.commit()
        self.events.record(event)
