"""Stored hashes, form by form: what reads them, what makes new ones, and the bounds of both (R34, R35)."""

from typing import Protocol, runtime_checkable

from domain.password import FaultKind, HashFault, Password

MOST_MEMORY_KIB = 256 * 1024
"""What one verification may take: a quarter of what Kratos allows, because it is multiplied by the slots."""

MOST_WORK = 1500.0
"""Rough milliseconds on one core that one verification may take."""

LONGEST = 512
"""Characters; what the database keeps."""


class Unusable(Exception):
    """A stored hash that is no password's. Says what is wrong with it, and never what it holds."""

    def __init__(self, kind: FaultKind, words: str) -> None:
        super().__init__(words)
        self.fault = HashFault(kind, words)


def unreadable(message: str) -> Unusable:
    """It is not written as its form says."""
    return Unusable(FaultKind.UNREADABLE, message)


def immoderate(message: str) -> Unusable:
    """It is well written, and asks for too much, or for too little to be a hash."""
    return Unusable(FaultKind.IMMODERATE, message)


class StoredHash(Protocol):
    """A stored hash that was read, with every parameter within its bounds."""

    @property
    def work(self) -> float:
        """Rough milliseconds on one core, for bounds and for telling slow from fast: not a measurement. The same for
        all hashes with the same parameters."""

    @property
    def memory_kib(self) -> int:
        """What verifying takes at its peak."""

    def matches(self, password: Password) -> bool:
        """Whether it is this password's. Takes `work`, so it belongs into a slot, which is a thread; compares in
        constant time. Anything else than True is a mismatch, and so is an exception."""


@runtime_checkable
class Forgiving(Protocol):
    """A stored hash of a system that let similar passwords in as well."""

    def is_exact(self, password: Password) -> bool:
        """Whether this is the password itself. Of one that is only similar no new hash is made: it may be a slip, and
        would be the only password then."""


class Form(Protocol):
    """One way in which hashes are written down."""

    def __call__(self, encoded: str) -> StoredHash | None:
        """The hash; None when it is written in another way. Raises `Unusable` before any work is done."""


class Maker(Protocol):
    """The algorithm that hashes new passwords."""

    def hash(self, password: Password) -> str:
        """A new salted hash, which one of the forms reads. At most `LONGEST` characters. Runs in a slot."""

    def made(self, encoded: str) -> bool:
        """Whether it would make such a hash today: same algorithm, same parameters. Takes no time."""


class HashReader(Protocol):
    """A password hasher of a provider's that reads what is there already."""

    def read(self, encoded: str) -> StoredHash | None:
        """As a `Form`: None for what is written in another way, `Unusable` for what is no good, and no work. Asked in
        the event loop, for every stored hash that none of the built-in forms has."""


class HashAlgorithm(HashReader, Maker, Protocol):
    """A password hasher of a provider's that makes new hashes too, and reads them."""
