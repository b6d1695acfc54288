"""Several processes on one PostgreSQL: what must happen once happens once, whoever is asked (DESIGN 4, 5, 8)."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.support.http_mail import MailServer, run_mail_server, token_in
from tests.support.http_requests import PASSWORD, new_address, sign_in, sign_up
from tests.support.postgresql import fresh_database, run
from tests.support.server import Server, run_server, wait_for

WIDTH = 50
SECRET = "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"


@dataclass(frozen=True)
class Pair:
    """Two processes that share nothing but the database, the secret and the mail server."""

    servers: tuple[Server, Server]
    mail: MailServer
    url: str

    def count(self, condition: str) -> int:
        """How many rows there are of what is said after FROM."""
        return int(run(self.url, "SET search_path = ostiary", f"SELECT count(*) FROM {condition}")[0][0])  # noqa: S608


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with ExitStack() as stack:
        url, mail = stack.enter_context(fresh_database()), stack.enter_context(run_mail_server())
        variables = {
            "DATABASE_URL": url,
            "OSTIARY_SECRET": SECRET,
            "OSTIARY_USERNAME": "optional",
            # One name for both, as behind a load balancer.
            "OSTIARY_PUBLIC_URL": "http://127.0.0.1:1",
            **mail.variables,
        }
        one, other = (
            stack.enter_context(run_server(tmp_path_factory.mktemp(name), variables)) for name in ("one", "other")
        )
        yield Pair((one, other), mail, url)


Request = Callable[[httpx.Client, int], httpx.Response]


def at_once(pair: Pair, request: Request) -> Counter[tuple[int, str]]:
    """The same moment in many browsers, half of them at each process: how often each answer was given."""
    start = threading.Barrier(WIDTH)

    def one(number: int) -> tuple[int, str]:
        with pair.servers[number % 2].client() as client:
            start.wait(30)
            while True:
                answer = request(client, number)
                code = answer.json().get("code", "")
                if code != "overloaded":  # a slow machine: who is told to come back does
                    return answer.status_code, code

    with ThreadPoolExecutor(WIDTH) as crowd:
        return Counter(crowd.map(one, range(WIDTH)))


def test_a_session_made_at_one_is_known_at_the_other_and_dead_at_both(pair: Pair) -> None:
    one, other = pair.servers
    email = new_address("pair")
    with one.client() as here:
        sign_up(here, email)
        assert here.post("/auth/verify-email", json={"token": pair.mail.token(email)}).status_code == 200
        cookie = {"cookie": f"ostiary={here.cookies['ostiary']}"}
        assert httpx.get(f"{other.url}/auth/me", headers=cookie).json()["email"] == email
        assert httpx.get(f"{other.url}/.well-known/jwks.json").json() == here.get("/.well-known/jwks.json").json()
        assert here.post("/auth/signout", json={}).status_code == 204
        assert httpx.get(f"{other.url}/auth/me", headers=cookie).status_code == 401


def test_every_letter_leaves_once_however_many_look_for_it(pair: Pair) -> None:
    people = [new_address("letter") for _ in range(3 * WIDTH)]
    for wave in range(3):
        offset = wave * WIDTH
        assert at_once(pair, partial(join, people[offset : offset + WIDTH])) == {(202, ""): WIDTH}
    wait_for(lambda: pair.count("letters WHERE status = 'queued'") == 0 or None, "every letter to leave")
    received = Counter(recipient for _, recipients, _ in pair.mail.received for recipient in recipients)
    assert {person: received[person] for person in people} == dict.fromkeys(people, 1)
    assert all(count > 0 for count in sent_by(pair)), "both had a part in it"


def join(people: list[str], client: httpx.Client, number: int) -> httpx.Response:
    return sign_up(client, people[number])


def sent_by(pair: Pair) -> list[int]:
    """How many letters each process sent."""
    return [sum(event["event"] == "letter_sent" for event in server.events()) for server in pair.servers]


def test_of_fifty_who_want_one_username_one_gets_it(pair: Pair) -> None:
    answers = at_once(pair, lambda client, _: sign_up(client, new_address("name"), username="the_one"))
    assert answers == {(202, ""): 1, (409, "conflict"): WIDTH - 1}
    assert pair.count("sign_ups WHERE username = 'the_one'") == 1


def test_a_token_opened_fifty_times_at_once_makes_one_user_and_lets_one_in(pair: Pair) -> None:
    email = new_address("verify")
    with pair.servers[0].client() as client:
        sign_up(client, email)
    body = {"token": pair.mail.token(email), "password": PASSWORD}
    answers = at_once(pair, lambda client, _: client.post("/auth/verify-email", json=body))
    assert answers == {(200, ""): 1, (409, "already_verified"): WIDTH - 1}
    assert pair.count(f"users JOIN accounts ON user_id = users.id WHERE email = '{email}'") == 1
    assert pair.count(f"sessions JOIN users ON user_id = users.id WHERE email = '{email}'") == 1


def test_of_fifty_sign_ups_of_one_address_proven_at_once_one_becomes_the_user(pair: Pair) -> None:
    email = new_address("rivals")
    assert at_once(pair, lambda client, number: sign_up(client, email, f"{PASSWORD} {number}")) == {(202, ""): WIDTH}
    letters = pair.mail.letters(email, at_least=WIDTH)
    tokens = [token_in(letter) for letter in letters]
    body = {"new_password": PASSWORD, "name": "Ada"}
    answers = at_once(
        pair, lambda client, number: client.post("/auth/verify-email", json={"token": tokens[number], **body})
    )
    assert answers == {(200, ""): 1, (400, "token_invalid"): WIDTH - 1}
    assert pair.count(f"users WHERE email = '{email}'") == 1
    assert pair.count(f"sign_ups WHERE email = '{email}'") == 1, "the others are forgotten"
    with pair.servers[1].client() as client:
        assert sign_in(client, email).status_code == 200


def test_fifty_who_sign_in_at_once_all_get_in(pair: Pair) -> None:
    """No deadlock, no lost update: a session each."""
    emails = [new_address("many") for _ in range(WIDTH)]
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda email: prove(pair, email), emails))
    assert at_once(pair, lambda client, number: sign_in(client, emails[number])) == {(200, ""): WIDTH}


def prove(pair: Pair, email: str) -> None:
    with pair.servers[0].client() as client:
        sign_up(client, email)
        assert client.post("/auth/verify-email", json={"token": pair.mail.token(email)}).status_code == 200


def test_one_process_that_stops_leaves_its_work_to_the_other(pair: Pair, tmp_path: Path) -> None:
    """A rolling restart: nobody who is served by the other notices."""
    email = new_address("rolling")
    variables = {"DATABASE_URL": pair.url, "OSTIARY_SECRET": SECRET, **pair.mail.variables}
    with run_server(tmp_path, variables) as third:
        with third.client() as client:
            assert sign_up(client, email).status_code == 202
        assert third.stop() == 0
    with pair.servers[0].client() as client:
        answer = client.post("/auth/verify-email", json={"token": pair.mail.token(email), "password": PASSWORD})
        assert answer.status_code == 200
