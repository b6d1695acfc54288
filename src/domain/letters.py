"""Letters: what is asked for, what it becomes when somebody looks, and when it is tried again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.email_address import EmailAddress
from domain.one_time_token import Purpose
from domain.secret import Secret

FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(minutes=30)
LEASE = timedelta(seconds=60)
"""How long a worker may hold a letter before another one takes it over."""


class Occasion(StrEnum):
    """Why a letter was asked for. What it becomes is decided when it leaves, not by who asked."""

    SIGN_UP = "sign_up"
    RESEND = "resend"


_PURPOSES = {Occasion.SIGN_UP: Purpose.VERIFY_ADDRESS, Occasion.RESEND: Purpose.VERIFY_ADDRESS}


class Outcome(StrEnum):
    """What a letter became."""

    VERIFY_ADDRESS = "verify_address"
    ACCOUNT_EXISTS = "account_exists"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedLetter:
    """A letter-to-be. Holds no token and no text: both are made when it leaves."""

    id: UUID
    occasion: Occasion
    recipient: EmailAddress
    subject_id: UUID | None
    """The sign-up or user it is about; None when it is about nobody, which must not be told from outside."""
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    attempts: int = 0
    outcome: Outcome | None = None
    """What an earlier attempt made of it."""

    @property
    def purpose(self) -> Purpose:
        """What its token is for. A newer request of the same purpose about the same subject supersedes this one."""
        return _PURPOSES[self.occasion]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAddress:
    """*Confirm your address*, with a link. Carries no word that its asker wrote: the mailbox is not proven."""

    recipient: EmailAddress
    token: Secret = field(repr=False)
    valid_for: timedelta
    has_account: bool = False
    """Whether somebody uses an account under this address already, unverified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountExists:
    """*Did you try to sign up? You have an account* (R85)."""

    recipient: EmailAddress


Letter = VerifyAddress | AccountExists


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedLetter:
    """A letter as it goes out. The Message-ID is the same at every attempt."""

    message_id: str
    recipient: EmailAddress
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    written_at: datetime


def retry_delay(attempts: int, luck: float) -> timedelta:
    """How long to wait after the given number of attempts: 10 s doubled up to 30 min, spread by `luck` (0 to 1)."""
    doubled: timedelta = FIRST_RETRY * 2 ** min(max(attempts - 1, 0), 10)
    return min(doubled, LONGEST_RETRY) * (0.75 + 0.5 * luck)
