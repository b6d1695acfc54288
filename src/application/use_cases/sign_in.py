"""Sign-in: an identifier and a password become a session, or one answer that tells nothing (R50)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from application.admission import Admission, SessionWish, SignedIn
from application.owner_notices import OwnerNotices
from application.ports.environment import Clock, EventLog
from application.ports.hashing import PasswordHasher
from application.ports.limits import Limits
from application.ports.tokens import DeviceMarks, KnownDevice
from application.ports.units_of_work import CredentialReading, Journal, Opens, SigningIn
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import InvalidCredentials, Overloaded, Unauthenticated, Unavailable, Violation
from domain.events import Event, EventKind
from domain.letters import Occasion
from domain.limits import Charge, Quotas, Unit
from domain.password import FaultKind, Password, PasswordHash
from domain.sentence import Sentence
from domain.user import Credential, User
from domain.username import Username
from domain.violations import Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInCommand:
    """An e-mail address or a username, and the password; `malformed` are fields the edge could not read."""

    email: str | None = None
    username: str | None = None
    password: str | None = field(repr=False)
    session: SessionWish
    malformed: tuple[Violation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Verifies a password and starts a session.

    Unknown, wrong, not yet verified, disabled and without a password are one `InvalidCredentials` after the same work:
    where there is no hash to verify, a decoy is. Failures are counted before the work and given back by success, its
    own unit only; on a device that bears its owner's mark they are counted apart. Success marks the device anew. The
    session is stored under the credential version that was verified, so one that raced a change of password is
    refused. Raises `ValidationError`, `RateLimited`, `InvalidCredentials`, `Overloaded`, `Unavailable`.
    """

    reading: Opens[CredentialReading]
    signing_in: Opens[SigningIn]
    journal: Opens[Journal]
    hasher: PasswordHasher
    limits: Limits
    device_marks: DeviceMarks
    admission: Admission
    clock: Clock
    events: EventLog
    quotas: Quotas
    notices: OwnerNotices
    tells_of_new_devices: bool
    """Whether an owner is told of a sign-in on a device without their mark; never of the first."""
    verification_required: bool
    """Whether a user whose mailbox is not proven is refused; there are such once it was optional (R47)."""

    async def __call__(self, command: SignInCommand) -> SignedIn:
        identifier, password = self._judge(command)
        client = command.session.client
        now = self.clock.now()
        device = self.device_marks.recognises(command.session.device_marks, identifier, now)
        # Whoever holds a mark knows that there is an account, so looking first tells them nothing.
        found = await self._find(identifier) if device is not None else None
        if device is not None and not self._is_owners(device, found):
            device = None
        units = await self.limits.spend(self._charges(identifier, client, device), now)
        try:
            found = found or await self._find(identifier)
            user, credential = await self._prove(found, identifier, password)
            signed_in = await self._start(user, credential, password, command.session, units, new_device=device is None)
        except (Overloaded, Unavailable):
            await self.limits.give_back(units)
            raise
        except InvalidCredentials:
            await self._note_failure(found, identifier, client)
            raise
        return signed_in

    async def _note_failure(
        self, found: tuple[User, Credential] | None, identifier: EmailAddress | Username, client: Client
    ) -> None:
        """The same statement whether or not it is about anybody."""
        user_id, fault = (found[0].id, self.hasher.fault_of(found[1].password_hash)) if found else (None, None)
        reason = fault.kind if fault is not None else None
        failed = Event(
            kind=EventKind.SIGN_IN_FAILED, client=client, identifier=str(identifier), user_id=user_id, reason=reason
        )
        async with self.journal() as unit:
            await unit.events.add(failed, self.clock.now())
            await unit.commit()
        # What is logged does not tell either.
        self.events.record(replace(failed, user_id=None, reason=None))
        if reason is not None and reason is not FaultKind.NO_PASSWORD:
            self.events.record(Event(kind=EventKind.HASH_UNUSABLE, user_id=user_id, reason=reason))

    def _is_owners(self, device: KnownDevice, found: tuple[User, Credential] | None) -> bool:
        """Whether the account's owner of today was let in there, with the password of today."""
        if found is None:
            return False
        user, credential = found
        return credential.version == device.credential_version and self.device_marks.is_of(device, user)

    def _judge(self, command: SignInCommand) -> tuple[EmailAddress | Username, Password]:
        """Syntax only: whether a password would be allowed today is no question at sign-in."""
        violations = Violations(command.malformed)
        identifier: EmailAddress | Username | None
        if command.username is not None and command.email is not None:
            violations.add("username", "ambiguous", Sentence("Give either an e-mail address or a username, not both."))
        if command.username is not None:
            identifier = violations.parse("username", command.username, Username.parse)
        else:
            identifier = violations.parse("email", command.email, EmailAddress.parse)
        password = violations.parse("password", command.password, Password.parse)
        violations.settle()
        assert identifier is not None  # noqa: S101 - settled above
        assert password is not None  # noqa: S101 - settled above
        return identifier, password

    def _charges(self, identifier: EmailAddress | Username, client: Client, device: KnownDevice | None) -> list[Charge]:
        """A device where the owner has been let in before counts by itself: strangers cannot lock them out of it."""
        who, network = str(identifier), client.network
        if device is not None:
            return [Charge(self.quotas.limit("sign_in_device"), f"{device.id} {who}", who)]
        return [
            Charge(self.quotas.limit("sign_in_pair"), f"{network} {who}", who),
            Charge(self.quotas.limit("sign_in_address"), who, who),
            Charge(self.quotas.limit("sign_in_client"), network, who),
        ]

    async def _find(self, identifier: EmailAddress | Username) -> tuple[User, Credential] | None:
        async with self.reading() as unit:
            if isinstance(identifier, EmailAddress):
                return await unit.logins.by_email(identifier)
            return await unit.logins.by_username(identifier)

    async def _prove(
        self, found: tuple[User, Credential] | None, identifier: EmailAddress | Username, password: Password
    ) -> tuple[User, Credential]:
        if found is None:
            await self.hasher.verify_decoy(password, str(identifier))
            raise InvalidCredentials
        user, credential = found
        if self.hasher.fault_of(credential.password_hash) is not None:
            # By the address whatever was typed: one account takes the same by either name, with a password or without.
            await self.hasher.verify_decoy(password, str(user.email))
            raise InvalidCredentials
        matches = await self.hasher.verify(password, credential.password_hash)
        unproven = self.verification_required and not user.email_verified
        if not matches or user.disabled or unproven:
            raise InvalidCredentials
        return user, credential

    async def _start(
        self,
        user: User,
        credential: Credential,
        password: Password,
        wish: SessionWish,
        units: Sequence[Unit],
        *,
        new_device: bool,
    ) -> SignedIn:
        new_hash: PasswordHash | None = None
        if self.hasher.outdated(credential.password_hash, password):
            new_hash = await self.hasher.hash(password)
        now = self.clock.now()
        session = self.admission.begin(user.id, credential.version, wish, now)
        signed_in = Event(kind=EventKind.SIGNED_IN, client=wish.client, email=user.email, user_id=user.id)
        rehashed = False
        tells = new_device and self.tells_of_new_devices and user.first_signed_in_at is not None
        async with self.signing_in() as unit:
            if tells:
                await self._tell(unit, user, credential, wish.client, now)
            if new_hash is not None:
                rehashed = await unit.accounts.rehash(user.id, old=credential.password_hash, new=new_hash, now=now)
            if not await unit.sessions.add(session):
                raise InvalidCredentials
            if user.first_signed_in_at is None:
                await unit.users.note_first_sign_in(user.id, now)
            await unit.events.add(signed_in, now)
            await unit.limits.give_back(units)
            await unit.commit()
        if rehashed:
            self.events.record(Event(kind=EventKind.PASSWORD_REHASHED, client=wish.client, user_id=user.id))
        self.events.record(signed_in)
        return self.admission.welcome(user, session, wish)

    async def _tell(self, unit: SigningIn, user: User, credential: Credential, client: Client, now: datetime) -> None:
        try:
            await self.notices.tell(unit, Occasion.NEW_DEVICE, user.id, credential.version, client, now)
        except Unauthenticated:
            raise InvalidCredentials from None
