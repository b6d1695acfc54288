"""Every way Ostiary says no. Each refusal has a stable `code`; which HTTP status it wears is not decided here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from domain.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: the field, a stable code, and a sentence for the person who typed."""

    field: str
    code: str
    message: Sentence


class Refusal(Exception):
    """The request was understood and is declined. `detail` is safe to show to anyone."""

    code: ClassVar[str]
    detail: ClassVar[Sentence]

    def __init__(self) -> None:
        super().__init__(self.detail)


class ValidationError(Refusal):
    """Fields break rules; `violations` names all of them at once (R70)."""

    code = "validation_error"
    detail = Sentence("Some fields need another look.")

    def __init__(self, violations: Iterable[Violation]) -> None:
        super().__init__()
        self.violations = tuple(violations)


class Conflict(Refusal):
    """A public name is taken (R17), or, never under `opaque` disclosure, an e-mail address (R16)."""

    code = "conflict"
    detail = Sentence("Somebody has this already.")

    def __init__(self, violations: Iterable[Violation]) -> None:
        super().__init__()
        self.violations = tuple(violations)


class InvalidCredentials(Refusal):
    """One answer for unknown, wrong, unverified and disabled (R50); which of them it was is not kept."""

    code = "invalid_credentials"
    detail = Sentence("These sign-in details are not right.")


class Unauthenticated(Refusal):
    """No session, or none that is alive."""

    code = "unauthenticated"
    detail = Sentence("Sign in first.")


class Forbidden(Refusal):
    """Signed in, but not for this."""

    code = "forbidden"
    detail = Sentence("This is not yours to see.")


class NotFound(Refusal):
    """There is no such thing, or it is somebody else's: not told apart."""

    code = "not_found"
    detail = Sentence("There is nothing here.")


class OwnAccount(Refusal):
    """An administrator would lock themselves out: somebody else has to do it."""

    code = "own_account"
    detail = Sentence("You cannot do this to your own account. Another administrator can.")


class AccountDisabled(Refusal):
    """What is asked for makes no sense while the account is disabled; told to administrators only."""

    code = "account_disabled"
    detail = Sentence("This account is disabled. Enable it first.")


class LetterExpired(Refusal):
    """Nobody waits for this letter any more; told to the operator only."""

    code = "letter_expired"
    detail = Sentence("The time of this letter is over. Whoever wants it can ask for a new one.")


class LetterInHand(Refusal):
    """A worker holds this letter; told to the operator only."""

    code = "letter_in_hand"
    detail = Sentence("This letter is being sent at this moment. Try again in a minute.")


class LetterIsGone(Refusal):
    """There is nothing left to send, or to give up; told to the operator only."""

    code = "letter_is_gone"
    detail = Sentence("This letter has left or was given up already, or nobody is there to send it to.")


class ReauthenticationRequired(Refusal):
    """The session is good, but its owner has to show once more who they are (ASVS 7.5.1)."""

    code = "reauthentication_required"
    detail = Sentence("Give your password as well, or sign in again first.")


class TokenInvalid(Refusal):
    """Malformed, unknown, used, superseded or meant for something else: not told apart (R44)."""

    code = "token_invalid"
    detail = Sentence("This link does not work, or no longer does. Ask for a new letter or start over.")


class TokenExpired(Refusal):
    """It was a good token, too long ago (R44)."""

    code = "token_expired"
    detail = Sentence("This link has expired. Ask for a new letter.")


class AlreadyVerified(Refusal):
    """A double click by the person who verified: shown only to who holds the second fact as well."""

    code = "already_verified"
    detail = Sentence("This address is verified already. Sign in.")


class PasswordRequired(Refusal):
    """The mailbox is proven, the person is not: give the sign-up's password, or choose a new one."""

    code = "password_required"
    detail = Sentence("Give the password chosen at sign-up as `password`, or choose a new one as `new_password`.")


class RateLimited(Refusal):
    """A limit is used up. `policy` is present only where the quota is the caller's own and may be shown."""

    code = "rate_limited"
    detail = Sentence("Too many attempts. Wait and try again.")

    def __init__(self, *, limit: str, retry_after: timedelta, policy: tuple[int, timedelta] | None) -> None:
        super().__init__()
        self.limit = limit
        self.retry_after = retry_after
        self.policy = policy


class Overloaded(Refusal):
    """Too much work is queued already; turned away before anything was done."""

    code = "overloaded"
    detail = Sentence("The service is busy. Try again in a moment.")

    def __init__(self, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__()
        self.retry_after = retry_after


class Unavailable(Refusal):
    """A part that the service needs, such as its database, does not answer. Nothing is half done."""

    code = "unavailable"
    detail = Sentence("The service cannot do this right now. Try again in a moment.")

    def __init__(self, retry_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__()
        self.retry_after = retry_after
