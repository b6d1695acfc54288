"""What stands in an entry of a JSON export, for its reader: of the type the format promises, or nobody comes."""

import base64
import binascii
import math
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from adapters.transfer.values import Misfit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999
"""Milliseconds to the end of the year 9999."""
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
"""What is no text to a database."""
_LONG = 2**63


def plain(value: object, levels: int = 32) -> object:
    """The same, as every database and every reader of JSON can hold it: numbers out of range and what databases have
    besides JSON as text, bytes in hexadecimal, and text without NUL. Raises `Misfit` when it nests deeper."""
    if not levels:
        raise Misfit("Something nests too deep.")
    match value:
        case str():
            return _UNWRITABLE.sub("\ufffd", value)
        case float() if not math.isfinite(value):
            return str(value)
        case int() if not -_LONG <= value < _LONG:
            return str(value)
        case None | int() | float():
            return value
        case list():
            return [plain(each, levels - 1) for each in value]
        case dict():
            return {plain(name): plain(each, levels - 1) for name, each in value.items()}
        case datetime():
            return value.isoformat()
        case bytes():
            return value.hex()
    return _UNWRITABLE.sub("\ufffd", str(value))


def plain_object(value: Mapping[str, object]) -> dict[str, object]:
    """The same for what is an object. Raises `Misfit`."""
    return {_UNWRITABLE.sub("\ufffd", name): plain(each) for name, each in value.items()}


def string(entry: Mapping[str, object], name: str) -> str | None:
    """Text without white space around it; None where there is none. Raises `Misfit`."""
    value = entry.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or _UNWRITABLE.search(value):
        raise Misfit(f"{name} is no text.")
    return value.strip() or None


def milliseconds(entry: Mapping[str, object], name: str) -> datetime | None:
    """An instant in milliseconds since 1970, as a number or in digits. Raises `Misfit`."""
    value = entry.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and re.fullmatch("[0-9]{1,15}", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LAST:
        raise Misfit(f"{name} is no instant in milliseconds.")
    return _EPOCH + timedelta(milliseconds=value)


def embedded(value: object) -> dict[str, object] | None:
    """An object that is written as JSON inside JSON; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = msgspec.json.decode(value)
        return plain_object(found) if isinstance(found, dict) else None
    except (RecursionError, ValueError):
        return None


def octets(value: object) -> bytes | None:
    """Bytes in base64, standard or URL-safe, padded or not; None for anything else, and where there are none."""
    if not isinstance(value, str):
        return None
    standard = value.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def whole(value: object, least: int, most: int) -> int | None:
    """A whole number, or its digits, within bounds; None for anything else."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,10}", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        return None
    return value


def rest(entry: Mapping[str, object], without: Collection[str]) -> dict[str, object]:
    """What else there is, for keeping beside; what is empty is left out. Raises `Misfit`."""
    return plain_object(
        {name: value for name, value in entry.items() if name not in without and value not in (None, "", [], {})}
    )
