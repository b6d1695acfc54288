"""*This wasn't me*: an owner brings their account back to how it was, and everybody else is out."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

from application.displacement import make_way
from application.letter_requests import LetterRequests
from application.ports.environment import Clock, EventLog, Ids
from application.ports.limits import Limits
from application.ports.sealing import RecordSeal
from application.ports.units_of_work import AccountKeeping, Opens, ProofReading
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import Conflict, TokenExpired, TokenInvalid, Unavailable, Violation
from domain.events import Event, EventKind
from domain.letters import Occasion, address_subject
from domain.limits import Charge, Quotas
from domain.one_time_token import OneTimeToken, Purpose
from domain.password import NO_PASSWORD
from domain.reversal import AsItWas, Reversal
from domain.secret import Secret
from domain.sentence import Sentence
from domain.user import Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoChangeCommand:
    """The token from a letter about what happened."""

    token: str = field(repr=False)
    client: Client


@dataclass(frozen=True, kw_only=True)
class UndoChange:
    """Brings an account back to the address, and if need be to the life, that it had before what the letter is about.

    Whatever came after is undone with it and cannot undo this. Every session ends, no password lets anybody in any
    more, every older token is void, and a letter to the restored address lets its owner choose a new password. Works
    once. Raises `TokenInvalid`, `TokenExpired`, `RateLimited`, `Unavailable`, and `Conflict` when another
    account has the address now.
    """

    reading: Opens[ProofReading]
    keeping: Opens[AccountKeeping]
    seal: RecordSeal
    limits: Limits
    letters: LetterRequests
    clock: Clock
    ids: Ids
    events: EventLog
    quotas: Quotas

    async def __call__(self, command: UndoChangeCommand) -> EmailAddress:
        charge = Charge(self.quotas.limit("token_client"), command.client.network)
        units = await self.limits.spend([charge], self.clock.now())
        try:
            token, reversal, as_it_was = await self._prove(command.token)
            await self._restore(token, reversal, as_it_was, command.client)
        except (TokenInvalid, TokenExpired) as refusal:
            self.events.record(Event(kind=EventKind.LINK_REFUSED, client=command.client, reason=refusal.code))
            if isinstance(refusal, TokenExpired):
                await self.limits.give_back(units)  # whoever has a real token is not guessing tokens
            raise
        except (Conflict, Unavailable):
            await self.limits.give_back(units)
            raise
        with suppress(Unavailable):  # it has happened; a unit too many is no reason to tell them otherwise
            await self.limits.give_back(units)
        return as_it_was.user.email

    async def _prove(self, text: str) -> tuple[OneTimeToken, Reversal, AsItWas]:
        secret = Secret.parse(text)
        if secret is None:
            raise TokenInvalid
        async with self.reading() as unit:
            token = await unit.tokens.find(secret.digest, Purpose.UNDO)
            reversal = await unit.reversals.get(token.subject_id) if token else None
        if token is None or reversal is None or token.used_at is not None:
            raise TokenInvalid
        if token.expires_at <= self.clock.now():
            raise TokenExpired
        as_it_was = self.seal.open(reversal.sealed, reversal.id)
        if as_it_was is None:
            raise TokenInvalid  # sealed under a secret that has been dropped since
        return token, reversal, as_it_was

    async def _restore(self, token: OneTimeToken, reversal: Reversal, as_it_was: AsItWas, client: Client) -> None:
        now = self.clock.now()
        email, user_id = as_it_was.user.email, reversal.user_id
        event = Event(
            kind=EventKind.CHANGE_UNDONE, client=client, email=email, user_id=user_id, reason=reversal.occasion.value
        )
        async with self.keeping() as unit:
            credential = await unit.accounts.hold(user_id)
            user = await unit.users.hold(user_id)
            if not await unit.tokens.spend(token.digest, Purpose.UNDO, now):
                raise TokenInvalid
            if user is None or credential is None:
                try:
                    await self._bring_back(unit, user_id, email)
                except (TokenInvalid, Conflict):
                    # Nobody can hold what is not there: the link of another letter may have just brought it back.
                    credential = await unit.accounts.hold(user_id)
                    user = await unit.users.hold(user_id)
                    if user is None or credential is None:
                        raise
            if await unit.reversals.get(reversal.id) is None:
                raise TokenInvalid  # an earlier letter's link has undone this as well
            if user is not None and credential is not None:
                await make_way(unit, email, user_id)
                if not await unit.users.save(replace(user, email=email, email_verified=True)):
                    raise _address_taken()
                await unit.accounts.replace(credential, NO_PASSWORD, now)
                await unit.sessions.end_all(user_id)
            await unit.reversals.forget_since(user_id, reversal.made_at)
            await unit.letters.enqueue(
                self.letters.make(Occasion.FORGOT_PASSWORD, email, address_subject(email), now, client=client)
            )
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)

    async def _bring_back(self, unit: AccountKeeping, user_id: UUID, email: EmailAddress) -> None:
        """A deleted account as it was when it was deleted, at the address that is restored."""
        now = self.clock.now()
        deletion = await unit.reversals.deletion_of(user_id)
        last = self.seal.open(deletion.sealed, deletion.id) if deletion else None
        if last is None:
            raise TokenInvalid
        user = replace(last.user, email=email, email_verified=True)
        if user.username is not None and not await unit.usernames.settle(user.username, holder=user_id):
            user = replace(user, username=None)
        await make_way(unit, email, user_id)
        if await unit.users.add(user):
            raise _address_taken()
        credential = Credential(user_id=user_id, password_hash=NO_PASSWORD, version=last.credential_version + 1)
        await unit.accounts.add(self.ids.new(), credential, now)
        await unit.events.reclaim(user_id)


def _address_taken() -> Conflict:
    return Conflict([Violation("email", "taken", Sentence("Another account has this address by now."))])
