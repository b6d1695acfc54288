"""What a person was told holds after the process is killed: kill -9 at a random moment under load, then a restart."""

import itertools
import random
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.server import Server, run_server
from tests.support.world import PASSWORD

CROWD = 4


@dataclass
class Promises:
    """What the service answered for, and how many answers there were."""

    signed_up: list[str] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)
    alive: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    answers: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self) -> None:
        """One more answer."""
        with self.changed:
            self.answers += 1
            self.changed.notify_all()

    def wait_for_answers(self, count: int) -> None:
        """Return as soon as there are so many more."""
        with self.changed:
            target = self.answers + count
            assert self.changed.wait_for(lambda: self.answers >= target, timeout=30)


def live_a_life(server: Server, promises: Promises, serials: "itertools.count[int]") -> None:
    """Sign up, verify, sign in, sign out, again and again, until the server is gone."""
    try:
        while True:
            email = f"person{next(serials)}@example.com"
            with server.client() as client:
                body = {"email": email, "password": PASSWORD, "name": "Ada"}
                assert client.post("/auth/signup", json=body).status_code == 202
                promises.signed_up.append(email)
                promises.note()
                token = server.token(email)
                assert client.post("/auth/verify-email", json={"token": token}).status_code == 200
                promises.verified.append(email)
                promises.alive.add(client.cookies["ostiary"])
                promises.note()
            with server.client() as client:
                answer = client.post("/auth/signin", json={"email": email, "password": PASSWORD})
                assert answer.status_code == 200
                cookie = client.cookies["ostiary"]
                promises.alive.add(cookie)
                promises.note()
                promises.alive.discard(cookie)  # from here on nobody can say, until it is answered
                assert client.post("/auth/signout", json={}).status_code == 204
                promises.ended.add(cookie)
                promises.note()
    except httpx.TransportError:
        return


def let_leases_run_out(folder: Path) -> None:
    """A minute passes: the letters that the dead process held are free again."""
    with closing(sqlite3.connect(folder / "ostiary-data" / "ostiary.sqlite3")) as connection, connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.execute("UPDATE letters SET lease_until = '2000-01-01 00:00:00.000000' WHERE status = 'queued'")


def whoami(server: Server, cookie: str) -> int:
    """How the service answers the holder of a session cookie."""
    return httpx.get(f"{server.url}/auth/me", headers={"Cookie": f"ostiary={cookie}"}, timeout=20).status_code


def get_in(server: Server, email: str, *, verified: bool) -> None:
    """Open the letter if that was not answered for yet, then sign in."""
    with server.client() as client:
        if not verified:
            body = {"token": server.token(email), "password": PASSWORD}
            answer = client.post("/auth/verify-email", json=body)
            assert answer.status_code == 200 or answer.json()["code"] == "already_verified", answer.text
        answer = client.post("/auth/signin", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, f"{email}: {answer.text}"


def test_whatever_was_answered_before_a_kill_holds_after_the_restart(tmp_path: Path, kills: int) -> None:
    chance = random.Random(20260101)  # noqa: S311 - the moment of death is no secret
    promises, serials = Promises(), itertools.count()
    for _ in range(kills):
        with run_server(tmp_path) as server, ThreadPoolExecutor(CROWD) as crowd:
            lives = [crowd.submit(live_a_life, server, promises, serials) for _ in range(CROWD)]
            promises.wait_for_answers(chance.randint(3, 15))
            assert server.stop(signal.SIGKILL) == -signal.SIGKILL
            wait(lives)
            for life in lives:
                life.result()
    assert len(promises.signed_up) >= kills
    let_leases_run_out(tmp_path)
    with run_server(tmp_path) as server:
        assert {cookie: whoami(server, cookie) for cookie in promises.alive} == dict.fromkeys(promises.alive, 200)
        assert {cookie: whoami(server, cookie) for cookie in promises.ended} == dict.fromkeys(promises.ended, 401)
        for email in promises.signed_up:
            letters = server.inbox(email)
            assert len(letters) == 1, "a retry replaces its first try in the dev inbox"
            get_in(server, email, verified=email in promises.verified)
