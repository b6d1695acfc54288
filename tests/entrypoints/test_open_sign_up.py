"""Open sign-up over HTTP: friendly disclosure and optional verification (R13, R14, R16, R17)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.http_requests import (
    PASSWORD,
    assert_problem,
    cookies_set,
    make_member,
    new_address,
    sign_in,
    sign_up,
)
from tests.support.server import Server, run_server

NEW_PASSWORD = "chosen by the mailbox's owner"
OPTIONAL = {"OSTIARY_VERIFICATION": "optional", "OSTIARY_USERNAME": "optional"}


@pytest.fixture(scope="module")
def optional(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server where verification is optional."""
    with run_server(tmp_path_factory.mktemp("optional"), OPTIONAL) as running:
        yield running


@pytest.fixture(scope="module")
def friendly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that requires verification and says that an address is taken."""
    with run_server(tmp_path_factory.mktemp("friendly"), {"OSTIARY_DISCLOSURE": "friendly"}) as running:
        yield running


@pytest.fixture
def ada(optional: Server) -> Iterator[httpx.Client]:
    """A browser with an empty jar."""
    with optional.client() as client:
        yield client


def conflicts(answer: httpx.Response) -> list[tuple[str, str]]:
    """Which fields are taken."""
    return [(error["field"], error["code"]) for error in assert_problem(answer, 409, "conflict")["errors"]]


# Friendly disclosure


def test_a_taken_address_is_a_conflict_and_a_free_one_a_letter(friendly: Server) -> None:
    email = new_address("friendly")
    make_member(friendly, email)
    with friendly.client() as client:
        assert conflicts(sign_up(client, email.upper())) == [("email", "taken")]
        assert "set-cookie" not in sign_up(client, email).headers
        free = sign_up(client, new_address("friendly"))
        assert (free.status_code, free.json()["status"]) == (202, "verification_sent")
        assert cookies_set(free).keys() == {"ostiary-signup"}
    assert len(friendly.inbox(email)) == 1, "the letter from the first sign-up, and no notice"


def test_the_start_says_what_friendly_gives_away_and_the_policy_that_it_is_on(friendly: Server) -> None:
    said = friendly.log.read_text()
    assert "WARNING: sign-up tells everybody who asks whether an address has an account" in said
    assert "nobody learns" not in said
    assert httpx.get(f"{friendly.url}/auth/policy").json()["disclosure"] == "friendly"


def test_elsewhere_nothing_more_is_told_than_ever(friendly: Server) -> None:
    email = new_address("friendly")
    make_member(friendly, email)
    with friendly.client() as client:
        answers = [
            (answer.status_code, answer.text)
            for address in (email, new_address("friendly"))
            for answer in (
                client.post("/auth/resend-verification", json={"email": address}),
                sign_in(client, address, "not the one at all"),
            )
        ]
    assert answers[:2] == answers[2:]


# Optional verification


def test_signing_up_signs_in(ada: httpx.Client, optional: Server) -> None:
    email = new_address("optional")
    answer = sign_up(ada, f" {email.upper()} ", username="Countess")
    assert answer.status_code == 201
    assert answer.json().keys() == {"user", "access_token", "token_type", "expires_in"}
    user = answer.json()["user"]
    assert (user["email"], user["email_verified"], user["username"]) == (email, False, "countess")
    cookies = cookies_set(answer)
    assert cookies.keys() == {"ostiary"}
    assert "httponly" in cookies["ostiary"]
    assert cookies["ostiary"]["max-age"] == str(int(timedelta(days=30).total_seconds()))
    assert ada.get("/auth/me").json() == user
    bearer = {"authorization": f"Bearer {answer.json()['access_token']}"}
    assert httpx.get(f"{optional.url}/auth/me", headers=bearer).json() == user


def test_a_native_client_gets_its_token_in_the_body(ada: httpx.Client) -> None:
    answer = ada.post(
        "/auth/signup",
        json={"email": new_address("native"), "password": PASSWORD, "name": "Ada", "transport": "token"},
    )
    assert answer.status_code == 201
    assert "set-cookie" not in answer.headers
    assert answer.json().keys() == {"user", "access_token", "token_type", "expires_in", "refresh_token"}


def test_a_session_that_is_not_to_be_remembered_leaves_with_the_browser(ada: httpx.Client) -> None:
    body = {"email": new_address("short"), "password": PASSWORD, "name": "Ada", "remember": False}
    assert "max-age" not in cookies_set(ada.post("/auth/signup", json=body))["ostiary"]


@pytest.mark.parametrize("field", [{"transport": "token"}, {"remember": True}])
def test_where_signing_up_starts_no_session_nothing_can_be_said_about_one(
    field: dict[str, object], friendly: Server
) -> None:
    body = {"email": new_address("required"), "password": PASSWORD, "name": "Ada", **field}
    with friendly.client() as client:
        problem = assert_problem(client.post("/auth/signup", json=body), 400, "validation_error")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [(*field, "unknown_field")]


def test_taken_fields_are_all_named(ada: httpx.Client) -> None:
    email, other = new_address("taken"), new_address("taken")
    username = email.partition("@")[0]
    assert sign_up(ada, email, username=username).status_code == 201
    assert conflicts(sign_up(ada, email)) == [("email", "taken")]
    assert conflicts(sign_up(ada, other, username=username)) == [("username", "taken")]
    assert conflicts(sign_up(ada, email, username=username)) == [("email", "taken"), ("username", "taken")]


def test_of_fifty_at_once_one_becomes_the_user_and_nobody_meets_a_fault(optional: Server) -> None:
    """R18."""
    email = new_address("race")

    def attempt(number: int) -> httpx.Response:
        with optional.client() as client:
            return sign_up(client, email, f"{PASSWORD} {number}")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(attempt, range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49


def test_the_letter_opened_in_the_same_browser_verifies_and_the_session_goes_on(
    ada: httpx.Client, optional: Server
) -> None:
    email = new_address("verified")
    before = cookies_set(sign_up(ada, email))["ostiary"][""]
    verified = ada.post("/auth/verify-email", json={"token": optional.token(email), "email": email})
    assert verified.status_code == 200
    assert verified.json()["user"]["email_verified"]
    assert cookies_set(verified)["ostiary"][""] == before
    assert ada.get("/auth/me").json()["email_verified"]


def test_an_access_token_is_as_good_as_the_cookie(ada: httpx.Client, optional: Server) -> None:
    email = new_address("verified")
    joined = sign_up(ada, email).json()
    with optional.client() as client:
        verified = client.post(
            "/auth/verify-email",
            json={"token": optional.token(email)},
            headers={"authorization": f"Bearer {joined['access_token']}"},
        )
    assert verified.json()["user"] == {**joined["user"], "email_verified": True}


def test_a_bad_session_beside_the_token_is_no_obstacle(ada: httpx.Client, optional: Server) -> None:
    email = new_address("verified")
    sign_up(ada, email)
    with optional.client() as client:
        body, headers = {"token": optional.token(email), "password": PASSWORD}, {"authorization": "Bearer nonsense"}
        assert client.post("/auth/verify-email", json=body, headers=headers).status_code == 200


def test_the_owner_of_the_mailbox_takes_over_and_the_stranger_is_out(ada: httpx.Client, optional: Server) -> None:
    """SECURITY 2.2."""
    email = new_address("mine")
    with optional.client() as stranger:
        assert sign_up(stranger, email, "a stranger's own choice").status_code == 201
        token = {"token": optional.token(email)}
        assert conflicts(sign_up(ada, email)) == [("email", "taken")]
        assert_problem(ada.post("/auth/verify-email", json=token), 403, "password_required")
        mine = ada.post("/auth/verify-email", json={**token, "new_password": NEW_PASSWORD})
        assert (mine.status_code, mine.json()["user"]["email_verified"]) == (200, True)
        assert_problem(stranger.get("/auth/me"), 401, "unauthenticated")
        assert_problem(sign_in(stranger, email, "a stranger's own choice"), 401, "invalid_credentials")
    assert ada.get("/auth/me").json()["email"] == email


def test_the_letter_is_sent_again_by_address_and_by_token(ada: httpx.Client, optional: Server) -> None:
    email = new_address("again")
    sign_up(ada, email)
    first = optional.token(email)
    assert ada.post("/auth/resend-verification", json={"token": first}).status_code == 202
    second = optional.token(email, at_least=2)
    assert ada.post("/auth/resend-verification", json={"email": email}).status_code == 202
    third = optional.token(email, at_least=3)
    for dead in (first, second):
        assert_problem(ada.post("/auth/verify-email", json={"token": dead}), 400, "token_invalid")
    assert ada.post("/auth/verify-email", json={"token": third}).status_code == 200


def test_signing_up_need_not_sign_in(tmp_path: Path) -> None:
    """R13."""
    with run_server(tmp_path, {**OPTIONAL, "OSTIARY_AUTO_SIGN_IN": "off"}) as server, server.client() as client:
        email = new_address("later")
        answer = sign_up(client, email)
        assert answer.status_code == 201
        assert answer.json().keys() == {"user"}
        assert "set-cookie" not in answer.headers
        assert_problem(client.get("/auth/me"), 401, "unauthenticated")
        assert sign_in(client, email).json()["user"] == answer.json()["user"]


def test_the_start_says_why_disclosure_is_friendly(optional: Server) -> None:
    assert "which comes with OSTIARY_VERIFICATION=optional" in optional.log.read_text()
    policy = httpx.get(f"{optional.url}/auth/policy").json()
    assert (policy["verification"], policy["disclosure"]) == ("optional", "friendly")
