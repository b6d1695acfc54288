"""What an operator wants to know about the database before it matters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from application.ports.monitoring import OutboxState
from domain.password import PasswordHash


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """A database that is a file on this machine."""

    write_ahead: bool
    """Whether readers and the writer are out of each other's way."""
    log_bytes: int
    """The write-ahead log, which is folded into the file when nobody reads."""
    free_bytes: int
    """What the disk has left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """A database that is a server."""

    connections: int
    """How many this user may open in this database, everybody's together."""
    clock_ahead: timedelta
    """How much later it is there than here."""
    shared: bool
    """Whether two of our connections met one of its own: a pooler stands between that hands each transaction on."""
    owns_tables: bool = False
    """Whether this user may change the tables, which only migrations need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """A database that answers."""

    version: str
    answers_in: timedelta
    schema: str | None
    """The revision; None when it has never been migrated."""
    schema_problem: str | None
    """Why this program cannot work with the schema, in a sentence."""
    denied: tuple[str, ...]
    """The tables that cannot be written, each with the database's words; nothing is written to find out."""
    outbox: OutboxState | None
    """None where the schema does not fit."""
    hashes: Sequence[PasswordHash] = ()
    """A sample of the stored password hashes."""
    peppers: Mapping[str, int] = field(default_factory=dict)
    """How many of them, and of those that wait, need each pepper."""
    of: FileFacts | ServerFacts
