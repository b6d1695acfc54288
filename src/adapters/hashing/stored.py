"""Stored hashes: read and bounded before any work is done on them (R35). One file per algorithm stands beside this."""

import base64
import binascii
import re

from application.ports.stored_hashes import (
    LONGEST,
    MOST_MEMORY_KIB,
    MOST_WORK,
    Form,
    StoredHash,
    Unusable,
    immoderate,
    unreadable,
)


def read_by(forms: tuple[Form, ...], encoded: str) -> StoredHash:
    """The hash, by whichever of the forms it has. Raises `Unusable` when it has none, or could hurt."""
    if len(encoded) > LONGEST:
        raise unreadable(f"longer than {LONGEST} characters")
    for form in forms:
        try:
            if (found := form(encoded)) is not None:
                return bearable(found)
        except Unusable:
            raise
        except Exception as mistake:  # of a form that somebody else wrote: it must not tell whose hash this is
            raise unreadable(f"{type(mistake).__name__} while it was read") from mistake
    raise unreadable("no form that is known here")


def bearable(found: StoredHash) -> StoredHash:
    """The same, if its whole demand is one that can be met. Raises `Unusable`."""
    if found.memory_kib > MOST_MEMORY_KIB:
        raise immoderate(f"asks for {found.memory_kib} KiB of memory, more than {MOST_MEMORY_KIB}")
    if found.work > MOST_WORK:
        raise immoderate(f"asks for about {found.work / 1000:.0f} s of work, more than {MOST_WORK / 1000:.1f}")
    return found


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
