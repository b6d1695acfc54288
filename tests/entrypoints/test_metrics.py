"""GET /metrics: for whom it is there, and what it never says (SECURITY A 13.4.5, 15.2.3; R92)."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.support.http_requests import free_port, make_member, new_address, run_command, sign_in, sign_up
from tests.support.server import PATIENCE, Server, run_server

TOKEN = "canaryMetrics9vQ2mZ7xL4"
SECRETS = ("canary", TOKEN, "example.com", "127.0.0.1", "argon2", "10.9.8.7")
DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Server]:
    variables = {"OSTIARY_METRICS_TOKEN": TOKEN, "OSTIARY_METRICS_LISTEN": f"127.0.0.1:{port}"}
    variables |= {"OSTIARY_LIMIT_SIGN_IN_PAIR": "2/15m", "OSTIARY_TRUSTED_PROXIES": "127.0.0.1/32"}
    with run_server(tmp_path_factory.mktemp("measured"), variables) as server:
        yield server


def scrape(server: Server) -> str:
    with server.client() as client:
        answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


def told(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """All that tells one answer from another."""
    passing = ("date", "x-request-id")
    return (
        answer.status_code,
        [(name, value) for name, value in answer.headers.multi_items() if name not in passing],
        answer.content,
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"cookie": f"token={TOKEN}"},
    ],
    ids=["nothing", "no token", "too short", "too long", "another scheme", "no scheme", "in a cookie"],
)
def test_without_the_token_the_path_is_as_unknown_as_any_other(
    measured: Server, method: str, headers: dict[str, str]
) -> None:
    with measured.client(headers=headers) as client:
        assert told(client.request(method, "/metrics")) == told(client.request(method, "/unheard-of"))
        assert told(client.request(method, f"/metrics?token={TOKEN}")) == told(client.request(method, "/unheard-of"))


def test_with_two_tokens_it_is_not_there_either(measured: Server) -> None:
    with measured.client() as client:
        twice = [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")]
        assert client.get("/metrics", headers=twice).status_code == 404


def test_only_reading_is_answered_with_the_token(measured: Server) -> None:
    with measured.client(headers={"authorization": f"bearer {TOKEN}"}) as client:
        assert client.get("/metrics").status_code == 200
        head = client.head("/metrics")
        assert (head.status_code, head.content) == (200, b"")
        assert client.post("/metrics").status_code == 404


def test_who_asked_for_no_metrics_has_none(server: Server) -> None:
    with server.client() as client:
        assert told(client.get("/metrics")) == told(client.get("/unheard-of"))
        bearer = {"authorization": "Bearer None"}
        assert told(client.get("/metrics", headers=bearer)) == told(client.get("/unheard-of", headers=bearer))


def test_a_private_address_serves_metrics_without_a_token_and_nothing_else(measured: Server, port: int) -> None:
    assert "\nostiary_database_up 1.0\n" in httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE).text
    for path in ("/", "/metrics/x", "/auth/signin", "/health/ready", "/dev/inbox.json"):
        assert httpx.get(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE).status_code == 404
    assert httpx.post(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE).status_code == 404


def test_the_private_address_alone_opens_nothing_in_public(tmp_path: Path) -> None:
    port = free_port()
    with run_server(tmp_path, {"OSTIARY_METRICS_LISTEN": f"localhost:{port}"}) as server, server.client() as client:
        assert client.get("/metrics").status_code == 404
        assert httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE).status_code == 200
        assert f"http://127.0.0.1:{port}/metrics" in server.log.read_text()
        assert server.stop() == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE)


def test_a_public_address_of_metrics_needs_the_token_too(tmp_path: Path) -> None:
    port = free_port()
    variables = {"OSTIARY_METRICS_LISTEN": f"0.0.0.0:{port}", "OSTIARY_METRICS_TOKEN": TOKEN}
    with run_server(tmp_path, variables):
        url = f"http://127.0.0.1:{port}/metrics"
        assert httpx.get(url, timeout=PATIENCE).status_code == 404
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert httpx.get(url, headers=bearer, timeout=PATIENCE).status_code == 200


def test_an_address_that_is_taken_is_said_in_a_sentence(measured: Server, port: int, tmp_path: Path) -> None:
    variables = {"OSTIARY_METRICS_LISTEN": f"127.0.0.1:{port}", "OSTIARY_PORT": "0"}
    done = run_command("serve", folder=tmp_path, variables=variables)
    assert done.returncode == 2
    assert f"OSTIARY_METRICS_LISTEN: cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


# -- What it says --


def live_a_little(server: Server) -> None:
    """Some of everything, with secrets in every place where one may be."""
    make_member(server, new_address("canary"))
    with server.client(headers={"user-agent": "canary", "x-forwarded-for": "10.9.8.7"}) as client:
        email = new_address("canary")
        sign_up(client, email, "canary of difference")
        client.post("/auth/verify-email", json={"token": server.token(email)})
        for password in ("canary of difference", *["canary indifferent"] * 3):
            client.cookies.delete("ostiary-device")  # a device that its owner has used has a limit of its own
            sign_in(client, email, password)
        client.get("/auth/users/canary")
        client.get("/canary")
        client.get("/auth/me", params={"q": "canary"}, headers={"authorization": "Bearer canary"})
        client.request("CANARY", "/auth/me")
        client.post("/auth/signin", headers={"origin": "https://canary.example"})


@pytest.fixture(scope="module")
def page(measured: Server) -> str:
    live_a_little(measured)
    return scrape(measured)


def test_nothing_in_it_is_about_anybody(page: str) -> None:
    for secret in SECRETS:
        assert secret not in page
    assert re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|@", page) is None


def test_requests_are_told_by_template_and_refusals_by_name(page: str) -> None:
    for line in (
        'http_requests_total{method="GET",route="/auth/users/{user_id}",status="403"} 1.0',
        'http_requests_total{method="GET",route="none",status="404"} ',
        'http_requests_total{method="POST",route="/auth/signin",status="429"} 1.0',
        'rate_limited_total{limit="sign_in_pair"} 1.0',
        'events_total{kind="sign_in_failed"} 2.0',
        'events_total{kind="signed_in"} 1.0',
    ):
        assert f"\nostiary_{line}" in page, line


def test_the_docs_list_exactly_the_metrics_there_are(page: str) -> None:
    """Name, type and labels of each."""
    there = {
        (family.name + ("_total" if family.type == "counter" else ""), family.type, _labels(family.samples))
        for family in text_string_to_metric_families(page)
    }
    rows = re.findall(r"^\| `(ostiary_\w+)` \| (\w+) \|([^|]*)\|", DOCS.read_text(), re.MULTILINE)
    assert {(name, kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows} == there


def _labels(samples: list[Sample]) -> frozenset[str]:
    return frozenset(name for sample in samples for name in sample.labels) - {"le"}


# -- Settings --


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"OSTIARY_METRICS_TOKEN": "shortbutvaried1"}, "OSTIARY_METRICS_TOKEN"),
        ({"OSTIARY_METRICS_TOKEN": "a" * 40}, "OSTIARY_METRICS_TOKEN"),
        ({"OSTIARY_METRICS_LISTEN": "0.0.0.0:9100"}, "OSTIARY_METRICS_LISTEN"),
        ({"OSTIARY_METRICS_LISTEN": "[::]:9100"}, "OSTIARY_METRICS_LISTEN"),
        ({"OSTIARY_METRICS_LISTEN": "203.0.114.1:9100"}, "OSTIARY_METRICS_LISTEN"),
        ({"OSTIARY_METRICS_LISTEN": "[::ffff:203.0.114.1]:9100"}, "OSTIARY_METRICS_LISTEN"),
        ({"OSTIARY_METRICS_LISTEN": "[::ffff:0.0.0.0]:9100"}, "OSTIARY_METRICS_LISTEN"),
        ({"OSTIARY_METRICS_LISTEN": "9199"}, "OSTIARY_METRICS_LISTEN"),
        ({"OSTIARY_METRICS_LISTEN": "metrics.example.com:9100"}, "OSTIARY_METRICS_LISTEN"),
        ({"OSTIARY_METRICS_LISTEN": "127.0.0.1:0"}, "OSTIARY_METRICS_LISTEN"),
    ],
)
def test_what_would_show_metrics_to_strangers_does_not_start(
    tmp_path: Path, variables: dict[str, str], name: str
) -> None:
    done = run_command("settings", folder=tmp_path, variables=variables)
    assert done.returncode == 2
    assert f"- {name}: " in done.stderr
    for value in variables.values():
        assert value not in done.stderr


@pytest.mark.parametrize("where", ["127.0.0.1:9100", "[::1]:9100", "10.1.2.3:9100", "[fd00::1]:9100"])
def test_a_private_address_needs_nothing_else(tmp_path: Path, where: str) -> None:
    done = run_command("settings", folder=tmp_path, variables={"OSTIARY_METRICS_LISTEN": where})
    assert f"OSTIARY_METRICS_LISTEN = {where}  (environment)" in done.stdout
