"""Refreshing over HTTP (R57; DESIGN section 3, SECURITY 1.4, 2.5): cookies, bodies, and what is left alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.http_requests import assert_problem, cookies_set, make_member, new_address, sign_in
from tests.support.server import Server, run_server

DAY = timedelta(days=1).total_seconds()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A browser with an empty jar."""
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def email(server: Server) -> str:
    """The address of somebody who has an account."""
    address = new_address("refresher")
    make_member(server, address)
    return address


def refresh(client: httpx.Client, **body: Any) -> httpx.Response:
    """Refresh by what is in the jar, or in the body."""
    return client.post("/auth/refresh", json=body)


def by_cookie(server: Server, cookie: str) -> httpx.Response:
    """Refresh by a cookie that somebody holds."""
    with server.client() as holder:
        return holder.post("/auth/refresh", headers={"cookie": f"ostiary={cookie}"})


def recognised(server: Server, cookie: str) -> bool:
    """Whether a session cookie is good."""
    with server.client() as holder:
        return holder.get("/auth/me", headers={"cookie": f"ostiary={cookie}"}).is_success


def assert_refused(answer: httpx.Response) -> None:
    """A plain 401 that sets no cookie and expires none: whoever lost a race must not sign the winner out."""
    assert_problem(answer, 401, "unauthenticated")
    assert "set-cookie" not in answer.headers


def test_a_browser_gets_a_new_cookie_and_a_new_access_token(server: Server, client: httpx.Client, email: str) -> None:
    first = sign_in(client, email)
    old = cookies_set(first)["ostiary"]
    server.let_sessions_age(31)
    answer = refresh(client)
    assert answer.status_code == 200
    assert answer.json().keys() == {"user", "access_token", "token_type", "expires_in"}
    assert answer.json()["user"] == first.json()["user"]
    assert answer.json()["access_token"] != first.json()["access_token"]
    new = cookies_set(answer)["ostiary"]
    assert new[""] != old[""]
    assert new[""] not in answer.text
    assert {name: value for name, value in new.items() if name not in ("", "max-age")} == {
        name: value for name, value in old.items() if name not in ("", "max-age")
    }
    assert client.get("/auth/me").json() == first.json()["user"]
    bearer = {"authorization": f"Bearer {answer.json()['access_token']}"}
    assert httpx.get(f"{server.url}/auth/me", headers=bearer).status_code == 200


def test_a_native_client_gets_both_tokens_in_the_body_and_no_cookie(
    server: Server, client: httpx.Client, email: str
) -> None:
    first = sign_in(client, email, transport="token").json()
    server.let_sessions_age(31)
    answer = refresh(client, refresh_token=first["refresh_token"])
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    second = answer.json()
    assert second.keys() == first.keys() - {"device_token"}, "a refresh proves nothing that a device is marked for"
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    bearer = {"authorization": f"Bearer {second['access_token']}"}
    assert client.get("/auth/me", headers=bearer).json() == first["user"]


def test_the_body_says_whose_session_it_is_if_there_is_a_cookie_as_well(
    server: Server, client: httpx.Client, email: str
) -> None:
    other = new_address("other")
    make_member(server, other)
    sign_in(client, email)
    token = sign_in(client, other, transport="token").json()["refresh_token"]
    assert refresh(client, refresh_token=token).json()["user"]["email"] == other
    assert_refused(refresh(client, refresh_token="x"))


def test_a_cookie_is_kept_as_long_as_the_session_may_still_live(
    server: Server, client: httpx.Client, email: str
) -> None:
    sign_in(client, email)
    server.let_sessions_age(10 * DAY)
    left = int(cookies_set(refresh(client))["ostiary"]["max-age"])
    assert 20 * DAY - 60 <= left <= 20 * DAY


def test_a_session_that_is_not_to_be_remembered_still_leaves_with_the_browser(
    server: Server, client: httpx.Client, email: str
) -> None:
    sign_in(client, email, remember=False)
    server.let_sessions_age(3600)
    cookie = cookies_set(refresh(client))["ostiary"]
    assert "max-age" not in cookie
    assert "expires" not in cookie
    server.let_sessions_age(24 * 3600)
    assert_refused(refresh(client))


def test_the_cookie_with_the_access_token_is_renewed_too(tmp_path: Path) -> None:
    """R55."""
    with run_server(tmp_path, {"OSTIARY_ACCESS_TOKEN_COOKIE": "on"}) as server, server.client() as client:
        address = new_address()
        make_member(server, address)
        first = cookies_set(sign_in(client, address))
        server.let_sessions_age(31)
        answer = refresh(client)
        cookies = cookies_set(answer)
        assert cookies.keys() == {"ostiary", "ostiary-access"}
        assert cookies["ostiary-access"][""] == answer.json()["access_token"] != first["ostiary-access"][""]
        assert cookies["ostiary-access"]["max-age"] == "900"


# -- Two tabs, late cookies, lost answers --


def test_tabs_that_refresh_at_once_are_given_the_same_cookie(server: Server, client: httpx.Client, email: str) -> None:
    cookie = cookies_set(sign_in(client, email))["ostiary"][""]
    server.let_sessions_age(31)
    with ThreadPoolExecutor(16) as tabs:
        answers = list(tabs.map(lambda _: by_cookie(server, cookie), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["set-cookie"] for answer in answers}) == 1
    assert len({answer.json()["access_token"] for answer in answers}) == 50
    assert recognised(server, cookies_set(answers[0])["ostiary"][""])


def test_a_cookie_that_arrives_late_and_overwrites_the_newer_one_does_no_harm(
    server: Server, client: httpx.Client, email: str
) -> None:
    old = cookies_set(sign_in(client, email))["ostiary"][""]
    server.let_sessions_age(31)
    new = cookies_set(refresh(client))["ostiary"][""]
    client.cookies.clear()
    client.cookies.set("ostiary", old)
    assert client.get("/auth/me").status_code == 200
    assert cookies_set(refresh(client))["ostiary"][""] == new


def test_an_answer_that_got_lost_is_given_again(server: Server, client: httpx.Client, email: str) -> None:
    token = sign_in(client, email, transport="token").json()["refresh_token"]
    server.let_sessions_age(31)
    lost = refresh(client, refresh_token=token).json()["refresh_token"]
    server.let_sessions_age(25)
    for shown in (token, lost):
        assert refresh(client, refresh_token=shown).json()["refresh_token"] == lost


# -- Replays --


@pytest.mark.parametrize("transport", ["cookie", "token"])
def test_a_replay_ends_the_session_and_is_told_to_the_log(
    server: Server, client: httpx.Client, email: str, transport: str
) -> None:
    """A 10.4.5."""
    signed_in = sign_in(client, email, transport=transport)

    def held(answer: httpx.Response) -> str:
        return str(answer.json().get("refresh_token") or cookies_set(answer)["ostiary"][""])

    def show(token: str) -> httpx.Response:
        return by_cookie(server, token) if transport == "cookie" else refresh(client, refresh_token=token)

    stolen = held(signed_in)
    server.let_sessions_age(31)
    refreshed = show(stolen)
    server.let_sessions_age(31)
    assert_refused(show(stolen))
    assert_refused(show(held(refreshed)))
    bearer = {"authorization": f"Bearer {refreshed.json()['access_token']}"}
    assert_problem(httpx.get(f"{server.url}/auth/me", headers=bearer), 401, "unauthenticated")
    (event,) = [
        event
        for event in server.events()
        if event["event"] == "refresh_reused" and event["user_id"] == refreshed.json()["user"]["id"]
    ][-1:]
    assert event["level"] == "warning"
    assert event["client"] == "127.0.0.1"
    assert stolen not in server.log.read_text()


def test_an_old_cookie_is_a_plain_401_elsewhere_and_ends_nothing(
    server: Server, client: httpx.Client, email: str
) -> None:
    old = cookies_set(sign_in(client, email))["ostiary"][""]
    server.let_sessions_age(31)
    new = cookies_set(refresh(client))["ostiary"][""]
    server.let_sessions_age(31)
    assert not recognised(server, old)
    assert recognised(server, new)


# -- What touches nothing --


def rows(server: Server) -> list[tuple[Any, ...]]:
    """Every session as it is stored."""
    return server.sql("SELECT * FROM sessions ORDER BY id")


def test_a_forged_or_mutilated_token_touches_nothing(server: Server, client: httpx.Client, email: str) -> None:
    cookie = cookies_set(sign_in(client, email))["ostiary"][""]
    token = sign_in(client, email, transport="token").json()["refresh_token"]
    server.let_sessions_age(31)
    before = rows(server)
    for good in (cookie, token):
        for position in range(0, len(good), 3):
            forged = good[:position] + ("A" if good[position] != "A" else "B") + good[position + 1 :]
            assert_refused(by_cookie(server, forged))
            assert_refused(refresh(client, refresh_token=forged))
    for nonsense in ("", "x", "A" * 71, token + "=", token[:-1], "a" * 5000):
        assert_refused(refresh(client, refresh_token=nonsense))
    assert_refused(by_cookie(server, f"{cookie}; ostiary=planted"))
    assert rows(server) == before
    assert refresh(client).status_code == 200


def test_a_token_of_one_transport_is_not_accepted_in_the_other(
    server: Server, client: httpx.Client, email: str
) -> None:
    cookie = cookies_set(sign_in(client, email))["ostiary"][""]
    token = sign_in(client, email, transport="token").json()["refresh_token"]
    server.let_sessions_age(31)
    before = rows(server)
    assert_refused(by_cookie(server, token))
    assert_refused(refresh(client, refresh_token=cookie))
    assert rows(server) == before


def test_an_access_token_refreshes_nothing(server: Server, client: httpx.Client, email: str) -> None:
    """A 9.2.2; and one that has expired is no obstacle for who sends it along."""
    access = sign_in(client, email).json()["access_token"]
    with server.client() as stranger:
        assert_refused(stranger.post("/auth/refresh", headers={"authorization": f"Bearer {access}"}))
        assert_refused(refresh(stranger, refresh_token=access))
    assert client.post("/auth/refresh", headers={"authorization": "Bearer expired"}).status_code == 200


def test_without_a_session_there_is_nothing_to_refresh(client: httpx.Client) -> None:
    """A 2.3.1."""
    for answer in (client.post("/auth/refresh"), refresh(client)):
        assert_refused(answer)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_session_that_was_signed_out_or_whose_user_is_disabled_is_not_refreshed(
    server: Server, client: httpx.Client
) -> None:
    """A 7.4.1, 7.4.2."""
    address = new_address("shut-out")
    make_member(server, address)
    out = cookies_set(sign_in(client, address))["ostiary"][""]
    assert client.post("/auth/signout", json={}).status_code == 204
    assert_refused(by_cookie(server, out))
    shut_out = cookies_set(sign_in(client, address))["ostiary"][""]
    server.sql("UPDATE users SET disabled_at = created_at WHERE email = :address", address=address)
    assert_refused(by_cookie(server, shut_out))


def test_another_sites_page_refreshes_nothing(server: Server, client: httpx.Client, email: str) -> None:
    sign_in(client, email)
    before = rows(server)
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert_problem(client.post("/auth/refresh", headers=headers), 403, "foreign_origin")
    assert rows(server) == before


@pytest.mark.parametrize("body", [{"refresh_token": None}, {"refresh_token": 1}, {"refresh_token": "a\x00"}, {"x": 1}])
def test_a_body_that_misfits_is_not_taken_for_none(client: httpx.Client, email: str, body: dict[str, Any]) -> None:
    """Or else a client with a mistake in it would refresh somebody's cookie."""
    sign_in(client, email)
    assert_problem(client.post("/auth/refresh", json=body), 400, "validation_error")
