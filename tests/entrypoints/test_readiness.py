"""Readiness: what takes a process out of the load balancer, what does not, and what probes cost."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from application.ports.monitoring import OutboxState
from domain.errors import Unavailable
from entrypoints import readiness
from entrypoints.readiness import LATE, Checks, Readiness
from tests.support.clock import SettableClock
from tests.support.http_requests import assert_problem
from tests.support.server import Server, run_server, wait_for
from tests.support.store_kinds import STORES
from tests.support.world import make_world

ALL_WELL = Checks(database="ok", schema="ok", letters="ok")
NOTHING_KNOWN = Checks(database="unavailable", schema="unknown", letters="unknown")


class Parts:
    """What readiness asks, well until told otherwise."""

    def __init__(self) -> None:
        self.clock = SettableClock()
        self.answers: bool | None = True
        self.fits = True
        self.due_for: timedelta | None = None
        self.asked = 0

    async def database(self) -> bool:
        self.asked += 1
        if self.answers is None:
            await asyncio.Event().wait()
        return bool(self.answers)

    async def schema_fits(self) -> bool:
        return self.fits

    async def outbox(self) -> OutboxState:
        due = None if self.due_for is None else self.clock.now() - self.due_for
        return OutboxState(waiting=1, asked_for=due, due=due, abandoned=0)

    @property
    def readiness(self) -> Readiness:
        return Readiness(database=self.database, schema_fits=self.schema_fits, outbox=self.outbox, clock=self.clock)


@pytest.fixture
def parts() -> Parts:
    return Parts()


async def test_all_is_well(parts: Parts) -> None:
    assert await parts.readiness() == ALL_WELL


async def test_a_database_that_does_not_answer(parts: Parts) -> None:
    parts.answers = False
    assert await parts.readiness() == NOTHING_KNOWN


async def test_a_database_that_goes_away_between_two_questions(parts: Parts) -> None:
    async def gone() -> bool:
        raise Unavailable

    asked = Readiness(database=parts.database, schema_fits=gone, outbox=parts.outbox, clock=parts.clock)
    assert await asked() == NOTHING_KNOWN


async def test_a_silent_database_is_not_waited_for(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "DEADLINE_SECONDS", 0.01)
    parts.answers = None
    assert await parts.readiness() == NOTHING_KNOWN


async def test_a_schema_that_this_program_cannot_work_with(parts: Parts) -> None:
    parts.fits = False
    assert await parts.readiness() == Checks(database="ok", schema="mismatch", letters="unknown")


@pytest.mark.parametrize(
    ("due_for", "word"), [(None, "ok"), (-LATE, "ok"), (LATE, "ok"), (LATE + timedelta(seconds=1), "late")]
)
async def test_letters_are_late_when_one_is_overdue_for_more_than_five_minutes(
    parts: Parts, due_for: timedelta | None, word: str
) -> None:
    parts.due_for = due_for
    assert await parts.readiness() == Checks(database="ok", schema="ok", letters=word)
    assert timedelta(minutes=5) == LATE


async def test_however_many_probe_the_database_is_asked_once_a_second(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = parts.readiness
    await asyncio.gather(*(asked() for _ in range(50)))
    assert parts.asked == 1
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0.0)
    parts.answers = False
    assert await asked() == NOTHING_KNOWN
    assert parts.asked == 2


async def test_whoever_probes_while_the_database_is_silent_waits_for_one_question(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "DEADLINE_SECONDS", 0.01)
    parts.answers = None
    asked = parts.readiness
    assert set(await asyncio.gather(*(asked() for _ in range(50)))) == {NOTHING_KNOWN}
    assert parts.asked == 1


# -- Over every store --


@pytest.mark.parametrize("store", STORES)
async def test_every_store_is_ready_until_a_letter_is_late(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0.0)
    async with make_world(store, tmp_path) as world:
        asked = world.ostiary.readiness
        assert await asked() == ALL_WELL
        await world.sign_up()
        assert await asked() == ALL_WELL
        world.clock.advance(minutes=6)
        assert await asked() == Checks(database="ok", schema="ok", letters="late")
        await world.deliver()
        assert await asked() == ALL_WELL


# -- Over HTTP --


def change(server: Server, statement: str, *parameters: Any) -> None:
    """Behind the server's back."""
    with closing(sqlite3.connect(server.folder / "ostiary-data" / "ostiary.sqlite3", timeout=10)) as database:
        database.execute(statement, parameters)
        database.commit()


def test_it_says_what_is_wrong_and_the_log_says_when(tmp_path: Path) -> None:
    with run_server(tmp_path) as server, server.client() as client:

        def answer(status: int) -> Any:
            return wait_for(
                lambda: found if (found := client.get("/health/ready")).status_code == status else None, str(status)
            )

        ready = client.get("/health/ready")
        assert ready.json() == {"status": "ok", "checks": {"database": "ok", "schema": "ok", "letters": "ok"}}
        assert client.head("/health/ready").status_code == 200

        change(server, "UPDATE alembic_version SET version_num = '9999'")
        assert client.get("/health/live").status_code == 200
        assert ready.status_code == 200, "a newer schema that says nothing else can be worked with"
        change(server, "INSERT INTO installation VALUES ('oldest_program', ?)", b"9000")
        mismatch = answer(503)
        assert_problem(mismatch, 503, "schema_mismatch")
        assert int(mismatch.headers["retry-after"]) >= 1
        assert client.get("/health/live").status_code == 200
        change(server, "DELETE FROM installation WHERE name = 'oldest_program'")
        answer(200)
        logged = [event for event in server.events() if event["event"] == "readiness"]
        assert [event["schema"] for event in logged] == ["mismatch", "ok"]
