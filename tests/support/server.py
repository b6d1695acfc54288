"""A real server process, as a user would start it."""

import json
import os
import re
import signal
import sqlite3
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from domain.limits import Quotas
from tests.support import processes
from tests.support.processes import START_PATIENCE, Process, start

PATIENCE = processes.PATIENCE
"""Seconds to wait for something that is bound to happen."""

CHEAP = {"OSTIARY_ARGON2_MEMORY_KIB": "8", "OSTIARY_ARGON2_TIME": "1"}
"""Hashing at test cost."""

_TLS = ssl.create_default_context()
"""Made once: every client would make its own, and nothing here speaks TLS."""

NO_LIMITS = {f"OSTIARY_LIMIT_{quota.name.upper()}": "off" for quota in fields(Quotas)}
"""Every limit switched off, for tests of other things."""

_AGEING = """UPDATE sessions SET
    created_at = strftime(:form, created_at, :earlier),
    signed_in_at = strftime(:form, signed_in_at, :earlier),
    refreshed_at = strftime(:form, refreshed_at, :earlier),
    last_seen_at = strftime(:form, last_seen_at, :earlier),
    idle_expires_at = strftime(:form, idle_expires_at, :earlier),
    absolute_expires_at = strftime(:form, absolute_expires_at, :earlier)"""


class Server:
    """A running process, its address, its log and its dev inbox."""

    def __init__(self, process: Process, url: str, log: Path, folder: Path) -> None:
        self.process = process
        self.url = url
        self.log = log
        self.folder = folder

    def client(self, **options: Any) -> httpx.Client:
        """A client of this server with a cookie jar of its own."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE, verify=_TLS, **options)

    def inbox(self, address: str, *, at_least: int = 1) -> list[dict[str, Any]]:
        """The letters to an address in the dev inbox, newest first, once there are so many."""

        def letters() -> list[dict[str, Any]]:
            found = httpx.get(f"{self.url}/dev/inbox.json", timeout=PATIENCE, verify=_TLS).json()
            return [letter for letter in found if letter["to"] == address]

        letters_there: list[dict[str, Any]] = wait_for(
            lambda: found if len(found := letters()) >= at_least else None, f"{at_least} letters to {address}"
        )
        return letters_there

    def token(self, address: str, *, at_least: int = 1) -> str:
        """The token in the newest letter to an address."""
        return token_of(self.inbox(address, at_least=at_least)[0]["link"])

    def events(self) -> list[dict[str, Any]]:
        """The lines of the log that are events."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def sql(self, statement: str, **parameters: object) -> list[tuple[Any, ...]]:
        """What somebody else asks of the database, or does to it, behind the server's back."""
        with closing(sqlite3.connect(self.folder / "ostiary-data" / "ostiary.sqlite3", timeout=10)) as database:
            rows = database.execute(statement, parameters).fetchall()
            database.commit()
        return rows

    def let_sessions_age(self, seconds: float) -> None:
        """Put every session's times back by so much: the nearest to waiting for a process with a clock of its own."""
        self.sql(_AGEING, form="%Y-%m-%d %H:%M:%f000", earlier=f"-{seconds} seconds")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process, and say with what status it did."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


def token_of(link: str) -> str:
    """The token in a link."""
    return parse_qs(urlsplit(link).query)["token"][0]


def wait_for(look: Any, what: str, *, patience: float = PATIENCE) -> Any:
    """What `look` returns as soon as it is something; fails when it never is."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


@contextmanager
def run_server(folder: Path, variables: Mapping[str, str] | None = None, *arguments: str) -> Iterator[Server]:
    """`ostiary serve`, with further arguments, in `folder`, on a free port, until the block ends."""
    with _run(folder, variables, "serve", *arguments) as (process, log):
        url = wait_for(
            lambda: _said(process, log, r"listens on (\S+) and"), "the server to listen", patience=START_PATIENCE
        )
        yield Server(process, url, log, folder)


@contextmanager
def run_worker(folder: Path, variables: Mapping[str, str] | None = None) -> Iterator[Process]:
    """`ostiary worker` in `folder` until the block ends."""
    with _run(folder, variables, "worker") as (process, log):
        wait_for(lambda: _said(process, log, "(started)"), "the worker to start", patience=START_PATIENCE)
        yield process


@contextmanager
def _run(folder: Path, variables: Mapping[str, str] | None, *arguments: str) -> Iterator[tuple[Process, Path]]:
    log = folder / f"log-{time.monotonic_ns()}"
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OSTIARY_", "SMTP_", "EMAIL_"))},
        **CHEAP,
        **NO_LIMITS,
        "OSTIARY_PORT": "0",
        "OSTIARY_DELIVERY_JITTER": "0s",
        **(variables or {}),
    }
    with log.open("wb") as output, Path(os.devnull).open("rb") as nothing:
        process = start(*arguments, folder=folder, environ=environ, typed=nothing, output=output, errors=output)
    try:
        yield process, log
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE)


def _said(process: Process, log: Path, pattern: str) -> str | None:
    if process.poll() is not None:
        raise AssertionError(f"the process ended with {process.returncode}: {log.read_text()}")
    match = re.search(pattern, log.read_text())
    return match[1] if match else None
