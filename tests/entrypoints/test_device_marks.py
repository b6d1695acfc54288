"""Device marks on the wire (DESIGN section 4; A 3.3, 6.1.1): docs/sign-in.md and docs/front-end.md."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

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

HALF_A_YEAR = str(int(timedelta(days=180).total_seconds()))
LIMITS = {
    "OSTIARY_LIMIT_SIGN_IN_PAIR": "5/15m",
    "OSTIARY_LIMIT_SIGN_IN_ADDRESS": "20/15m",
    "OSTIARY_LIMIT_SIGN_IN_CLIENT": "100/15m",
    "OSTIARY_LIMIT_SIGN_IN_DEVICE": "10/15m",
    "OSTIARY_TRUSTED_PROXIES": "127.0.0.1/32",
}

_networks = count(1)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that counts sign-ins as it does out of the box, behind a trusted proxy."""
    with run_server(tmp_path_factory.mktemp("limited"), LIMITS) as running:
        yield running


@pytest.fixture
def client(limited: Server) -> Iterator[httpx.Client]:
    """A browser at an address of its own, with an empty jar."""
    with elsewhere(limited) as client:
        yield client


@pytest.fixture
def email(limited: Server) -> str:
    """The address of somebody who has an account."""
    address = new_address("owner")
    make_member(limited, address)
    return address


def elsewhere(server: Server) -> httpx.Client:
    number = next(_networks)
    return server.client(headers={"x-forwarded-for": f"198.18.{number // 256}.{number % 256}"})


def hammer(server: Server, email: str) -> None:
    """Strangers fail until the address is refused to everybody."""
    for _ in range(4):
        with elsewhere(server) as stranger:
            assert [sign_in(stranger, email, "x").status_code for _ in range(5)] == [401] * 5
    with elsewhere(server) as stranger:
        assert_problem(sign_in(stranger, email), 429, "rate_limited")


def with_token(client: httpx.Client, email: str, headers: Any = None, password: str = PASSWORD) -> httpx.Response:
    body = {"email": email, "password": password, "transport": "token"}
    return client.post("/auth/signin", json=body, headers=headers)


def assert_well_made(cookie: dict[str, str]) -> None:
    assert len(cookie[""]) >= 100
    assert cookie["max-age"] == HALF_A_YEAR
    assert cookie["path"] == "/"
    assert cookie["samesite"].lower() == "lax"
    assert "httponly" in cookie
    assert "domain" not in cookie
    assert "secure" not in cookie  # plain http on a developer's machine; see test_edge for https


def test_signing_in_marks_the_browser_whether_or_not_it_is_to_be_remembered(client: httpx.Client, email: str) -> None:
    for remember in (True, False):
        answer = sign_in(client, email, remember=remember)
        assert_well_made(cookies_set(answer)["ostiary-device"])
        assert "device_token" not in answer.json()
        assert cookies_set(answer)["ostiary-device"][""] not in answer.text


def test_verifying_marks_the_browser(limited: Server, client: httpx.Client) -> None:
    address = new_address()
    assert "ostiary-device" not in cookies_set(sign_up(client, address))
    verified = client.post("/auth/verify-email", json={"token": limited.token(address)})
    assert_well_made(cookies_set(verified)["ostiary-device"])


def test_the_mark_stays_lax_where_the_session_is_strict_or_the_access_token_is_a_cookie(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    variables = {"OSTIARY_COOKIE_SAMESITE": "strict", "OSTIARY_ACCESS_TOKEN_COOKIE": "on"}
    with run_server(tmp_path_factory.mktemp("strict"), variables) as server, server.client() as client:
        address = new_address()
        make_member(server, address)
        assert_well_made(cookies_set(sign_in(client, address))["ostiary-device"])
        assert client.post("/auth/signout", json={}).status_code == 204
        assert "ostiary-device" in client.cookies


def test_strangers_cannot_lock_an_owner_out_of_a_browser_they_have_used_before(
    limited: Server, client: httpx.Client, email: str
) -> None:
    """The mark survives signing out, and a change of network."""
    assert sign_in(client, email).status_code == 200
    out = client.post("/auth/signout", json={"scope": "all"})
    assert "ostiary-device" not in cookies_set(out)
    hammer(limited, email)
    client.headers["x-forwarded-for"] = "198.51.100.200"
    assert sign_in(client, email).status_code == 200
    client.cookies.clear()
    assert sign_in(client, email).status_code == 429


def test_a_refusal_sets_no_mark_and_takes_none_away(limited: Server, client: httpx.Client, email: str) -> None:
    sign_in(client, email)
    held = client.cookies["ostiary-device"]
    for address, password in ((email, "x"), (new_address("nobody"), "x")):
        answer = sign_in(client, address, password)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
    assert client.cookies["ostiary-device"] == held
    hammer(limited, email)
    client.cookies.delete("ostiary-device")
    assert "set-cookie" not in sign_in(client, email).headers


def test_a_marked_browser_that_fails_ten_times_is_told_when_to_come_back(client: httpx.Client, email: str) -> None:
    sign_in(client, email)
    assert [sign_in(client, email, "x").status_code for _ in range(10)] == [401] * 10
    answer = sign_in(client, email)
    assert_problem(answer, 429, "rate_limited")
    wait = int(answer.headers["retry-after"])
    assert 880 < wait <= 900
    assert answer.headers["ratelimit-policy"] == '"sign_in_device";q=10;w=900'
    assert answer.headers["ratelimit"] == f'"sign_in_device";r=0;t={wait}'


def test_two_device_cookies_are_none(limited: Server, client: httpx.Client, email: str) -> None:
    """K: whoever planted the other one gets nothing from it, and can take no more than the mark away."""
    mine = cookies_set(sign_in(client, email))["ostiary-device"][""]
    client.cookies.clear()
    hammer(limited, email)
    body = {"email": email, "password": PASSWORD}
    for headers in (
        [("cookie", f"ostiary-device={mine}; ostiary-device=planted")],
        [("cookie", f"ostiary-device=planted; ostiary-device={mine}")],
        [("cookie", f"ostiary-device={mine}"), ("cookie", "ostiary-device=planted")],
        [("cookie", f"__Host-ostiary-device={mine}")],
    ):
        assert client.post("/auth/signin", json=body, headers=headers).status_code == 429
    once = {"cookie": f"ostiary-device={mine}"}
    assert client.post("/auth/signin", json=body, headers=once).status_code == 200


def test_a_native_client_shows_its_device_token_in_a_header(limited: Server, client: httpx.Client, email: str) -> None:
    answer = with_token(client, email)
    assert "set-cookie" not in answer.headers
    token = answer.json()["device_token"]
    hammer(limited, email)
    assert_problem(with_token(client, email), 429, "rate_limited")
    renewed = with_token(client, email, {"X-Ostiary-Device": token})
    assert renewed.status_code == 200
    assert with_token(client, email, {"x-ostiary-device": renewed.json()["device_token"]}).status_code == 200
    for planted in ("", "x", token[:-1], f"{token}, {token}"):
        assert with_token(client, email, {"X-Ostiary-Device": planted}).status_code == 429
    twice = [("X-Ostiary-Device", token), ("X-Ostiary-Device", token)]
    assert with_token(client, email, twice).status_code == 429


def test_verifying_answers_a_native_client_with_a_device_token(limited: Server, client: httpx.Client) -> None:
    address = new_address()
    sign_up(client, address)
    client.cookies.clear()
    body = {"token": limited.token(address), "password": PASSWORD, "transport": "token"}
    token = client.post("/auth/verify-email", json=body).json()["device_token"]
    hammer(limited, address)
    assert with_token(client, address, {"X-Ostiary-Device": token}).status_code == 200


def test_the_mark_travels_as_the_session_does(limited: Server, client: httpx.Client, email: str) -> None:
    """No page gets a cookie's mark into a body by asking for the other transport, and none is read from there."""
    token = with_token(client, email).json()["device_token"]
    cookie = cookies_set(sign_in(client, email))["ostiary-device"][""]
    client.cookies.clear()
    hammer(limited, email)
    assert with_token(client, email, {"cookie": f"ostiary-device={cookie}"}).status_code == 429
    by_cookie = client.post(
        "/auth/signin", json={"email": email, "password": PASSWORD}, headers={"X-Ostiary-Device": token}
    )
    assert by_cookie.status_code == 429


def test_a_front_end_on_another_origin_may_send_the_header(tmp_path_factory: pytest.TempPathFactory) -> None:
    app = "https://app.example.com"
    with (
        run_server(tmp_path_factory.mktemp("cors"), {"OSTIARY_CORS_ORIGINS": app}) as server,
        server.client() as client,
    ):
        asked = {
            "origin": app,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-ostiary-device",
        }
        answer = client.options("/auth/signin", headers=asked)
    assert answer.status_code == 204
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"content-type", "x-ostiary-device"} <= allowed
