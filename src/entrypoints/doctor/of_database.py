"""What the database tells."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from application.ports.examination import DatabaseFacts, FileFacts, ServerFacts
from application.ports.monitoring import OutboxState
from domain.errors import Unavailable
from entrypoints.composition.instruments import Instruments
from entrypoints.doctor.finding import Finding, fail, ok, warn
from entrypoints.doctor.of_hashes import check_hashes
from entrypoints.readiness import LATE
from entrypoints.settings import Settings
from entrypoints.store_trouble import in_its_words

_SLOW = timedelta(milliseconds=20)
_CLOCKS_APART = timedelta(seconds=5)
_MIB = 1024 * 1024
_LOW_DISK, _FULL_DISK, _LONG_LOG = 1024 * _MIB, 64 * _MIB, 256 * _MIB


async def check_database(settings: Settings, look: Instruments, processes: int) -> list[Finding]:
    """One visit for all of them."""
    file = settings.sqlite_file
    if file is not None and not file.exists():
        return [warn("database", f"there is none yet; `ostiary serve` or `ostiary migrate` makes {file}")]
    try:
        facts = await look.database()
    except Unavailable as trouble:
        return [
            fail(
                "database", f"does not answer: {in_its_words(trouble)}. See to DATABASE_URL, the network and the server"
            )
        ]
    return [
        _answer(facts),
        _schema(facts),
        *_rights(facts),
        *(_file(facts.of) if isinstance(facts.of, FileFacts) else _server(settings, facts.of, processes)),
        *(check_hashes(settings, facts) if facts.schema_problem is None and not facts.denied else ()),
        *_letters(settings, facts.outbox, look.clock.now()),
    ]


def _answer(facts: DatabaseFacts) -> Finding:
    text = f"{facts.version} answers in {facts.answers_in.total_seconds() * 1000:.1f} ms"
    if facts.answers_in > _SLOW:
        return warn("database", f"{text}: every request waits for it several times; bring it closer")
    return ok("database", text)


def _schema(facts: DatabaseFacts) -> Finding:
    return fail("schema", facts.schema_problem) if facts.schema_problem else ok("schema", f"at {facts.schema}")


def _rights(facts: DatabaseFacts) -> Iterator[Finding]:
    if facts.schema_problem is not None:
        return
    if facts.denied:
        yield fail(
            "rights",
            f"cannot write {'; '.join(facts.denied)}. Grant SELECT, INSERT, UPDATE and DELETE to this user, and see "
            "that this is no read-only copy",
        )
    else:
        owner = isinstance(facts.of, ServerFacts) and facts.of.owns_tables
        more = "; this user owns them too, which `ostiary migrate` alone needs: see docs/postgresql-rights.md"
        yield ok("rights", f"every table can be written{more if owner else ''}")


def _file(facts: FileFacts) -> Iterator[Finding]:
    free = f"{facts.free_bytes // _MIB} MiB free"
    if facts.free_bytes < _FULL_DISK:
        yield fail("disk", f"{free}: make room, or nothing can be written any more")
    elif facts.free_bytes < _LOW_DISK:
        yield warn("disk", f"{free}: make room in time")
    else:
        yield ok("disk", free)
    if not facts.write_ahead:
        yield warn("write-ahead log", "off: readers and writers wait for each other. `ostiary migrate` switches it on")
    elif facts.log_bytes > _LONG_LOG:
        yield warn(
            "write-ahead log",
            f"{facts.log_bytes // _MIB} MiB: somebody keeps a read open, perhaps a backup; it shrinks when they stop",
        )
    else:
        yield ok("write-ahead log", f"on, {facts.log_bytes // 1024} KiB")


def _server(settings: Settings, facts: ServerFacts, processes: int) -> Iterator[Finding]:
    apart = facts.clock_ahead.total_seconds()
    if abs(facts.clock_ahead) > _CLOCKS_APART:
        yield warn("clocks", f"{apart:+.1f} s between the database's and ours: have both follow a time server (NTP)")
    else:
        yield ok("clocks", f"{apart:+.3f} s between the database's and ours")
    wanted = settings.db_pool_size * processes
    sums = f"{processes} × {settings.db_pool_size} connections of {facts.connections} there may be"
    if wanted > facts.connections:
        yield fail("connections", f"{sums}: lower OSTIARY_DB_POOL_SIZE, or let the server have more")
    elif wanted > facts.connections * 0.8:
        yield warn("connections", f"{sums}: little is left for others, and for a rolling restart")
    else:
        yield ok("connections", sums)
    if facts.shared and not settings.pooled:
        yield fail(
            "pooler",
            "a transaction pooler stands between, which forgets settings and statements: set "
            "OSTIARY_DB_POOLER=transaction",
        )
    elif facts.shared:
        yield ok("pooler", "a transaction pooler stands between, and is allowed for")
    elif settings.pooled:
        yield ok("pooler", "a transaction pooler is allowed for; none was noticed, which proves little")
    else:
        yield ok("pooler", "none was noticed")


def _letters(settings: Settings, outbox: OutboxState | None, now: datetime) -> Iterator[Finding]:
    if outbox is None:
        return
    overdue = outbox.due is not None and now - outbox.due > LATE
    if overdue and not settings.worker:
        yield fail(
            "letters", f"{outbox.waiting} wait, OSTIARY_WORKER is off, and nobody delivers: run `ostiary worker`"
        )
    elif overdue:
        yield warn(
            "letters", f"{outbox.waiting} wait, one of them overdue for more than five minutes: is a server running?"
        )
    elif not settings.worker:
        yield ok("letters", f"{outbox.waiting} wait, none overdue; OSTIARY_WORKER is off, so another process delivers")
    else:
        yield ok("letters", f"{outbox.waiting} wait, none overdue")
    if outbox.abandoned:
        yield warn("letters given up", f"{outbox.abandoned} in thirty days; `letter_abandoned` in the log says why")
    else:
        yield ok("letters given up", "none")
