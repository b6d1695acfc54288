"""Behind a real nginx, configured word for word as docs/deploy.md has it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.http_mail import MailServer, link_in, run_mail_server, token_in
from tests.support.http_requests import assert_problem, cookies_set, new_address, sign_in, sign_up
from tests.support.nginx import Nginx, needs_nginx, new_caller, run_nginx
from tests.support.server import Server, run_server, wait_for
from tests.support.smtp_certificates import Authority
from tests.support.smtp_server import closed_port

pytestmark = needs_nginx

AUTH, WWW = "auth.example.com", "www.example.com"
NEAREST, BALANCER, UNKNOWN = "127.0.0.1", "127.0.0.2", "127.0.0.3"
PRODUCTION = {
    "OSTIARY_SECRET": "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA",
    "OSTIARY_ARGON2_MEMORY_KIB": "19456",
    "OSTIARY_ARGON2_TIME": "2",
    "OSTIARY_LIMIT_SIGN_UP_CLIENT": "1/1h",
    "OSTIARY_POSTMARK_WEBHOOK_SECRET": "3f9a1c7e5b2d8046",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the certificates here."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    """Where letters go."""
    with run_mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def ostiary(mail: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Ostiary at a host of its own, which knows its nginx and a balancer before it."""
    proxies = {"OSTIARY_PUBLIC_URL": f"https://{AUTH}", "OSTIARY_TRUSTED_PROXIES": f"{NEAREST}/32 {BALANCER}/32"}
    with run_server(tmp_path_factory.mktemp("ostiary"), {**PRODUCTION, **mail.variables, **proxies}) as running:
        yield running


@pytest.fixture(scope="module")
def nginx(ostiary: Server, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """The nginx on Ostiary's machine."""
    with run_nginx(tmp_path_factory.mktemp("nginx"), AUTH, authority, to=port_of(ostiary)) as running:
        yield running


def port_of(server: Server) -> int:
    """Where it really listens, whatever its public URL says."""
    port = httpx.URL(server.url).port
    assert port is not None
    return port


def seen_by(server: Server, answer: httpx.Response) -> str:
    """Whom it took the caller of a request for, by its log, which is written once the answer is on its way."""
    ours = {"event": "request", "request_id": answer.headers["x-request-id"]}
    line: dict[str, str] = wait_for(
        lambda: next((line for line in server.events() if ours.items() <= line.items()), None), "the request's line"
    )
    return line["client"]


def asks_who_it_is(nginx: Nginx, caller: str, **headers: str) -> httpx.Response:
    """Nobody; but Ostiary notes who was refused."""
    with nginx.client(caller) as client:
        answer = client.get("/auth/me", headers=headers)
    assert_problem(answer, 401)
    return answer


def test_somebody_signs_up_and_in_over_tls(nginx: Nginx, mail: MailServer) -> None:
    email = new_address()
    with nginx.client(new_caller(), headers={"Origin": f"https://{AUTH}", "Accept-Encoding": "gzip"}) as browser:
        answer = sign_up(browser, email)
        assert answer.status_code == 202, answer.text
        assert cookies_set(answer).keys() == {"__Host-ostiary-signup"}
        [letter] = mail.letters(email)
        page = browser.get(link_in(letter))
        assert page.status_code == 200
        assert browser.get("/auth/assets/ostiary.js").headers["content-type"].startswith("text/javascript")
        assert browser.post("/auth/verify-email", json={"token": token_in(letter)}).status_code == 200
        answer = sign_in(browser, email)
        assert answer.status_code == 200
        cookie = cookies_set(answer)["__Host-ostiary"]
        assert cookie["path"] == "/"
        assert "secure" in cookie
        assert "httponly" in cookie
        assert "domain" not in cookie
        assert browser.get("/auth/me").json()["email"] == email
        for response in (page, answer):
            assert response.headers.get_list("strict-transport-security") == ["max-age=31536000; includeSubDomains"]
            assert response.headers.get_list("cache-control") == ["no-store"]
            assert "content-encoding" not in response.headers
            assert response.headers["server"] == "nginx"


def test_plain_http_is_sent_to_https_with_its_query(nginx: Nginx) -> None:
    with nginx.client(new_caller()) as client:
        answer = client.get(f"http://{AUTH}/auth/verify?token=a%2Fb")
    assert (answer.status_code, answer.headers["location"]) == (301, f"https://{AUTH}/auth/verify?token=a%2Fb")


def test_links_in_letters_leave_no_token_in_nginxs_logs(nginx: Nginx, authority: Authority, tmp_path: Path) -> None:
    with run_nginx(tmp_path, AUTH, authority, to=closed_port()) as before_nothing:
        for each, status in ((nginx, 200), (before_nothing, 502)):
            with each.client(new_caller()) as client:
                assert client.get("/auth/reset", params={"token": "canary"}).status_code == status
                assert client.get(f"http://{AUTH}/auth/reset", params={"token": "canary"}).status_code == 301
            assert f'"GET /auth/reset" {status} ' in each.written
            assert "canary" not in each.written


def test_the_client_is_who_came_to_nginx_whatever_it_says_of_itself(ostiary: Server, nginx: Nginx) -> None:
    caller = new_caller()
    assert seen_by(ostiary, asks_who_it_is(nginx, caller)) == caller
    for forged in ("192.0.2.1", "127.0.0.1", "192.0.2.1, 127.0.0.2", "127.0.0.1, 127.0.0.1", "no address", ""):
        answer = asks_who_it_is(nginx, caller, **{"X-Forwarded-For": forged, "Forwarded": "for=192.0.2.1"})
        assert seen_by(ostiary, answer) == caller, forged


def test_each_client_has_limits_of_its_own_and_cannot_pretend_to_be_another(nginx: Nginx) -> None:
    caller = new_caller()
    with nginx.client(caller) as client:
        assert sign_up(client, new_address()).status_code == 202
        for forged in ("192.0.2.1", "127.0.0.1"):
            client.headers["X-Forwarded-For"] = forged
            assert_problem(sign_up(client, new_address()), 429)
    with nginx.client(new_caller()) as client:
        assert sign_up(client, new_address()).status_code == 202


def test_through_two_proxies_that_are_both_trusted_the_client_is_still_who_it_is(
    ostiary: Server, nginx: Nginx, authority: Authority, tmp_path: Path
) -> None:
    caller = new_caller()
    with run_nginx(tmp_path, AUTH, authority, to=nginx.https, tls=True, address=BALANCER) as balancer:
        forged = asks_who_it_is(balancer, caller, **{"X-Forwarded-For": f"192.0.2.1, {NEAREST}"})
        assert seen_by(ostiary, asks_who_it_is(balancer, caller)) == seen_by(ostiary, forged) == caller


def test_behind_a_proxy_that_nobody_named_everybody_is_that_proxy(
    ostiary: Server, nginx: Nginx, authority: Authority, tmp_path: Path
) -> None:
    with run_nginx(tmp_path, AUTH, authority, to=nginx.https, tls=True, address=UNKNOWN) as balancer:
        for headers in ({}, {"X-Forwarded-For": "192.0.2.1"}):
            assert seen_by(ostiary, asks_who_it_is(balancer, new_caller(), **headers)) == UNKNOWN


def test_beside_a_single_page_application_ostiary_has_its_paths_and_no_others(
    authority: Authority, mail: MailServer, tmp_path: Path
) -> None:
    (tmp_path / "nginx" / "www").mkdir(parents=True)
    (tmp_path / "nginx" / "www" / "index.html").write_text("the application")
    # And without the setting, everybody is the proxy.
    variables = {**PRODUCTION, **mail.variables, "OSTIARY_PUBLIC_URL": f"https://{WWW}"}
    with (
        run_server(tmp_path, variables) as ostiary,
        run_nginx(tmp_path / "nginx", WWW, authority, to=port_of(ostiary)) as nginx,
    ):
        with nginx.client(new_caller(), headers={"Origin": f"https://{WWW}"}) as browser:
            for path in ("/", "/some/view", "/authors", "/admin/users", "/health/live", "/metrics", "/openapi.json"):
                assert browser.get(path).text == "the application", path
            assert browser.get("/auth/policy").json()["password"]
            keys = browser.get("/.well-known/jwks.json")
            assert (keys.status_code, keys.headers["cache-control"]) == (200, "public, max-age=300")
            assert_problem(reports(browser), 401)
            email = new_address()
            assert sign_up(browser, email).status_code == 202
            assert link_in(mail.letters(email)[0]).startswith(f"https://{WWW}/auth/verify?token=")
            assert browser.get(link_in(mail.letters(email)[0])).status_code == 200
        with nginx.client(new_caller()) as client:
            answer = sign_up(client, new_address())
        assert_problem(answer, 429)
        assert seen_by(ostiary, answer) == NEAREST


def test_where_ostiary_is_down_nginx_says_only_that(authority: Authority, tmp_path: Path) -> None:
    nowhere = closed_port()
    with run_nginx(tmp_path, AUTH, authority, to=nowhere) as nginx, nginx.client(new_caller()) as client:
        answer = client.post("/auth/signin", json={"email": "ada@example.com", "password": "canary"})
    assert answer.status_code == 502
    tells_nothing(answer, str(nowhere))


def test_bodies_that_are_too_long_are_refused_by_ostiary_and_much_too_long_ones_by_nginx(nginx: Nginx) -> None:
    with nginx.client(new_caller()) as client:
        assert_problem(client.post("/auth/signin", json={"email": "a" * 20_000}), 413)
        answer = client.post("/auth/signin", json={"email": "canary" * 20_000})
    assert answer.status_code == 413
    tells_nothing(answer, "8000")


def reports(client: httpx.Client, length: int = 300_000) -> httpx.Response:
    """A batch of a mail provider's, but for the secret."""
    return client.post("/hooks/postmark", json={"Details": "x" * length})


def test_what_mail_providers_report_in_long_batches_reaches_ostiary(nginx: Nginx) -> None:
    with nginx.client(new_caller()) as client:
        assert_problem(reports(client), 401)
        assert_problem(reports(client, 1_000_000), 413)
        tells_nothing(reports(client, 1_100_000), "8000")


def tells_nothing(answer: httpx.Response, port: str) -> None:
    """nginx's own answer says neither its version, nor what stands behind it, nor what it was sent."""
    assert answer.headers["server"] == "nginx"
    assert answer.headers.keys() <= {"server", "date", "content-type", "content-length", "connection"}
    for inside in ("nginx/", "127.0.0.1", port, "ostiary", "canary", "proxy"):
        assert inside not in answer.text, answer.text
