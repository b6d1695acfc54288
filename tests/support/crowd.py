"""A crowd of clients that ask all the time and note whatever goes wrong."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from itertools import count
from urllib.parse import urlsplit

from tests.support.server import PATIENCE, Server

_PAUSE = 0.005
"""Seconds between two requests of one client: something to do at any time, and a core left to start processes in."""


class Crowd:
    """What came of their requests."""

    def __init__(self, server: Server, path: str) -> None:
        parts = urlsplit(server.url)
        self._address = (parts.hostname or "", parts.port or 0)
        self._path = path
        self._enough = threading.Event()
        self._progress = threading.Condition()
        self.answered = 0
        self.failures: list[str] = []

    def wait_for_answers(self, more: int) -> None:
        """Return as soon as so many more requests have been answered."""
        with self._progress:
            target = self.answered + more
            assert self._progress.wait_for(lambda: self.answered >= target, timeout=PATIENCE)

    def go_home(self) -> None:
        """Ask no more."""
        self._enough.set()

    def ask(self, requests_per_connection: int | None) -> None:
        """Ask again and again until it is enough or the door is closed.

        A connection is used for so many requests, or until the server announces its end. That a connection is refused
        is no failure; that one which was accepted is not answered is.
        """
        while not self._enough.is_set():
            connection = HTTPConnection(*self._address, timeout=PATIENCE)
            try:
                connection.connect()
            except ConnectionRefusedError:
                return
            try:
                self._use(connection, requests_per_connection)
            except (OSError, HTTPException) as failure:
                self.failures.append(repr(failure))
            finally:
                connection.close()

    def _use(self, connection: HTTPConnection, requests: int | None) -> None:
        for number in count(1):
            connection.request("GET", self._path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                self.failures.append(f"{answer.status}")
            with self._progress:
                self.answered += 1
                self._progress.notify_all()
            if self._enough.wait(_PAUSE) or number == requests or answer.getheader("connection") == "close":
                return


@contextmanager
def crowd_at(server: Server, path: str = "/auth/policy", *, faithful: int = 4, fresh: int = 2) -> Iterator[Crowd]:
    """So many clients that keep their connections, and so many that open one for each request."""
    crowd = Crowd(server, path)
    kinds = [None] * faithful + [1] * fresh
    threads = [threading.Thread(target=crowd.ask, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    try:
        yield crowd
    finally:
        crowd.go_home()
        for thread in threads:
            thread.join()
