"""Spans of time as they are written in settings: 90s, 15m, 24h, 30d."""

from datetime import timedelta

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
"""Seconds in each unit."""


def in_words(span: timedelta) -> str:
    """A span of whole seconds in the largest unit that it is a multiple of."""
    seconds = int(span.total_seconds())
    size, unit = next((size, unit) for unit, size in reversed(UNITS.items()) if seconds % size == 0)
    return f"{seconds // size}{unit}"
