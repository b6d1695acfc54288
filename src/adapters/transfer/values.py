"""Values as other systems write them, and what they mean. Whatever cannot be read raises `Misfit` with a sentence."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

_TRUE = frozenset({"true", "t", "1", "yes", "y", "on"})
_FALSE = frozenset({"false", "f", "0", "no", "n", "off"})
_NULLS = frozenset({"", "null", "NULL", "\\N"})
"""How programs write null where there is no way to tell it from text."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 1e11
_MICROSECONDS_FROM = 1e14
"""Greater numbers are no seconds: those would be after the year 5138."""

FOR_EVER = datetime.max.replace(tzinfo=UTC)
"""What `infinity` is read as."""

Values = Mapping[str, object]


class Misfit(ValueError):
    """A value that is not of its kind. Names the column, never the value."""


def written(values: Values, column: str) -> str | None:
    """Text, or a number as text; None for null and where there is no such column."""
    value = values.get(column)
    if value is None or isinstance(value, str):
        if value is not None and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Misfit(f"{column} is no UTF-8.") from None
        if value is not None and "\0" in value:
            raise Misfit(f"There is a NUL in {column}.")
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise Misfit(f"{column} is no text.")


def flag(values: Values, column: str) -> bool:
    """Yes or no; no for null and where there is no such column."""
    value = values.get(column)
    if value is None or isinstance(value, bool):
        return bool(value)
    word = str(value).strip()
    if word.lower() in _TRUE:
        return True
    if word.lower() in _FALSE or word in _NULLS:
        return False
    raise Misfit(f"{column} is neither true nor false.")


def instant(values: Values, column: str) -> datetime | None:
    """A moment in UTC: ISO 8601, as PostgreSQL writes it, or seconds, milliseconds or microseconds since 1970. Without
    an offset it is taken for UTC. `infinity` is `FOR_EVER`. None for null and where there is no such column."""
    value = values.get(column)
    if value is None or isinstance(value, bool):
        if value is None:
            return None
        raise Misfit(f"{column} is no moment.")
    try:
        if isinstance(value, int | float):
            return _since_1970(value)
        spelt = str(value).strip()
        if spelt in _NULLS:
            return None
        if spelt == "infinity":
            return FOR_EVER
        if spelt == "-infinity":
            return _EPOCH
        if len(spelt) >= 9 and spelt.removeprefix("-").replace(".", "", 1).isdecimal():
            return _since_1970(float(spelt))
        moment = datetime.fromisoformat(spelt)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Misfit(f"{column} is no moment.") from None


def json_object(values: Values, column: str) -> dict[str, object]:
    """An object, or text that is one; empty for null and where there is no such column."""
    value = values.get(column)
    if isinstance(value, str):
        if value.strip() in _NULLS:
            return {}
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            raise Misfit(f"{column} is no JSON.") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Misfit(f"{column} is no JSON object.")
    return value


def _since_1970(number: float) -> datetime:
    size = abs(number)
    divisor = 1e6 if size >= _MICROSECONDS_FROM else 1e3 if size >= _MILLISECONDS_FROM else 1
    return _EPOCH + timedelta(seconds=number / divisor)
