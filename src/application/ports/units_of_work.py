"""Units of work, one per need, each holding only the collections that need them.

Entering opens a transaction. `commit` makes all of it true at once; leaving without it leaves no trace. Both raise
`Unavailable` when the store does not answer or cannot be written. What a use case must not know is not here: the code
that answers sign-up and resend is given an `Intake`, and there is no user in it to look up.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from application.ports.administration import Administration, Oversight
from application.ports.collections import (
    Accounts,
    EventHistory,
    Events,
    Letters,
    LivingSessions,
    Logins,
    OwnCredentials,
    OwnSessions,
    Reversals,
    Sessions,
    SignUps,
    Tokens,
    UsernameClaims,
    Users,
)
from application.ports.limits import Limits
from application.ports.transfer import Emigration, Immigration

Unit = TypeVar("Unit", covariant=True)

Opens = Callable[[], AbstractAsyncContextManager[Unit]]
"""A field typed `Opens[Intake]` is used as `async with self.intake() as intake:`."""


class Committing(Protocol):
    """A unit that writes."""

    async def commit(self) -> None:
        """Make everything done in this unit true, at once and for good."""


class Intake(Committing, Protocol):
    """For those who answer strangers: waiting sign-ups, claims, letters. No users, accounts or sessions."""

    @property
    def sign_ups(self) -> SignUps: ...
    @property
    def usernames(self) -> UsernameClaims: ...
    @property
    def letters(self) -> Letters: ...


class OpenIntake(Intake, Protocol):
    """For those who answer strangers where disclosure is `friendly`: an intake that knows who is here already."""

    @property
    def users(self) -> Users: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def events(self) -> Events: ...


class ProofReading(Protocol):
    """For looking at a token and what it would prove, before any hashing. Reads only."""

    @property
    def tokens(self) -> Tokens: ...
    @property
    def reversals(self) -> Reversals: ...
    @property
    def sign_ups(self) -> SignUps: ...
    @property
    def users(self) -> Users: ...
    @property
    def accounts(self) -> Accounts: ...


class Proving(Committing, Protocol):
    """For turning a proven sign-up into a user, a credential and a session, and for proving a user."""

    @property
    def tokens(self) -> Tokens: ...
    @property
    def sign_ups(self) -> SignUps: ...
    @property
    def usernames(self) -> UsernameClaims: ...
    @property
    def users(self) -> Users: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def events(self) -> Events: ...


class CredentialReading(Protocol):
    """For finding whose password is to be verified. Reads only."""

    @property
    def logins(self) -> Logins: ...


class SigningIn(Committing, Protocol):
    """For starting a session, and with it replacing an outdated hash (R34), giving back what was charged and telling
    the owner of a device that is new."""

    @property
    def users(self) -> Users: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def events(self) -> Events: ...
    @property
    def reversals(self) -> Reversals: ...
    @property
    def letters(self) -> Letters: ...
    @property
    def limits(self) -> Limits: ...


class SessionReading(Protocol):
    """For recognising a caller. Reads only."""

    @property
    def sessions(self) -> LivingSessions: ...


class SessionKeeping(Committing, Protocol):
    """For noting that a session was used, and for ending sessions and telling their owner."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def users(self) -> Users: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def events(self) -> Events: ...
    @property
    def reversals(self) -> Reversals: ...
    @property
    def letters(self) -> Letters: ...


class Journal(Committing, Protocol):
    """For writing down what came to nothing. An event about somebody who is gone by now is about nobody."""

    @property
    def events(self) -> Events: ...


class OwnReading(Protocol):
    """For what somebody signed in may see of their own. Reads only, and finds nobody by an address."""

    @property
    def accounts(self) -> OwnCredentials: ...
    @property
    def sessions(self) -> OwnSessions: ...
    @property
    def events(self) -> EventHistory: ...


class OwnRequest(Committing, Protocol):
    """For a letter that somebody signed in asks for. No users: whoever has the address it goes to stays unknown."""

    @property
    def letters(self) -> Letters: ...
    @property
    def events(self) -> Events: ...


class AccountKeeping(Committing, Protocol):
    """For changing, deleting and restoring an account. It begins with holding the account."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def users(self) -> Users: ...
    @property
    def usernames(self) -> UsernameClaims: ...
    @property
    def sign_ups(self) -> SignUps: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def letters(self) -> Letters: ...
    @property
    def reversals(self) -> Reversals: ...
    @property
    def events(self) -> Events: ...


class Delivery(Committing, Protocol):
    """For deciding what a letter becomes: the only reader of both sides, and it answers nobody."""

    @property
    def letters(self) -> Letters: ...
    @property
    def sign_ups(self) -> SignUps: ...
    @property
    def users(self) -> Users: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def reversals(self) -> Reversals: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def events(self) -> Events: ...
    @property
    def limits(self) -> Limits:
        """Limits that are spent within this unit, with what else it does."""


class Units(Protocol):
    """All of them: what a store offers to whoever composes the use cases. No use case is given this."""

    def intake(self) -> AbstractAsyncContextManager[Intake]: ...
    def open_intake(self) -> AbstractAsyncContextManager[OpenIntake]: ...
    def proof_reading(self) -> AbstractAsyncContextManager[ProofReading]: ...
    def proving(self) -> AbstractAsyncContextManager[Proving]: ...
    def credential_reading(self) -> AbstractAsyncContextManager[CredentialReading]: ...
    def signing_in(self) -> AbstractAsyncContextManager[SigningIn]: ...
    def session_reading(self) -> AbstractAsyncContextManager[SessionReading]: ...
    def session_keeping(self) -> AbstractAsyncContextManager[SessionKeeping]: ...
    def journal(self) -> AbstractAsyncContextManager[Journal]: ...
    def own_reading(self) -> AbstractAsyncContextManager[OwnReading]: ...
    def own_request(self) -> AbstractAsyncContextManager[OwnRequest]: ...
    def account_keeping(self) -> AbstractAsyncContextManager[AccountKeeping]: ...
    def oversight(self) -> AbstractAsyncContextManager[Oversight]: ...
    def administration(self) -> AbstractAsyncContextManager[Administration]: ...
    def delivery(self) -> AbstractAsyncContextManager[Delivery]: ...
    def emigration(self) -> AbstractAsyncContextManager[Emigration]: ...
    def immigration(self) -> AbstractAsyncContextManager[Immigration]: ...
