"""A user made at the command line: where the first administrator comes from (ASVS 6.3.2)."""

from dataclasses import dataclass, field

from application.administrators import CommandLine, act
from application.letter_requests import LetterRequests
from application.new_password import NewPasswordRules
from application.ports.administration import Administration
from application.ports.environment import Clock, EventLog, Ids
from application.ports.hashing import PasswordHasher
from application.ports.units_of_work import Opens
from application.sign_up_form import conflict
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.events import EventKind
from domain.letters import Occasion, address_subject
from domain.password import NO_PASSWORD, Password
from domain.profile import ProfileRules
from domain.role import ORDINARY, parse_role
from domain.sentence import Sentence
from domain.user import Credential, User
from domain.username import Username
from domain.violations import Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUserCommand:
    """What was typed, unjudged. Without a password a letter lets them choose one."""

    email: str | None
    name: str | None = None
    username: str | None = None
    role: str = ORDINARY
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class CreateUser:
    """Makes a user whose address needs no proof: whoever has the command line vouches for it.

    What waits for the address is gone with it. Asked by the command line alone, and by no endpoint. Raises
    `ValidationError`, `Conflict` that names a taken address or username, `Overloaded`, `Unavailable`.
    """

    administration: Opens[Administration]
    hasher: PasswordHasher
    new_passwords: NewPasswordRules
    profile: ProfileRules
    letters: LetterRequests
    clock: Clock
    ids: Ids
    events: EventLog

    async def __call__(self, command: CreateUserCommand) -> User:
        user, password = await self._judge(command)
        password_hash = await self.hasher.hash(password) if password is not None else NO_PASSWORD
        event = act(EventKind.USER_CREATED, CommandLine(), None, user)
        now = user.created_at
        async with self.administration() as unit:
            taken = await unit.users.add(user)
            if user.username is not None and not await unit.usernames.claim(
                user.username, holder=user.id, now=now, expires_at=None
            ):
                taken |= {"username"}
            if taken:
                raise conflict(taken)
            await unit.accounts.add(self.ids.new(), Credential(user_id=user.id, password_hash=password_hash), now)
            await unit.sign_ups.delete_waiting(user.email, keep=user.id)
            if password is None:
                subject = address_subject(user.email)
                await unit.letters.enqueue(
                    self.letters.make(Occasion.FORGOT_PASSWORD, user.email, subject, now, client=None)
                )
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)
        return user

    async def _judge(self, command: CreateUserCommand) -> tuple[User, Password | None]:
        violations = Violations()
        email = violations.parse("email", command.email, EmailAddress.parse)
        name = violations.parse_optional("name", command.name, DisplayName.parse)
        username = None
        if self.profile.username == "off" and command.username is not None:
            violations.add("username", "unknown_field", Sentence("Usernames are not used here."))
        elif self.profile.username == "required" or command.username is not None:
            username = violations.parse("username", command.username, Username.parse)
        role = violations.parse("role", command.role, parse_role)
        password = violations.parse_optional("password", command.password, Password.parse)
        if password is not None:
            about = (command.email, command.name, command.username, email, name, username)
            await self.new_passwords.judge(violations, "password", password, about=about)
        violations.settle()
        assert email is not None  # noqa: S101 - settled above
        user = User(
            id=self.ids.new(),
            email=email,
            email_verified=True,
            name=name,
            username=username,
            created_at=self.clock.now(),
            role=role or ORDINARY,
        )
        return user, password
