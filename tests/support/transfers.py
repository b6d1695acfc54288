"""Sources of people, gathered."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any

from adapters.transfer.judging import judged
from adapters.transfer.rows import Row, in_turn
from application.ports.stored_hashes import Unusable
from application.ports.transfer import Candidate, Entry, Notice, Unfit
from domain.password import Password
from tests.support.hashing import read


def gathered(source: AsyncIterator[Entry]) -> list[Candidate | Unfit]:
    """Everybody that a source holds."""
    return [entry for entry in _all(source) if not isinstance(entry, Notice)]


def noticed(source: AsyncIterator[Entry]) -> list[str]:
    """What there is to know of a source as a whole."""
    return [entry.words for entry in _all(source) if isinstance(entry, Notice)]


def _all(source: AsyncIterator[Entry]) -> list[Entry]:
    async def gather() -> list[Entry]:
        return [entry async for entry in source]

    return asyncio.run(gather())


def only(source: AsyncIterator[Entry]) -> Candidate:
    """The one who comes from a source."""
    (found,) = gathered(source)
    assert isinstance(found, Candidate), found
    return found


def judged_alone(values: dict[str, Any], judge: Callable[[Row], Candidate | Unfit]) -> Candidate | Unfit:
    """What comes of one row."""
    (found,) = gathered(judged("users", in_turn([Row(1, values)]), (), judge))
    return found


def counted(source: AsyncIterator[object]) -> tuple[int, int]:
    """How many a source holds, and the most memory that reading them took, in bytes."""

    async def count() -> int:
        number = 0
        async for _ in source:
            number += 1
        return number

    tracemalloc.start()
    try:
        number = asyncio.run(count())
        return number, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def lets_in(found: Candidate, password: str) -> bool:
    """Whether somebody gets in with this password once they are here."""
    return found.password_hash is not None and read(found.password_hash).matches(Password.parse(password))


def lets_nobody_in(found: Candidate) -> bool:
    """Whether no password comes along: none is taken, or what is taken is refused before any work is done on it."""
    if found.password_hash is None:
        return found.password_problem is not None
    try:
        read(found.password_hash)
    except Unusable:
        return True
    return False
