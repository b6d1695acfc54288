"""Where sign-ups wait for their mailbox to be proven (DESIGN section 2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from application.letter_requests import LetterRequests
from application.ports.environment import Clock, Ids, Randomness
from application.ports.units_of_work import Intake
from application.sign_up_form import Applicant, conflict
from domain.email_address import EmailAddress
from domain.letters import Occasion
from domain.limits import Unit
from domain.password import PasswordHash
from domain.secret import Secret
from domain.sign_up import WAITING_TIME, SignUpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSent:
    """The one answer. `cookie` marks the browser that signed up, so that its own letter needs no password."""

    email: EmailAddress
    cookie: Secret


@dataclass(frozen=True, kw_only=True)
class WaitingRoom:
    """Writes waiting sign-ups."""

    clock: Clock
    ids: Ids
    randomness: Randomness
    letters: LetterRequests

    async def enter(
        self,
        intake: Intake,
        applicant: Applicant,
        password_hash: PasswordHash,
        units: Iterable[Unit],
        *,
        taken: frozenset[str] = frozenset(),
    ) -> VerificationSent:
        """Write one waiting sign-up, the claim on its username and its letter-to-be; the caller commits.

        Raises `Conflict` for a username that somebody holds, and for fields that are known to be `taken` besides.
        """
        now = self.clock.now()
        cookie = Secret.of(self.randomness.bytes(32))
        sign_up = SignUpRequest(
            id=self.ids.new(),
            email=applicant.email,
            name=applicant.name,
            username=applicant.username,
            fields=applicant.fields,
            password_hash=password_hash,
            cookie_digest=cookie.digest,
            client_unit=next((unit for unit in units if unit.limit == "sign_up_client"), None),
            created_at=now,
            expires_at=now + WAITING_TIME,
            locale=applicant.locale,
        )
        if sign_up.username is not None and not await intake.usernames.claim(
            sign_up.username, holder=sign_up.id, now=now, expires_at=sign_up.expires_at
        ):
            taken |= {"username"}
        if taken:
            raise conflict(taken)
        await intake.sign_ups.add(sign_up)
        await intake.letters.enqueue(self.letters.make(Occasion.SIGN_UP, sign_up.email, sign_up.id, now, client=None))
        return VerificationSent(email=sign_up.email, cookie=cookie)
