"""People who live with a service that is mistreated, and a book of what it promised them."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage

import httpx

from tests.support.http_mail import MailServer, token_in
from tests.support.http_requests import PASSWORD, sign_in, sign_up
from tests.support.server import PATIENCE, Server, wait_for

IN_HAND = 4
"""Letters that may be on their way at a time: as many as people who live."""


class Gone(Exception):
    """The service was not there, or said that it could not: what became of the request is not known."""


@dataclass
class Promises:
    """What the service answered for, and how many answers there were."""

    signed_up: list[str] = field(default_factory=list)
    verified: set[str] = field(default_factory=set)
    alive: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    answers: int = 0
    cuts: int = 0
    """How often something happened that may have held a letter up for as long as a lease."""
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
            assert self.changed.wait_for(lambda: self.answers >= target, timeout=60), "nobody is served any more"


def live_a_life(server: Server, mail: MailServer, promises: Promises, serials: "itertools.count[int]") -> None:
    """Sign up, verify, sign in, be recognised, sign out; raises `Gone` where that ends early."""
    email = f"person{next(serials)}@example.com"
    cuts = promises.cuts
    try:
        with server.client() as client:
            _granted(sign_up(client, email), 202)
            promises.signed_up.append(email)
            promises.note()
            token = token_in(_letter(mail, email, lambda: promises.cuts > cuts or server.process.poll() is not None))
            _granted(client.post("/auth/verify-email", json={"token": token}), 200)
            promises.verified.add(email)
            promises.alive.add(client.cookies["ostiary"])
            promises.note()
        with server.client() as client:
            _granted(sign_in(client, email), 200)
            cookie = client.cookies["ostiary"]
            promises.alive.add(cookie)
            promises.note()
            _granted(client.get("/auth/me"), 200)
            promises.alive.discard(cookie)  # from here on nobody can say, until it is answered
            _granted(client.post("/auth/signout", json={}), 204)
            promises.ended.add(cookie)
            promises.note()
    except httpx.TransportError as trouble:
        raise Gone from trouble


def all_are_kept(server: Server, mail: MailServer, promises: Promises, *, mishaps: int) -> int:
    """Every promise holds; how many letters came twice."""
    assert {cookie: _whoami(server, cookie) for cookie in promises.alive} == dict.fromkeys(promises.alive, 200)
    assert {cookie: _whoami(server, cookie) for cookie in promises.ended} == dict.fromkeys(promises.ended, 401)
    for email in promises.signed_up:
        letters = wait_for(lambda email=email: _confirmations(mail, email) or None, f"a letter to {email}")
        assert len({letter["Message-ID"] for letter in letters}) == 1, "a second copy is recognisable as one"
        _get_in(server, email, letters[-1], verified=email in promises.verified)
    copies = Counter(letter["Message-ID"] for letter, _, _ in mail.received)
    twice = copies.total() - len(copies)
    assert twice <= mishaps + IN_HAND, "one a crash, and in few crashes as many as are in hand at a time"
    return twice


def _granted(response: httpx.Response, status: int) -> None:
    if response.status_code == 503:
        raise Gone
    assert response.status_code == status, response.text


def _letter(mail: MailServer, email: str, given_up: Callable[[], bool]) -> EmailMessage:
    def look() -> EmailMessage | None:
        if given_up():
            raise Gone
        found = _confirmations(mail, email)
        return found[-1] if found else None

    found: EmailMessage = wait_for(look, f"a letter to {email}")
    return found


def _confirmations(mail: MailServer, email: str) -> list[EmailMessage]:
    """The letters that ask for an address to be confirmed; its owner is told of new devices too."""
    return [letter for letter in mail.letters(email, at_least=0) if letter["Subject"].startswith("Confirm")]


def _whoami(server: Server, cookie: str) -> int:
    """How the service answers the holder of a session cookie."""
    return httpx.get(f"{server.url}/auth/me", headers={"Cookie": f"ostiary={cookie}"}, timeout=PATIENCE).status_code


def _get_in(server: Server, email: str, letter: EmailMessage, *, verified: bool) -> None:
    """Open the letter if that was not answered for yet, then sign in."""
    with server.client() as client:
        if not verified:
            answer = client.post("/auth/verify-email", json={"token": token_in(letter), "password": PASSWORD})
            assert answer.status_code == 200 or answer.json()["code"] == "already_verified", answer.text
        answer = sign_in(client, email)
        assert answer.status_code == 200, f"{email}: {answer.text}"
