"""`ostiary worker`: letters leave without a server, from as many processes as wanted."""

import asyncio
import itertools
import signal
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from application.catalogue import UseCases
from entrypoints import background
from tests.support.http_mail import MailServer, SlowMailServer, run_mail_server
from tests.support.http_requests import free_port, new_address, run_command, sign_up
from tests.support.server import CHEAP, run_server, run_worker, wait_for


def letters(folder: Path) -> list[tuple[str, int]]:
    """The state of every letter, and how often it was tried."""
    with closing(sqlite3.connect(folder / "ostiary-data" / "ostiary.sqlite3")) as database:
        return database.execute("SELECT status, attempts FROM letters").fetchall()


def let_leases_run_out(folder: Path) -> None:
    """A minute passes."""
    with closing(sqlite3.connect(folder / "ostiary-data" / "ostiary.sqlite3")) as database, database:
        database.execute("UPDATE letters SET lease_until = '2000-01-01 00:00:00.000000' WHERE status = 'queued'")


def test_letters_leave_from_the_worker_when_the_server_sends_none(tmp_path: Path) -> None:
    mail = MailServer(free_port())
    variables = {**mail.variables, "OSTIARY_WORKER": "off"}
    with run_mail_server(mail), run_server(tmp_path, variables) as server:
        assert "OSTIARY_WORKER is off" in server.log.read_text()
        email = new_address()
        with server.client() as client:
            assert sign_up(client, email).status_code == 202
        assert letters(tmp_path) == [("queued", 0)]
        with run_worker(tmp_path, variables) as worker:
            assert len(mail.letters(email)) == 1
            worker.terminate()
            assert worker.wait(20) == 0
    assert letters(tmp_path) == [("sent", 1)]


def test_several_workers_send_each_letter_once(tmp_path: Path) -> None:
    mail = MailServer(free_port())
    variables = {**mail.variables, "OSTIARY_WORKER": "off"}
    emails = [new_address() for _ in range(40)]
    with run_mail_server(mail), run_server(tmp_path, variables) as server, server.client() as client:
        for email in emails:
            assert sign_up(client, email).status_code == 202
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(run_worker(tmp_path, variables))
            wait_for(lambda: True if letters(tmp_path) == [("sent", 1)] * 40 else None, "all letters to leave")
    assert sorted(recipients[0] for _, recipients, _ in mail.received) == sorted(emails)


def test_a_worker_finishes_the_letter_in_hand(tmp_path: Path) -> None:
    mail = SlowMailServer()
    variables = {**mail.variables, "OSTIARY_WORKER": "off"}
    with run_mail_server(mail), run_server(tmp_path, variables) as server, server.client() as client:
        assert sign_up(client, new_address()).status_code == 202
        with run_worker(tmp_path, variables) as worker:
            assert mail.reading.wait(20)
            worker.terminate()
            mail.may_answer.set()
            assert worker.wait(20) == 0
    assert letters(tmp_path) == [("sent", 1)]


def test_the_letter_of_a_worker_that_was_killed_is_sent_by_another(tmp_path: Path) -> None:
    mail = SlowMailServer()
    variables = {**mail.variables, "OSTIARY_WORKER": "off"}
    with run_mail_server(mail), run_server(tmp_path, variables) as server, server.client() as client:
        email = new_address()
        assert sign_up(client, email).status_code == 202
        with run_worker(tmp_path, variables) as first:
            assert mail.reading.wait(20)
            first.send_signal(signal.SIGKILL)
            first.wait(20)
        mail.may_answer.set()
        let_leases_run_out(tmp_path)
        with run_worker(tmp_path, variables):
            wait_for(lambda: True if letters(tmp_path)[0][0] == "sent" else None, "the letter to be sent")


def test_a_worker_without_a_database_says_so_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run_command("worker", folder=tmp_path, variables={"OSTIARY_DATA_DIR": str(tmp_path / "file"), **CHEAP})
    assert done.returncode == 2
    assert done.stderr.startswith("The database cannot be used: ")
    assert len(done.stderr.splitlines()) == 1


async def test_a_letter_need_not_wait_for_all_who_look_to_look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "LOOK_EVERY", 1.0)
    looks: list[float] = []

    async def deliver_mail() -> int:
        looks.append(asyncio.get_running_loop().time())
        return 0

    async def keep_house() -> None:
        pass

    everybody = cast("UseCases", SimpleNamespace(deliver_mail=deliver_mail, keep_house=keep_house))
    async with background.background_work(everybody):
        await asyncio.sleep(0.9)
    assert len(looks) == background.WORKERS
    assert min(later - sooner for sooner, later in itertools.pairwise(looks)) > 0.1
