"""What a unit of work may hold. Reads return domain objects; writes take effect with the unit's commit.

Whoever loses a race is told by the return value, never by an exception, and the invariant behind it is a UNIQUE
constraint or a conditional UPDATE, never an isolation level.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.email_address import EmailAddress
from domain.events import Event, RecordedEvent
from domain.letters import Outcome, QueuedLetter
from domain.one_time_token import OneTimeToken, Purpose
from domain.password import PasswordHash
from domain.reversal import Reversal
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

    async def delete(self, sign_up_id: UUID) -> None:
        """Forget this one, proven or not."""


class UsernameClaims(Protocol):
    """Who holds which username: a sign-up until its expiry, or a user for good (R17). Decides by insert alone."""

    async def claim(self, username: Username, *, holder: UUID, now: datetime, expires_at: datetime | None) -> bool:
        """Take the name for a sign-up, or with no expiry for a user, for good. False when somebody else holds it; its
        holder, for good or until it lapses, may take it again."""

    async def settle(self, username: Username, *, holder: UUID) -> bool:
        """Make a sign-up's claim its user's, for good. False when the claim has lapsed."""

    async def release(self, username: Username, *, holder: UUID, expires_at: datetime) -> None:
        """Let others have the name from `expires_at` on; until then its holder may take it back."""


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

    async def hold(self, user_id: UUID) -> User | None:
        """By id; nobody else changes it until this unit ends. Hold the account first, as everybody does."""

    async def save(self, user: User) -> bool:
        """Put a user that is held in the place of what was. False, and the unit is good for nothing more, when the
        address or the username is another user's."""

    async def remove(self, user_id: UUID) -> None:
        """Delete it, with its account and sessions."""

    async def prove(self, user: User) -> bool:
        """Note that the mailbox is proven, and the user's name, language and declared fields. False when it was proven,
        or the address is another."""

    async def note_first_sign_in(self, user_id: UUID, now: datetime) -> None:
        """Note when they first came in, unless that is known."""


class Logins(Protocol):
    """Whose password is to be verified."""

    async def by_email(self, email: EmailAddress) -> tuple[User, Credential] | None:
        """The user with this address, with the credential: one statement."""

    async def by_username(self, username: Username) -> tuple[User, Credential] | None:
        """The user with this username, with the credential: one statement."""


class OwnCredentials(Protocol):
    """For verifying once more who somebody is."""

    async def of_user(self, user_id: UUID) -> Credential | None:
        """The credential of this user."""


class Accounts(Protocol):
    """Credentials, apart from the people they belong to (R19)."""

    async def add(self, account_id: UUID, credential: Credential, now: datetime) -> None:
        """The first credential of a new user."""

    async def of_user(self, user_id: UUID) -> Credential | None:
        """The credential of this user."""

    async def hold(self, user_id: UUID) -> Credential | None:
        """The credential of this user; nobody else changes it until this unit ends. What happens to an account begins
        here, so that of all that happens at once one thing is true before the next is judged."""

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

    async def move(self, session_id: UUID, credential_version: int) -> bool:
        """Let it go on under this credential version. False when it has ended."""

    async def end_of(self, user_id: UUID, session_id: UUID) -> bool:
        """End this one if it is the user's. False when it is not, or not there."""

    async def end(self, session_id: UUID) -> None:
        """End this one; it may be gone already."""

    async def end_all(self, user_id: UUID, *, keep: UUID | None = None) -> int:
        """End every session of the user, except perhaps one; how many there were."""


class OwnSessions(Protocol):
    """For showing somebody their own sessions."""

    async def of_user(self, user_id: UUID, now: datetime) -> list[Session]:
        """Those that are alive, last seen first."""


class Events(Protocol):
    """The record of what happened. Only ever added to; what was personal in it goes with the person."""

    async def add(self, event: Event, now: datetime) -> None:
        """Write it down with the work that it is about."""

    async def pseudonymise(self, user_id: UUID) -> None:
        """Put a pseudonym in the place of somebody whose account is deleted, and wipe their addresses and browsers."""

    async def reclaim(self, user_id: UUID) -> None:
        """Give somebody whose account is restored what is left of their record."""


class EventHistory(Protocol):
    """Reading the record, newest first."""

    async def of_user(self, user_id: UUID, *, before: UUID | None, most: int) -> list[RecordedEvent]:
        """What concerns one user, after the event that was read last."""


class Reversals(Protocol):
    """What an owner may still undo."""

    async def add(self, reversal: Reversal) -> None:
        """Keep it."""

    async def get(self, reversal_id: UUID) -> Reversal | None:
        """By id."""

    async def deletion_of(self, user_id: UUID) -> Reversal | None:
        """That of the account's deletion."""

    async def last_made_at(self, user_id: UUID) -> datetime | None:
        """When the user's newest was made."""

    async def forget_since(self, user_id: UUID, made_at: datetime) -> None:
        """Forget those made then or later: whoever made them is out, and must not undo the undoing."""


class Tokens(Protocol):
    """Mailed one-time tokens, by digest."""

    async def add(self, token: OneTimeToken) -> None:
        """Store a token that has just been minted."""

    async def find(self, digest: bytes, purpose: Purpose) -> OneTimeToken | None:
        """By digest, if it was minted for `purpose`; tells whether a newer request or credential has voided it."""

    async def forget(self, user_id: UUID) -> None:
        """Delete those that open this user's account or prove its addresses."""

    async def spend(self, digest: bytes, purpose: Purpose, now: datetime) -> bool:
        """Use it up. False when it is used, expired, superseded or unknown: exactly one caller ever gets True."""


class Letters(Protocol):
    """The outbox. A letter is queued with the work that asks for it, and leaves later and elsewhere."""

    async def enqueue(self, letter: QueuedLetter) -> None:
        """Put it in the queue; it leaves once this unit is committed."""

    async def forget(self, user_id: UUID, recipient: EmailAddress, until: datetime) -> None:
        """Wipe the recipients of letters about a user, and of those to this address, asked for until then, that have
        left or were given up."""

    async def lease(self, lease_id: UUID, now: datetime, most: int) -> list[QueuedLetter]:
        """Take up to `most` due letters that nobody holds, oldest first; each attempt is counted here."""

    async def is_newest(self, letter: QueuedLetter) -> bool:
        """Whether no newer letter of the same purpose was asked for about the same subject."""

    async def by_token(self, digest: bytes, purpose: Purpose) -> tuple[UUID, EmailAddress] | None:
        """Whom the letter with this token, good or not, was about, and where it went."""

    async def decide(self, letter_id: UUID, outcome: Outcome, subject_id: UUID | None) -> None:
        """Note what it becomes, with the token that goes into it, and whom it turned out to be about."""

    async def mark_sent(self, letter_id: UUID, lease_id: UUID, outcome: Outcome, now: datetime) -> None:
        """It left, or turned out to be none, as `outcome` says. Without effect when the lease was lost."""

    async def mark_delayed(self, letter_id: UUID, lease_id: UUID, due_at: datetime, reason: str) -> None:
        """It will be tried again at `due_at`."""

    async def mark_abandoned(self, letter_id: UUID, lease_id: UUID, now: datetime, reason: str) -> None:
        """It will never leave; kept for the operator to see."""
