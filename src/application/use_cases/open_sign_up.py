"""Open sign-up: somebody asks to join, and is told when they already have (R14, R16)."""

from dataclasses import dataclass

from application.admission import Admission, SessionWish, SignedIn
from application.letter_requests import LetterRequests
from application.ports.environment import Clock, EventLog, Ids
from application.ports.hashing import PasswordHasher
from application.ports.units_of_work import OpenIntake, Opens
from application.sign_up_form import Applicant, SignUpCommand, SignUpForm, conflict
from application.waiting_room import VerificationSent, WaitingRoom
from domain.events import Event, EventKind
from domain.letters import Occasion
from domain.password import PasswordHash
from domain.user import Credential, User


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A user, who is yet to sign in."""

    user: User


@dataclass(frozen=True, kw_only=True)
class OpenSignUp:
    """What `SignUp` is under `friendly` disclosure: an address that a user has is a `Conflict`, and nothing is written.

    With required verification a free address waits as it does there. With optional verification the user comes into
    being at once, unverified, with credential, username and letter-to-be, and with a session if signing up signs in:
    all of it or nothing. Whoever loses a race for address or username reads the same `Conflict`, which names both when
    both are taken. Raises `ValidationError`, `RateLimited`, `Overloaded`, `Unavailable`, `Conflict`.
    """

    intake: Opens[OpenIntake]
    form: SignUpForm
    hasher: PasswordHasher
    waiting_room: WaitingRoom
    letters: LetterRequests
    admission: Admission
    clock: Clock
    ids: Ids
    events: EventLog
    verification_required: bool
    signs_in: bool
    """Whether a new user has a session at once, where verification is optional."""

    async def __call__(self, command: SignUpCommand) -> VerificationSent | SignedUp | SignedIn:
        applicant, client = await self.form.judge(command), command.session.client
        async with self.form.charged(applicant, client) as units:
            password_hash = await self.hasher.hash(applicant.password)
            if not self.verification_required:
                return await self._join(applicant, password_hash, command.session)
            async with self.intake() as intake:
                taken = frozenset({"email"} if await intake.users.of_email(applicant.email) else ())
                sent = await self.waiting_room.enter(intake, applicant, password_hash, units, taken=taken)
                await intake.commit()
        self.events.record(Event(kind=EventKind.SIGN_UP_REQUESTED, client=client, email=applicant.email))
        return sent

    async def _join(self, applicant: Applicant, password_hash: PasswordHash, wish: SessionWish) -> SignedUp | SignedIn:
        now = self.clock.now()
        user = User(
            id=self.ids.new(),
            email=applicant.email,
            email_verified=False,
            name=applicant.name,
            username=applicant.username,
            fields=applicant.fields,
            created_at=now,
            first_signed_in_at=now if self.signs_in else None,
            locale=applicant.locale,
        )
        credential = Credential(user_id=user.id, password_hash=password_hash)
        session = self.admission.begin(user.id, credential.version, wish, now) if self.signs_in else None
        kinds = [EventKind.SIGN_UP_REQUESTED, *([EventKind.SIGNED_IN] if session is not None else [])]
        happened = [Event(kind=kind, client=wish.client, email=user.email, user_id=user.id) for kind in kinds]
        async with self.intake() as intake:
            taken = await intake.users.add(user)
            if user.username is not None and not await intake.usernames.claim(
                user.username, holder=user.id, now=now, expires_at=None
            ):
                taken |= {"username"}
            if taken:
                raise conflict(taken)
            await intake.accounts.add(self.ids.new(), credential, now)
            await intake.letters.enqueue(
                self.letters.make(Occasion.SIGN_UP, user.email, user.id, now, client=wish.client)
            )
            if session is not None:
                await intake.sessions.add(session)
            for event in happened:
                await intake.events.add(event, now)
            await intake.commit()
        for event in happened:
            self.events.record(event)
        return self.admission.admit(user, session) if session is not None else SignedUp(user)
