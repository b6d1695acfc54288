"""What `ostiary doctor` learns about a database, of both kinds; and that it leaves nothing behind."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.environment import SystemClock
from adapters.sql.examination import examine_postgresql, examine_sqlite
from adapters.sql.migrations import HEAD
from adapters.sql.postgresql import PostgresqlServer
from application.ports.examination import DatabaseFacts, FileFacts, ServerFacts
from domain.errors import Unavailable
from tests.support import postgresql
from tests.support.clock import SettableClock
from tests.support.store_kinds import fresh_file, open_database
from tests.support.transaction_pooler import transaction_pooler


async def of_file(file: Path) -> tuple[DatabaseFacts, FileFacts]:
    async with open_database(file) as database:
        facts = await examine_sqlite(database, file, SystemClock())
    assert isinstance(facts.of, FileFacts)
    return facts, facts.of


async def of_server(url: str, **options: bool) -> tuple[DatabaseFacts, ServerFacts]:
    facts = await examine_postgresql(PostgresqlServer(dsn=url, **options), SystemClock())  # type: ignore[arg-type]
    assert isinstance(facts.of, ServerFacts)
    return facts, facts.of


@pytest.fixture
def url() -> Iterator[str]:
    with postgresql.fresh_database() as fresh:
        yield fresh


# -- SQLite --


async def test_a_file_that_is_well(tmp_path: Path) -> None:
    facts, file = await of_file(fresh_file(tmp_path))
    assert facts.version.startswith("SQLite 3.")
    assert (facts.schema, facts.schema_problem, facts.denied) == (HEAD, None, ())
    assert facts.outbox is not None
    assert facts.outbox.waiting == 0
    assert file.write_ahead
    assert file.free_bytes > 0


async def test_a_file_that_was_never_migrated(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "empty.sqlite3")) as connection:
        connection.execute("CREATE TABLE other (id)")
    facts, file = await of_file(tmp_path / "empty.sqlite3")
    assert facts.schema is None
    assert "ostiary migrate" in (facts.schema_problem or "")
    assert (facts.denied, facts.outbox, file.write_ahead) == ((), None, False)


async def test_tables_that_cannot_be_written_are_named_in_the_databases_words(tmp_path: Path) -> None:
    file = fresh_file(tmp_path)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TRIGGER no AFTER INSERT ON limits BEGIN SELECT no_such_function(); END")
    facts, _ = await of_file(file)
    assert facts.denied == ("limits: no such function: no_such_function",)


async def test_nothing_in_the_file_has_changed(tmp_path: Path) -> None:
    file = fresh_file(tmp_path)
    before = dump(file)
    await of_file(file)
    assert dump(file) == before


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


# -- PostgreSQL --


async def test_a_server_that_is_well(url: str) -> None:
    facts, server = await of_server(url)
    assert facts.version.startswith("PostgreSQL ")
    assert (facts.schema, facts.schema_problem, facts.denied) == (HEAD, None, ())
    assert facts.outbox is not None
    assert abs(server.clock_ahead) < timedelta(seconds=1)
    assert server.connections > 50
    assert not server.shared


async def test_clocks_that_are_apart(url: str) -> None:
    clock = SettableClock()
    facts = await examine_postgresql(PostgresqlServer(dsn=url), clock)
    assert isinstance(facts.of, ServerFacts)
    there = SystemClock().now() - clock.now()
    assert abs(facts.of.clock_ahead - there) < timedelta(seconds=5)


async def test_a_server_that_was_never_migrated() -> None:
    with postgresql.fresh_database(migrated=False) as url:
        facts, _ = await of_server(url)
    assert facts.schema is None
    assert "ostiary migrate" in (facts.schema_problem or "")


async def test_a_bound_of_the_role_or_the_database_bounds_the_connections(url: str) -> None:
    name = url.partition("?")[0].rpartition("/")[2]
    postgresql.run(url, f"ALTER DATABASE {name} CONNECTION LIMIT 7")
    assert (await of_server(url))[1].connections == 7


@asynccontextmanager
async def as_role(url: str, *grants: str) -> AsyncIterator[str]:
    """The URL of somebody who may do no more than this."""
    name = url.partition("?")[0].rpartition("/")[2]
    role = f"reader_{name}"
    postgresql.run(url, f"CREATE ROLE {role} LOGIN", *(f"{grant} TO {role}" for grant in grants))
    try:
        yield url.replace("://postgres@", f"://{role}@")
    finally:
        postgresql.run(url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


async def test_tables_that_may_not_be_written_are_named(url: str) -> None:
    reading = ("GRANT USAGE ON SCHEMA ostiary", "GRANT SELECT ON ALL TABLES IN SCHEMA ostiary")
    async with as_role(url, *reading, "GRANT INSERT, UPDATE, DELETE ON ostiary.users") as limited:
        facts, _ = await of_server(limited)
    denied = {denial.partition(":")[0] for denial in facts.denied}
    assert {"sessions", "letters", "limits"} <= denied
    assert "users" not in denied
    assert all("permission denied" in denial for denial in facts.denied)


async def test_a_schema_that_may_not_be_looked_into_is_unavailable_and_no_crash(url: str) -> None:
    async with as_role(url) as stranger:
        with pytest.raises(Unavailable):
            await of_server(stranger)


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await of_server(f"postgresql://postgres@/postgres?host={tmp_path}")


@pytest.mark.parametrize("pooled", [False, True], ids=["unknown to the settings", "known"])
async def test_a_transaction_pooler_is_noticed_and_does_no_harm(url: str, pooled: bool) -> None:
    async with transaction_pooler(url) as through:
        server = PostgresqlServer(dsn=through, pooled=pooled)
        facts = await examine_postgresql(replace(server), SystemClock())
    assert isinstance(facts.of, ServerFacts)
    assert facts.of.shared
    assert (facts.schema, facts.denied) == (HEAD, ())
