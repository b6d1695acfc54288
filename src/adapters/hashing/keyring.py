"""The keyring: one algorithm hashes, any verifies, and what others made is replaced at the next sign-in (R34)."""

import structlog

from adapters.hashing.decoys import Decoys
from adapters.hashing.slots import HashingSlots
from adapters.hashing.stored import read_by
from application.ports.stored_hashes import Forgiving, Form, Maker, StoredHash, Unusable
from domain.password import NO_PASSWORD, FaultKind, HashFault, Password, PasswordHash

_log = structlog.get_logger("ostiary.hashing")


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
        return await self._slots.run(lambda: _matches(found, password))

    async def verify_decoy(self, password: Password, identifier: str) -> None:
        decoy = self.decoys.draw(identifier)
        await self._slots.run(lambda: _matches(decoy, password))

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
        try:
            if isinstance(found, Forgiving) and not found.is_exact(password):
                return False
            return not self._maker.made(stored.encoded)
        except Exception as fault:  # of somebody else's hasher: who has the right password gets in all the same
            _tell(found, fault)
            return False

    def _read(self, stored: PasswordHash) -> StoredHash:
        """Raises `Unusable`."""
        if stored == NO_PASSWORD:
            raise Unusable(FaultKind.NO_PASSWORD, "there is no password")
        return read_by(self._forms, stored.encoded)


def _matches(found: StoredHash, password: Password) -> bool:
    """Somebody else's hasher may break, or answer with what is merely true enough, such as a coroutine: no match."""
    try:
        return found.matches(password) is True
    except MemoryError:
        raise  # the machine's fault, so nobody is told that their password is wrong
    except Exception as fault:
        _tell(found, fault)
        return False


def _tell(found: StoredHash, fault: Exception) -> None:
    """Without the fault's words, which may quote a password or a hash."""
    _log.error("hasher_broke", hash=type(found).__qualname__, fault=type(fault).__name__)
