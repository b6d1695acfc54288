"""What the use cases are made of."""

from dataclasses import dataclass

from application.admission import Admission
from application.fresh_proof import FreshProof
from application.letter_requests import LetterRequests
from application.new_password import NewPasswordRules
from application.owner_notices import OwnerNotices
from application.ports.environment import Clock, DeviceNames, EventLog, Ids, Randomness
from application.ports.hashing import BreachCheck, CommonPasswords, PasswordHasher, StrengthEstimator
from application.ports.languages import Languages
from application.ports.letters import LetterRenderer, MailSender
from application.ports.limits import Limits
from application.ports.sealing import RecordSeal
from application.ports.tokens import AccessTokens, DeviceMarks, SessionSeal
from application.recognition import Recognition
from application.second_fact import PasswordFacts
from application.sign_up_form import SignUpForm
from application.waiting_room import WaitingRoom
from domain.limits import Quotas
from domain.password import PasswordPolicy
from domain.profile import ProfileRules
from domain.session import SessionLifetimes
from entrypoints.composition.stores import Store
from entrypoints.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The ports, filled, and what several use cases share."""

    settings: Settings
    store: Store
    clock: Clock
    ids: Ids
    randomness: Randomness
    events: EventLog
    limits: Limits
    hasher: PasswordHasher
    common_passwords: CommonPasswords
    strength: StrengthEstimator | None
    breach_check: BreachCheck | None
    seal: SessionSeal
    access_tokens: AccessTokens
    device_marks: DeviceMarks
    record_seal: RecordSeal
    device_names: DeviceNames
    letter_renderer: LetterRenderer
    languages: Languages
    mail_sender: MailSender
    policy: PasswordPolicy
    profile: ProfileRules

    @property
    def quotas(self) -> Quotas:
        """The limits in force."""
        return self.settings.quotas

    @property
    def verification_required(self) -> bool:
        """Whether a mailbox has to be proven before anybody is let in."""
        return self.settings.verification == "required"

    @property
    def new_passwords(self) -> NewPasswordRules:
        """For whoever chooses a password."""
        return NewPasswordRules(
            policy=self.policy,
            common_passwords=self.common_passwords,
            strength=self.strength,
            breach_check=self.breach_check,
            events=self.events,
        )

    @property
    def passwords(self) -> PasswordFacts:
        """For the second fact of a verification."""
        return PasswordFacts(
            hasher=self.hasher,
            new_passwords=self.new_passwords,
            limits=self.limits,
            clock=self.clock,
            quotas=self.quotas,
        )

    @property
    def recognition(self) -> Recognition:
        """For whoever asks who is calling."""
        return Recognition(
            reading=self.store.units.session_reading,
            seal=self.seal,
            verification_required=self.verification_required,
        )

    @property
    def letters(self) -> LetterRequests:
        """For whoever asks for a letter."""
        return LetterRequests(
            ids=self.ids,
            randomness=self.randomness,
            jitter=self.settings.delivery_jitter,
            locales=self.profile.locales,
        )

    @property
    def form(self) -> SignUpForm:
        """For whoever takes sign-ups in."""
        return SignUpForm(
            limits=self.limits,
            clock=self.clock,
            events=self.events,
            new_passwords=self.new_passwords,
            profile=self.profile,
            quotas=self.quotas,
        )

    @property
    def waiting_room(self) -> WaitingRoom:
        """Where sign-ups wait."""
        return WaitingRoom(clock=self.clock, ids=self.ids, randomness=self.randomness, letters=self.letters)

    @property
    def admission(self) -> Admission:
        """For whoever lets somebody in."""
        return Admission(
            seal=self.seal,
            access_tokens=self.access_tokens,
            device_marks=self.device_marks,
            clock=self.clock,
            ids=self.ids,
            randomness=self.randomness,
            lifetimes=SessionLifetimes(
                idle=self.settings.session_idle,
                absolute=self.settings.session_absolute,
                short=self.settings.session_short,
            ),
        )

    @property
    def notices(self) -> OwnerNotices:
        """For whoever tells an owner."""
        return OwnerNotices(ids=self.ids, seal=self.record_seal, letters=self.letters)

    @property
    def fresh_proof(self) -> FreshProof:
        """For whatever takes more than a session."""
        return FreshProof(
            reading=self.store.units.own_reading,
            journal=self.store.units.journal,
            hasher=self.hasher,
            limits=self.limits,
            clock=self.clock,
            events=self.events,
            quotas=self.quotas,
        )
