"""Fresh proof: before an account changes hands, its owner shows once more who they are (ASVS 7.5.1)."""

from dataclasses import dataclass

from application.ports.environment import Clock, EventLog
from application.ports.hashing import PasswordHasher
from application.ports.limits import Limits
from application.ports.units_of_work import Journal, Opens, OwnReading
from application.recognition import Caller
from domain.client import Client
from domain.errors import Overloaded, ReauthenticationRequired, Unauthenticated, Unavailable, ValidationError, Violation
from domain.events import Event, EventKind
from domain.limits import Charge, Quotas
from domain.password import Password
from domain.sentence import Sentence
from domain.user import Credential


@dataclass(frozen=True, kw_only=True)
class FreshProof:
    """A password that is right, or a session that has just begun."""

    reading: Opens[OwnReading]
    journal: Opens[Journal]
    hasher: PasswordHasher
    limits: Limits
    clock: Clock
    events: EventLog
    quotas: Quotas

    async def demand(
        self, caller: Caller, password: Password | None, client: Client, *, field: str = "password"
    ) -> Credential:
        """The credential that was proven. Without a password the session has to be fresh.

        Raises `ReauthenticationRequired`, `ValidationError` that names `field`, `RateLimited`, `Overloaded`,
        `Unavailable`, and `Unauthenticated` for somebody who is gone by now.
        """
        if password is None and not caller.session.fresh(self.clock.now()):
            raise ReauthenticationRequired
        async with self.reading() as unit:
            credential = await unit.accounts.of_user(caller.user.id)
        if credential is None or credential.version != caller.session.credential_version:
            raise Unauthenticated
        if password is not None:
            await self._judge(caller, password, credential, client, field)
        return credential

    async def _judge(
        self, caller: Caller, password: Password, credential: Credential, client: Client, field: str
    ) -> None:
        """Counted, because whoever has a session only must not be able to guess the password with it."""
        charge = Charge(self.quotas.limit("own_password"), str(caller.user.id), caller.user.email.canonical)
        units = await self.limits.spend([charge], self.clock.now())
        try:
            matches = await self.hasher.verify(password, credential.password_hash)
        except (Overloaded, Unavailable):
            await self.limits.give_back(units)
            raise
        if matches:
            await self.limits.give_back(units)
            return
        failed = Event(kind=EventKind.REAUTHENTICATION_FAILED, client=client, user_id=caller.user.id)
        async with self.journal() as unit:
            await unit.events.add(failed, self.clock.now())
            await unit.commit()
        self.events.record(failed)
        raise ValidationError([Violation(field, "wrong_password", Sentence("This is not your password."))])
