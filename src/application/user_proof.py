"""Proving the mailbox of somebody who is a user already: signed up where verification is optional, or imported."""

from dataclasses import dataclass, replace

from application.admission import Admission, SessionWish, SignedIn
from application.ports.environment import Clock
from application.ports.units_of_work import Opens, Proving
from application.second_fact import Facts, PasswordFacts
from domain.client import Client
from domain.errors import PasswordRequired
from domain.events import Event, EventKind
from domain.one_time_token import OneTimeToken, Purpose
from domain.password import PasswordHash
from domain.profile import ProfileRules
from domain.session import Session
from domain.user import Credential, User


@dataclass(frozen=True, slots=True, kw_only=True)
class UserProof:
    """A user as proven, and what the second fact makes of them."""

    token: OneTimeToken
    user: User
    credential: Credential
    new_hash: PasswordHash | None = None
    """The mailbox's owner takes the account over from whoever opened it."""
    session: Session | None = None
    """The session that goes on; else a new one begins."""


def address_verified(user: User, client: Client, new_hash: PasswordHash | None = None) -> Event:
    """What is written down of it; a new hash means that somebody took the account over."""
    reason = "password_replaced" if new_hash is not None else None
    return Event(kind=EventKind.ADDRESS_VERIFIED, client=client, email=user.email, user_id=user.id, reason=reason)


@dataclass(frozen=True, kw_only=True)
class UserProving:
    """A user's own session or password leaves everything as it is, now verified. With `new_password` the account is
    taken over: the password and the name are those given here, what the other person put into declared fields is
    wiped, and every session begun under the old password is dead.
    """

    proving: Opens[Proving]
    passwords: PasswordFacts
    admission: Admission
    clock: Clock
    profile: ProfileRules
    token_suffices: bool

    async def choose(
        self, token: OneTimeToken, user: User, credential: Credential, facts: Facts, wish: SessionWish
    ) -> UserProof:
        """What the second fact lets become of this user. Raises `PasswordRequired` without one."""
        proven = replace(user, email_verified=True)
        if facts.new_password is not None:
            new_hash = await self.passwords.hash_new(facts.new_password, user.email, facts.name)
            owner = replace(proven, name=facts.name, locale=self.profile.locales.best(facts.languages))
            return UserProof(token=token, user=owner, credential=credential, new_hash=new_hash)
        if facts.session is not None and facts.session.user_id == user.id:
            # Travelling otherwise than asked for, it is proof enough, but not what the caller wants to have.
            goes_on = facts.session if facts.session.transport is wish.transport else None
            return UserProof(token=token, user=proven, credential=credential, session=goes_on)
        if self.token_suffices or await self.passwords.matches(facts.password, credential.password_hash, user.id):
            return UserProof(token=token, user=proven, credential=credential)
        raise PasswordRequired

    async def go_live(self, proof: UserProof, wish: SessionWish) -> SignedIn | None:
        """Write it, once. None, and nothing written, when somebody was faster."""
        now = self.clock.now()
        user, credential = proof.user, proof.credential
        version = credential.version + 1 if proof.new_hash is not None else credential.version
        session = proof.session or self.admission.begin(user.id, version, wish, now)
        async with self.proving() as unit:
            await unit.accounts.hold(user.id)
            held = await unit.users.hold(user.id)
            if held is None or held.email != user.email:
                return None
            # What the profile is now, which may have changed since it was read.
            user = replace(held, email_verified=True)
            if proof.new_hash is not None:
                user = replace(
                    user,
                    name=proof.user.name,
                    fields=self.profile.declared.without_input(held.fields),
                    locale=proof.user.locale,
                )
            if (
                await unit.tokens.spend(proof.token.digest, Purpose.VERIFY_ADDRESS, now)
                and await unit.users.prove(user)
                and (proof.new_hash is None or await unit.accounts.replace(credential, proof.new_hash, now))
                and (proof.session is not None or await unit.sessions.add(session))
            ):
                await unit.sign_ups.delete_waiting(user.email, keep=user.id)
                await unit.users.note_first_sign_in(user.id, now)
                await unit.events.add(address_verified(user, wish.client, proof.new_hash), now)
                await unit.commit()
                return self.admission.welcome(user, session, wish)
        return None
