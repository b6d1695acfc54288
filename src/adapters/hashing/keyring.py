"""The keyring: one algorithm hashes, any verifies, and what others made is replaced at the next sign-in (R34)."""

from typing import Protocol

from adapters.hashing.decoys import Decoys
from adapters.hashing.slots import HashingSlots
from adapters.hashing.stored import Forgiving, Form, StoredHash, Unusable, read_by
from domain.password import NO_PASSWORD, FaultKind, HashFault, Password, PasswordHash


class Maker(Protocol):
    """The algorithm that hashes new passwords."""

    def hash(self, password: Password) -> str:
        """A new salted hash, which one of the forms reads."""

    def made(self, encoded: str) -> bool:
        """Whether it would make such a hash today: same algorithm, same parameters."""


class Keyring:
    """`application.ports.hashing.PasswordHasher`."""

    def __init__(self, maker: Maker, forms: tuple[Form, ...], slots: HashingSlots, decoy_key: bytes) -> None:
        self._maker = maker
        self._forms = forms
        self._slots = slots
        # Made here and now, so that it can never cost something else than the hashes being made (ASVS 6.3.8).
        self.decoys = Decoys(decoy_key, PasswordHash(maker.hash(Password("decoy"))), self._read)

    async def hash(self, password: Password) -> PasswordHash:
        return PasswordHash(await self._slots.run(lambda: self._maker.hash(password)))

    async def verify(self, password: Password, stored: PasswordHash) -> bool:
        try:
            found = self._read(stored)
        except Unusable:
            return False
        return await self._slots.run(lambda: found.matches(password))

    async def verify_decoy(self, password: Password, identifier: str) -> None:
        decoy = self.decoys.draw(identifier)
        await self._slots.run(lambda: decoy.matches(password))

    def fault_of(self, stored: PasswordHash) -> HashFault | None:
        try:
            self._read(stored)
        except Unusable as unusable:
            return unusable.fault
        return None

    def outdated(self, stored: PasswordHash, password: Password) -> bool:
        try:
            found = self._read(stored)
        except Unusable:
            return False
        if isinstance(found, Forgiving) and not found.is_exact(password):
            return False
        return not self._maker.made(stored.encoded)

    def _read(self, stored: PasswordHash) -> StoredHash:
        """Raises `Unusable`."""
        if stored == NO_PASSWORD:
            raise Unusable(FaultKind.NO_PASSWORD, "there is no password")
        return read_by(self._forms, stored.encoded)
