"""Rows of another system's tables, wherever they are read from (R36)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

MOST_IN_A_VALUE = 1024 * 1024
"""Characters; nothing that belongs to a person is longer."""

MOST_IN_A_ROW = 16 * MOST_IN_A_VALUE
"""Where reading stops: a quote that is never closed, or no text at all."""

_ROWS_AT_A_STRETCH = 1000
_MOST_NAMES = 40

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is written; nothing is made of it yet."""

    line: int
    """Where it begins in its file; in a database, which of the rows it is. From 1."""
    values: Mapping[str, object]
    """By column. From CSV and dumps text, from JSON and databases what JSON has; None for null. CSV does not tell an
    empty text from null, and it is taken for null."""


@dataclass(frozen=True, slots=True)
class Misread:
    """A row that could not be read; the next one can."""

    line: int
    reason: str
    """A sentence, which quotes no value."""


class Tables(Protocol):
    """What is open for reading. Every table may be read more than once, and all show the same moment."""

    def rows(self, table: str) -> AsyncIterator[Row | Misread]:
        """All of a table's. Its name may be preceded by its schema, `auth.users`, and both may be in double quotes. A
        file that holds one table only, CSV or JSON, is that table whatever the name. Raises `SourceUnreadable`."""


@asynccontextmanager
async def let_go(entries: AsyncIterator[Item]) -> AsyncIterator[AsyncIterator[Item]]:
    """Read within the block, and let go of what is open behind it however the block ends. A loop alone leaves that to
    the garbage collector."""
    try:
        yield entries
    finally:
        if isinstance(entries, AsyncGenerator):
            await entries.aclose()


async def in_turn(rows: Iterable[Row | Misread]) -> AsyncIterator[Row | Misread]:
    """The same for whoever waits, letting others have their turn now and then."""
    for number, row in enumerate(rows):
        if not number % _ROWS_AT_A_STRETCH:
            await asyncio.sleep(0)
        yield row


@dataclass(frozen=True, slots=True)
class TableName:
    """A table, perhaps with its schema."""

    schema: str | None
    name: str

    @classmethod
    def parse(cls, text: str) -> "TableName":
        """Read `users`, `auth.users`, `public."user"`."""
        parts, quoted = [""], False
        for char in text.strip():
            if char == '"':
                quoted = not quoted
            elif char == "." and not quoted:
                parts.append("")
            else:
                parts[-1] += char
        return cls(parts[-2] if len(parts) > 1 else None, parts[-1])

    def means(self, other: "TableName") -> bool:
        """Whether `other`, as a file has it, is the one meant by this."""
        return self.name == other.name and (self.schema in (None, other.schema) or other.schema is None)

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


def named(names: Iterable[str]) -> str:
    """A list of columns or tables for a sentence. What does not look like a name is left out: it may be a value of a
    file that has no header."""
    plain = sorted({name for name in names if len(name) <= _MOST_NAMES and name.replace(".", "_").isidentifier()})
    more = f" and {len(plain) - _MOST_NAMES} more" if len(plain) > _MOST_NAMES else ""
    return ", ".join(plain[:_MOST_NAMES]) + more if plain else "nothing that looks like a name"
