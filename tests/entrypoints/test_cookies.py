"""Cookies: what is set, when, with which attributes, and which are not believed (A 3.3, 7.2, K)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.http_requests import assert_problem, cookies_set, make_member, new_address, sign_in, sign_up
from tests.support.server import Server, run_server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A browser with an empty jar."""
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def email(server: Server) -> str:
    """The address of somebody who has an account."""
    address = new_address("member")
    make_member(server, address)
    return address


def test_signing_in_sets_a_session_cookie_that_scripts_cannot_read(client: httpx.Client, email: str) -> None:
    cookies = cookies_set(sign_in(client, email))
    assert cookies.keys() == {"ostiary", "ostiary-device"}
    cookie = cookies["ostiary"]
    assert "httponly" in cookie
    assert cookie["path"] == "/"
    assert cookie["samesite"].lower() == "lax"
    assert cookie["max-age"] == str(int(timedelta(days=30).total_seconds()))
    assert "domain" not in cookie
    assert "secure" not in cookie  # plain http on a developer's machine; see test_edge for https


def test_a_session_that_is_not_to_be_remembered_leaves_with_the_browser(client: httpx.Client, email: str) -> None:
    cookie = cookies_set(sign_in(client, email, remember=False))["ostiary"]
    assert "max-age" not in cookie
    assert "expires" not in cookie
    assert client.get("/auth/me").status_code == 200


def test_the_cookies_value_is_in_no_body(client: httpx.Client, email: str) -> None:
    """A 10.1.1: no script needs it, so none gets it."""
    answer = sign_in(client, email)
    assert cookies_set(answer)["ostiary"][""] not in answer.text
    assert "refresh_token" not in answer.json()
    assert answer.json().keys() == {"user", "access_token", "token_type", "expires_in"}


def test_a_native_client_gets_its_token_in_the_body_and_no_cookie(client: httpx.Client, email: str) -> None:
    answer = sign_in(client, email, transport="token")
    assert "set-cookie" not in answer.headers
    assert answer.json().keys() == {"user", "access_token", "token_type", "expires_in", "refresh_token", "device_token"}


def test_the_token_of_a_native_client_is_no_cookie(client: httpx.Client, email: str) -> None:
    token = sign_in(client, email, transport="token").json()["refresh_token"]
    assert_problem(client.get("/auth/me", headers={"cookie": f"ostiary={token}"}), 401, "unauthenticated")


def test_the_session_cookie_and_the_refresh_token_are_no_bearer_tokens(client: httpx.Client, email: str) -> None:
    """A 9.2.2."""
    token = sign_in(client, email, transport="token").json()["refresh_token"]
    cookie = cookies_set(sign_in(client, email))["ostiary"][""]
    client.cookies.clear()
    for text in (token, cookie):
        assert_problem(client.get("/auth/me", headers={"authorization": f"Bearer {text}"}), 401, "unauthenticated")


def test_an_access_token_is_no_session_cookie(client: httpx.Client, email: str) -> None:
    token = sign_in(client, email).json()["access_token"]
    client.cookies.clear()
    assert_problem(client.get("/auth/me", headers={"cookie": f"ostiary={token}"}), 401, "unauthenticated")
    assert client.get("/auth/me", headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_two_session_cookies_are_none(client: httpx.Client, email: str) -> None:
    """K: which of them comes first is up to whoever planted the other."""
    mine = cookies_set(sign_in(client, email))["ostiary"][""]
    client.cookies.clear()
    assert client.get("/auth/me", headers={"cookie": f"other=1; ostiary={mine}; third=3"}).status_code == 200
    for header in (f"ostiary={mine}; ostiary=planted", f"ostiary=planted; ostiary={mine}", f"ostiary={mine}; ostiary="):
        assert_problem(client.get("/auth/me", headers={"cookie": header}), 401, "unauthenticated")
    twice = [("cookie", f"ostiary={mine}"), ("cookie", "ostiary=planted")]
    assert_problem(client.get("/auth/me", headers=twice), 401, "unauthenticated")


@pytest.mark.parametrize("space", [b"\x85", b"\xa0", b"\xe2\x80\x80"], ids=repr)
def test_a_name_with_odd_white_space_before_it_is_another_name(client: httpx.Client, email: str, space: bytes) -> None:
    """Such a name has no `__Host-` prefix to a browser, which lets any sibling set it; nor may it have one to us."""
    mine = cookies_set(sign_in(client, email))["ostiary"][""].encode()
    client.cookies.clear()
    for planted in (space + b"ostiary=" + mine, b"x=1; " + space + b"ostiary=" + mine):
        assert client.get("/auth/me", headers=[(b"cookie", planted)]).status_code == 401
    both = b"ostiary=" + mine + b"; " + space + b"ostiary=planted"
    assert client.get("/auth/me", headers=[(b"cookie", both)]).status_code == 200


def test_two_sign_up_cookies_are_none(client: httpx.Client, server: Server) -> None:
    address = new_address()
    mine = cookies_set(sign_up(client, address))["ostiary-signup"][""]
    client.cookies.clear()
    token = {"token": server.token(address)}
    twice = {"cookie": f"ostiary-signup={mine}; ostiary-signup=planted"}
    assert_problem(client.post("/auth/verify-email", json=token, headers=twice), 403, "password_required")
    once = {"cookie": f"ostiary-signup={mine}"}
    assert client.post("/auth/verify-email", json=token, headers=once).status_code == 200


@pytest.mark.parametrize("cookie", ["", "x", "a" * 5000, "../..", "AAAA", "%00", '"'])
def test_a_cookie_that_is_no_token_is_a_plain_401(client: httpx.Client, cookie: str) -> None:
    answer = client.get("/auth/me", headers={"cookie": f"ostiary={cookie}"})
    assert_problem(answer, 401, "unauthenticated")
    assert "set-cookie" not in answer.headers


def test_a_token_with_any_character_changed_is_refused(client: httpx.Client, email: str) -> None:
    mine = cookies_set(sign_in(client, email))["ostiary"][""]
    client.cookies.clear()
    for position in range(len(mine)):
        forged = mine[:position] + ("A" if mine[position] != "A" else "B") + mine[position + 1 :]
        assert client.get("/auth/me", headers={"cookie": f"ostiary={forged}"}).status_code == 401, position
    for forged in (mine + "=", mine + "A", mine[:-1], f'"{mine}"', mine.swapcase()):
        assert client.get("/auth/me", headers={"cookie": f"ostiary={forged}"}).status_code == 401, forged
    assert client.get("/auth/me", headers={"cookie": f"ostiary={mine}"}).status_code == 200


def test_a_session_is_never_taken_over_from_what_the_browser_brings(client: httpx.Client, email: str) -> None:
    """A 7.2.4: session fixation."""
    first = cookies_set(sign_in(client, email))["ostiary"][""]
    second = cookies_set(sign_in(client, email))["ostiary"][""]
    assert first != second


def test_signing_out_expires_our_cookie_and_kills_the_session_wherever_it_was_copied(
    client: httpx.Client, email: str
) -> None:
    """A 7.4.1; DESIGN section 6: nobody else's cookies are touched."""
    signed_in = sign_in(client, email)
    copied, bearer = cookies_set(signed_in)["ostiary"][""], signed_in.json()["access_token"]
    answer = client.post("/auth/signout", json={})
    assert answer.status_code == 204
    cookies = cookies_set(answer)
    assert cookies.keys() == {"ostiary"}
    assert (cookies["ostiary"][""], cookies["ostiary"]["max-age"]) == ("", "0")
    assert "clear-site-data" not in answer.headers
    assert "ostiary" not in client.cookies
    assert_problem(client.get("/auth/me", headers={"cookie": f"ostiary={copied}"}), 401, "unauthenticated")
    assert_problem(client.get("/auth/me", headers={"authorization": f"Bearer {bearer}"}), 401, "unauthenticated")


def test_signing_out_of_the_others_keeps_this_one(server: Server, email: str) -> None:
    with server.client() as here, server.client() as there:
        sign_in(here, email)
        sign_in(there, email)
        answer = here.post("/auth/signout", json={"scope": "others"})
        assert answer.status_code == 204
        assert "set-cookie" not in answer.headers
        assert here.get("/auth/me").status_code == 200
        assert there.get("/auth/me").status_code == 401
        sign_in(there, email)
        assert "ostiary" in cookies_set(here.post("/auth/signout", json={"scope": "all"}))
        assert there.get("/auth/me").status_code == 401


def test_signing_out_without_a_session_touches_no_cookie(client: httpx.Client) -> None:
    """A loser of a race must not sign its winner out."""
    answer = client.post("/auth/signout", json={}, headers={"cookie": "ostiary=old"})
    assert_problem(answer, 401, "unauthenticated")
    assert "set-cookie" not in answer.headers


def test_every_sign_up_marks_its_browser(client: httpx.Client, email: str) -> None:
    """DESIGN section 6: on every 202, with an attribute list that tells nothing about the address."""
    seen = set()
    for address in (new_address(), email, email):
        cookies = cookies_set(sign_up(client, address))
        assert cookies.keys() == {"ostiary-signup"}
        cookie = cookies["ostiary-signup"]
        assert "httponly" in cookie
        assert cookie["path"] == "/"
        assert cookie["samesite"].lower() == "lax"
        assert cookie["max-age"] == str(48 * 3600)
        seen.add(cookie[""])
    assert len(seen) == 3
    assert {len(value) for value in seen} == {43}


def test_a_session_may_be_strict_while_the_sign_up_cookie_stays_lax(tmp_path: Path) -> None:
    """The letter's link is opened from a mail program, which is another site."""
    with run_server(tmp_path, {"OSTIARY_COOKIE_SAMESITE": "strict"}) as server, server.client() as client:
        address = new_address()
        assert cookies_set(sign_up(client, address))["ostiary-signup"]["samesite"].lower() == "lax"
        verified = client.post("/auth/verify-email", json={"token": server.token(address)})
        assert cookies_set(verified)["ostiary"]["samesite"].lower() == "strict"
        assert cookies_set(client.post("/auth/signout"))["ostiary"]["samesite"].lower() == "strict"


def test_the_access_token_may_come_as_a_second_cookie(tmp_path: Path) -> None:
    """R55: for a back end on the same host that reads it there."""
    with run_server(tmp_path, {"OSTIARY_ACCESS_TOKEN_COOKIE": "on"}) as server, server.client() as client:
        address = new_address()
        sign_up(client, address)
        verified = client.post("/auth/verify-email", json={"token": server.token(address)})
        cookies = cookies_set(verified)
        assert cookies.keys() == {"ostiary", "ostiary-access", "ostiary-device"}
        access = cookies["ostiary-access"]
        assert access[""] == verified.json()["access_token"]
        assert access["max-age"] == str(verified.json()["expires_in"]) == "900"
        assert "httponly" in access
        out = cookies_set(client.post("/auth/signout"))
        assert out.keys() == {"ostiary", "ostiary-access"}
        assert {cookie["max-age"] for cookie in out.values()} == {"0"}
