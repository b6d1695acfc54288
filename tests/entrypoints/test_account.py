"""The life of an account over real HTTP (R56, R94; A 6.3.7, 7.4.x, 7.5.x): docs/account.md."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.http_requests import PASSWORD, assert_problem, make_member, new_address, sign_in
from tests.support.server import Server, token_of, wait_for

NEW_PASSWORD = "difference of engines"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def letter(server: Server, email: str, path: str) -> str:
    """The token in the newest letter to an address whose link leads to this path."""

    def look() -> str | None:
        links = [each["link"] for each in server.inbox(email) if each["link"] and f"{path}?token=" in each["link"]]
        return token_of(links[0]) if links else None

    found: str = wait_for(look, f"a letter to {email} with a link to {path}")
    return found


@pytest.fixture
def email(server: Server) -> str:
    """The address of somebody with an account."""
    address = new_address()
    make_member(server, address)
    return address


@pytest.fixture
def ada(server: Server, email: str) -> Iterator[httpx.Client]:
    """Their browser, signed in."""
    with server.client(headers={"user-agent": FIREFOX}) as client:
        assert sign_in(client, email).status_code == 200
        yield client


def test_a_forgotten_password_is_reset_and_the_way_in_is_free(server: Server, email: str, ada: httpx.Client) -> None:
    with server.client() as browser:
        answer = browser.post("/auth/forgot-password", json={"email": email})
        assert (answer.status_code, answer.json()) == (202, {"status": "reset_requested"})
        answer = browser.post(
            "/auth/reset-password", json={"token": letter(server, email, "/auth/reset"), "password": NEW_PASSWORD}
        )
        assert (answer.status_code, answer.content) == (204, b"")
        assert set(answer.cookies) == {"ostiary-device"}, "marked, and not signed in"
        assert browser.get("/auth/me").status_code == 401
        assert sign_in(browser, email, NEW_PASSWORD).status_code == 200
    assert ada.get("/auth/me").status_code == 401
    assert_problem(ada.post("/auth/refresh", json={}), 401, "unauthenticated")


def test_a_native_client_is_marked_by_a_header(server: Server, email: str) -> None:
    with server.client() as client:
        client.post("/auth/forgot-password", json={"email": email})
        body = {"token": letter(server, email, "/auth/reset"), "password": NEW_PASSWORD, "transport": "token"}
        answer = client.post("/auth/reset-password", json=body)
        assert answer.headers["x-ostiary-device"]
        assert not answer.cookies


def test_a_password_is_changed_and_only_this_session_goes_on(server: Server, email: str, ada: httpx.Client) -> None:
    with server.client() as other:
        sign_in(other, email)
        body = {"current_password": PASSWORD, "password": NEW_PASSWORD}
        answer = ada.post("/auth/change-password", json=body)
        assert answer.status_code == 204
        assert ada.get("/auth/me").status_code == 200
        assert other.get("/auth/me").status_code == 401
    problem = assert_problem(ada.post("/auth/change-password", json=body), 400, "validation_error")
    assert problem["errors"] == [
        {"field": "current_password", "code": "wrong_password", "message": "This is not your password."}
    ]


def test_an_address_is_changed_confirmed_and_changed_back_by_its_owner(
    server: Server, email: str, ada: httpx.Client
) -> None:
    new = new_address("countess")
    answer = ada.post("/auth/change-email", json={"email": new})
    assert (answer.status_code, answer.json()) == (202, {"status": "confirmation_sent", "email": new})
    assert ada.get("/auth/me").json()["email"] == email
    with server.client() as anywhere:
        token = letter(server, new, "/auth/confirm-email-change")
        answer = anywhere.post("/auth/confirm-email-change", json={"token": token})
        assert (answer.status_code, answer.json()) == (200, {"status": "email_changed", "email": new})
        assert not answer.cookies
        assert ada.get("/auth/me").json()["email"] == new
        answer = anywhere.post("/auth/undo", json={"token": letter(server, email, "/auth/undo")})
        assert (answer.status_code, answer.json()) == (200, {"status": "undone", "email": email})
        assert not answer.cookies
        assert ada.get("/auth/me").status_code == 401
        assert sign_in(anywhere, email).status_code == 401
        token = letter(server, email, "/auth/reset")
        assert anywhere.post("/auth/reset-password", json={"token": token, "password": NEW_PASSWORD}).status_code == 204
        assert sign_in(anywhere, email, NEW_PASSWORD).json()["user"]["email"] == email


def test_an_account_is_deleted_and_comes_back(server: Server, email: str, ada: httpx.Client) -> None:
    before = ada.get("/auth/me").json()
    answer = ada.request("DELETE", "/auth/me", json={"password": PASSWORD})
    assert answer.status_code == 204
    assert "ostiary=" in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert ada.get("/auth/me").status_code == 401
    with server.client() as browser:
        assert sign_in(browser, email).status_code == 401
        assert browser.post("/auth/undo", json={"token": letter(server, email, "/auth/undo")}).status_code == 200
        token = letter(server, email, "/auth/reset")
        browser.post("/auth/reset-password", json={"token": token, "password": NEW_PASSWORD})
        assert sign_in(browser, email, NEW_PASSWORD).json()["user"] == before


def test_an_old_session_has_to_show_the_password(server: Server, email: str, ada: httpx.Client) -> None:
    server.let_sessions_age(timedelta(minutes=11).total_seconds())
    for method, path, body in (
        ("POST", "/auth/change-email", {"email": new_address()}),
        ("DELETE", "/auth/me", {}),
    ):
        assert_problem(ada.request(method, path, json=body), 403, "reauthentication_required")
        problem = assert_problem(ada.request(method, path, json={**body, "password": "a guess"}), 400)
        assert [(error["field"], error["code"]) for error in problem["errors"]] == [("password", "wrong_password")]
    assert ada.request("DELETE", "/auth/me", json={"password": PASSWORD}).status_code == 204


def test_sessions_are_listed_and_ended(server: Server, email: str, ada: httpx.Client) -> None:
    with server.client() as phone:
        sign_in(phone, email)
        mine, theirs = sorted(ada.get("/auth/sessions").json()["sessions"], key=lambda each: not each["current"])[:2]
        assert (mine["device"], mine["address"], mine["transport"]) == ("Firefox on Linux", "127.0.0.0/24", "cookie")
        assert theirs["current"] is False
        assert ada.delete(f"/auth/sessions/{theirs['id']}").status_code == 204
        ended = [client.get("/auth/me").status_code for client in (ada, phone)]
        others = ada.get("/auth/sessions").json()["sessions"]
        assert theirs["id"] not in {each["id"] for each in others}
        assert ended[0] == 200
    answer = ada.delete(f"/auth/sessions/{mine['id']}")
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"], "ending this one signs out"
    assert ada.get("/auth/sessions").status_code == 401


def test_foreign_sessions_are_not_there(server: Server, ada: httpx.Client) -> None:
    """A 7.4.5: 404 for every other id, existing or not."""
    other = new_address()
    make_member(server, other)
    with server.client() as theirs:
        sign_in(theirs, other)
        foreign = theirs.get("/auth/sessions").json()["sessions"][0]["id"]
        answers = {
            ada.delete(f"/auth/sessions/{session_id}").text for session_id in (foreign, str(uuid4()), "x", "%20", "1")
        }
        assert len(answers) == 1
        assert_problem(ada.delete(f"/auth/sessions/{foreign}"), 404, "not_found")
        assert theirs.get("/auth/me").status_code == 200


def test_events_are_listed_page_by_page(server: Server, email: str, ada: httpx.Client) -> None:
    with server.client() as stranger:
        for _ in range(3):
            assert sign_in(stranger, email, "a guess").status_code == 401
    first = ada.get("/auth/events", params={"most": "2"}).json()
    assert [event["kind"] for event in first["events"]] == ["sign_in_failed"] * 2
    second = ada.get("/auth/events", params={"before": first["next"]}).json()
    assert second["next"] is None
    kinds = [event["kind"] for event in second["events"]]
    assert kinds == ["sign_in_failed", "signed_in", "address_verified"]
    assert {event["address"] for event in second["events"]} == {"127.0.0.1"}


@pytest.mark.parametrize(
    "query", [{"before": "x"}, {"most": "0"}, {"most": "101"}, {"most": "-1"}, {"most": "1e2"}, {"before": ""}]
)
def test_a_page_that_makes_no_sense_is_refused_by_name(query: dict[str, str], ada: httpx.Client) -> None:
    problem = assert_problem(ada.get("/auth/events", params=query), 400, "validation_error")
    assert [error["field"] for error in problem["errors"]] == list(query)


ENDPOINTS = [
    ("POST", "/auth/change-password", {"current_password": PASSWORD, "password": NEW_PASSWORD}),
    ("POST", "/auth/change-email", {"email": "b@example.com"}),
    ("DELETE", "/auth/me", {}),
    ("GET", "/auth/sessions", None),
    ("DELETE", "/auth/sessions/6f1b0c52-5d0e-4d3f-9a53-0c2f1b7c9e11", None),
    ("GET", "/auth/events", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ENDPOINTS, ids=[f"{m} {p}" for m, p, _ in ENDPOINTS])
def test_what_is_ones_own_needs_a_session(method: str, path: str, body: dict[str, Any] | None, server: Server) -> None:
    with server.client() as nobody:
        assert_problem(nobody.request(method, path, json=body), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/reset-password", {"password": NEW_PASSWORD}),
        ("/auth/confirm-email-change", {}),
        ("/auth/undo", {}),
    ],
)
@pytest.mark.parametrize("token", ["A" * 43, "", "x" * 9000, "' OR 1=1--"])
def test_a_link_that_is_none_is_refused(path: str, body: dict[str, str], token: str, server: Server) -> None:
    with server.client() as client:
        answer = client.post(path, json={"token": token, **body})
        assert_problem(answer, 400, "token_invalid")


def test_opening_a_link_changes_nothing(server: Server, email: str, ada: httpx.Client) -> None:
    """Mail scanners open links by GET and HEAD (SECURITY 2.5)."""
    ada.post("/auth/forgot-password", json={"email": email})
    token = letter(server, email, "/auth/reset")
    with server.client() as scanner:
        for path in ("/auth/reset-password", "/auth/confirm-email-change", "/auth/undo"):
            for method in ("GET", "HEAD"):
                assert scanner.request(method, path, params={"token": token}).status_code in (200, 405)
        body = {"token": token, "password": NEW_PASSWORD}
        assert scanner.post("/auth/reset-password", json=body).status_code == 204


@pytest.mark.parametrize("field", ["id", "role", "email_verified", "is_active", "created_at", "scopes"])
def test_nothing_else_can_be_assigned(field: str, server: Server, ada: httpx.Client) -> None:
    """A 15.3.3: by name, in every body."""
    for method, path, body in [
        *((method, path, body) for method, path, body in ENDPOINTS if body is not None),
        ("POST", "/auth/forgot-password", {"email": "b@example.com"}),
        ("POST", "/auth/reset-password", {"token": "A" * 43, "password": NEW_PASSWORD}),
        ("POST", "/auth/undo", {"token": "A" * 43}),
    ]:
        problem = assert_problem(ada.request(method, path, json={**body, field: "admin"}), 400, "validation_error")
        assert (field, "unknown_field") in {(error["field"], error["code"]) for error in problem["errors"]}, path


@pytest.mark.parametrize("value", [True, 1, [], {}, None])
def test_strict_types(value: object, ada: httpx.Client) -> None:
    """A 15.3.5."""
    for path, body in (
        ("/auth/change-password", {"current_password": PASSWORD, "password": value}),
        ("/auth/change-email", {"email": value}),
        ("/auth/forgot-password", {"email": value}),
        ("/auth/undo", {"token": value}),
    ):
        assert_problem(ada.post(path, json=body), 400, "validation_error")


def test_links_point_to_the_front_end_and_carry_nothing_but_token_and_address(server: Server, email: str) -> None:
    with server.client() as client:
        client.post("/auth/forgot-password", json={"email": email}, headers={"x-forwarded-host": "evil.example"})
    links = wait_for(
        lambda: [each["link"] for each in server.inbox(email) if "/auth/reset?" in (each["link"] or "")] or None,
        "the letter",
    )
    assert re.fullmatch(re.escape(server.url) + r"/auth/reset\?token=[\w-]{43}&email=[\w.%]+", links[0])
