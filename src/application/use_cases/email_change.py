"""Changing the address: the new one proves itself, the old one is told and can undo (ASVS 6.3.7)."""

from contextlib import suppress
from dataclasses import dataclass, field, replace

from application.displacement import make_way
from application.fresh_proof import FreshProof
from application.letter_requests import LetterRequests
from application.owner_notices import OwnerNotices
from application.ports.environment import Clock, EventLog
from application.ports.limits import Limits
from application.ports.units_of_work import AccountKeeping, Opens, OwnRequest, ProofReading
from application.recognition import Caller
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import TokenExpired, TokenInvalid, Unavailable, Violation
from domain.events import Event, EventKind
from domain.letters import Occasion
from domain.limits import Charge, Quotas
from domain.one_time_token import OneTimeToken, Purpose
from domain.password import Password
from domain.profile import ProfileRules
from domain.secret import Secret
from domain.sentence import Sentence
from domain.violations import Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEmailCommand:
    """Who asks, the new address, and the password unless they have just signed in; `malformed` are fields the edge
    could not read."""

    caller: Caller
    email: str | None
    password: str | None = field(default=None, repr=False)
    client: Client
    malformed: tuple[Violation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChangeEmail:
    """Queues a letter to the new address, whoever has it: the same answer and the same statements always.

    Nothing changes until its link is opened. Raises `ValidationError`, `ReauthenticationRequired`, `Unauthenticated`,
    `RateLimited`, `Overloaded`, `Unavailable`.
    """

    requesting: Opens[OwnRequest]
    proof: FreshProof
    limits: Limits
    profile: ProfileRules
    clock: Clock
    events: EventLog
    quotas: Quotas
    letters: LetterRequests

    async def __call__(self, command: ChangeEmailCommand) -> EmailAddress:
        user = command.caller.user
        violations = Violations(command.malformed)
        email = violations.parse("email", command.email, EmailAddress.parse)
        if email is not None and self.profile.refuses(email):
            violations.add(
                "email", "disposable_domain", Sentence("Addresses of this mail provider are not accepted here.")
            )
        if email == user.email:
            violations.add("email", "unchanged", Sentence("This is your address already."))
        password = violations.parse_optional("password", command.password, Password.parse)
        violations.settle()
        assert email is not None  # noqa: S101 - settled above
        credential = await self.proof.demand(command.caller, password, command.client)
        now = self.clock.now()
        charges = [Charge(self.quotas.limit("letter_client"), command.client.network)]
        for name in ("letter_minute", "letter_hour", "letter_day"):
            # Counted for the person as well, so that nobody writes to one address after another.
            charges.append(Charge(self.quotas.limit(name), f"change-email:{email}", email.canonical))
            if name != "letter_minute":
                charges.append(Charge(self.quotas.limit(name), f"change-email of:{user.id}", user.email.canonical))
        units = await self.limits.spend(charges, now)
        event = Event(kind=EventKind.EMAIL_CHANGE_REQUESTED, client=command.client, email=user.email, user_id=user.id)
        letter = self.letters.make(
            Occasion.CHANGE_EMAIL,
            email,
            user.id,
            now,
            client=command.client,
            credential_version=credential.version,
        )
        try:
            async with self.requesting() as unit:
                await unit.letters.enqueue(letter)
                await unit.events.add(event, now)
                await unit.commit()
        except Unavailable:
            # Turned away by us, not used up by them.
            await self.limits.give_back(units)
            raise
        self.events.record(event)
        return email


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmEmailChangeCommand:
    """The token from the letter to the new address."""

    token: str = field(repr=False)
    client: Client


@dataclass(frozen=True, kw_only=True)
class ConfirmEmailChange:
    """Moves the account to the address that was proven, once; the old one is told, and can undo for a week.

    Void once the password was changed, reset or the account restored meanwhile (SECURITY 2.2). An address that somebody
    has taken since is `TokenInvalid`. Raises `TokenInvalid`, `TokenExpired`, `RateLimited`, `Unavailable`.
    """

    reading: Opens[ProofReading]
    keeping: Opens[AccountKeeping]
    limits: Limits
    notices: OwnerNotices
    clock: Clock
    events: EventLog
    quotas: Quotas

    async def __call__(self, command: ConfirmEmailChangeCommand) -> EmailAddress:
        charge = Charge(self.quotas.limit("token_client"), command.client.network)
        units = await self.limits.spend([charge], self.clock.now())
        try:
            token = await self._prove(command.token)
            email = await self._move(token, command.client)
        except (TokenInvalid, TokenExpired) as refusal:
            self.events.record(Event(kind=EventKind.LINK_REFUSED, client=command.client, reason=refusal.code))
            if isinstance(refusal, TokenExpired):
                await self.limits.give_back(units)  # whoever has a real token is not guessing tokens
            raise
        except Unavailable:
            await self.limits.give_back(units)
            raise
        with suppress(Unavailable):  # it has happened; a unit too many is no reason to tell them otherwise
            await self.limits.give_back(units)
        return email

    async def _prove(self, text: str) -> OneTimeToken:
        secret = Secret.parse(text)
        if secret is None:
            raise TokenInvalid
        async with self.reading() as unit:
            token = await unit.tokens.find(secret.digest, Purpose.CHANGE_EMAIL)
        if token is None or token.superseded or token.used_at is not None:
            raise TokenInvalid
        if token.expires_at <= self.clock.now():
            raise TokenExpired
        return token

    async def _move(self, token: OneTimeToken, client: Client) -> EmailAddress:
        now = self.clock.now()
        if token.user_id is None or token.email is None:
            raise TokenInvalid
        async with self.keeping() as unit:
            credential = await unit.accounts.hold(token.user_id)
            user = await unit.users.hold(token.user_id)
            spent = await unit.tokens.spend(token.digest, Purpose.CHANGE_EMAIL, now)
            if credential is None or user is None or user.disabled or not spent:
                raise TokenInvalid
            await self.notices.tell(unit, Occasion.EMAIL_CHANGED, user.id, credential.version, client, now)
            await make_way(unit, token.email, user.id)
            if not await unit.users.save(replace(user, email=token.email, email_verified=True)):
                raise TokenInvalid
            await unit.sign_ups.delete_waiting(token.email, keep=user.id)
            event = Event(kind=EventKind.EMAIL_CHANGED, client=client, email=token.email, user_id=user.id)
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)
        return token.email
