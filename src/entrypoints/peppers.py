"""OSTIARY_PEPPERS: keys with names. What is wrong with them is told by their place in the list, never quoted."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NamedKey:
    """The key of a pepper, and the id by which stored hashes name it."""

    id: str
    key: str = field(repr=False)


def peppers(text: str) -> tuple[NamedKey, ...]:
    """Keys with their ids, `id:key`, separated by spaces or commas. Raises ValueError."""
    return tuple(_pepper(place, part) for place, part in enumerate(filter(None, re.split(r"[\s,]+", text)), 1))


def _pepper(place: int, text: str) -> NamedKey:
    name, _, key = text.partition(":")
    if not key or not re.fullmatch(r"[a-z0-9-]{1,16}", name):
        raise ValueError(f"expected id:key, an id of 1 to 16 small letters, digits and hyphens; see number {place}")
    return NamedKey(name, key)


def repeated(values: Iterable[str]) -> bool:
    """Whether one of them stands there twice."""
    values = list(values)
    return len(set(values)) < len(values)


def lost_peppers(configured: Iterable[NamedKey], needed: Mapping[str, int]) -> str | None:
    """What to say when hashes need keys that are not configured, with how many need each; None when none do."""
    known = {pepper.id for pepper in configured}
    lost = ", ".join(f"{name!a} ({number:,} hashes)" for name, number in sorted(needed.items()) if name not in known)
    if not lost:
        return None
    return f"OSTIARY_PEPPERS: there is no key for {lost}, without which nobody can sign in by them; see docs/keys.md"
