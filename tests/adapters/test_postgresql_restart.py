"""A PostgreSQL server that loses its power and comes back: refusals meanwhile, no restart of ours (SECURITY 2.8)."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from adapters.sql.postgresql import PostgresqlDatabase
from domain.errors import Unavailable
from tests.support.http_requests import PASSWORD, assert_problem, make_member, new_address, run_command, sign_in
from tests.support.postgresql import TestServer, open_database
from tests.support.postgresql_roads import Way, each_way
from tests.support.server import Server, run_server, wait_for

RECOVERY = 5.0
"""Seconds after which everything is as before."""


@pytest.fixture(scope="module")
def power() -> Iterator[TestServer]:
    """A server of our own to pull the plug of."""
    started = TestServer()
    try:
        started.migrate()
        yield started
    finally:
        started.remove()


@pytest.fixture
async def database(power: TestServer) -> AsyncIterator[PostgresqlDatabase]:
    async with open_database(power.url()) as opened:
        yield opened


async def cut(power: TestServer) -> None:
    await asyncio.to_thread(power.stop_at_once)


async def restore(power: TestServer) -> None:
    await asyncio.to_thread(power.start_again)


@each_way
async def test_while_the_server_is_gone_it_is_unavailable_and_then_it_serves(
    database: PostgresqlDatabase, power: TestServer, way: Way
) -> None:
    await asyncio.gather(*(way(database) for _ in range(5)))
    await cut(power)
    try:
        for _ in range(3):
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await way(database)
            assert time.monotonic() - started < 1
        assert not await database.answers()
    finally:
        await restore(power)
    await asyncio.gather(*(way(database) for _ in range(5)))
    assert await database.answers()


@each_way
async def test_a_restart_between_two_requests_is_not_noticed(
    database: PostgresqlDatabase, power: TestServer, way: Way
) -> None:
    await asyncio.gather(*(way(database) for _ in range(5)))
    await cut(power)
    await restore(power)
    await asyncio.gather(*(way(database) for _ in range(5)))


@each_way
async def test_a_restart_in_a_moment_when_the_event_loop_slept_costs_one_refusal_at_most(
    database: PostgresqlDatabase, power: TestServer, way: Way
) -> None:
    """Nobody has read yet that the connections are closed."""
    await asyncio.gather(*(way(database) for _ in range(5)))
    power.stop_at_once()
    power.start_again()
    outcomes = [await asyncio.gather(way(database), return_exceptions=True) for _ in range(5)]
    assert [type(outcome) for (outcome,) in outcomes[1:]] == [type(None)] * 4
    assert type(outcomes[0][0]) in (Unavailable, type(None))


@pytest.fixture(scope="module")
def served(power: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`ostiary serve` over it."""
    with run_server(tmp_path_factory.mktemp("served"), {"DATABASE_URL": power.url()}) as running:
        yield running


def test_a_running_service_refuses_politely_and_recovers_by_itself(power: TestServer, served: Server) -> None:
    email = new_address("power")
    make_member(served, email)
    with served.client() as ada:
        assert sign_in(ada, email).status_code == 200
        for _ in range(2):
            power.stop_at_once()
            try:
                assert_problem(ada.get("/auth/me"), 503, "unavailable")
                refused = sign_in(ada, email)
                assert_problem(refused, 503, "unavailable")
                assert int(refused.headers["retry-after"]) >= 1
                wait_for(lambda: ada.get("/health/ready").is_server_error or None, "readiness to be asked again")
                assert_problem(ada.get("/health/ready"), 503, "database_unavailable")
                assert ada.get("/health/live").status_code == 200
            finally:
                power.start_again()
            back = time.monotonic()
            while ada.get("/health/ready").status_code != 200:
                assert time.monotonic() - back < RECOVERY
            assert ada.get("/auth/me").json()["email"] == email, "not signed out by a power cut"
            assert sign_in(ada, email).status_code == 200
        power.stop_at_once()
        power.start_again()
        assert ada.get("/auth/me").status_code == 200, "a restart between two requests"
        assert sign_in(ada, email).status_code == 200
    log = served.log.read_text()
    assert "Traceback" not in log.replace("background_trouble", "")
    assert PASSWORD not in log
    assert served.process.poll() is None


def test_letters_asked_for_before_a_power_cut_leave_after_it(power: TestServer, served: Server) -> None:
    make_member(served, new_address("afterwards"))


def test_a_service_does_not_start_without_its_database_and_says_so_in_a_sentence(
    power: TestServer, tmp_path: Path
) -> None:
    power.stop_at_once()
    try:
        ended = run_command("serve", folder=tmp_path, variables={"DATABASE_URL": power.url(), "OSTIARY_PORT": "0"})
        assert ended.returncode == 2
        assert ended.stderr.startswith("The database cannot be used: ")
        assert "Traceback" not in ended.stderr
    finally:
        power.start_again()
    with run_server(tmp_path, {"DATABASE_URL": power.url()}) as server:
        assert httpx.get(f"{server.url}/health/ready").status_code == 200
