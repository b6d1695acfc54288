"""Forgotten passwords: a letter to whoever owns the mailbox, and a new password by its link (R94)."""

from contextlib import suppress
from dataclasses import dataclass, field, replace

from application.letter_requests import LetterRequests
from application.new_password import NewPasswordRules
from application.owner_notices import OwnerNotices
from application.ports.environment import Clock, EventLog
from application.ports.hashing import PasswordHasher
from application.ports.limits import Limits
from application.ports.tokens import DeviceMarks
from application.ports.units_of_work import AccountKeeping, Intake, Opens, ProofReading
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import Overloaded, RateLimited, TokenExpired, TokenInvalid, Unavailable, ValidationError
from domain.events import Event, EventKind
from domain.letters import Occasion, address_subject
from domain.limits import Charge, Quotas
from domain.one_time_token import OneTimeToken, Purpose
from domain.password import Password, PasswordHash
from domain.profile import ProfileRules
from domain.secret import Secret
from domain.user import User
from domain.violations import Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgotPasswordCommand:
    """Whose password is forgotten; `device_marks` are those the caller's device holds."""

    email: str | None
    device_marks: str | None = field(default=None, repr=False)
    client: Client


@dataclass(frozen=True, kw_only=True)
class ForgotPassword:
    """Queues one letter-to-be, whether or not anybody has the address: the same answer and the same statements always.

    The newer request supersedes the older letter and its tokens. On a device that bears a mark of this address letters
    are counted apart, so that strangers who ask for it all day do not keep its owner from a letter. Raises
    `ValidationError`, `RateLimited`, `Unavailable`.
    """

    intake: Opens[Intake]
    limits: Limits
    device_marks: DeviceMarks
    clock: Clock
    events: EventLog
    quotas: Quotas
    letters: LetterRequests

    async def __call__(self, command: ForgotPasswordCommand) -> None:
        violations = Violations()
        email = violations.parse("email", command.email, EmailAddress.parse)
        violations.settle()
        assert email is not None  # noqa: S101 - settled above
        now = self.clock.now()
        device = self.device_marks.recognises(command.device_marks, email, now)
        whom = f"forgot:{email}" if device is None else f"forgot:{email} on {device.id}"
        charges = [Charge(self.quotas.limit("letter_client"), command.client.network)]
        for name in ("letter_minute", "letter_hour", "letter_day"):
            charges.append(Charge(self.quotas.limit(name), whom, email.canonical))
        units = await self.limits.spend(charges, now)
        try:
            async with self.intake() as intake:
                letter = self.letters.make(
                    Occasion.FORGOT_PASSWORD, email, address_subject(email), now, client=command.client
                )
                await intake.letters.enqueue(letter)
                await intake.commit()
        except Unavailable:
            # Turned away by us, not used up by them.
            await self.limits.give_back(units)
            raise
        self.events.record(Event(kind=EventKind.PASSWORD_RESET_REQUESTED, client=command.client, email=email))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPasswordCommand:
    """The token from the letter and the new password; `device_marks` are those the caller's device holds."""

    token: str = field(repr=False)
    password: str | None = field(repr=False)
    device_marks: str | None = field(default=None, repr=False)
    client: Client


@dataclass(frozen=True, slots=True)
class PasswordWasReset:
    """It is theirs again. Their device holds these marks from now on, so that the way in is free."""

    device_marks: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ResetPassword:
    """Sets a new password for whoever holds the letter, once.

    Every session ends, every older token and every change that waits is void, nobody is signed in, and the owner is
    told. A mailbox that was not proven yet is by this, and what a stranger may have typed goes. Raises
    `ValidationError` (and nothing is spent), `TokenInvalid`, `TokenExpired`, `RateLimited`, `Overloaded`,
    `Unavailable`.
    """

    reading: Opens[ProofReading]
    keeping: Opens[AccountKeeping]
    hasher: PasswordHasher
    new_passwords: NewPasswordRules
    limits: Limits
    profile: ProfileRules
    device_marks: DeviceMarks
    notices: OwnerNotices
    clock: Clock
    events: EventLog
    quotas: Quotas

    async def __call__(self, command: ResetPasswordCommand) -> PasswordWasReset:
        violations = Violations()
        password = violations.parse("password", command.password, Password.parse)
        violations.settle()
        assert password is not None  # noqa: S101 - settled above
        charge = Charge(self.quotas.limit("token_client"), command.client.network)
        units = await self.limits.spend([charge], self.clock.now())
        try:
            token, user = await self._prove(command.token)
            await self._judge(password, user)
            new_hash = await self.hasher.hash(password)
            version = await self._set(token, user, new_hash, command.client)
        except (TokenInvalid, TokenExpired) as refusal:
            self.events.record(Event(kind=EventKind.LINK_REFUSED, client=command.client, reason=refusal.code))
            if isinstance(refusal, TokenExpired):
                await self.limits.give_back(units)  # whoever has a real token is not guessing tokens
            raise
        except (ValidationError, RateLimited, Overloaded, Unavailable):
            await self.limits.give_back(units)
            raise
        with suppress(Unavailable):  # it has happened; a unit too many is no reason to tell them otherwise
            await self.limits.give_back(units)
        # Under an id of its own: wrong passwords counted on this device before are no reason to keep its owner out.
        marks = self.device_marks.mark(user, version, command.device_marks, self.clock.now(), anew=True)
        return PasswordWasReset(marks)

    async def _prove(self, text: str) -> tuple[OneTimeToken, User]:
        secret = Secret.parse(text)
        if secret is None:
            raise TokenInvalid
        async with self.reading() as unit:
            token = await unit.tokens.find(secret.digest, Purpose.RESET_PASSWORD)
            user = await unit.users.get(token.user_id) if token and token.user_id else None
        if token is None or token.superseded or token.used_at is not None or user is None or user.disabled:
            raise TokenInvalid
        if user.email != token.email:
            raise TokenInvalid
        if token.expires_at <= self.clock.now():
            raise TokenExpired
        return token, user

    async def _judge(self, password: Password, user: User) -> None:
        violations = Violations()
        about = (user.email, user.name, user.username)
        await self.new_passwords.judge(violations, "password", password, about=about)
        violations.settle()

    async def _set(self, token: OneTimeToken, user: User, new_hash: PasswordHash, client: Client) -> int:
        now = self.clock.now()
        event = Event(kind=EventKind.PASSWORD_RESET, client=client, email=user.email, user_id=user.id)
        async with self.keeping() as unit:
            credential = await unit.accounts.hold(user.id)
            held = await unit.users.hold(user.id)
            spent = await unit.tokens.spend(token.digest, Purpose.RESET_PASSWORD, now)
            if credential is None or held is None or held.disabled or held.email != token.email or not spent:
                raise TokenInvalid
            await self.notices.tell(unit, Occasion.PASSWORD_RESET, user.id, credential.version, client, now)
            await unit.accounts.replace(credential, new_hash, now)
            if not held.email_verified:
                # Somebody else may have opened the account: what they typed goes, as it does with a new password.
                fields = self.profile.declared.without_input(held.fields)
                locale = self.profile.locales.best(client.languages)
                await unit.users.save(replace(held, email_verified=True, name=None, locale=locale, fields=fields))
            await unit.sessions.end_all(user.id)
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)
        return credential.version + 1
