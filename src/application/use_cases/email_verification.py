"""Verification: the mailbox is proven, then the person (DESIGN section 2), and a user comes into being."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import assert_never

from application.admission import Admission, SessionWish, SignedIn
from application.ports.environment import Clock, EventLog, Ids
from application.ports.limits import Limits
from application.ports.units_of_work import Opens, ProofReading, Proving
from application.recognition import Caller
from application.second_fact import Facts, PasswordFacts
from application.user_proof import UserProof, UserProving, address_verified
from domain.declared_fields import FieldValue
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.errors import (
    AlreadyVerified,
    Overloaded,
    PasswordRequired,
    RateLimited,
    TokenExpired,
    TokenInvalid,
    Unavailable,
    ValidationError,
)
from domain.events import Event, EventKind
from domain.limits import Charge, Quotas
from domain.one_time_token import OneTimeToken, Purpose
from domain.password import Password, PasswordHash
from domain.profile import ProfileRules
from domain.secret import Secret
from domain.sentence import Sentence
from domain.sign_up import SignUpRequest
from domain.user import Credential, User
from domain.violations import Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyEmailCommand:
    """The token from the letter and, perhaps, a second fact: the sign-up cookie, a session of the user it is about,
    the password, or a new password."""

    token: str = field(repr=False)
    email: str | None = None
    cookie: str | None = field(default=None, repr=False)
    caller: Caller | None = None
    password: str | None = field(default=None, repr=False)
    new_password: str | None = field(default=None, repr=False)
    name: str | None = None
    session: SessionWish


@dataclass(frozen=True, slots=True)
class _Proof:
    """A sign-up that may go live, and what goes live with it."""

    token: OneTimeToken
    sign_up: SignUpRequest
    user: User
    password_hash: PasswordHash
    own_browser: bool


@dataclass(frozen=True, kw_only=True)
class VerifyEmail:
    """Turns exactly the sign-up whose letter was opened into a user with a session, once (R43).

    The token proves the mailbox and nothing else. What goes live is decided by the second fact: with the sign-up's own
    cookie or password, what was typed at sign-up; with `new_password`, only what is given here, and nothing a stranger
    may have typed. With none of them nothing is spent. A loser of any race reads `TokenInvalid`, or `AlreadyVerified`
    when it holds the same second fact. A token about somebody who is a user already, unverified, proves that user, as
    `UserProving` says. Raises `ValidationError`, `TokenInvalid`, `TokenExpired`, `PasswordRequired`,
    `AlreadyVerified`, `RateLimited`, `Overloaded`, `Unavailable`.
    """

    reading: Opens[ProofReading]
    proving: Opens[Proving]
    passwords: PasswordFacts
    of_users: UserProving
    limits: Limits
    admission: Admission
    clock: Clock
    ids: Ids
    events: EventLog
    quotas: Quotas
    profile: ProfileRules
    token_suffices: bool = False
    """`OSTIARY_VERIFY_ELSEWHERE=allow`: the token alone activates what was typed at sign-up. Reopens pre-hijacking."""

    async def __call__(self, command: VerifyEmailCommand) -> SignedIn:
        facts = self._read_facts(command)
        client = command.session.client
        charge = Charge(self.quotas.limit("token_client"), client.network)
        units = await self.limits.spend([charge], self.clock.now())
        try:
            proof = await self._prove(command, facts)
            signed_in = await self._go_live(proof, command, facts)
        except (TokenInvalid, TokenExpired, AlreadyVerified, PasswordRequired) as refusal:
            self.events.record(Event(kind=EventKind.VERIFICATION_REFUSED, client=client, reason=refusal.code))
            if not isinstance(refusal, TokenInvalid):
                # Whoever has a real token is not guessing tokens.
                await self.limits.give_back(units)
            raise
        except (ValidationError, RateLimited, Overloaded, Unavailable):
            await self.limits.give_back(units)
            raise
        if isinstance(proof, _Proof) and proof.own_browser and proof.sign_up.client_unit is not None:
            units.append(proof.sign_up.client_unit)
        with suppress(Unavailable):  # the person is in; a unit too many is no reason to tell them otherwise
            await self.limits.give_back(units)
        new_hash = proof.new_hash if isinstance(proof, UserProof) else None
        self.events.record(address_verified(signed_in.user, client, new_hash))
        return signed_in

    def _read_facts(self, command: VerifyEmailCommand) -> Facts:
        violations = Violations()
        if command.password is not None and command.new_password is not None:
            violations.add("new_password", "ambiguous", Sentence("Give either the password or a new one, not both."))
        email = violations.parse_optional("email", command.email, EmailAddress.parse)
        password = violations.parse_optional("password", command.password, Password.parse)
        new_password = violations.parse_optional("new_password", command.new_password, Password.parse)
        name = violations.parse_optional("name", command.name or None, DisplayName.parse)
        violations.settle()
        cookie = Secret.parse(command.cookie) if command.cookie else None
        return Facts(
            email=email,
            cookie=cookie,
            session=command.caller.session if command.caller else None,
            password=password,
            new_password=new_password,
            name=name,
            languages=command.session.client.languages,
        )

    async def _prove(self, command: VerifyEmailCommand, facts: Facts) -> _Proof | UserProof:
        """Look the token up and decide what would go live; hashing happens here, outside any transaction."""
        secret = Secret.parse(command.token)
        if secret is None:
            raise TokenInvalid
        async with self.reading() as unit:
            token = await unit.tokens.find(secret.digest, Purpose.VERIFY_ADDRESS)
            sign_up = await unit.sign_ups.get(token.subject_id) if token else None
            user = await unit.users.get(token.subject_id) if token else None
            credential = await unit.accounts.of_user(token.subject_id) if token else None
        subject = user or sign_up
        if token is None or subject is None or token.superseded:
            raise TokenInvalid
        if facts.email is not None and facts.email != subject.email:
            raise TokenInvalid
        own_browser = _is_own_browser(sign_up, facts)
        now = self.clock.now()
        if user is not None and credential is not None:
            if user.email_verified or token.used_at is not None:
                raise await self._refusal_of_used(credential, facts, own_browser=own_browser)
            if token.expires_at <= now:
                raise TokenExpired
            return await self.of_users.choose(token, user, credential, facts, command.session)
        if sign_up is None or sign_up.proven_at is not None or token.used_at is not None:
            raise TokenInvalid
        if token.expires_at <= now:
            raise TokenExpired
        if sign_up.expires_at <= now:
            raise TokenInvalid
        return await self._choose(token, sign_up, facts, own_browser=own_browser, now=now)

    async def _choose(
        self, token: OneTimeToken, sign_up: SignUpRequest, facts: Facts, *, own_browser: bool, now: datetime
    ) -> _Proof:
        """What the second fact lets go live."""
        if facts.new_password is not None:
            # Nothing that a stranger may have typed survives.
            name, username, fields = facts.name, None, dict[str, FieldValue]()
            locale: str | None = self.profile.locales.best(facts.languages)
            password_hash = await self.passwords.hash_new(facts.new_password, sign_up.email, facts.name)
        elif sign_up.password_hash is not None and (
            own_browser
            or self.token_suffices
            or await self.passwords.matches(facts.password, sign_up.password_hash, sign_up.id)
        ):
            name, username, fields = sign_up.name, sign_up.username, dict(sign_up.fields)
            locale = sign_up.locale
            password_hash = sign_up.password_hash
        else:
            raise PasswordRequired
        user = User(
            id=sign_up.id,
            email=sign_up.email,
            email_verified=True,
            name=name,
            username=username,
            fields=fields,
            created_at=now,
            first_signed_in_at=now,
            locale=locale,
        )
        return _Proof(token, sign_up, user, password_hash, own_browser)

    async def _refusal_of_used(
        self, credential: Credential, facts: Facts, *, own_browser: bool
    ) -> TokenInvalid | AlreadyVerified:
        """A double click by the right person is told so; anybody else learns nothing."""
        own_session = facts.session is not None and facts.session.user_id == credential.user_id
        password = facts.password or facts.new_password
        if (
            own_browser
            or own_session
            or await self.passwords.matches(password, credential.password_hash, credential.user_id)
        ):
            return AlreadyVerified()
        return TokenInvalid()

    async def _go_live(self, proof: _Proof | UserProof, command: VerifyEmailCommand, facts: Facts) -> SignedIn:
        match proof:
            case _Proof():
                signed_in = await self._make_user(proof, command.session)
            case UserProof():
                signed_in = await self.of_users.go_live(proof, command.session)
            case _:
                assert_never(proof)
        if signed_in is None:
            # Somebody was faster: the same token, or another sign-up of this address. Judge again by what is true now.
            await self._prove(command, facts)
            raise TokenInvalid
        return signed_in

    async def _make_user(self, proof: _Proof, wish: SessionWish) -> SignedIn | None:
        """Turn a sign-up into a user, once. None, and nothing written, when somebody was faster."""
        now = self.clock.now()
        credential = Credential(user_id=proof.user.id, password_hash=proof.password_hash)
        session = self.admission.begin(proof.user.id, credential.version, wish, now)
        async with self.proving() as unit:
            spent = await unit.tokens.spend(proof.token.digest, Purpose.VERIFY_ADDRESS, now)
            if (
                spent
                # The address first: it is what rivals for it wait for, so they wait before they hold anything.
                and not await unit.users.add(proof.user)
                and await unit.sign_ups.settle(proof.sign_up.id, now)
                and (
                    proof.user.username is None
                    or await unit.usernames.settle(proof.user.username, holder=proof.user.id)
                )
            ):
                await unit.accounts.add(self.ids.new(), credential, now)
                await unit.sign_ups.delete_waiting(proof.sign_up.email, keep=proof.sign_up.id)
                await unit.sessions.add(session)
                await unit.events.add(address_verified(proof.user, wish.client), now)
                await unit.commit()
                return self.admission.welcome(proof.user, session, wish)
        return None


def _is_own_browser(sign_up: SignUpRequest | None, facts: Facts) -> bool:
    if sign_up is None or facts.cookie is None:
        return False
    return compare_digest(facts.cookie.digest, sign_up.cookie_digest)
