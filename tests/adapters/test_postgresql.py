"""What `adapters.sql.database` promises on PostgreSQL before anything is asked: getting there, finding the tables."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from adapters.sql.installation import installation_key
from adapters.sql.migrations import SchemaMismatch, check_schema, current_revision, migrate
from adapters.sql.postgresql import PostgresqlDatabase
from domain.errors import Unavailable
from tests.support.postgresql import fresh_database, open_database, run, server
from tests.support.postgresql_roads import (
    FIND_SESSION,
    PASSWORD,
    SOON,
    WRITES,
    Way,
    each_way,
    everything_said_about,
    outside,
    proof_reading,
    quick_read,
    sign_up,
)
from tests.support.smtp_server import closed_port, scripted_server
from tests.support.store_kinds import over
from tests.support.store_samples import a_session as a_new_session
from tests.support.store_samples import a_sign_up, a_user, keep_session, settle_in, wait_in_line


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_database() as fresh:
        yield fresh


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresqlDatabase]:
    async with open_database(url) as opened:
        yield opened


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
