"""Turning passwords into hashes and judging them."""

from typing import Protocol

from domain.password import Password, PasswordHash


class PasswordHasher(Protocol):
    """Slow on purpose. Runs in a fixed number of slots; raises `Overloaded` at once when too many already wait."""

    async def hash(self, password: Password) -> PasswordHash:
        """A new salted hash with the parameters in force."""

    async def verify(self, password: Password, stored: PasswordHash) -> bool:
        """Whether they match. A malformed or immoderate stored hash is a mismatch, not an error, and costs little."""

    async def verify_decoy(self, password: Password) -> None:
        """The same work as `verify` against a hash of the parameters in force, for an address nobody has."""

    def outdated(self, stored: PasswordHash) -> bool:
        """Whether the hash was made with other parameters than those in force (R34)."""


class CommonPasswords(Protocol):
    """The list of passwords that attackers try first (R08)."""

    def contains(self, password: str) -> bool:
        """Whether the whole password is on the list, as typed or in small letters."""
