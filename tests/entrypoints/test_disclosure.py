"""Nobody learns who has an account (DESIGN section 2, SECURITY 2.1). Compared here is all that a stranger sees."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.http_requests import PASSWORD, assert_problem, make_member, new_address, sign_in, sign_up
from tests.support.server import Server, run_server, wait_for

KINDS = ("absent", "waiting", "verified")
OWN_PASSWORD = "the owner's own secret"
Seen = tuple[int, tuple[tuple[str, str], ...], str]


def seen(answer: httpx.Response, email: str = "") -> Seen:
    """An answer as a stranger may compare it: status, headers in their order, body; less what differs by nature."""
    headers = []
    for raw_name, raw_value in answer.headers.raw:
        name, value = raw_name.decode(), raw_value.decode()
        if name.lower() in ("date", "x-request-id"):
            value = f"<{len(value)}>"
        if name.lower() == "set-cookie":
            pair, _, attributes = value.partition(";")
            key, _, secret = pair.partition("=")
            value = f"{key}=<{len(secret)}>;{attributes}"
        headers.append((name, value))
    return answer.status_code, tuple(headers), answer.text.replace(email, "<address>") if email else answer.text


class Cast:
    """One address of each kind, all of one length."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def address(self, kind: str) -> str:
        """A new address that is of this kind by now."""
        email = f"p{uuid4().hex[:12]}@example.com"
        if kind == "verified":
            make_member(self.server, email, OWN_PASSWORD)
        if kind == "waiting":
            with self.server.client() as client:
                assert sign_up(client, email, OWN_PASSWORD).status_code == 202
            self.server.inbox(email)
        return email


@pytest.fixture(scope="module")
def cast(server: Server) -> Cast:
    """People, without limits."""
    return Cast(server)


def same_for_all(cast: Cast, act: Callable[[httpx.Client, str], httpx.Response]) -> Seen:
    """What every kind of address is answered; fails when there is more than one answer."""
    answers = {}
    for kind in KINDS:
        email = cast.address(kind)
        with cast.server.client() as client:
            answers[kind] = seen(act(client, email), email)
    assert answers["absent"] == answers["waiting"] == answers["verified"]
    return answers["absent"]


def test_sign_up_answers_the_same(cast: Cast) -> None:
    """R15; the cookie is there every time, and as long."""
    status, headers, body = same_for_all(cast, lambda client, email: sign_up(client, email))
    assert status == 202
    assert body == '{"status":"verification_sent","email":"<address>"}'
    assert "ostiary-signup=<43>" in dict(headers)["set-cookie"]


def test_signing_up_twice_answers_the_same(cast: Cast) -> None:
    """The reservation side effect: the first one takes nothing away from the second."""

    def twice(client: httpx.Client, email: str) -> httpx.Response:
        first = seen(sign_up(client, email))
        client.cookies.clear()
        second = sign_up(client, email)
        assert seen(second) == first
        return second

    same_for_all(cast, twice)


def test_resend_answers_the_same(cast: Cast) -> None:
    """R45."""
    answer = same_for_all(cast, lambda client, email: client.post("/auth/resend-verification", json={"email": email}))
    assert answer[0] == 202
    assert answer[2] == '{"status":"verification_sent"}'
    assert "set-cookie" not in dict(answer[1])


def test_forgetting_a_password_answers_the_same(cast: Cast) -> None:
    """SECURITY 2.1, reset."""
    answer = same_for_all(cast, lambda client, email: client.post("/auth/forgot-password", json={"email": email}))
    assert answer[0] == 202
    assert answer[2] == '{"status":"reset_requested"}'
    assert "set-cookie" not in dict(answer[1])


def test_asking_for_an_address_answers_the_same_whoever_has_it(cast: Cast) -> None:
    member = cast.address("verified")

    def act(client: httpx.Client, email: str) -> httpx.Response:
        assert sign_in(client, member, OWN_PASSWORD).status_code == 200
        return client.post("/auth/change-email", json={"email": email})

    answer = same_for_all(cast, act)
    assert answer[0] == 202
    assert answer[2] == '{"status":"confirmation_sent","email":"<address>"}'


def test_a_request_of_anybody_writes_the_same_rows(cast: Cast) -> None:
    """SECURITY 2.1: row counts, in the tables that a request of this kind touches; a moment later, too."""

    def rows() -> list[int]:
        return [
            cast.server.sql(count)[0][0]
            for count in (
                "SELECT count(*) FROM letters",
                "SELECT count(*) FROM one_time_tokens",
                "SELECT count(*) FROM events",
                "SELECT count(*) FROM reversals",
            )
        ]

    def settle() -> None:
        queued = "SELECT count(*) FROM letters WHERE status = 'queued'"
        wait_for(lambda: cast.server.sql(queued)[0][0] == 0 or None, "letters to have left")

    grown = {}
    for kind in KINDS:
        email = cast.address(kind)
        settle()
        before = rows()
        with cast.server.client() as client:
            client.post("/auth/forgot-password", json={"email": email})
            assert sign_in(client, email, "not the one at all").status_code == 401
        settle()
        grown[kind] = [after - earlier for after, earlier in zip(rows(), before, strict=True)]
    assert grown["absent"] == grown["waiting"] == grown["verified"] == [1, 1, 2, 0]


def test_sign_in_with_a_wrong_password_answers_the_same(cast: Cast) -> None:
    """R50."""
    status, headers, _ = same_for_all(cast, lambda client, email: sign_in(client, email, "not the one at all"))
    assert status == 401
    assert "set-cookie" not in dict(headers)


@pytest.mark.parametrize("transport", ["cookie", "token"])
@pytest.mark.parametrize("marks", ["none", "garbage", "another's"])
def test_sign_in_on_a_marked_device_answers_the_same(cast: Cast, marks: str, transport: str) -> None:
    """A 6.1.1: a mark is for whom it fits, and says nothing about anybody else."""
    member = {"email": cast.address("verified"), "password": OWN_PASSWORD}
    with cast.server.client() as client:
        cookie = {"another's": client.post("/auth/signin", json=member).cookies["ostiary-device"], "garbage": "x"}
        token = client.post("/auth/signin", json={**member, "transport": "token"}).json()["device_token"]

    def act(client: httpx.Client, email: str) -> httpx.Response:
        shown = {"cookie": f"ostiary-device={cookie[marks]}", "x-ostiary-device": token} if marks != "none" else {}
        body = {"email": email, "password": "not the one at all", "transport": transport}
        return client.post("/auth/signin", json=body, headers=shown)

    status, headers, _ = same_for_all(cast, act)
    assert status == 401
    assert "set-cookie" not in dict(headers)


def test_the_right_password_of_a_sign_up_that_waits_is_as_wrong_as_any(cast: Cast) -> None:
    """Or else "not verified" would say that the address was free."""
    email = cast.address("waiting")
    with cast.server.client() as client:
        right = seen(sign_in(client, email, OWN_PASSWORD))
        wrong = seen(sign_in(client, email, "not the one at all"))
        nobody = seen(sign_in(client, cast.address("absent"), OWN_PASSWORD))
    assert right == wrong == nobody
    assert right[0] == 401


def test_signing_up_and_then_in_tells_nothing(cast: Cast) -> None:
    """Sign up for free and taken addresses, then sign in with what was just chosen."""

    def both(client: httpx.Client, email: str) -> httpx.Response:
        assert sign_up(client, email, "a stranger's own choice").status_code == 202
        return sign_in(client, email, "a stranger's own choice")

    assert same_for_all(cast, both)[0] == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "short"},
        {"password": "passwordpassword"},
        {"password": PASSWORD, "name": ""},
        {"password": PASSWORD, "role": "admin"},
        {"password": PASSWORD, "password_confirm": "something else"},
        {"password": "p" * 129},
    ],
    ids=["short", "common", "no name", "unknown field", "mismatch", "long"],
)
def test_what_is_wrong_with_a_form_does_not_depend_on_whose_address_it_names(
    cast: Cast, fields: dict[str, str]
) -> None:
    """Validation comes before anything that knows the address."""

    def act(client: httpx.Client, email: str) -> httpx.Response:
        return client.post("/auth/signup", json={"email": email, "name": "Ada", **fields})

    assert same_for_all(cast, act)[0] == 400


def test_a_password_equal_to_ones_own_address_is_refused_for_all(cast: Cast) -> None:
    assert same_for_all(cast, lambda client, email: sign_up(client, email, email))[0] == 400


@pytest.mark.parametrize(
    "spelling", [str.upper, str.title, lambda email: f"  {email} "], ids=["upper", "title", "spaces"]
)
def test_no_spelling_of_a_taken_address_gets_another_answer(cast: Cast, spelling: Callable[[str], str]) -> None:
    """SECURITY 2.3: one canonical form, shown in the answer."""

    def act(client: httpx.Client, email: str) -> httpx.Response:
        return sign_up(client, spelling(email))

    assert same_for_all(cast, act)[2] == '{"status":"verification_sent","email":"<address>"}'


def test_a_token_that_is_no_token_is_answered_the_same_whoever_it_is_for(cast: Cast) -> None:
    def act(client: httpx.Client, email: str) -> httpx.Response:
        return client.post("/auth/verify-email", json={"token": "A" * 43, "email": email, "password": OWN_PASSWORD})

    assert same_for_all(cast, act)[0] == 400


# -- Users by id (R54) --


def test_other_users_are_forbidden_whether_or_not_they_exist(cast: Cast) -> None:
    own = make_member(cast.server, new_address())
    other = make_member(cast.server, new_address())
    bearer = {"authorization": f"Bearer {own['access_token']}"}
    with cast.server.client() as client:
        mine = client.get(f"/auth/users/{own['user']['id']}", headers=bearer)
        assert mine.status_code == 200
        assert mine.json() == own["user"]
        foreign = [
            seen(client.get(f"/auth/users/{user_id}", headers=bearer))
            for user_id in (other["user"]["id"], str(uuid4()), "garbage", "1", "%F0%9F%98%80", "' OR 1=1--")
        ]
        assert set(foreign) == {foreign[0]}
        assert foreign[0][0] == 403
        nobody = [
            seen(client.get(f"/auth/users/{user_id}")) for user_id in (own["user"]["id"], str(uuid4()), "garbage")
        ]
        assert set(nobody) == {nobody[0]}
        assert nobody[0][0] == 401


# -- Limits (DESIGN section 4) --

DEFAULTS = {
    "OSTIARY_LIMIT_SIGN_IN_PAIR": "5/15m",
    "OSTIARY_LIMIT_SIGN_IN_ADDRESS": "20/15m",
    "OSTIARY_LIMIT_SIGN_IN_CLIENT": "100/15m",
    "OSTIARY_LIMIT_SIGN_IN_DEVICE": "10/15m",
    "OSTIARY_LIMIT_SIGN_UP_CLIENT": "5/1h",
    "OSTIARY_LIMIT_SIGN_UP_ADDRESS": "5/1h",
    "OSTIARY_LIMIT_LETTER_MINUTE": "1/1m",
    "OSTIARY_LIMIT_LETTER_HOUR": "5/1h",
    "OSTIARY_LIMIT_LETTER_DAY": "20/1d",
    "OSTIARY_LIMIT_LETTER_CLIENT": "30/15m",
    "OSTIARY_LIMIT_OWNER_NOTICE": "1/1h",
    "OSTIARY_LIMIT_TOKEN_CLIENT": "30/15m",
    "OSTIARY_LIMIT_WAITING_PASSWORD": "5/48h",
}
"""Every limit as DESIGN section 4 has it, spelt out here on purpose."""

BEHIND_PROXY = {**DEFAULTS, "OSTIARY_TRUSTED_PROXIES": "127.0.0.0/8"}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with default limits behind a trusted proxy, so that a test can come from anywhere."""
    with run_server(tmp_path_factory.mktemp("limited"), BEHIND_PROXY) as running:
        yield running


_here = iter(range(1, 2**16))


def elsewhere(server: Server) -> httpx.Client:
    """A client at an address of its own."""
    number = next(_here)
    return server.client(headers={"x-forwarded-for": f"198.18.{number // 256}.{number % 256}"})


def member_elsewhere(server: Server) -> str:
    """Somebody with an account, who signed up from where nobody else is."""
    email = f"p{uuid4().hex[:12]}@example.com"
    with elsewhere(server) as client:
        assert sign_up(client, email, OWN_PASSWORD).status_code == 202
        assert client.post("/auth/verify-email", json={"token": server.token(email)}).status_code == 200
    return email


def waiting_elsewhere(server: Server) -> str:
    """Somebody who has signed up and no more."""
    email = f"p{uuid4().hex[:12]}@example.com"
    with elsewhere(server) as client:
        assert sign_up(client, email, OWN_PASSWORD).status_code == 202
    server.inbox(email)
    return email


def hammered(server: Server, email: str, times: int, act: Callable[[httpx.Client, str], httpx.Response]) -> list[Seen]:
    """What a stranger at an address of their own sees who does it again and again."""
    with elsewhere(server) as client:
        answers = []
        for _ in range(times):
            answers.append(seen(act(client, email), email))
            client.cookies.clear()
        return answers


def without_wait(answers: list[Seen]) -> list[tuple[int, tuple[str, ...], str]]:
    """The answers without the seconds that a client's own window still has, which time alone changes."""
    return [(status, tuple(name for name, _ in headers), body) for status, headers, body in answers]


def test_the_nth_failed_sign_in_is_answered_the_same(limited: Server) -> None:
    """The limiter as an oracle, and lockout as one: whoever the address belongs to, the sixth is refused."""

    def act(client: httpx.Client, email: str) -> httpx.Response:
        return sign_in(client, email, "not the one at all")

    nobody = hammered(limited, f"p{uuid4().hex[:12]}@example.com", 8, act)
    waiting = hammered(limited, waiting_elsewhere(limited), 8, act)
    member = hammered(limited, member_elsewhere(limited), 8, act)
    assert nobody == waiting == member
    assert [status for status, _, _ in nobody] == [401] * 5 + [429] * 3
    for _, headers, _ in nobody[5:]:
        assert dict(headers)["retry-after"] == "900"
        assert not [name for name, _ in headers if name.startswith("ratelimit")]


def test_a_mark_for_somebody_else_changes_no_answer_of_the_limits(limited: Server) -> None:
    with elsewhere(limited) as client:
        other = {"email": member_elsewhere(limited), "password": OWN_PASSWORD}
        mark = client.post("/auth/signin", json=other).cookies["ostiary-device"]

    def act(client: httpx.Client, email: str) -> httpx.Response:
        return client.post(
            "/auth/signin", json={"email": email, "password": "x"}, headers={"cookie": f"ostiary-device={mark}"}
        )

    nobody = hammered(limited, f"p{uuid4().hex[:12]}@example.com", 8, act)
    member = hammered(limited, member_elsewhere(limited), 8, act)
    assert nobody == member
    assert [status for status, _, _ in nobody] == [401] * 5 + [429] * 3


def test_the_right_password_is_refused_like_a_wrong_one_once_the_limit_is_reached(limited: Server) -> None:
    email = member_elsewhere(limited)
    with elsewhere(limited) as client:
        for _ in range(5):
            assert sign_in(client, email, "not the one at all").status_code == 401
        wrong, right = seen(sign_in(client, email, "not the one")), seen(sign_in(client, email, OWN_PASSWORD))
        assert right == wrong
        assert right[0] == 429
    with elsewhere(limited) as client:
        assert sign_in(client, email, OWN_PASSWORD).status_code == 200, "another client is not locked out"


def test_the_nth_sign_up_of_one_client_is_answered_the_same(limited: Server) -> None:
    def act(client: httpx.Client, email: str) -> httpx.Response:
        return sign_up(client, email)

    nobody = hammered(limited, f"p{uuid4().hex[:12]}@example.com", 7, act)
    member = hammered(limited, member_elsewhere(limited), 6, act)
    assert [status for status, _, _ in nobody] == [202] * 5 + [429] * 2
    # The owner's own sign-up was the first of five for that address.
    assert [status for status, _, _ in member] == [202] * 4 + [429] * 2
    assert without_wait(nobody[:4]) == without_wait(member[:4])


def test_sign_ups_for_one_address_from_everywhere_are_answered_the_same(limited: Server) -> None:
    """The address's own limit: five, free or taken, and the whole window as the time to wait."""
    taken, free = waiting_elsewhere(limited), f"p{uuid4().hex[:12]}@example.com"
    with elsewhere(limited) as client:
        assert sign_up(client, free).status_code == 202  # as the other one had one already
    answers: dict[str, list[Seen]] = {taken: [], free: []}
    for email, collected in answers.items():
        for _ in range(6):
            with elsewhere(limited) as client:
                collected.append(seen(sign_up(client, email), email))
    assert answers[taken] == answers[free]
    assert [status for status, _, _ in answers[free]] == [202] * 4 + [429] * 2
    headers = dict(answers[free][-1][1])
    assert headers["retry-after"] == "3600"
    assert "ratelimit" not in headers


def test_the_nth_resend_is_answered_the_same(limited: Server) -> None:
    def act(client: httpx.Client, email: str) -> httpx.Response:
        return client.post("/auth/resend-verification", json={"email": email})

    answers = [
        hammered(limited, email, 4, act)
        for email in (f"p{uuid4().hex[:12]}@example.com", waiting_elsewhere(limited), member_elsewhere(limited))
    ]
    assert answers[0] == answers[1] == answers[2]
    assert [status for status, _, _ in answers[0]] == [202] + [429] * 3
    assert dict(answers[0][-1][1])["retry-after"] == "60"


def test_the_nth_forgotten_password_is_answered_the_same(limited: Server) -> None:
    def act(client: httpx.Client, email: str) -> httpx.Response:
        return client.post("/auth/forgot-password", json={"email": email})

    answers = [
        hammered(limited, email, 4, act)
        for email in (f"p{uuid4().hex[:12]}@example.com", waiting_elsewhere(limited), member_elsewhere(limited))
    ]
    assert answers[0] == answers[1] == answers[2]
    assert [status for status, _, _ in answers[0]] == [202] + [429] * 3
    assert dict(answers[0][-1][1])["retry-after"] == "60"


def test_a_client_limit_says_what_is_left_and_when_to_come_back(limited: Server) -> None:
    """Q: the caller's own quota, and nobody else's; the numbers agree with one another."""
    with elsewhere(limited) as client:
        for _ in range(5):
            assert sign_up(client, new_address("limit")).status_code == 202
        answer = sign_up(client, new_address("limit"))
    problem = assert_problem(answer, 429, "rate_limited")
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert answer.headers["cache-control"] == "no-store"
    wait = int(answer.headers["retry-after"])
    assert 3590 < wait <= 3600
    assert answer.headers["ratelimit-policy"] == '"sign_up_client";q=5;w=3600'
    assert answer.headers["ratelimit"] == f'"sign_up_client";r=0;t={wait}'


def test_one_client_trying_many_addresses_is_stopped(limited: Server) -> None:
    """SECURITY 2.6, credential stuffing: 100 in a quarter of an hour."""
    with elsewhere(limited) as client:
        statuses = [sign_in(client, f"s{number}@example.com", "x").status_code for number in range(103)]
    assert statuses == [401] * 100 + [429] * 3


def test_proving_gives_the_unit_back(limited: Server) -> None:
    """Five *unproven* ones an hour: a family behind one address can join."""
    with elsewhere(limited) as client:
        for _ in range(7):
            email = f"p{uuid4().hex[:12]}@example.com"
            assert sign_up(client, email).status_code == 202
            assert client.post("/auth/verify-email", json={"token": limited.token(email)}).status_code == 200
            client.cookies.clear()


def test_what_the_service_turns_away_itself_is_not_charged(limited: Server) -> None:
    with elsewhere(limited) as client:
        for _ in range(10):
            assert sign_up(client, new_address(), "short").status_code == 400
        assert sign_up(client, new_address()).status_code == 202


def test_a_sign_in_that_is_no_guess_is_not_charged(limited: Server) -> None:
    email = f"p{uuid4().hex[:12]}@example.com"
    with elsewhere(limited) as client:
        for _ in range(3):
            assert sign_in(client, "no address", "x").status_code == 400
            assert client.post("/auth/signin", json={"email": email}).status_code == 400
            assert client.post("/auth/signin", json={"email": email, "password": "x", "more": 1}).status_code == 400
            assert (
                client.post("/auth/signin", content=b"{", headers={"content-type": "application/json"}).status_code
                == 400
            )
            assert client.post("/auth/signin", data={"email": email, "password": "x"}).status_code == 415
            assert client.post("/auth/signin", json={"email": email, "password": "x" * 17_000}).status_code == 413
            foreign = {"origin": "https://evil.example"}
            body = {"email": email, "password": "x"}
            assert client.post("/auth/signin", json=body, headers=foreign).status_code == 403
        assert [sign_in(client, email, "x").status_code for _ in range(6)] == [401] * 5 + [429]


def test_a_guess_whose_answer_nobody_waits_for_is_a_guess(limited: Server) -> None:
    email = f"p{uuid4().hex[:12]}@example.com"
    body = f'{{"email":"{email}","password":"x"}}'
    url = httpx.URL(limited.url)
    before = len([event for event in limited.events() if event["event"] == "sign_in_failed"])
    head = "POST /auth/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"X-Forwarded-For: 203.0.113.9\r\nContent-Length: {len(body)}\r\n\r\n"
    for _ in range(5):
        with socket.create_connection((url.host, url.port or 80)) as connection:
            connection.sendall((head + body).encode())
    wait_for(
        lambda: len([event for event in limited.events() if event["event"] == "sign_in_failed"]) >= before + 5 or None,
        "five guesses to be judged",
    )
    with limited.client(headers={"x-forwarded-for": "203.0.113.9"}) as client:
        assert sign_in(client, email, "x").status_code == 429


def test_guessing_tokens_is_stopped(limited: Server) -> None:
    with elsewhere(limited) as client:
        answers = [client.post("/auth/verify-email", json={"token": "A" * 43}) for _ in range(32)]
    assert [answer.status_code for answer in answers] == [400] * 30 + [429] * 2
    assert "ratelimit" in answers[-1].headers


def test_the_password_of_a_sign_up_can_be_guessed_five_times(limited: Server) -> None:
    """DESIGN section 2 (b): a wrong one does not spend the token, and the sixth is not looked at."""
    email = waiting_elsewhere(limited)
    token = limited.token(email)
    with elsewhere(limited) as client:
        for _ in range(5):
            wrong = client.post("/auth/verify-email", json={"token": token, "password": "not the one at all"})
            assert_problem(wrong, 403, "password_required")
        right = client.post("/auth/verify-email", json={"token": token, "password": OWN_PASSWORD})
        assert_problem(right, 429, "rate_limited")
        assert "ratelimit" not in right.headers
        fresh = client.post("/auth/verify-email", json={"token": token, "new_password": "a brand new secret"})
        assert fresh.status_code == 200, "the owner of the mailbox still gets in"


# -- Letters (mail bombing) --


def test_a_hundred_resends_are_one_letter_a_minute(limited: Server) -> None:
    """SECURITY 2.6, from a hundred addresses at once."""
    email = waiting_elsewhere(limited)
    with limited.client() as client:
        statuses = [
            client.post(
                "/auth/resend-verification",
                json={"email": email},
                headers={"x-forwarded-for": f"198.51.100.{number}"},
            ).status_code
            for number in range(100)
        ]
    assert statuses.count(202) <= 2
    assert set(statuses) == {202, 429}
    settled(limited)
    assert len(limited.inbox(email)) <= 1 + statuses.count(202)


def test_the_owner_of_an_address_is_told_once_an_hour_that_somebody_tried(limited: Server) -> None:
    """R85."""
    email = member_elsewhere(limited)
    for _ in range(4):
        with elsewhere(limited) as client:
            assert sign_up(client, email).status_code == 202
    settled(limited)
    subjects = [letter["subject"] for letter in limited.inbox(email)]
    assert subjects == ["You already have an account at Ostiary", "Confirm your e-mail address for Ostiary"]
    notice = limited.inbox(email)[0]
    assert notice["link"] is None, "nothing in it can be clicked into an account"
    assert "Ada" not in notice["text"], "no word of whoever tried"


def settled(server: Server) -> None:
    """Once a letter asked for later has left, those asked for before have been decided."""
    email = f"last{uuid4().hex[:12]}@example.com"
    with elsewhere(server) as client:
        assert sign_up(client, email).status_code == 202
    server.inbox(email)


# -- Whose address counts (A 15.3.4, 4.1.3) --


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with default limits that trusts no proxy."""
    with run_server(tmp_path_factory.mktemp("direct"), DEFAULTS) as running:
        yield running


def test_a_client_that_makes_up_addresses_is_still_one_client(direct: Server) -> None:
    with direct.client() as client:
        statuses = [
            client.post(
                "/auth/signup",
                json={"email": new_address("xff"), "password": PASSWORD, "name": "Ada"},
                headers={
                    "x-forwarded-for": f"203.0.113.{number}",
                    "x-real-ip": f"203.0.113.{number}",
                    "forwarded": f"for=203.0.113.{number}",
                    "cf-connecting-ip": f"203.0.113.{number}",
                    "true-client-ip": f"203.0.113.{number}",
                    "x-client-ip": f"203.0.113.{number}",
                },
            ).status_code
            for number in range(8)
        ]
    assert statuses == [202] * 5 + [429] * 3
    assert not [event for event in direct.events() if "203.0.113" in str(event.get("client"))]


def failures(server: Server, forwarded: list[list[str]]) -> list[int]:
    """The statuses of failing sign-ins for one address, each with these forwarding headers."""
    email = f"p{uuid4().hex[:12]}@example.com"
    with server.client() as client:
        return [
            client.post(
                "/auth/signin",
                json={"email": email, "password": "x"},
                headers=[("x-forwarded-for", value) for value in values],
            ).status_code
            for values in forwarded
        ]


def test_behind_a_trusted_proxy_the_address_from_the_right_counts(limited: Server) -> None:
    """What stands further left was written by the client."""
    same = [[f"10.1.2.{number}, 192.0.2.77"] for number in range(7)]
    assert failures(limited, same) == [401] * 5 + [429] * 2
    in_two_headers = [[f"10.1.2.{number}", "192.0.2.78"] for number in range(7)]
    assert failures(limited, in_two_headers) == [401] * 5 + [429] * 2
    different = [[f"10.1.2.3, 192.0.2.{number}"] for number in range(100, 107)]
    assert failures(limited, different) == [401] * 7


def test_no_other_header_is_believed_not_even_from_a_trusted_proxy(limited: Server) -> None:
    email = f"p{uuid4().hex[:12]}@example.com"
    with elsewhere(limited) as client:
        statuses = [
            client.post(
                "/auth/signin",
                json={"email": email, "password": "x"},
                headers={"forwarded": f"for=203.0.113.{number}", "x-real-ip": f"203.0.113.{number}"},
            ).status_code
            for number in range(7)
        ]
    assert statuses == [401] * 5 + [429] * 2


def test_trusted_proxies_in_a_row_are_skipped(limited: Server) -> None:
    same = [[f"10.9.9.{number}, 192.0.2.79, 127.0.0.{number + 1}"] for number in range(7)]
    assert failures(limited, same) == [401] * 5 + [429] * 2


@pytest.mark.parametrize("garbage", ["unknown", "[::1", "999.1.1.1", "evil<script>", "_hidden"])
def test_what_is_no_address_is_not_believed(limited: Server, garbage: str) -> None:
    assert failures(limited, [[f"10.9.{number}.9, {garbage}"] for number in range(7)]) == [401] * 5 + [429] * 2


def test_the_addresses_of_one_network_of_ipv6_are_one_client(limited: Server) -> None:
    """SECURITY 2.6: a /64 is one customer, and an IPv4 address in IPv6 clothes is that IPv4 address."""
    same = [[f"2001:db8:1:1::{number}"] for number in range(1, 8)]
    assert failures(limited, same) == [401] * 5 + [429] * 2
    mapped = [["::ffff:192.0.2.80"], ["192.0.2.80"], ["::FFFF:c000:250"]] * 3
    assert failures(limited, mapped) == [401] * 5 + [429] * 4


@pytest.mark.parametrize("path", ["/auth/signin/", "/auth//signin", "/auth/%73ignin", "/auth/signin?x=1"])
def test_no_spelling_of_the_path_opens_another_account_of_tries(limited: Server, path: str) -> None:
    """SECURITY 2.6."""
    email = f"p{uuid4().hex[:12]}@example.com"
    body: dict[str, Any] = {"email": email, "password": "x"}
    with elsewhere(limited) as client:
        for _ in range(5):
            assert client.post("/auth/signin", json=body).status_code == 401
        assert client.post(path, json=body).status_code in (404, 429)
        body["email"] = email.upper()
        assert client.post("/auth/signin", json=body).status_code == 429


def test_limits_survive_a_restart(tmp_path: Path) -> None:
    email = new_address("restart")
    with run_server(tmp_path, DEFAULTS) as server, server.client() as client:
        for _ in range(5):
            assert sign_in(client, email, "x").status_code == 401
    with run_server(tmp_path, DEFAULTS) as server, server.client() as client:
        assert sign_in(client, email, "x").status_code == 429


def test_answers_do_not_wait_for_letters(limited: Server) -> None:
    """R83: however many letters wait, sign-up answers at once."""
    times = []
    for _ in range(5):
        with elsewhere(limited) as client:
            started = time.perf_counter()
            assert sign_up(client, new_address("quick")).status_code == 202
            times.append(time.perf_counter() - started)
    assert min(times) < 0.5
