"""Administration over HTTP (R54, R55; ASVS 6.4.6, 8.2.x, 8.3.x): docs/administration.md."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from entrypoints.http.app import API
from tests.support.http_requests import PASSWORD, assert_problem, make_member, new_address, run_command, sign_in
from tests.support.server import CHEAP, Server, token_of, wait_for

ROOT = "root@example.com"
ROOT_PASSWORD = "the keys of the house"
NOBODY = "00000000-0000-4000-8000-000000000000"

ENDPOINTS = [
    ("GET", "/admin/users"),
    ("GET", "/admin/users/{id}"),
    ("PATCH", "/admin/users/{id}"),
    ("POST", "/admin/users/{id}/end-sessions"),
    ("POST", "/admin/users/{id}/start-reset"),
    ("GET", "/admin/events"),
]
"""Everything there is, spelt out on purpose."""

each_endpoint = pytest.mark.parametrize(("method", "path"), ENDPOINTS)


@pytest.fixture(scope="module", autouse=True)
def first_administrator(server: Server) -> None:
    """Made where the server runs, as it has to be."""
    arguments = ("users", "create", "--email", ROOT, "--role", "admin", "--password-stdin")
    done = run_command(*arguments, folder=server.folder, variables=CHEAP, typed=ROOT_PASSWORD)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def root(server: Server) -> Iterator[httpx.Client]:
    """The administrator's browser."""
    with server.client() as client:
        assert sign_in(client, ROOT, ROOT_PASSWORD).status_code == 200
        yield client


@pytest.fixture
def ada(server: Server) -> Iterator[httpx.Client]:
    """Somebody else's browser."""
    email = new_address()
    make_member(server, email)
    with server.client() as client:
        assert sign_in(client, email).status_code == 200
        yield client


def me(client: httpx.Client) -> dict[str, str]:
    """Who a browser is."""
    return dict(client.get("/auth/me").json())


def call(client: httpx.Client, method: str, path: str, user_id: str = NOBODY) -> httpx.Response:
    """One of the endpoints, with nothing said that would change anything."""
    return client.request(method, path.replace("{id}", user_id), json=None if method == "GET" else {})


# Who may


def test_these_are_all_endpoints_there_are_and_none_makes_a_user_or_knows_of_passwords() -> None:
    served = {
        (method, re.sub(r"\{[a-z_:]+\}", "{id}", path))
        for handler in API
        for path in handler.paths
        for method in handler.http_methods - {"HEAD"}
        if path.startswith("/admin")
    }
    assert served == set(ENDPOINTS)
    for handler in API:
        promise = handler.opt["documented"]
        if any(path.startswith("/admin") for path in handler.paths) and promise.body is not None:
            assert not {"password", "email", "name", "username"} & set(promise.body.__struct_fields__)


@each_endpoint
def test_without_a_session_it_is_401(server: Server, method: str, path: str) -> None:
    with server.client() as client:
        assert_problem(call(client, method, path), 401, "unauthenticated")
        assert_problem(call(client, method, path, "no-id"), 401, "unauthenticated")


@each_endpoint
def test_for_everybody_else_it_is_403_whatever_they_ask_for(ada: httpx.Client, method: str, path: str) -> None:
    answers = {
        call(ada, method, path, user_id).text for user_id in (NOBODY, str(uuid4()), "no-id", "%00", me(ada)["id"])
    }
    assert len(answers) == 1
    assert_problem(call(ada, method, path), 403, "forbidden")
    assert_problem(ada.request(method, path, params={"most": "x", "disabled": "maybe"}), 403, "forbidden")


@pytest.mark.parametrize(("method", "path"), [each for each in ENDPOINTS if "{id}" in each[1]])
@pytest.mark.parametrize("user_id", [NOBODY, "no-id", "%00", "é", "00000000-0000-0000-0000-000000000000"])
def test_administrators_read_404_where_there_is_nobody(
    root: httpx.Client, method: str, path: str, user_id: str
) -> None:
    assert_problem(call(root, method, path, user_id), 404, "not_found")


def test_a_role_that_is_taken_away_is_gone_at_the_next_call(root: httpx.Client, ada: httpx.Client) -> None:
    token = ada.post("/auth/refresh").json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    path = f"/admin/users/{me(ada)['id']}"
    assert root.patch(path, json={"role": "admin"}).json()["role"] == "admin"
    assert ada.get("/admin/users").status_code == 200
    assert ada.get("/admin/users", headers=bearer).status_code == 200, "whatever an older access token says"
    assert root.patch(path, json={"role": "user"}).status_code == 200
    fresh = {"Authorization": f"Bearer {token}"}
    assert_problem(ada.get("/admin/users"), 403, "forbidden")
    assert_problem(ada.get("/admin/users", headers=fresh), 403, "forbidden")


def test_a_change_from_a_foreign_page_is_refused(root: httpx.Client, ada: httpx.Client) -> None:
    path = f"/admin/users/{me(ada)['id']}"
    for origin in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert_problem(root.patch(path, json={"disabled": True}, headers=origin), 403, "foreign_origin")
        assert_problem(root.post(f"{path}/end-sessions", headers=origin), 403, "foreign_origin")
    assert ada.get("/auth/me").status_code == 200


# Looking


def test_users_are_listed_searched_and_paged(root: httpx.Client, server: Server) -> None:
    word = f"find{uuid4().hex[:8]}"
    emails = [f"{word}{number}@example.com" for number in range(3)]
    for email in emails:
        make_member(server, email)
    found = root.get("/admin/users", params={"search": word.upper()}).json()
    assert [user["email"] for user in found["users"]] == emails[::-1]
    assert found["next"] is None
    first = root.get("/admin/users", params={"search": word, "most": "2"}).json()
    second = root.get("/admin/users", params={"search": word, "most": "2", "after": first["next"]}).json()
    assert [user["email"] for user in first["users"] + second["users"]] == emails[::-1]
    one = root.get("/admin/users", params={"search": first["users"][0]["id"]}).json()
    assert [user["email"] for user in one["users"]] == emails[2:]
    assert root.get("/admin/users", params={"search": f"{word}%"}).json()["users"] == []
    assert root.get("/admin/users", params={"role": "admin", "search": word}).json()["users"] == []
    assert len(root.get("/admin/users", params={"verified": "true", "search": word}).json()["users"]) == 3
    assert root.get("/admin/users", params={"disabled": "true", "search": word}).json()["users"] == []


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/admin/users", "search", "\x00"),
        ("/admin/users", "search", "x" * 255),
        ("/admin/users", "role", "\x00"),
        ("/admin/users", "disabled", "yes"),
        ("/admin/users", "verified", "TRUE"),
        ("/admin/users", "after", "x"),
        ("/admin/users", "after", f"{'9' * 18}-{'0f' * 16}"),
        ("/admin/users", "most", "0"),
        ("/admin/users", "most", "101"),
        ("/admin/users", "most", "٣"),
        ("/admin/events", "user_id", "x"),
        ("/admin/events", "kind", "no such"),
        ("/admin/events", "failed", "1"),
        ("/admin/events", "since", "yesterday"),
        ("/admin/events", "since", "2026-01-01T12:00:00"),
        ("/admin/events", "since", "0001-01-01T00:00:00+14:00"),
        ("/admin/events", "before", "x"),
        ("/admin/events", "most", "-1"),
    ],
)
def test_what_cannot_be_read_is_400_and_named(root: httpx.Client, path: str, name: str, value: str) -> None:
    problem = assert_problem(root.get(path, params={name: value}), 400, "validation_error")
    assert [error["field"] for error in problem["errors"]] == [name]


def test_everything_that_cannot_be_read_is_named_at_once(root: httpx.Client) -> None:
    problem = assert_problem(root.get("/admin/users", params={"most": "x", "disabled": "x", "search": "\x00"}), 400)
    assert {error["field"] for error in problem["errors"]} == {"most", "disabled", "search"}


def test_a_user_is_shown_with_where_they_are_signed_in_and_no_secret(root: httpx.Client, ada: httpx.Client) -> None:
    answer = root.get(f"/admin/users/{me(ada)['id']}")
    shown = answer.json()
    assert shown["user"] == {**me(ada), "disabled_at": None, "first_signed_in_at": shown["user"]["first_signed_in_at"]}
    assert shown["user"]["first_signed_in_at"] is not None
    assert [session["current"] for session in shown["sessions"]] == [False, False]
    for secret in ("password", "hash", "argon2", "seed", "token"):
        assert secret not in re.sub('"transport":"token"', "", answer.text)
    assert answer.headers["cache-control"] == "no-store"


def test_the_plain_user_endpoint_shows_administrators_everybody(root: httpx.Client, ada: httpx.Client) -> None:
    """DESIGN section 6: 200 own (or admin)."""
    person, administrator = me(ada), me(root)
    assert root.get(f"/auth/users/{person['id']}").json() == person
    assert root.get(f"/auth/users/{administrator['id']}").json() == administrator
    for nobody in (NOBODY, "no-id"):
        assert_problem(root.get(f"/auth/users/{nobody}"), 404, "not_found")
    for other in (administrator["id"], NOBODY, "no-id"):
        assert_problem(ada.get(f"/auth/users/{other}"), 403, "forbidden")


# Acting


def test_disabling_is_true_at_once_and_enabling_brings_no_session_back(
    root: httpx.Client, ada: httpx.Client, server: Server
) -> None:
    person = me(ada)
    token = ada.post("/auth/refresh").json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    disabled = root.patch(f"/admin/users/{person['id']}", json={"disabled": True})
    assert disabled.status_code == 200
    assert disabled.json()["disabled_at"] is not None
    with server.client() as client:
        assert_problem(ada.get("/auth/me"), 401)
        assert_problem(client.get("/auth/me", headers=bearer), 401)
        assert_problem(ada.post("/auth/refresh"), 401)
        assert_problem(sign_in(client, person["email"]), 401, "invalid_credentials")
        assert root.patch(f"/admin/users/{person['id']}", json={"disabled": False}).json()["disabled_at"] is None
        assert_problem(ada.get("/auth/me"), 401)
        assert_problem(client.get("/auth/me", headers=bearer), 401)
        assert sign_in(client, person["email"]).status_code == 200


def test_sessions_of_a_user_are_ended(root: httpx.Client, ada: httpx.Client) -> None:
    path = f"/admin/users/{me(ada)['id']}"
    assert root.post(f"{path}/end-sessions").status_code == 204
    assert_problem(ada.get("/auth/me"), 401)
    assert root.get(path).json()["sessions"] == []
    assert root.get("/auth/me").status_code == 200


def test_a_reset_is_started_and_only_its_owner_goes_on(root: httpx.Client, ada: httpx.Client, server: Server) -> None:
    person = me(ada)
    answer = root.post(f"/admin/users/{person['id']}/start-reset", json={"expire_password": True})
    assert answer.status_code == 202
    assert answer.json() == {"status": "reset_sent", "email": person["email"]}
    with server.client() as client:
        assert_problem(sign_in(client, person["email"]), 401)
        assert_problem(ada.get("/auth/me"), 401)
        letter = wait_for(lambda: _reset_letter(server, person["email"]), "the letter to choose a new password")
        reset = {"token": token_of(letter["link"]), "password": "quite another secret"}
        assert client.post("/auth/reset-password", json=reset).status_code == 204
        assert sign_in(client, person["email"], "quite another secret").status_code == 200


def _reset_letter(server: Server, email: str) -> dict[str, Any] | None:
    return next((one for one in server.inbox(email) if "Choose a new password" in one["subject"]), None)


def test_no_administrator_locks_themselves_out(root: httpx.Client) -> None:
    path = f"/admin/users/{me(root)['id']}"
    for change in ({"disabled": True}, {"role": "user"}):
        assert_problem(root.patch(path, json=change), 409, "own_account")
    assert_problem(root.post(f"{path}/start-reset", json={"expire_password": True}), 409, "own_account")
    assert me(root)["role"] == "admin"


def test_no_reset_is_started_for_somebody_disabled(root: httpx.Client, ada: httpx.Client) -> None:
    path = f"/admin/users/{me(ada)['id']}"
    assert root.patch(path, json={"disabled": True}).status_code == 200
    assert_problem(root.post(f"{path}/start-reset", json={}), 409, "account_disabled")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"role": "Boss"}, "role"),
        ({"role": ""}, "role"),
        ({"role": 1}, "role"),
        ({"role": None}, "role"),
        ({"role": "a\x00"}, "role"),
        ({"disabled": "true"}, "disabled"),
        ({"disabled": None}, "disabled"),
        ({"email": "new@example.com"}, "email"),
        ({"password": PASSWORD}, "password"),
        ({"email_verified": True}, "email_verified"),
        ({"id": NOBODY}, "id"),
    ],
)
def test_what_is_not_an_administrators_to_set_is_refused_by_name(
    root: httpx.Client, ada: httpx.Client, change: dict[str, object], field: str
) -> None:
    answer = root.patch(f"/admin/users/{me(ada)['id']}", json={"disabled": True, **change})
    problem = assert_problem(answer, 400, "validation_error")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert ada.get("/auth/me").status_code == 200, "nor is the rest done"


# The record


def test_every_act_is_on_record_with_who_did_it(root: httpx.Client, ada: httpx.Client) -> None:
    person, administrator = me(ada)["id"], me(root)["id"]
    root.patch(f"/admin/users/{person}", json={"role": "editor"})
    own = ada.get("/auth/events").json()["events"][0]
    assert (own["kind"], own["actor_id"], own["address"], own["user_agent"]) == (
        "user_changed",
        administrator,
        "",
        "",
    )
    root.post(f"/admin/users/{person}/start-reset", json={})
    root.post(f"/admin/users/{person}/end-sessions")
    root.patch(f"/admin/users/{person}", json={"disabled": True})
    root.patch(f"/admin/users/{person}", json={"disabled": False})
    events = root.get("/admin/events", params={"user_id": person}).json()["events"]
    assert [event["kind"] for event in events if event["actor_id"] == administrator] == [
        "user_enabled",
        "user_disabled",
        "sessions_ended",
        "password_reset_requested",
        "user_changed",
    ]
    assert {event["address"] for event in events if event["actor_id"]} == {"127.0.0.1"}


def test_events_are_filtered_and_paged(root: httpx.Client, ada: httpx.Client, server: Server) -> None:
    person = me(ada)
    with server.client() as client:
        assert_problem(sign_in(client, person["email"], "not the password"), 401)
    every = root.get("/admin/events", params={"user_id": person["id"]}).json()["events"]
    assert UUID(every[0]["id"])
    [failed] = root.get("/admin/events", params={"user_id": person["id"], "failed": "true"}).json()["events"]
    assert failed == every[0]
    since = {"user_id": person["id"], "since": every[1]["at"]}
    assert root.get("/admin/events", params=since).json()["events"] == every[:2]
    kind = {"kind": "user_created"}
    assert [event["reason"] for event in root.get("/admin/events", params=kind).json()["events"]] == ["cli"]
    first = root.get("/admin/events", params={"user_id": person["id"], "most": "2"}).json()
    second = root.get("/admin/events", params={"user_id": person["id"], "before": first["next"]}).json()
    assert first["events"] + second["events"] == every


def test_the_log_names_whoever_acted(root: httpx.Client, ada: httpx.Client, server: Server) -> None:
    person, administrator = me(ada)["id"], me(root)["id"]
    root.patch(f"/admin/users/{person}", json={"role": "logged"})
    [line] = [line for line in server.events() if line.get("event") == "user_changed" and line.get("user_id") == person]
    assert line["actor_id"] == administrator
