"""Sign-up: somebody asks to join. Nothing here can find out whether they already have (DESIGN section 2)."""

from dataclasses import dataclass

from application.ports.environment import EventLog
from application.ports.hashing import PasswordHasher
from application.ports.units_of_work import Intake, Opens
from application.sign_up_form import SignUpCommand, SignUpForm
from application.waiting_room import VerificationSent, WaitingRoom
from domain.events import Event, EventKind


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """Checks the input, spends limits, hashes, then writes one waiting sign-up and one letter-to-be, together.

    The answer is the same whether the address is free, waiting or taken: the unit of work holds no users. Raises
    `ValidationError`, `RateLimited`, `Overloaded`, `Unavailable`, and `Conflict` for a taken *username* only (R17).
    """

    intake: Opens[Intake]
    form: SignUpForm
    hasher: PasswordHasher
    waiting_room: WaitingRoom
    events: EventLog

    async def __call__(self, command: SignUpCommand) -> VerificationSent:
        applicant, client = await self.form.judge(command), command.session.client
        async with self.form.charged(applicant, client) as units:
            password_hash = await self.hasher.hash(applicant.password)
            async with self.intake() as intake:
                sent = await self.waiting_room.enter(intake, applicant, password_hash, units)
                await intake.commit()
        self.events.record(Event(kind=EventKind.SIGN_UP_REQUESTED, client=client, email=applicant.email))
        return sent
