"""What every reader of a system does with rows: judge one by one, and go on after those that are no good."""

import re
from collections.abc import AsyncIterator, Callable, Collection

from adapters.hashing.argon2 import as_typed
from adapters.transfer.rows import Misread, Row, let_go, named
from adapters.transfer.values import Misfit, Values
from application.ports.transfer import Candidate, Entry, Notice, SourceUnreadable, Unfit

_MOST_OF_A_NAME = 254
_SELF_TOLD = re.compile(r"\$(?:2[aby]|argon2(?:i|id))\$")
_NAMES = ("email", "id", "localId", "username")


async def judged(
    table: str,
    rows: AsyncIterator[Row | Misread],
    needed: Collection[str],
    judge: Callable[[Row], Candidate | Unfit],
    *,
    expected: Collection[str] = (),
) -> AsyncIterator[Entry]:
    """An entry for each row. Raises `SourceUnreadable` when a needed column is not in the first, and notes when an
    expected one is not: what it would have said of people is not known then. `judge` may raise `Misfit`."""
    checked = False
    async with let_go(rows) as them:
        async for row in them:
            if isinstance(row, Misread):
                yield Unfit(line=row.line, whom="?", reason=row.reason)
                continue
            if not checked:
                demand(table, row.values, needed)
                checked = True
                if absent := [column for column in expected if column not in row.values]:
                    yield Notice(line=row.line, words=f"{table} has no {', '.join(absent)}: taken for empty.")
            try:
                yield judge(row)
            except Misfit as misfit:
                yield unfit(row, str(misfit))


def demand(table: str, values: Values, needed: Collection[str]) -> None:
    """Raises `SourceUnreadable` when these columns are not all there."""
    if missing := [column for column in needed if column not in values]:
        raise SourceUnreadable(f"{table} has no column {', '.join(missing)}; there are {named(values)}.")


def self_told(stored: str) -> str | None:
    """A hash by a function of the product's own, where that was bcrypt or Argon2, which say what they are."""
    return as_typed(stored) if _SELF_TOLD.match(stored) else None


def unfit(row: Row, reason: str) -> Unfit:
    """Whoever is in this row cannot come. They go by the first text of `_NAMES`; an id may be a number."""
    known = [(column, row.values.get(column)) for column in _NAMES]
    whom = (
        str(value)
        for column, value in known
        if (isinstance(value, str) and value.strip()) or (column == "id" and type(value) is int)
    )
    name = next(whom, "?")[:_MOST_OF_A_NAME].encode(errors="replace").decode()
    return Unfit(line=row.line, whom=name, reason=reason)
