"""Letters: what is asked for, what it becomes when somebody looks, and when it is tried again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from domain.email_address import EmailAddress
from domain.one_time_token import Purpose
from domain.secret import Secret
from domain.sign_up import WAITING_TIME

FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(minutes=30)
LEASE = timedelta(seconds=60)
"""How long a worker may hold a letter before another one takes it over."""
SENDING_TIME = LEASE * 0.75
"""How long its sending may take: it is given up for this time before another worker may take it over."""
LONGEST_REASON = 200
"""Characters that are kept of why a letter was delayed or given up."""


class Occasion(StrEnum):
    """Why a letter was asked for. What it becomes is decided when it leaves, not by who asked."""

    SIGN_UP = "sign_up"
    RESEND = "resend"
    FORGOT_PASSWORD = "forgot_password"  # noqa: S105 - the name of an occasion
    CHANGE_EMAIL = "change_email"
    NEW_DEVICE = "new_device"
    SESSION_STOLEN = "session_stolen"
    SESSIONS_ENDED = "sessions_ended"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of an occasion
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an occasion
    EMAIL_CHANGED = "email_changed"
    ACCOUNT_DELETED = "account_deleted"

    @property
    def purpose(self) -> Purpose:
        """What the token of such a letter is for."""
        return _PURPOSES[self]

    @property
    def notice(self) -> bool:
        """Whether it tells an owner what happened to their account, with a link that undoes it."""
        return self.purpose is Purpose.UNDO

    @property
    def waiting_time(self) -> timedelta:
        """How long such a letter is worth sending."""
        return _WAITING_TIMES[self.purpose]


_PURPOSES = {
    Occasion.SIGN_UP: Purpose.VERIFY_ADDRESS,
    Occasion.RESEND: Purpose.VERIFY_ADDRESS,
    Occasion.FORGOT_PASSWORD: Purpose.RESET_PASSWORD,
    Occasion.CHANGE_EMAIL: Purpose.CHANGE_EMAIL,
    Occasion.NEW_DEVICE: Purpose.UNDO,
    Occasion.SESSION_STOLEN: Purpose.UNDO,
    Occasion.SESSIONS_ENDED: Purpose.UNDO,
    Occasion.PASSWORD_RESET: Purpose.UNDO,
    Occasion.PASSWORD_CHANGED: Purpose.UNDO,
    Occasion.EMAIL_CHANGED: Purpose.UNDO,
    Occasion.ACCOUNT_DELETED: Purpose.UNDO,
}

NOTICE_TIME = timedelta(days=7)
_REQUEST_TIME = timedelta(hours=2)
_WAITING_TIMES = {
    Purpose.VERIFY_ADDRESS: WAITING_TIME,
    Purpose.RESET_PASSWORD: _REQUEST_TIME,
    Purpose.CHANGE_EMAIL: _REQUEST_TIME,
    Purpose.UNDO: NOTICE_TIME,
}


class Outcome(StrEnum):
    """What a letter became."""

    VERIFY_ADDRESS = "verify_address"
    ACCOUNT_EXISTS = "account_exists"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of an outcome
    CONFIRM_ADDRESS = "confirm_address"
    ADDRESS_IN_USE = "address_in_use"
    NOTICE = "notice"
    SUPPRESSED = "suppressed"
    """It would have been one of those, but its recipient gets no letters for a while."""
    NONE = "none"

    @property
    def leaves(self) -> bool:
        """Whether there is something to send."""
        return self not in (Outcome.NONE, Outcome.SUPPRESSED)


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
    credential_version: int | None = None
    """The account's when the letter was asked for: once it has another, the letter is none."""
    attempts: int = 0
    outcome: Outcome | None = None
    """What an earlier attempt made of it."""
    locale: str | None = None
    """What whoever asked for it reads: for a reader of whom nothing better is known."""

    @property
    def purpose(self) -> Purpose:
        """What its token is for. A newer request of the same purpose about the same subject supersedes this one."""
        return self.occasion.purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAddress:
    """*Confirm your address*, with a link. Carries no word that its asker wrote: the mailbox is not proven."""

    recipient: EmailAddress
    locale: str | None = None
    token: Secret = field(repr=False)
    valid_for: timedelta
    has_account: bool = False
    """Whether somebody uses an account under this address already, unverified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountExists:
    """*Did you try to sign up? You have an account* (R85)."""

    recipient: EmailAddress
    locale: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPassword:
    """*Choose a new password*, with a link."""

    recipient: EmailAddress
    locale: str | None = None
    token: Secret = field(repr=False)
    valid_for: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAddress:
    """*Confirm your new address*, with a link. The mailbox is not proven: no word that anybody wrote."""

    recipient: EmailAddress
    locale: str | None = None
    token: Secret = field(repr=False)
    valid_for: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressInUse:
    """*Somebody wanted to move their account to this address, but you have one here already*."""

    recipient: EmailAddress
    locale: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """*This happened to your account*; when, where and on which device, with a link that says *this wasn't me*."""

    recipient: EmailAddress
    locale: str | None = None
    occasion: Occasion
    token: Secret = field(repr=False)
    valid_for: timedelta
    happened_at: datetime
    device: str
    """A sentence, in as far as it has to be said in the reader's language."""
    masked_address: str


# `locale` of each is the language it is written in (BCP 47); None for the default.
Letter = VerifyAddress | AccountExists | ResetPassword | ConfirmAddress | AddressInUse | Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineImage:
    """A picture that travels within a letter, where its HTML asks for `cid:` and the content id: nothing is fetched
    from anywhere when the letter is read."""

    content_id: str
    """A short name, such as `logo`."""
    media_type: str
    """`image/png` or `image/jpeg`."""
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedLetter:
    """A letter as it goes out. The Message-ID is the same at every attempt."""

    message_id: str
    recipient: EmailAddress
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    written_at: datetime
    language: str = "en"
    """A language tag (BCP 47)."""
    reply_to: EmailAddress | None = None
    """Where an answer to it is read by people."""
    logo: InlineImage | None = None


def address_subject(email: EmailAddress) -> UUID:
    """The subject of a letter about whoever has this address, known or not: asked for again, it is the same one."""
    return uuid5(NAMESPACE_URL, f"mailto:{email}")


def retry_delay(attempts: int, luck: float) -> timedelta:
    """How long to wait after the given number of attempts: 10 s doubled up to 30 min, spread by `luck` (0 to 1)."""
    doubled: timedelta = FIRST_RETRY * 2 ** min(max(attempts - 1, 0), 10)
    return min(doubled, LONGEST_RETRY) * (0.75 + 0.5 * luck)
