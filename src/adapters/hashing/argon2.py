"""Argon2id (RFC 9106) by argon2-cffi."""

from dataclasses import dataclass

from argon2 import PasswordHasher as Argon2
from argon2 import Type, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError

from adapters.hashing.slots import HashingSlots
from domain.password import Password, PasswordHash

_MAX_MEMORY_KIB = 256 * 1024
_MAX_TIME = 10
_MAX_PARALLELISM = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Parameters:
    """Cost of one hash. The default is OWASP's: 19 MiB, two passes, one lane (ASVS 11.4.2)."""

    memory_kib: int = 19 * 1024
    time: int = 2
    parallelism: int = 1


class Argon2Hasher:
    """`application.ports.hashing.PasswordHasher`.

    argon2-cffi does whatever a stored hash demands (M10), so the demand is read and bounded first: a hash that asks
    for too much, or cannot be read, is a mismatch.
    """

    def __init__(self, parameters: Argon2Parameters, slots: HashingSlots) -> None:
        self._argon2 = Argon2(
            time_cost=parameters.time,
            memory_cost=parameters.memory_kib,
            parallelism=parameters.parallelism,
            type=Type.ID,
        )
        self._slots = slots
        # Made here and now, so that it can never cost something else than the hashes being made (ASVS 6.3.8).
        self._decoy = PasswordHash(self._argon2.hash("decoy"))

    async def hash(self, password: Password) -> PasswordHash:
        return PasswordHash(await self._slots.run(lambda: self._argon2.hash(password.text)))

    async def verify(self, password: Password, stored: PasswordHash) -> bool:
        if not _bearable(stored):
            return False
        return await self._slots.run(lambda: self._matches(password, stored))

    async def verify_decoy(self, password: Password) -> None:
        await self.verify(password, self._decoy)

    def outdated(self, stored: PasswordHash) -> bool:
        return _bearable(stored) and self._argon2.check_needs_rehash(stored.encoded)

    def _matches(self, password: Password, stored: PasswordHash) -> bool:
        try:
            return self._argon2.verify(stored.encoded, password.text)
        except (Argon2Error, InvalidHashError, ValueError):
            return False


def _bearable(stored: PasswordHash) -> bool:
    try:
        asked = extract_parameters(stored.encoded)
    except (InvalidHashError, ValueError):
        return False
    return (
        asked.type is Type.ID
        and asked.memory_cost <= _MAX_MEMORY_KIB
        and asked.time_cost <= _MAX_TIME
        and asked.parallelism <= _MAX_PARALLELISM
    )
