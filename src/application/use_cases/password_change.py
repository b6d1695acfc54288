"""Changing the password: the current one and a new one (ASVS 6.2.2, 6.2.3)."""

from dataclasses import dataclass, field

from application.fresh_proof import FreshProof
from application.new_password import NewPasswordRules
from application.owner_notices import OwnerNotices
from application.ports.environment import Clock, EventLog
from application.ports.hashing import PasswordHasher
from application.ports.tokens import DeviceMarks
from application.ports.units_of_work import AccountKeeping, Opens
from application.recognition import Caller
from domain.client import Client
from domain.errors import Unauthenticated, Violation
from domain.events import Event, EventKind
from domain.letters import Occasion
from domain.password import Password
from domain.violations import Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePasswordCommand:
    """Who asks, and both passwords; `device_marks` are those their device holds, `malformed` are fields the edge could
    not read."""

    caller: Caller
    current_password: str | None = field(repr=False)
    password: str | None = field(repr=False)
    device_marks: str | None = field(default=None, repr=False)
    client: Client
    malformed: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class PasswordWasChanged:
    """What the owner's device is to hold from now on."""

    device_marks: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ChangePassword:
    """Sets a new password for somebody who knows the current one, and ends all their sessions but this.

    Older tokens and changes that wait are void; the owner is told. Of two at once one succeeds, and the other's session
    is over. Raises `ValidationError`, `Unauthenticated`, `RateLimited`, `Overloaded`, `Unavailable`.
    """

    keeping: Opens[AccountKeeping]
    proof: FreshProof
    hasher: PasswordHasher
    new_passwords: NewPasswordRules
    device_marks: DeviceMarks
    notices: OwnerNotices
    clock: Clock
    events: EventLog

    async def __call__(self, command: ChangePasswordCommand) -> PasswordWasChanged:
        user, session = command.caller.user, command.caller.session
        violations = Violations(command.malformed)
        current = violations.parse("current_password", command.current_password, Password.parse)
        password = violations.parse("password", command.password, Password.parse)
        if password is not None:
            about = (user.email, user.name, user.username)
            await self.new_passwords.judge(violations, "password", password, about=about)
        violations.settle()
        assert password is not None  # noqa: S101 - settled above
        proven = await self.proof.demand(command.caller, current, command.client, field="current_password")
        new_hash = await self.hasher.hash(password)
        now = self.clock.now()
        event = Event(kind=EventKind.PASSWORD_CHANGED, client=command.client, email=user.email, user_id=user.id)
        async with self.keeping() as unit:
            credential = await unit.accounts.hold(user.id)
            held = await unit.users.hold(user.id)
            if credential is None or held is None or held.disabled or credential.version != proven.version:
                raise Unauthenticated
            await self.notices.tell(unit, Occasion.PASSWORD_CHANGED, user.id, proven.version, command.client, now)
            await unit.accounts.replace(credential, new_hash, now)
            await unit.sessions.end_all(user.id, keep=session.id)
            if not await unit.sessions.move(session.id, credential.version + 1):
                raise Unauthenticated
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)
        return PasswordWasChanged(
            self.device_marks.mark(held, credential.version + 1, command.device_marks, self.clock.now())
        )
