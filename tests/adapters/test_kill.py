"""What a person was told holds after a crash: of the service, and of its database, at random moments under load."""

import itertools
import random
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from tests.support.http_mail import run_mail_server
from tests.support.postgresql import TestServer, run
from tests.support.promises import Gone, Promises, all_are_kept, live_a_life
from tests.support.server import Server, run_server, wait_for
from tests.support.store_kinds import settings_of

CROWD = 4
RECOVERY = 5.0
"""Seconds in which a service is back by itself when its database is."""


def let_leases_run_out(folder: Path, variables: dict[str, str]) -> None:
    """A minute passes: the letters that the dead process held are free again."""
    if "DATABASE_URL" in variables:
        run(variables["DATABASE_URL"], "UPDATE ostiary.letters SET lease_until = NULL WHERE status = 'queued'")
        return
    with closing(sqlite3.connect(folder / "ostiary-data" / "ostiary.sqlite3")) as connection, connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.execute("UPDATE letters SET lease_until = NULL WHERE status = 'queued'")


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_whatever_was_answered_before_a_kill_holds_after_the_restart(
    store: str, tmp_path: Path, kills: int, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(20260101)  # noqa: S311 - the moment of death is no secret
    promises, serials = Promises(), itertools.count()
    with settings_of(store) as of_store, run_mail_server() as mail:
        variables = {**of_store, **mail.variables}

        def live_until_the_end(server: Server) -> None:
            with suppress(Gone):
                while True:
                    live_a_life(server, mail, promises, serials)

        for _ in range(kills):
            with run_server(tmp_path, variables) as server, ThreadPoolExecutor(CROWD) as crowd:
                lives = [crowd.submit(live_until_the_end, server) for _ in range(CROWD)]
                promises.wait_for_answers(chance.randint(3, 20))
                time.sleep(chance.random() / 10)  # so that it is not always just after an answer
                assert server.stop(signal.SIGKILL) == -signal.SIGKILL
                wait(lives)
                for life in lives:
                    life.result()
        assert len(promises.signed_up) >= kills
        let_leases_run_out(tmp_path, variables)
        with run_server(tmp_path, variables) as server:
            twice = all_are_kept(server, mail, promises, mishaps=kills)
    report(request, promises, twice)


def test_whatever_was_answered_holds_when_the_database_loses_its_power_and_nobody_restarts_anything(
    tmp_path: Path, kills: int, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(20260102)  # noqa: S311 - the moment of death is no secret
    promises, serials, over = Promises(), itertools.count(), threading.Event()
    power, slowest = TestServer(), 0.0
    try:
        power.migrate()
        with run_mail_server() as mail:
            variables = {**mail.variables, "DATABASE_URL": power.url()}

            def live_on(server: Server) -> None:
                while not over.is_set():
                    try:
                        live_a_life(server, mail, promises, serials)
                    except Gone:
                        over.wait(0.02)

            with run_server(tmp_path, variables) as server, ThreadPoolExecutor(CROWD) as crowd:
                lives = [crowd.submit(live_on, server) for _ in range(CROWD)]
                try:
                    for _ in range(kills):
                        promises.wait_for_answers(chance.randint(3, 20))
                        time.sleep(chance.random() / 10)
                        promises.cuts += 1
                        power.stop_at_once()
                        time.sleep(chance.random() / 5)
                        power.start_again()
                        slowest = max(slowest, seconds_until_served(server, promises))
                finally:
                    over.set()
                    wait(lives)
                for life in lives:
                    life.result()
                let_leases_run_out(tmp_path, variables)
                twice = all_are_kept(server, mail, promises, mishaps=kills)
                assert server.process.poll() is None
        assert slowest <= RECOVERY
        report(request, promises, twice, f", slowest recovery {slowest:.2f} s")
    finally:
        power.remove()


def seconds_until_served(server: Server, promises: Promises) -> float:
    """How long it takes until the service says that it is ready, and somebody has got an answer."""
    started = time.monotonic()
    wait_for(lambda: httpx.get(f"{server.url}/health/ready").is_success or None, "the service to be ready")
    promises.wait_for_answers(1)
    return time.monotonic() - started


def report(request: pytest.FixtureRequest, promises: Promises, twice: int, more: str = "") -> None:
    """What was tried, in a line: `pytest -rP` shows it."""
    line = (
        f"{promises.answers} answers: {len(promises.signed_up)} sign-ups, {len(promises.verified)} verifications, "
        f"{len(promises.ended)} revocations, {len(promises.alive)} sessions to be kept; {twice} letters twice{more}\n"
    )
    request.node.add_report_section("call", "figures", line)
