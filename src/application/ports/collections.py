"""What a unit of work may hold. Reads return domain objects; writes take effect with the unit's commit.

Whoever loses a race is told by the return value, never by an exception, and the invariant behind it is a UNIQUE
constraint or a conditional UPDATE, never an isolation level.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.email_address import EmailAddress
from domain.letters import Outcome, QueuedLetter
from domain.one_time_token import OneTimeToken, Purpose
from domain.password import PasswordHash
from domain.session import Session
from domain.sign_up import SignUpRequest
from domain.user import Credential, User
from domain.username import Username


class SignUps(Protocol):
    """Sign-ups that wait to be proven, and for a while those that were."""

    async def add(self, sign_up: SignUpRequest) -> None:
        """Let it wait."""

    async def get(self, sign_up_id: UUID) -> SignUpRequest | None:
        """By id, proven or waiting."""

    async def waiting_by_cookie(self, cookie_digest: bytes, now: datetime) -> tuple[UUID, EmailAddress] | None:
        """The waiting sign-up of the browser that holds this cookie."""

    async def newest_waiting(self, email: EmailAddress, now: datetime) -> UUID | None:
        """The most recent sign-up that waits under this address."""

    async def settle(self, sign_up_id: UUID, now: datetime) -> bool:
        """Mark it proven and wipe its hash, name and username. False when it no longer waits."""

    async def delete_waiting(self, email: EmailAddress, *, keep: UUID) -> None:
        """Forget the other sign-ups of an address that has just been proven."""


class UsernameClaims(Protocol):
    """Who holds which username: a sign-up until its expiry, or a user for good (R17). Decides by insert alone."""

    async def claim(self, username: Username, *, holder: UUID, now: datetime, expires_at: datetime | None) -> bool:
        """Take the name for a sign-up, or with no expiry for a user, for good. False when somebody holds it."""

    async def settle(self, username: Username, *, holder: UUID) -> bool:
        """Make a sign-up's claim its user's, for good. False when the claim has lapsed."""


class Users(Protocol):
    """People: those whose mailbox is proven and, where verification is optional, those whose is not yet."""

    async def add(self, user: User) -> frozenset[str]:
        """Which of `email` and `username` a user has already; empty exactly when this one was added.

        Decided by the insert and looked up after it: of somebody who has gone in between, the email is named.
        """

    async def get(self, user_id: UUID) -> User | None:
        """By id."""

    async def of_email(self, email: EmailAddress) -> User | None:
        """The user with this address."""

    async def prove(self, user: User) -> bool:
        """Note that the mailbox is proven, and the user's name. False when it was proven, or the address is another."""


class Logins(Protocol):
    """Whose password is to be verified."""

    async def by_email(self, email: EmailAddress) -> tuple[User, Credential] | None:
        """The user with this address, with the credential: one statement."""

    async def by_username(self, username: Username) -> tuple[User, Credential] | None:
        """The user with this username, with the credential: one statement."""


class Accounts(Protocol):
    """Credentials, apart from the people they belong to (R19)."""

    async def add(self, account_id: UUID, credential: Credential, now: datetime) -> None:
        """The first credential of a new user."""

    async def of_user(self, user_id: UUID) -> Credential | None:
        """The credential of this user."""

    async def replace(self, credential: Credential, new: PasswordHash, now: datetime) -> bool:
        """Set another password and raise the version, which ends every session. False when the version is another."""

    async def rehash(self, user_id: UUID, *, old: PasswordHash, new: PasswordHash, now: datetime) -> bool:
        """Replace the hash if it is still `old`. The version stays: the password is the same."""


class LivingSessions(Protocol):
    """Sessions that still count."""

    async def find(self, session_id: UUID) -> tuple[Session, User] | None:
        """A session with its user, if its credential version is current and the user not disabled: one statement."""


class Sessions(Protocol):
    """Signed-in browsers and clients."""

    async def add(self, session: Session) -> bool:
        """False when the credential version is no longer the account's or the user is disabled; nothing is added."""

    async def touch(self, session: Session, now: datetime) -> None:
        """Note that it was used `now` and push its idle expiry out by its idle time."""

    async def advance(self, successor: Session) -> bool:
        """Put a session's successor in its place: counter and times. Of any number at once exactly one gets True.

        False, and nothing is changed, when the counter has moved on, the session has ended, its credential version is
        no longer the account's or the user is disabled.
        """

    async def end(self, session_id: UUID) -> None:
        """End this one; it may be gone already."""

    async def end_all(self, user_id: UUID, *, keep: UUID | None = None) -> None:
        """End every session of the user, except perhaps one."""


class Tokens(Protocol):
    """Mailed one-time tokens, by digest."""

    async def add(self, token: OneTimeToken) -> None:
        """Store a token that has just been minted."""

    async def find(self, digest: bytes, purpose: Purpose) -> OneTimeToken | None:
        """By digest, if it was minted for `purpose`; tells whether a newer request has superseded it."""

    async def spend(self, digest: bytes, purpose: Purpose, now: datetime) -> bool:
        """Use it up. False when it is used, expired, superseded or unknown: exactly one caller ever gets True."""


class Letters(Protocol):
    """The outbox. A letter is queued with the work that asks for it, and leaves later and elsewhere."""

    async def enqueue(self, letter: QueuedLetter) -> None:
        """Put it in the queue; it leaves once this unit is committed."""

    async def lease(self, lease_id: UUID, now: datetime, most: int) -> list[QueuedLetter]:
        """Take up to `most` due letters that nobody holds, oldest first; each attempt is counted here."""

    async def is_newest(self, letter: QueuedLetter) -> bool:
        """Whether no newer letter of the same purpose was asked for about the same subject."""

    async def by_token(self, digest: bytes, purpose: Purpose) -> tuple[UUID, EmailAddress] | None:
        """Whom the letter with this token, good or not, was about, and where it went."""

    async def decide(self, letter_id: UUID, outcome: Outcome, subject_id: UUID | None) -> None:
        """Note what it becomes, with the token that goes into it, and whom it turned out to be about."""

    async def mark_sent(self, letter_id: UUID, lease_id: UUID, now: datetime) -> None:
        """It left, or turned out to be none. Without effect when the lease was lost."""

    async def mark_delayed(self, letter_id: UUID, lease_id: UUID, due_at: datetime, reason: str) -> None:
        """It will be tried again at `due_at`."""

    async def mark_abandoned(self, letter_id: UUID, lease_id: UUID, now: datetime, reason: str) -> None:
        """It will never leave; kept for the operator to see."""
