"""Stored hashes: read and bounded before any work is done on them (R35). One file per algorithm stands beside this."""

import base64
import binascii
import re
from typing import Protocol, runtime_checkable

from domain.password import FaultKind, HashFault, Password

MOST_MEMORY_KIB = 256 * 1024
"""What one verification may take: a quarter of what Kratos allows, because it is multiplied by the slots."""

MOST_WORK = 1500.0
"""Rough milliseconds on one core that one verification may take."""

_LONGEST = 512
"""Characters; what the database keeps."""


class Unusable(Exception):
    """A stored hash that is no password's. Says what is wrong with it, and never what it holds."""

    def __init__(self, kind: FaultKind, words: str) -> None:
        super().__init__(words)
        self.fault = HashFault(kind, words)


class StoredHash(Protocol):
    """A stored hash that was read, with every parameter within its bounds."""

    @property
    def work(self) -> float:
        """Rough milliseconds on one core, for bounds and for telling slow from fast: not a measurement."""

    @property
    def memory_kib(self) -> int:
        """What verifying takes at its peak."""

    def matches(self, password: Password) -> bool:
        """Whether it is this password's. Takes `work`, so it belongs into a slot; compares in constant time."""


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


def read_by(forms: "tuple[Form, ...]", encoded: str) -> StoredHash:
    """The hash, by whichever of the forms it has. Raises `Unusable` when it has none, or could hurt."""
    if len(encoded) > _LONGEST:
        raise unreadable(f"longer than {_LONGEST} characters")
    for form in forms:
        try:
            found = form(encoded)
        except Unusable:
            raise
        except Exception as mistake:  # of a form that somebody else wrote: it must not tell whose hash this is
            raise unreadable(f"{type(mistake).__name__} while it was read") from mistake
        if found is not None:
            return bearable(found)
    raise unreadable("no form that is known here")


def bearable(found: StoredHash) -> StoredHash:
    """The same, if its whole demand is one that can be met. Raises `Unusable`."""
    if found.memory_kib > MOST_MEMORY_KIB:
        raise immoderate(f"asks for {found.memory_kib} KiB of memory, more than {MOST_MEMORY_KIB}")
    if found.work > MOST_WORK:
        raise immoderate(f"asks for about {found.work / 1000:.0f} s of work, more than {MOST_WORK / 1000:.1f}")
    return found


def unreadable(message: str) -> Unusable:
    """It is not written as its form says."""
    return Unusable(FaultKind.UNREADABLE, message)


def immoderate(message: str) -> Unusable:
    """It is well written, and asks for too much, or for too little to be a hash."""
    return Unusable(FaultKind.IMMODERATE, message)


def number(text: str, what: str, least: int, most: int) -> int:
    """A parameter in decimal, in its canonical spelling and within its bounds. Raises `Unusable`."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text, re.ASCII):
        raise unreadable(f"{what} is no number")
    value = int(text)
    if not least <= value <= most:
        raise immoderate(f"{what} is not from {least} to {most}")
    return value


def base64_bytes(text: str, what: str, least: int, most: int) -> bytes:
    """Bytes in standard base64, padded or not. Raises `Unusable` for other text, and for another number of bytes."""
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise unreadable(f"{what} is no base64") from None
    return _sized(value, what, least, most)


def unpadded(value: bytes) -> str:
    """Standard base64 as PHC strings have it."""
    return base64.b64encode(value).rstrip(b"=").decode()


def hex_bytes(text: str, what: str, least: int, most: int) -> bytes:
    """Bytes in hexadecimal. Raises `Unusable` as above."""
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", text, re.ASCII):
        raise unreadable(f"{what} is not hexadecimal")
    return _sized(bytes.fromhex(text), what, least, most)


def _sized(value: bytes, what: str, least: int, most: int) -> bytes:
    if not least <= len(value) <= most:
        raise immoderate(f"{what} has not {least} to {most} bytes")
    return value
