"""The edge: methods, paths, and what every answer carries, over http and where people come by https."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.http_mail import MailServer, run_mail_server
from tests.support.http_requests import (
    assert_problem,
    cookies_set,
    make_member,
    new_address,
    raw_exchange,
    sign_in,
    sign_up,
)
from tests.support.server import Server, run_server, wait_for

SECRET = "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"

POSTED = ["/auth/signup", "/auth/signin", "/auth/verify-email", "/auth/resend-verification", "/auth/signout"]
READ = ["/auth/me", "/auth/users/x", "/auth/policy", "/.well-known/jwks.json", "/health/live", "/health/ready"]


# -- Methods and paths (A 4.1.4, 13.4.4) --


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get"])
@pytest.mark.parametrize("path", ["/auth/verify-email", "/auth/resend-verification", "/auth/signout", "/auth/refresh"])
def test_what_changes_something_is_only_ever_posted(server: Server, method: str, path: str) -> None:
    with server.client() as client:
        answer = client.request(method, path)
    assert_problem(answer, 405, "method_not_allowed")
    assert allowed(answer) == {"POST", "OPTIONS"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize("path", [path for path in READ if path != "/auth/me"])
def test_what_is_read_takes_no_other_method(server: Server, method: str, path: str) -> None:
    with server.client() as client:
        answer = client.request(method, path)
    assert_problem(answer, 405, "method_not_allowed")
    assert {"GET"} <= allowed(answer) <= {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("method", ["POST", "PUT", "TRACE"])
def test_ones_own_account_is_read_changed_and_deleted(server: Server, method: str) -> None:
    with server.client() as client:
        answer = client.request(method, "/auth/me")
        asked = client.request("OPTIONS", "/auth/me")
    assert_problem(answer, 405, "method_not_allowed")
    assert allowed(answer) == allowed(asked) == {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}


@pytest.mark.parametrize("path", ["/auth/signup", "/auth/signin"])
def test_a_page_and_its_endpoint_share_a_path(server: Server, path: str) -> None:
    with server.client() as client:
        answer = client.put(path)
        assert_problem(answer, 405, "method_not_allowed")
        assert allowed(answer) == {"GET", "HEAD", "POST", "OPTIONS"}
        assert client.get(path).headers["content-type"].startswith("text/html")
        assert client.head(path).status_code == 200


def allowed(answer: httpx.Response) -> set[str]:
    """The methods that `Allow` names."""
    return {method.strip() for method in answer.headers["allow"].split(",")}


@pytest.mark.parametrize(
    "path", ["/auth", "/auth/", "/schema", "/metrics", "/.env", "/auth/users", "/auth/me/x", "/auth/assets"]
)
def test_where_nothing_is_nothing_is_found(server: Server, path: str) -> None:
    """A 13.4.5; M6: the framework's own schema pages are not there either."""
    with server.client() as client:
        assert_problem(client.get(path), 404, "not_found")
        assert_problem(client.post(path, json={}), 404, "not_found")


@pytest.mark.parametrize("path", ["/auth/assets/..%2ftemplates%2fbase.html", "/auth/assets/%2e%2e/controller.py"])
def test_the_assets_are_those_two_files_and_no_path_leads_out(server: Server, path: str) -> None:
    answer = raw_exchange(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("path", ["/auth/me", "/auth/me/", "/auth//me", "/auth/me%2f", "/auth/%6de", "/auth/me?x=1"])
def test_however_the_path_is_spelt_nobody_gets_in_without_a_session(server: Server, path: str) -> None:
    """M6."""
    answer = raw_exchange(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"401", b"404"), answer


@pytest.mark.parametrize("path", ["/AUTH/ME", "/Auth/me", "/auth/me;x", "/auth/me.json", "/auth/me%00"])
def test_a_path_has_one_case_and_no_suffix(server: Server, path: str) -> None:
    answer = raw_exchange(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer x",
        "Bearer a.b.c",
        "Basic YTpi",
        "bearer null",
        "Token x",
        "",
        "Bearer " + "a" * 9000,
    ],
)
def test_a_bearer_that_is_no_token_is_one_plain_401(server: Server, authorization: str) -> None:
    with server.client() as client:
        answer = client.get("/auth/me", headers={"authorization": authorization})
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_two_authorizations_are_none(server: Server) -> None:
    token = make_member(server, new_address())["access_token"]
    with server.client() as client:
        assert client.get("/auth/me", headers=[("authorization", f"Bearer {token}")]).status_code == 200
        twice = [("authorization", f"Bearer {token}"), ("authorization", "Bearer x")]
        assert_problem(client.get("/auth/me", headers=twice), 401, "unauthenticated")


def test_a_token_in_the_query_is_not_read(server: Server) -> None:
    """A 14.2.1."""
    token = make_member(server, new_address())["access_token"]
    with server.client() as client:
        assert_problem(client.get("/auth/me", params={"access_token": token}), 401, "unauthenticated")


def test_an_answer_leaves_at_once_on_a_connection_that_stays_open(server: Server) -> None:
    """Head and body are two writes: with Nagle's algorithm on, the second waits 40 ms for the reader's delayed ACK."""
    with server.client() as client:
        times = sorted(client.get("/health/live").elapsed.total_seconds() for _ in range(21))
    assert times[10] < 0.03


# -- What every answer carries (A 3.2.1, 3.4.3-3.4.6, 14.3.2) --

ANSWERS: dict[str, tuple[str, str, int, dict[str, str], bytes]] = {
    "a page": ("GET", "/auth/signup", 200, {}, b""),
    "a page's head": ("HEAD", "/auth/signup", 200, {}, b""),
    "the script": ("GET", "/auth/assets/ostiary.js", 200, {}, b""),
    "the style sheet": ("GET", "/auth/assets/ostiary.css", 200, {}, b""),
    "the icon": ("GET", "/favicon.ico", 204, {}, b""),
    "an answer": ("GET", "/auth/policy", 200, {}, b""),
    "the keys": ("GET", "/.well-known/jwks.json", 200, {}, b""),
    "health": ("GET", "/health/live", 200, {}, b""),
    "accepted": ("POST", "/auth/resend-verification", 202, {}, b'{"email":"nobody@example.com"}'),
    "invalid": ("POST", "/auth/signin", 400, {}, b"{}"),
    "malformed": ("POST", "/auth/signin", 400, {}, b"{"),
    "unauthenticated": ("GET", "/auth/me", 401, {}, b""),
    "wrong credentials": ("POST", "/auth/signin", 401, {}, b'{"email":"a@example.com","password":"x"}'),
    "foreign origin": ("POST", "/auth/signin", 403, {"origin": "https://evil.example"}, b"{}"),
    "not found": ("GET", "/nowhere", 404, {}, b""),
    "not allowed": ("DELETE", "/auth/signin", 405, {}, b""),
    "too large": ("POST", "/auth/signin", 413, {}, b"1" * 16385),
    "not JSON": ("POST", "/auth/signin", 415, {"content-type": "text/plain"}, b"{}"),
    "options": ("OPTIONS", "/auth/signin", 204, {}, b""),
    "a foreign preflight": (
        "OPTIONS",
        "/auth/signin",
        403,
        {"origin": "https://evil.example", "access-control-request-method": "POST"},
        b"",
    ),
}


def ask(client: httpx.Client, name: str) -> httpx.Response:
    """The answer of that name."""
    method, path, status, headers, body = ANSWERS[name]
    answer = client.request(method, path, headers={"content-type": "application/json", **headers}, content=body)
    assert answer.status_code == status, answer.text
    return answer


def assert_guarded(answer: httpx.Response) -> None:
    """Not stored (but for the public keys), not sniffed, not framed, not referred, and silent about what serves it."""
    headers = answer.headers
    keys = answer.is_success and answer.request.url.path == "/.well-known/jwks.json"
    assert headers.get_list("cache-control") == ["public, max-age=300" if keys else "no-store"]
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    (policy,) = headers.get_list("content-security-policy")
    directives = {part.strip() for part in policy.split(";")}
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= directives
    assert "unsafe" not in policy
    assert "http" not in policy
    if answer.headers.get("content-type", "").startswith("application/"):
        assert "sandbox" in directives
    assert len(headers["x-request-id"]) == 32
    assert "server" not in headers
    assert "x-powered-by" not in headers
    assert "etag" not in headers


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_guarded(server: Server, name: str) -> None:
    with server.client() as client:
        answer = ask(client, name)
    assert_guarded(answer)
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("name", [name for name, answer in ANSWERS.items() if answer[2] >= 400])
def test_every_refusal_is_a_problem_document(server: Server, name: str) -> None:
    """P (RFC 9457): also those that the framework would give in words of its own."""
    with server.client() as client:
        assert_problem(ask(client, name))


def test_a_request_id_is_ours_and_new_each_time(server: Server) -> None:
    with server.client() as client:
        answers = [client.get("/health/live", headers={"x-request-id": "mine"}) for _ in range(3)]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 3
    assert "mine" not in ids


def test_the_log_finds_a_request_by_the_id_in_its_answer(server: Server) -> None:
    with server.client() as client:
        answer = client.get("/auth/policy?token=secret-in-a-query")
    request_id = answer.headers["x-request-id"]
    line = wait_for(
        lambda: next((event for event in server.events() if event.get("request_id") == request_id), None), "the line"
    )
    assert line["path"] == "/auth/policy"
    assert line["status"] == 200
    assert "secret-in-a-query" not in server.log.read_text()


# -- Where people come by https --


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, MailServer]]:
    """A server as it stands behind TLS, with a mail server."""
    with run_mail_server() as mail:
        variables = {
            **mail.variables,
            "OSTIARY_PUBLIC_URL": "https://auth.example.com",
            "OSTIARY_SECRET": SECRET,
            "OSTIARY_ARGON2_MEMORY_KIB": "19456",
            "OSTIARY_ARGON2_TIME": "2",
        }
        with run_server(tmp_path_factory.mktemp("public"), variables) as running:
            yield running, mail


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_over_https_asks_for_https_from_now_on(public: tuple[Server, MailServer], name: str) -> None:
    """A 3.4.1."""
    with public[0].client() as client:
        answer = ask(client, name)
    assert_guarded(answer)
    assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000; includeSubDomains"]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/dev/inbox", "/dev/inbox.json", "/dev/inbox/x", "/schema"])
def test_what_is_for_developers_is_not_there_in_public(public: tuple[Server, MailServer], path: str) -> None:
    """A 15.2.3, 13.4.5."""
    with public[0].client() as client:
        assert_problem(client.get(path), 404, "not_found")


def test_over_https_every_cookie_is_secure_and_bound_to_the_host(public: tuple[Server, MailServer]) -> None:
    """A 3.3.1-3.3.4; K. The whole way, as a browser behind the TLS proxy goes it."""
    server, mail = public
    email = new_address("public")
    with server.client() as client:
        joined = sign_up(client, email)
        assert joined.status_code == 202
        asked = cookies_set(joined)
        assert asked.keys() == {"__Host-ostiary-signup"}
        link = mail.letters(email)[0].get_body(("plain",))
        assert link is not None
        assert "https://auth.example.com/auth/verify?token=" in str(link.get_content())
        verified = client.post(
            "/auth/verify-email",
            json={"token": mail.token(email)},
            headers={
                "cookie": f"__Host-ostiary-signup={asked['__Host-ostiary-signup']['']}",
                "origin": "https://auth.example.com",
            },
        )
        assert verified.status_code == 200, verified.text
        given = cookies_set(verified)
        assert given.keys() == {"__Host-ostiary", "__Host-ostiary-device"}
        for cookie in (*asked.values(), *given.values()):
            assert cookie["path"] == "/"
            assert "secure" in cookie
            assert "httponly" in cookie
            assert "domain" not in cookie
        session = given["__Host-ostiary"][""]
        assert client.get("/auth/me", headers={"cookie": f"__Host-ostiary={session}"}).status_code == 200
        # The name without its prefix is what a subdomain could plant.
        assert client.get("/auth/me", headers={"cookie": f"ostiary={session}"}).status_code == 401
        out = client.post("/auth/signout", json={}, headers={"cookie": f"__Host-ostiary={session}"})
        assert out.status_code == 204
        expired = cookies_set(out)["__Host-ostiary"]
        assert (expired[""], expired["max-age"]) == ("", "0")
        assert "secure" in expired
        assert expired["path"] == "/"


def test_a_forwarded_host_or_scheme_changes_nothing(public: tuple[Server, MailServer]) -> None:
    """SECURITY 2.5: links and cookie names follow the settings, never the request."""
    server, mail = public
    email = new_address("host")
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}
    with server.client() as client:
        answer = client.post(
            "/auth/signup", json={"email": email, "password": "engine of difference", "name": "A"}, headers=forged
        )
    assert "__Host-ostiary-signup" in cookies_set(answer)
    assert b"evil.example" not in mail.letters(email)[0].as_bytes()


def test_without_pages_only_the_api_is_there(tmp_path: Path) -> None:
    with run_server(tmp_path, {"OSTIARY_PAGES": "off", "OSTIARY_OPENAPI": "off"}) as server, server.client() as client:
        for path in ("/auth/verify", "/auth/account", "/auth/check-inbox", "/auth/assets/ostiary.js", "/docs"):
            assert_problem(client.get(path), 404, "not_found")
        assert_problem(client.get("/auth/signup"), 405, "method_not_allowed")
        assert sign_up(client, new_address()).status_code == 202
        assert_problem(sign_in(client, new_address()), 401, "invalid_credentials")


def test_a_developers_machine_answers_to_no_other_name(server: Server) -> None:
    """A page elsewhere may point a name of its own here (DNS rebinding), and would read the dev inbox by it."""
    for path in ("/dev/inbox.json", "/auth/policy"):
        assert httpx.get(f"{server.url}{path}", headers={"host": "evil.example:8000"}).status_code == 404
        assert httpx.get(f"{server.url}{path}", headers={"host": "localhost:8000"}).status_code == 200
