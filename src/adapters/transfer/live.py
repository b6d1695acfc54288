"""A PostgreSQL server that another system lives on, read in one transaction that can write nothing."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec

from adapters.transfer.rows import Misread, Row, TableName, named
from application.ports.transfer import SourceUnreadable

_ANSWER_SECONDS = 30
_ROWS_AT_ONCE = 500

_TABLES = """
SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') LIMIT 500
"""


@dataclass(frozen=True, slots=True)
class Dsn:
    """Where a PostgreSQL server is, as asyncpg reads it."""

    text: str = field(repr=False)
    """Holds the password."""


class LiveTables:
    """`adapters.transfer.rows.Tables`."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._opened = 0

    async def rows(self, table: str) -> AsyncIterator[Row | Misread]:
        name = TableName.parse(table)
        quoted = ".".join('"{}"'.format(part.replace('"', '""')) for part in (name.schema, name.name) if part)
        self._opened += 1
        cursor = f"people_{self._opened}"
        decode = msgspec.json.Decoder(dict[str, object]).decode
        line = 0
        with _troubles():
            if await self._connection.fetchval("SELECT to_regclass($1)::text", quoted) is None:
                present = [name for (name,) in await self._connection.fetch(_TABLES)]
                raise SourceUnreadable(f"There is no table {name}; there are {named(present)}.")
            # By SQL and not by the protocol, so that no named statement is left on a connection that is a pooler's.
            await self._connection.execute(
                f"DECLARE {cursor} NO SCROLL CURSOR FOR SELECT to_jsonb(t)::text FROM {quoted} t"  # noqa: S608 - quoted
            )
            while some := await self._connection.fetch(f"FETCH {_ROWS_AT_ONCE} FROM {cursor}"):
                for (row,) in some:
                    line += 1
                    try:
                        yield Row(line, decode(row))
                    except (msgspec.DecodeError, RecursionError):  # people write some of it themselves
                        yield Misread(line, "The row cannot be read as JSON, or nests too deeply.")
            await self._connection.execute(f"CLOSE {cursor}")


@asynccontextmanager
async def open_live(dsn: Dsn) -> AsyncIterator[LiveTables]:
    """Raises `SourceUnreadable`, also for what goes wrong while it is read. Nothing in it quotes the password."""
    with _troubles():
        # A pooler refuses settings at the start, and knows nothing of statements prepared earlier.
        connection = await asyncpg.connect(dsn.text, timeout=_ANSWER_SECONDS, statement_cache_size=0)
    try:
        with _troubles():
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # Rules that hide rows are an error: whoever is hidden would be left behind, and nobody would know.
            await connection.execute("SET LOCAL row_security = off")
            # Whoever writes at the other end may take their time.
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield LiveTables(connection)
    finally:
        connection.terminate()  # nothing is to be committed, and there may be rows under way that nobody waits for


@contextmanager
def _troubles() -> Iterator[None]:
    try:
        yield
    except asyncpg.InvalidAuthorizationSpecificationError:
        raise SourceUnreadable("The server refuses this user name or this password.") from None
    except asyncpg.InvalidCatalogNameError:
        raise SourceUnreadable("There is no such database on the server.") from None
    except asyncpg.InsufficientPrivilegeError as error:
        raise SourceUnreadable(f"The server does not let this user read it: {_said(error)}.") from None
    except asyncpg.PostgresError as error:
        raise SourceUnreadable(f"The server says {error.sqlstate}: {_said(error)}.") from None
    except (asyncpg.InterfaceError, ValueError):  # whose text may quote the URL
        raise SourceUnreadable("The connection is broken, or its URL is none that the driver understands.") from None
    except OSError as error:  # TimeoutError too
        raise SourceUnreadable(f"The server does not answer: {error.strerror or type(error).__name__}.") from None


def _said(error: Any) -> str:
    """The main sentence; the details after it may quote a row."""
    return str(error.message or "").rstrip(".")
