"""What `adapters.sql.database` promises on PostgreSQL: whatever the server does is `Unavailable`, once, and passes."""

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import IntegrityError

from adapters.sql import postgresql as module
from adapters.sql import short_road
from adapters.sql.installation import installation_key
from adapters.sql.migrations import SchemaMismatch, check_schema, current_revision, migrate
from adapters.sql.postgresql import PostgresqlDatabase
from adapters.sql.tables import sessions, sign_ups
from domain.email_address import EmailAddress
from domain.errors import Unavailable
from tests.support.postgresql import fresh_database, open_database, run, server
from tests.support.smtp_server import closed_port, scripted_server
from tests.support.store_kinds import over
from tests.support.store_samples import NOW, a_sign_up, a_user, charge, keep_session, settle_in, wait_in_line
from tests.support.store_samples import a_session as a_new_session

CANARY = EmailAddress("canary-3f9a@example.com")
PASSWORD = "canary-61c9"
SOON = timedelta(seconds=0.3)
"""Patience in a test: nobody waits longer for a connection."""

FIND_SESSION = select(sessions.c.id).where(sessions.c.id == bindparam("session_id"))


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_database() as fresh:
        yield fresh


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresqlDatabase]:
    async with open_database(url) as opened:
        yield opened


async def sign_up(database: PostgresqlDatabase) -> None:
    await wait_in_line(over(database).units, a_sign_up(email=CANARY))


async def spend(database: PostgresqlDatabase) -> None:
    await over(database).limits.spend([charge(CANARY.canonical, 500)], NOW)


async def purge(database: PostgresqlDatabase) -> None:
    await over(database).purge(NOW, 10)


async def key(database: PostgresqlDatabase) -> None:
    await installation_key(database, bytes(32))


async def proof_reading(database: PostgresqlDatabase) -> None:
    async with over(database).units.proof_reading() as unit:
        await unit.sign_ups.get(uuid4())


async def quick_read(database: PostgresqlDatabase) -> None:
    await database.row(FIND_SESSION, session_id=uuid4())


WRITES = [sign_up, spend, purge, key]
Way = Callable[[PostgresqlDatabase], Coroutine[Any, Any, None]]
each_write = pytest.mark.parametrize("write", WRITES, ids=lambda way: way.__name__)
each_way = pytest.mark.parametrize("way", [sign_up, proof_reading, quick_read], ids=lambda way: way.__name__)
"""The roads into the database: writing, reading, and the shortest."""


async def outside(url: str, *statements: str) -> list[Any]:
    """What an administrator does meanwhile."""
    return await asyncio.to_thread(run, url, *statements)


OURS = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ostiary'"


async def connections(url: str) -> int:
    """How many connections of ours the server sees."""
    ((count,),) = await outside(url, f"SELECT count(*) {OURS}")
    return int(count)


async def until(reached: Callable[[], Awaitable[bool]], what: str) -> None:
    """Come back as soon as it is so."""
    deadline = time.monotonic() + 10
    while not await reached():
        assert time.monotonic() < deadline, f"waited in vain for {what}"


async def close_behind_our_back(url: str) -> None:
    """An administrator, a proxy or a failover ends every connection."""
    await outside(url, f"SELECT pg_terminate_backend(pid) {OURS}")

    async def gone() -> bool:
        return await connections(url) == 0

    await until(gone, "the connections to go")


@asynccontextmanager
async def locked(url: str, table: str, mode: str = "ACCESS EXCLUSIVE") -> AsyncIterator[None]:
    """Somebody else holds a lock on a table."""
    other = await asyncpg.connect(url)
    try:
        async with other.transaction():
            await other.execute(f"LOCK TABLE ostiary.{table} IN {mode} MODE")
            yield
    finally:
        await other.close()


def everything_said_about(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__cause__) + str(error.__cause__)


# -- Getting there --


@contextmanager
def guarded_role() -> Iterator[str]:
    """Somebody who has to show a password: the URL with the right one."""
    rules = server().pgdata / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all guarded scram-sha-256\n" + before)
    with fresh_database() as url:
        run(url, f"CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{PASSWORD}'", "SELECT pg_reload_conf()")
        try:
            yield url.replace("postgres@", f"guarded:{PASSWORD}@")
        finally:
            rules.write_text(before)
            run(url, "DROP ROLE guarded", "SELECT pg_reload_conf()")


@each_way
async def test_the_password_is_shown_to_the_server_and_a_wrong_one_is_unavailable(way: Way) -> None:
    with guarded_role() as right:
        async with open_database(right) as database:
            await way(database)
        async with open_database(right.replace(PASSWORD, PASSWORD.upper())) as database:
            with pytest.raises(Unavailable) as refused:
                await way(database)
            assert not await database.answers()
        assert "password authentication failed" in everything_said_about(refused.value)
        assert PASSWORD.upper() not in everything_said_about(refused.value)


def nobody_listens() -> str:
    return f"postgresql://ostiary:{PASSWORD}@127.0.0.1:{closed_port()}/ostiary"


def no_such_socket() -> str:
    return f"postgresql://ostiary:{PASSWORD}@/ostiary?host=/nowhere"


def no_such_name() -> str:
    return f"postgresql://ostiary:{PASSWORD}@database.invalid/ostiary"


def no_such_database() -> str:
    return server().url("nowhere")


def no_root_certificate() -> str:
    return server().url() + "&sslmode=verify-full&sslrootcert=/nowhere/root.crt"


@each_way
@pytest.mark.parametrize(
    "place",
    [
        nobody_listens,
        no_such_socket,
        no_such_name,
        no_such_database,
        no_root_certificate,
    ],
    ids=lambda place: place.__name__,
)
async def test_a_server_that_cannot_be_used_is_unavailable(place: Callable[[], str], way: Way) -> None:
    async with open_database(place()) as database:
        with pytest.raises(Unavailable) as refused:
            await way(database)
        assert not await database.answers()
        with pytest.raises(Unavailable):
            await current_revision(database)
    assert PASSWORD not in everything_said_about(refused.value)


@each_way
@pytest.mark.parametrize(
    ("answer", "tls"),
    [(None, "disable"), (None, "require"), (b"SSH-2.0-OpenSSH_9.2\r\n", "disable"), (b"N", "require")],
    ids=["silence", "silence about TLS", "another protocol", "no TLS where it is demanded"],
)
async def test_a_server_that_is_none_is_unavailable_after_the_deadline(
    way: Way, answer: bytes | None, tls: str
) -> None:
    with scripted_server(answer) as port:
        dsn = f"postgresql://ostiary:{PASSWORD}@127.0.0.1:{port}/ostiary?sslmode={tls}"
        async with open_database(dsn, patience=SOON) as database:
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await way(database)
            assert time.monotonic() - started < 2


@each_way
async def test_a_server_that_lets_nobody_in_any_more_is_unavailable_until_it_does(url: str, way: Way) -> None:
    """As when too many connections are open already, or while it starts."""
    name = urlsplit(url).path.strip("/")
    async with open_database(url) as database:
        await outside(server().url(), f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        with pytest.raises(Unavailable):
            await way(database)
        await outside(server().url(), f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        await way(database)


# -- The schema --


async def test_the_tables_are_in_a_schema_of_their_own() -> None:
    with fresh_database(migrated=False) as url:
        async with open_database(url) as database:
            with pytest.raises(SchemaMismatch, match="run `ostiary migrate` first"):
                await check_schema(database)
            await migrate(database)
            await check_schema(database)
        schemas = "SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname !~ '^(pg_|information_)'"
        assert await outside(url, schemas) == [("ostiary",)]


async def test_two_installations_in_two_schemas_of_one_database_do_not_see_each_other(url: str) -> None:
    async with open_database(url) as one, open_database(url, schema="staging") as other:
        with pytest.raises(SchemaMismatch):
            await check_schema(other)
        await migrate(other)
        waiting = a_sign_up()
        await wait_in_line(over(one).units, waiting)
        async with over(other).units.proof_reading() as unit:
            assert await unit.sign_ups.get(waiting.id) is None
        member = await settle_in(over(other).units, a_user())
        session = a_new_session(member.id)
        assert await keep_session(over(other).units, session)
        assert await over_quick(other, session.id)
        assert not await over_quick(one, session.id)
        assert await installation_key(one, b"1" * 32) != await installation_key(other, b"2" * 32)


async def over_quick(database: PostgresqlDatabase, session_id: object) -> bool:
    return await database.row(FIND_SESSION, session_id=session_id) is not None


@contextmanager
def role_without_rights(url: str) -> Iterator[str]:
    """Somebody who may connect, and nothing else: their URL."""
    run(url, "CREATE ROLE modest LOGIN")
    try:
        yield url.replace("postgres@", "modest@")
    finally:
        run(url, "DROP OWNED BY modest", "DROP ROLE modest")


async def test_a_role_that_may_not_create_schemas_is_enough_where_the_schema_is_there() -> None:
    with fresh_database(migrated=False) as url, role_without_rights(url) as modest:
        async with open_database(modest) as database:
            with pytest.raises(Unavailable) as refused:
                await migrate(database)
            assert "permission denied for database" in everything_said_about(refused.value)
            await outside(url, "CREATE SCHEMA ostiary AUTHORIZATION modest")
            await migrate(database)
            await sign_up(database)
            await quick_read(database)


async def test_a_role_that_only_reads_and_writes_is_enough_to_serve(url: str) -> None:
    with role_without_rights(url) as modest:
        async with open_database(modest) as database:
            for way in (sign_up, quick_read):
                with pytest.raises(Unavailable) as refused:
                    await way(database)
                assert "permission denied" in everything_said_about(refused.value)
            await outside(
                url,
                "GRANT USAGE ON SCHEMA ostiary TO modest",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ostiary TO modest",
            )
            await check_schema(database)
            assert await migrate(database), "there is nothing to do, so nothing is needed for it"
            for each in (*WRITES, proof_reading, quick_read):
                await each(database)


@each_way
async def test_a_schema_that_is_taken_away_is_unavailable(url: str, way: Way) -> None:
    async with open_database(url) as database:
        await way(database)
        await outside(url, "ALTER SCHEMA ostiary RENAME TO moved")
        with pytest.raises(Unavailable):
            await way(database)
        await outside(url, "ALTER SCHEMA moved RENAME TO ostiary")
        await way(database)


# -- Connections --


@each_way
@pytest.mark.parametrize("pooled", [False, True], ids=["direct", "behind a pooler"])
async def test_an_idle_connection_that_is_closed_behind_our_back_is_replaced_and_nobody_notices(
    url: str, way: Way, pooled: bool
) -> None:
    async with open_database(url, pooled=pooled) as database:
        for _ in range(3):
            await asyncio.gather(*(way(database) for _ in range(5)))
            await close_behind_our_back(url)
        await way(database)


async def test_a_connection_killed_in_mid_statement_is_one_unavailable(url: str, database: PostgresqlDatabase) -> None:
    async with locked(url, "sign_ups"), locked(url, "sessions"):
        caught = [asyncio.create_task(way(database)) for way in (sign_up, proof_reading, quick_read)]
        await blocked(url, 3)
        await close_behind_our_back(url)
        outcomes = await asyncio.gather(*caught, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    for way in (sign_up, proof_reading, quick_read):
        await way(database)
    assert await outside(url, "SELECT count(*) FROM ostiary.sign_ups") == [(1,)], "the killed one left nothing"


async def blocked(url: str, count: int) -> None:
    """Wait until so many of our statements wait for a lock."""

    async def waiting() -> bool:
        ((found,),) = await outside(url, f"SELECT count(*) {OURS} AND wait_event_type = 'Lock'")
        return bool(found == count)

    await until(waiting, f"{count} statements to be held up")


class Wire:
    """What lies between us and the server: it can fall silent, as when a firewall forgot our connections."""

    def __init__(self, url: str) -> None:
        self._socket = Path(dict(parse_qsl(urlsplit(url).query))["host"]) / ".s.PGSQL.5432"
        self._copying: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []

    def forget(self) -> None:
        """Nothing passes any more over the connections there are, and nobody is told."""
        for task in self._copying:
            task.cancel()

    def close(self) -> None:
        """Of course it all ends when the test does."""
        self.forget()
        for end in self._ends:
            end.close()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A new connection."""
        there_reader, there_writer = await asyncio.open_unix_connection(self._socket)
        self._ends += writer, there_writer
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(self._copy(source, sink))
            self._copying.add(task)
            task.add_done_callback(self._copying.discard)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()


@asynccontextmanager
async def wire_to(url: str, folder: Path) -> AsyncIterator[tuple[Wire, str]]:
    """A wire, and the URL that leads over it."""
    wire = Wire(url)
    listening = await asyncio.start_unix_server(wire.carry, folder / ".s.PGSQL.5432")
    async with listening:
        yield wire, urlsplit(url)._replace(query=urlencode({"host": str(folder)})).geturl()
        wire.close()


@each_way
async def test_connections_that_a_firewall_forgot_in_a_pause_are_replaced_before_they_are_relied_on(
    url: str, tmp_path: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No network tells; so after a pause we ask first, and do not wait long for the answer."""
    monkeypatch.setattr(module, "_ASK_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(short_road, "_IDLE_SECONDS", 0.05)
    async with wire_to(url, tmp_path) as (wire, over_wire), open_database(over_wire, patience=SOON) as database:
        await asyncio.gather(*(way(database) for _ in range(3)))
        wire.forget()
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await asyncio.gather(*(way(database) for _ in range(3)))
        assert time.monotonic() - started < 2


@each_way
async def test_connections_that_fall_silent_while_they_are_used_are_unavailable_once_each(
    url: str, tmp_path: Path, way: Way
) -> None:
    async with (
        wire_to(url, tmp_path) as (wire, over_wire),
        open_database(over_wire, patience=SOON, statement_timeout=SOON) as database,
    ):
        await way(database)
        wire.forget()
        started = time.monotonic()
        with pytest.raises(Unavailable):
            await way(database)
        await way(database)
        assert time.monotonic() - started < 4


@each_way
async def test_who_waits_too_long_for_a_connection_is_told_unavailable_and_the_next_is_served(
    url: str, way: Way
) -> None:
    async with open_database(url, connections=2, patience=SOON) as database:
        async with locked(url, "sign_ups"), locked(url, "sessions"):
            holding = asyncio.create_task(way(database))
            await blocked(url, 1)
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await way(database)
            assert SOON.total_seconds() * 0.5 < time.monotonic() - started < 1.5
        await asyncio.gather(holding, return_exceptions=True)
        await asyncio.gather(*(way(database) for _ in range(5)))
        assert await connections(url) <= 2


@pytest.mark.parametrize("pooled", [False, True], ids=["direct", "behind a pooler"])
async def test_there_are_never_more_connections_than_said(url: str, pooled: bool) -> None:
    async with open_database(url, connections=4, pooled=pooled) as database:
        await asyncio.gather(*(way(database) for way in (*WRITES, proof_reading, quick_read) for _ in range(10)))
        assert 0 < await every_connection(url) <= 4
    assert await every_connection(url) == 0


async def every_connection(url: str) -> int:
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ((count,),) = await outside(url, others)
    return int(count)


@each_way
async def test_a_request_that_is_given_up_gives_its_connection_back(url: str, way: Way) -> None:
    async with open_database(url, connections=2, patience=timedelta(seconds=2)) as database:
        await way(database)
        for _ in range(5):
            async with AsyncExitStack() as stack:
                for table in ("sign_ups", "limits", "installation", "sessions"):
                    await stack.enter_async_context(locked(url, table))
                task = asyncio.create_task(way(database))
                await blocked(url, 1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        await way(database)
        await asyncio.gather(*(way(database) for _ in range(5)))


# -- Statements --


@each_way
async def test_a_statement_that_takes_too_long_is_unavailable_and_holds_nobody_up(url: str, way: Way) -> None:
    async with open_database(url, statement_timeout=SOON) as database:
        await way(database)
        async with AsyncExitStack() as stack:
            for table in ("sign_ups", "limits", "installation", "sessions"):
                await stack.enter_async_context(locked(url, table))
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await way(database)
            assert time.monotonic() - started < 2
        await way(database)


@each_way
async def test_the_same_behind_a_pooler_that_takes_no_settings(url: str, way: Way) -> None:
    async with open_database(url, statement_timeout=SOON, pooled=True) as database:
        async with AsyncExitStack() as stack:
            for table in ("sign_ups", "limits", "installation", "sessions"):
                await stack.enter_async_context(locked(url, table))
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await way(database)
            assert time.monotonic() - started < 3
        await way(database)


@each_write
async def test_a_server_that_may_only_be_read_is_unavailable_to_writers(url: str, write: Way) -> None:
    """A hot standby, after a failover that the address has not followed; or a disk that is nearly full."""
    name = urlsplit(url).path.strip("/")
    await outside(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with open_database(url) as database:
        with pytest.raises(Unavailable):
            await write(database)
        await proof_reading(database)
        await quick_read(database)
        assert await database.answers(), "who is signed in can still be read"
    await outside(url, "SET default_transaction_read_only = off", f"ALTER DATABASE {name} RESET ALL")
    async with open_database(url) as database:
        await write(database)


async def test_of_two_that_wait_for_each_other_one_is_unavailable_and_leaves_nothing(
    database: PostgresqlDatabase, url: str
) -> None:
    one, other = a_sign_up(), a_sign_up()
    both_began = asyncio.Barrier(2)

    async def write(first: Any, second: Any) -> None:
        async with over(database).units.intake() as unit:
            await unit.sign_ups.add(first)
            await both_began.wait()
            await unit.sign_ups.add(second)
            await unit.commit()

    outcomes = await asyncio.gather(write(one, other), write(other, one), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {Unavailable, IntegrityError, type(None)}
    assert Unavailable in {type(outcome) for outcome in outcomes}
    kept = await outside(url, "SELECT count(*) FROM ostiary.sign_ups")
    assert kept == [(2 * outcomes.count(None),)], "both rows of one, or nothing"
    await sign_up(database)


async def test_a_serialization_failure_is_unavailable_and_leaves_nothing(url: str) -> None:
    """Nothing of ours asks for that isolation; an administrator may."""
    name = urlsplit(url).path.strip("/")
    await outside(url, f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    waiting = a_sign_up()
    async with open_database(url) as database:
        await wait_in_line(over(database).units, waiting)

        async def overtaken() -> None:
            async with over(database).units.intake() as slow:
                await slow.sign_ups.add(a_sign_up())
                await outside(url, "UPDATE ostiary.sign_ups SET name = 'Changed meanwhile'")
                await slow.sign_ups.delete_waiting(waiting.email, keep=uuid4())
                await slow.commit()

        with pytest.raises(Unavailable):
            await overtaken()
        await sign_up(database)
    assert await outside(url, "SELECT count(*) FROM ostiary.sign_ups") == [(2,)]


async def test_a_transaction_that_fails_is_not_in_the_way_of_the_next(url: str) -> None:
    async with open_database(url, connections=2) as database:
        units, waiting = over(database).units, a_sign_up()
        await wait_in_line(units, waiting)
        for _ in range(3):
            with pytest.raises(IntegrityError):
                await wait_in_line(units, a_sign_up(), waiting)
        await wait_in_line(units, a_sign_up())
    assert await outside(url, "SELECT count(*) FROM ostiary.sign_ups") == [(2,)]


async def test_a_foreign_key_is_kept(database: PostgresqlDatabase) -> None:
    async with database.writing() as transaction:
        with pytest.raises(IntegrityError):
            await transaction.connection.execute(
                text(
                    "INSERT INTO ostiary.accounts "
                    "VALUES (gen_random_uuid(), gen_random_uuid(), 'credential', 'x', 1, now(), now())"
                )
            )


async def test_an_error_message_carries_no_parameters(url: str) -> None:
    async with open_database(url, statement_timeout=SOON) as database:
        async with locked(url, "sign_ups"):
            with pytest.raises(Unavailable) as unavailable:
                await sign_up(database)
        twice = a_sign_up(email=CANARY)
        with pytest.raises(IntegrityError) as mistake:
            await wait_in_line(over(database).units, twice, twice)
        await outside(url, "ALTER TABLE ostiary.users ADD CHECK (name <> 'Ada')")
        with pytest.raises(IntegrityError) as check:
            await settle_in(over(database).units, a_user(email=CANARY))
        await outside(url, "DROP TABLE ostiary.users CASCADE")
        with pytest.raises(Unavailable) as gone:
            await settle_in(over(database).units, a_user(email=CANARY))
    for caught in (unavailable, mistake, check, gone):
        assert CANARY.local_part not in everything_said_about(caught.value)


async def test_the_installation_key_is_whoevers_came_first_and_stays(url: str) -> None:
    async with open_database(url) as one, open_database(url) as other:
        fresh = [bytes([number]) * 32 for number in range(8)]
        keys = await asyncio.gather(
            *(installation_key((one, other)[number % 2], each) for number, each in enumerate(fresh))
        )
        assert len(set(keys)) == 1
        assert keys[0] in fresh
        assert await installation_key(one, b"x" * 32) == keys[0]


async def test_what_is_durable_is_not_ours_to_weaken(database: PostgresqlDatabase) -> None:
    async with database.writing() as transaction:
        assert await transaction.connection.scalar(text("SHOW synchronous_commit")) == "on"
        assert await transaction.connection.scalar(text("SHOW transaction_isolation")) == "read committed"
        assert await transaction.connection.scalar(select(sign_ups.c.id)) is None
