"""Sign-up: somebody asks to join. Nothing here can find out whether they already have (DESIGN section 2)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from application.ports.environment import Clock, EventLog, Ids, Randomness
from application.ports.hashing import CommonPasswords, PasswordHasher
from application.ports.limits import Limits
from application.ports.units_of_work import Intake, Opens
from domain.client import Client
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.errors import Conflict, Overloaded, Unavailable, Violation
from domain.events import Event, EventKind
from domain.letters import Occasion, QueuedLetter
from domain.limits import Charge, Quotas, Unit
from domain.password import Password, PasswordPolicy
from domain.secret import Secret
from domain.sign_up import WAITING_TIME, SignUpRequest
from domain.username import Username
from domain.violations import Broken, Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRules:
    """Which fields of a profile are asked for."""

    name_required: bool = True
    username: str = "off"
    """`off`, `optional` or `required` (R05)."""
    refused_domains: frozenset[str] = frozenset()
    """Mail domains, with all below them, that nobody may sign up with (R04)."""

    def refuses(self, email: EmailAddress) -> bool:
        """Whether the address belongs to a refused domain."""
        labels = email.domain.split(".")
        return any(".".join(labels[start:]) in self.refused_domains for start in range(len(labels)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpCommand:
    """What was typed, unjudged. `malformed` are fields the edge could not even read, to be reported with the rest."""

    email: str | None
    password: str | None = field(repr=False)
    name: str | None = None
    username: str | None = None
    password_confirm: str | None = field(default=None, repr=False)
    client: Client
    malformed: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSent:
    """The one answer. `cookie` marks the browser that signed up, so that its own letter needs no password."""

    email: EmailAddress
    cookie: Secret


@dataclass(frozen=True, slots=True)
class _Wanted:
    email: EmailAddress
    password: Password
    name: DisplayName | None
    username: Username | None


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """Checks the input, spends limits, hashes, then writes one waiting sign-up and one letter-to-be, together.

    The answer is the same whether the address is free, waiting or taken: the unit of work holds no users. Raises
    `ValidationError`, `RateLimited`, `Overloaded`, `Unavailable`, and `Conflict` for a taken *username* only (R17).
    """

    intake: Opens[Intake]
    hasher: PasswordHasher
    common_passwords: CommonPasswords
    limits: Limits
    clock: Clock
    ids: Ids
    randomness: Randomness
    events: EventLog
    policy: PasswordPolicy
    profile: ProfileRules
    quotas: Quotas
    delivery_jitter: timedelta

    async def __call__(self, command: SignUpCommand) -> VerificationSent:
        wanted = self._judge(command)
        units = await self._spend(wanted.email, command.client)
        try:
            password_hash = await self.hasher.hash(wanted.password)
            now = self.clock.now()
            cookie = Secret.of(self.randomness.bytes(32))
            sign_up = SignUpRequest(
                id=self.ids.new(),
                email=wanted.email,
                name=wanted.name,
                username=wanted.username,
                password_hash=password_hash,
                cookie_digest=cookie.digest,
                client_unit=next((unit for unit in units if unit.limit == "sign_up_client"), None),
                created_at=now,
                expires_at=now + WAITING_TIME,
            )
            await self._write(sign_up, command.client)
        except (Overloaded, Unavailable):
            # Turned away by us, not used up by them.
            await self.limits.give_back(units)
            raise
        except Conflict:
            # No letter was written, so nothing of the address is used up: it is not the caller's to use up.
            await self.limits.give_back([unit for unit in units if unit.limit != "sign_up_client"])
            raise
        self.events.record(Event(kind=EventKind.SIGN_UP_REQUESTED, client=command.client, email=wanted.email))
        return VerificationSent(email=wanted.email, cookie=cookie)

    def _judge(self, command: SignUpCommand) -> _Wanted:
        violations = Violations(command.malformed)
        email = violations.parse("email", command.email, EmailAddress.parse)
        if email is not None and self.profile.refuses(email):
            violations.add("email", "disposable_domain", "Addresses of this mail provider are not accepted here.")
        password = violations.parse("password", command.password, Password.parse)
        name = username = None
        if command.name or self.profile.name_required:
            name = violations.parse("name", command.name, DisplayName.parse)
        if self.profile.username == "off" and command.username is not None:
            violations.add("username", "unknown_field", "Usernames are not used here.")
        elif self.profile.username == "required" or command.username is not None:
            username = violations.parse("username", command.username, Username.parse)
        if password is not None:
            own_words = [word for word in (command.email, command.name, command.username) if word]
            own_words += [email.local_part, email.canonical] if email else []
            own_words += [str(word) for word in (name, username) if word]
            for broken in self.policy.broken_rules(
                password, own_words=own_words, is_common=self.common_passwords.contains
            ):
                violations.add("password", broken.code, broken.message)
            if command.password_confirm is not None:
                violations.parse("password_confirm", command.password_confirm, _equal_to(password))
        violations.settle()
        assert email is not None  # noqa: S101 - settled above
        assert password is not None  # noqa: S101 - settled above
        return _Wanted(email, password, name, username)

    async def _spend(self, email: EmailAddress, client: Client) -> list[Unit]:
        charges = (
            Charge(self.quotas.limit("sign_up_client"), client.network, email.canonical),
            Charge(self.quotas.limit("sign_up_address"), email.canonical, email.canonical),
            Charge(self.quotas.limit("letter_day"), f"sign_up:{email}", email.canonical),
        )
        return await self.limits.spend(charges, self.clock.now())

    async def _write(self, sign_up: SignUpRequest, client: Client) -> None:
        async with self.intake() as intake:
            if sign_up.username is not None and not await intake.usernames.claim(
                sign_up.username, holder=sign_up.id, now=sign_up.created_at, expires_at=sign_up.expires_at
            ):
                self.events.record(Event(kind=EventKind.SIGN_UP_CONFLICT, client=client, email=sign_up.email))
                raise Conflict(Violation("username", "taken", "This username is taken."))
            await intake.sign_ups.add(sign_up)
            await intake.letters.enqueue(
                QueuedLetter(
                    id=self.ids.new(),
                    occasion=Occasion.SIGN_UP,
                    recipient=sign_up.email,
                    subject_id=sign_up.id,
                    created_at=sign_up.created_at,
                    due_at=sign_up.created_at + self.delivery_jitter * self.randomness.fraction(),
                    expires_at=sign_up.expires_at,
                )
            )
            await intake.commit()


def _equal_to(password: Password) -> Callable[[str], Password]:
    def parse(text: str) -> Password:
        if Password.parse(text) != password:
            raise Broken("mismatch", "The two passwords differ.")
        return password

    return parse
