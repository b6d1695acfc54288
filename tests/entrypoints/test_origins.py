"""Which pages may change things here, and which may read the answers (A 3.4.2, 3.5.1-3.5.3, login CSRF)."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.http_requests import assert_problem, free_port, make_member, new_address, sign_in, sign_up
from tests.support.server import Server, run_server

APP = "http://localhost:5173"
LISTED = "https://app.example.com"
OTHER_LISTED = "https://second.example.com"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a front end at APP_URL and further ones in the list."""
    port = free_port()
    variables = {
        "OSTIARY_PORT": str(port),
        "OSTIARY_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "APP_URL": APP,
        "OSTIARY_CORS_ORIGINS": f"{LISTED},{OTHER_LISTED}",
    }
    with run_server(tmp_path_factory.mktemp("guarded"), variables) as running:
        yield running


@pytest.fixture
def client(guarded: Server) -> Iterator[httpx.Client]:
    """A browser with an empty jar."""
    with guarded.client() as client:
        yield client


FOREIGN = {
    "another site": "https://evil.example",
    "null": "null",
    "empty": "",
    "a name that begins like ours": "https://app.example.com.evil.example",
    "a name that ends like ours": "https://evilapp.example.com",
    "a letter where ours has a dot": "https://appxexample.com",
    "another letter where ours has a dot": "https://app.examplexcom",
    "below ours": "https://x.app.example.com",
    "above ours": "https://example.com",
    "ours as a user name": "https://app.example.com@evil.example",
    "ours as a path": "https://evil.example/https://app.example.com",
    "ours with a path": "https://app.example.com/",
    "http instead of https": "http://app.example.com",
    "https instead of http": "https://localhost:5173",
    "another port": "http://localhost:5174",
    "a port where there is none": "https://app.example.com:8443",
    "no port where there is one": "http://localhost",
    "another scheme": "file://",
    "an extension": "chrome-extension://abcdefgh",
    "upper case": "HTTPS://APP.EXAMPLE.COM",
    "a trailing dot": "https://app.example.com.",
    "ours and another in one": "https://app.example.com, https://evil.example",
    "ours and another, spaced": "https://app.example.com https://evil.example",
    "a star": "*",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_page_from_elsewhere_can_change_nothing(client: httpx.Client, guarded: Server, name: str) -> None:
    """OC: signing in included, or people could be signed in as somebody else."""
    email = new_address()
    for answer in (
        client.post("/auth/signup", json={"email": email, "password": "x"}, headers={"origin": FOREIGN[name]}),
        client.post("/auth/signin", json={"email": email, "password": "x"}, headers={"origin": FOREIGN[name]}),
        client.post("/auth/signout", headers={"origin": FOREIGN[name]}),
        client.post("/auth/verify-email", json={"token": "x"}, headers={"origin": FOREIGN[name]}),
        client.post("/auth/resend-verification", json={"email": email}, headers={"origin": FOREIGN[name]}),
        client.delete("/auth/me", headers={"origin": FOREIGN[name]}),
    ):
        assert_problem(answer, 403, "foreign_origin")
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


def test_the_right_password_does_not_help_a_foreign_page(client: httpx.Client, guarded: Server) -> None:
    email = new_address()
    make_member(guarded, email)
    answer = client.post(
        "/auth/signin",
        json={"email": email, "password": "engine of difference"},
        headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    )
    assert_problem(answer, 403, "foreign_origin")
    assert "set-cookie" not in answer.headers
    assert sign_in(client, email).status_code == 200


def test_two_origins_are_none(client: httpx.Client) -> None:
    headers = [("origin", LISTED), ("origin", "https://evil.example")]
    assert_problem(client.post("/auth/signin", json={}, headers=headers), 403, "foreign_origin")
    headers = [("origin", LISTED), ("origin", LISTED)]
    assert_problem(client.post("/auth/signin", json={}, headers=headers), 403, "foreign_origin")


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "null"}, False),
        ({"sec-fetch-site": "cross-site", "origin": LISTED}, True),
        ({"sec-fetch-site": "same-site", "origin": LISTED}, True),
        ({"sec-fetch-site": "same-site", "origin": "https://evil.example"}, False),
        ({"sec-fetch-site": "same-origin", "origin": APP}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": APP}, True),
        ({"origin": LISTED}, True),
        ({"origin": OTHER_LISTED}, True),
        ({}, True),
        ({"referer": "https://evil.example/"}, True),
    ],
)
def test_listed_pages_and_programs_may_change_things(client: httpx.Client, headers: dict[str, str], may: bool) -> None:
    answer = client.post("/auth/resend-verification", json={"email": new_address()}, headers=headers)
    assert answer.status_code == (202 if may else 403), answer.text


def test_our_own_pages_may_change_things_under_any_name_of_a_developers_machine(
    client: httpx.Client, guarded: Server
) -> None:
    port = httpx.URL(guarded.url).port
    for host in ("127.0.0.1", "localhost", "[::1]"):
        answer = client.post(
            "/auth/resend-verification",
            json={"email": new_address()},
            headers={"origin": f"http://{host}:{port}", "sec-fetch-site": "same-origin"},
        )
        assert answer.status_code == 202, host


def test_the_origin_of_the_request_says_nothing_about_reading(client: httpx.Client) -> None:
    """Reading needs no permission; whether a page may see what it reads is the browser's business, by CORS."""
    answer = client.get("/auth/policy", headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"})
    assert answer.status_code == 200


# -- CORS: who may read the answer --


@pytest.mark.parametrize("origin", [APP, LISTED, OTHER_LISTED])
@pytest.mark.parametrize("path", ["/auth/policy", "/auth/me", "/nowhere"])
def test_a_listed_page_may_read_answers_and_refusals(client: httpx.Client, origin: str, path: str) -> None:
    answer = client.get(path, headers={"origin": origin})
    assert answer.headers.get_list("access-control-allow-origin") == [origin]
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "Origin" in answer.headers["vary"]
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"retry-after", "ratelimit", "ratelimit-policy"} <= exposed


@pytest.mark.parametrize("body", [b"{", b"1" * 16385, b"{}"], ids=["malformed", "too large", "invalid"])
def test_a_listed_page_learns_why_it_was_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/auth/signin", content=body, headers={"origin": LISTED, "content-type": "application/json"})
    assert answer.status_code in (400, 413)
    assert answer.headers.get_list("access-control-allow-origin") == [LISTED]


@pytest.mark.parametrize("name", [name for name in FOREIGN if name != "empty"])
@pytest.mark.parametrize("path", ["/auth/policy", "/auth/me"])
def test_nobody_elses_page_may_read_anything(client: httpx.Client, path: str, name: str) -> None:
    answer = client.get(path, headers={"origin": FOREIGN[name]})
    assert "access-control-allow-origin" not in answer.headers
    assert "*" not in str(answer.headers)


def test_answers_that_depend_on_the_origin_say_so_to_caches(client: httpx.Client) -> None:
    """Fetch standard, "CORS protocol and HTTP caches": with or without a matching origin, or none."""
    for headers in ({"origin": LISTED}, {"origin": "https://evil.example"}, {}):
        assert "origin" in client.get("/auth/policy", headers=headers).headers.get("vary", "").lower(), headers


@pytest.mark.parametrize("origin", [APP, LISTED])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_listed_page_gets_its_preflight_answered(client: httpx.Client, origin: str, method: str) -> None:
    answer = client.options(
        "/auth/me",
        headers={
            "origin": origin,
            "access-control-request-method": method,
            "access-control-request-headers": "authorization,content-type",
        },
    )
    assert answer.status_code == 204
    assert answer.headers.get_list("access-control-allow-origin") == [origin]
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert method in answer.headers["access-control-allow-methods"]
    names = answer.headers["access-control-allow-headers"].lower()
    assert all(name in names for name in ("authorization", "content-type"))
    assert "*" not in str(answer.headers)


@pytest.mark.parametrize("name", [name for name in FOREIGN if name != "empty"])
def test_a_foreign_preflight_is_not_granted(client: httpx.Client, name: str) -> None:
    answer = client.options("/auth/signin", headers={"origin": FOREIGN[name], "access-control-request-method": "POST"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_listed_page_signs_in_with_cookies(client: httpx.Client, guarded: Server) -> None:
    """The way of a single-page front end on the same site: `credentials: "include"`."""
    email = new_address()
    headers = {"origin": LISTED, "sec-fetch-site": "same-site"}
    client.headers.update(headers)
    assert sign_up(client, email).status_code == 202
    assert client.post("/auth/verify-email", json={"token": guarded.token(email)}).status_code == 200
    me = client.get("/auth/me")
    assert me.json()["email"] == email
    assert me.headers["access-control-allow-origin"] == LISTED
    assert client.post("/auth/signout", json={}).status_code == 204


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://app.example.com:443", "https://app.example.com"),
        ("http://app.example.com:80", "http://app.example.com"),
        ("https://APP.Example.com/", "https://app.example.com"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_may_be_written_as_people_write_it(tmp_path: Path, written: str, sent: str) -> None:
    """A browser leaves the default port out, and writes names in lower case and as A-labels."""
    with run_server(tmp_path, {"OSTIARY_CORS_ORIGINS": written}) as server, server.client() as client:
        answer = client.post("/auth/resend-verification", json={"email": new_address()}, headers={"origin": sent})
        assert answer.status_code == 202, answer.text
        assert answer.headers["access-control-allow-origin"] == sent
