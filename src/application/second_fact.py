"""The second fact of a verification: what shows that whoever holds the letter is the person it is about."""

from dataclasses import dataclass
from uuid import UUID

from application.new_password import NewPasswordRules
from application.ports.environment import Clock
from application.ports.hashing import PasswordHasher
from application.ports.limits import Limits
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.errors import Overloaded
from domain.limits import Charge, Quotas
from domain.password import Password, PasswordHash
from domain.secret import Secret
from domain.session import Session
from domain.violations import Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the caller brings besides the token, read and judged as far as that needs no database."""

    email: EmailAddress | None
    cookie: Secret | None
    session: Session | None
    """The living session that the caller has, whoever's."""
    password: Password | None
    new_password: Password | None
    name: DisplayName | None
    languages: tuple[str, ...] = ()
    """What the caller reads, the best first."""


@dataclass(frozen=True, kw_only=True)
class PasswordFacts:
    """Judges the password that is on record, and makes the hash of a new one."""

    hasher: PasswordHasher
    new_passwords: NewPasswordRules
    limits: Limits
    clock: Clock
    quotas: Quotas

    async def matches(self, password: Password | None, stored: PasswordHash, subject_id: UUID) -> bool:
        """One of five tries (R42 would otherwise be a guessing machine for whoever reads the mailbox)."""
        if password is None:
            return False
        charge = Charge(self.quotas.limit("waiting_password"), str(subject_id))
        units = await self.limits.spend([charge], self.clock.now())
        try:
            matches = await self.hasher.verify(password, stored)
        except Overloaded:
            await self.limits.give_back(units)
            raise
        if matches:
            await self.limits.give_back(units)
        return matches

    async def hash_new(self, password: Password, email: EmailAddress, name: DisplayName | None) -> PasswordHash:
        """The hash of a password that the policy allows. Raises `ValidationError` for any other."""
        violations = Violations()
        await self.new_passwords.judge(violations, "new_password", password, about=(email, name))
        violations.settle()
        return await self.hasher.hash(password)
