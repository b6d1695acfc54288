"""The `ostiary` command: what it says, what it refuses, how it starts and how it ends."""

import json
import os
import signal
import socket
import sqlite3
import stat
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from tests.support import processes
from tests.support.http_mail import SlowMailServer, run_mail_server
from tests.support.http_requests import free_port, make_member, new_address, run_command, sign_up
from tests.support.server import CHEAP, Server, run_server, wait_for

STRONG = "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"


def test_help_and_version_need_nothing(tmp_path: Path) -> None:
    assert run_command("--version", folder=tmp_path).stdout.startswith("ostiary, version ")
    shown = run_command("--help", folder=tmp_path).stdout
    for command in ("serve", "worker", "migrate", "settings", "openapi"):
        assert command in shown
    assert list(tmp_path.iterdir()) == [], "nothing is written by asking"


def test_settings_are_shown_with_their_source_and_secrets_are_not(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OSTIARY_BRAND=Shop\n")
    done = run_command("settings", folder=tmp_path, variables={"OSTIARY_SECRET": STRONG, "OSTIARY_PORT": "9000"})
    assert done.returncode == 0, done.stderr
    assert "OSTIARY_BRAND = Shop  (.env)" in done.stdout
    assert "OSTIARY_PORT = 9000  (environment)" in done.stdout
    assert "OSTIARY_HOST = 127.0.0.1  (default)" in done.stdout
    assert "OSTIARY_SECRET = (set, hidden)  (environment)" in done.stdout
    assert STRONG not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "settings", "openapi"])
def test_every_command_refuses_bad_settings_in_one_message(tmp_path: Path, command: str) -> None:
    variables = {"OSTIARY_PORT": "canary", "SMTP_PORT": "canary", "OSTIARY_SECERT": STRONG}
    done = run_command(command, folder=tmp_path, variables=variables)
    assert done.returncode == 2
    assert done.stdout == ""
    for name in variables:
        assert f"- {name}: " in done.stderr
    assert "canary" not in done.stderr
    assert STRONG not in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "ostiary-data").exists(), "nothing is made before the settings are right"


def test_a_public_url_alone_says_everything_that_is_missing(tmp_path: Path) -> None:
    done = run_command("serve", folder=tmp_path, variables={"OSTIARY_PUBLIC_URL": "https://auth.example.com"})
    assert done.returncode == 2
    for name in ("OSTIARY_SECRET", "SMTP_HOST", "EMAIL_FROM"):
        assert name in done.stderr


def test_migrating_twice_is_migrating_once(tmp_path: Path) -> None:
    first = run_command("migrate", folder=tmp_path)
    assert first.returncode == 0, first.stderr
    database = tmp_path / "ostiary-data" / "ostiary.sqlite3"
    before = schema(database)
    second = run_command("migrate", folder=tmp_path)
    assert second.returncode == 0, second.stderr
    assert second.stdout == first.stdout
    assert schema(database) == before
    assert {"users", "sign_ups", "letters", "sessions"} <= {name for name, _ in before}


def schema(database: Path) -> list[tuple[str, str]]:
    """What the database is made of."""
    with closing(sqlite3.connect(database)) as opened:
        return list(opened.execute("SELECT name, sql FROM sqlite_master ORDER BY name"))


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_command("serve", folder=tmp_path, variables={"OSTIARY_PORT": str(port)})
    assert done.returncode == 2
    assert done.stderr.startswith(f"Cannot listen on 127.0.0.1:{port}: Address already in use")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
@pytest.mark.parametrize("kind", ["a folder", "below a file", "no database"])
def test_a_database_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path, command: str, kind: str) -> None:
    """And it is not said that the port could not be listened on."""
    (tmp_path / "file").write_text("this is text, and has been from the start, so it is no database" * 100)
    path = {
        "a folder": tmp_path,
        "below a file": tmp_path / "file" / "x" / "ostiary.sqlite3",
        "no database": tmp_path / "file",
    }[kind]
    variables = {"DATABASE_URL": f"sqlite:///{path}", "OSTIARY_PORT": "0", **CHEAP}
    done = run_command(command, folder=tmp_path, variables=variables)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "atabase" in done.stderr
    assert "listen" not in done.stderr


def test_a_data_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    variables = {"OSTIARY_DATA_DIR": str(tmp_path / "file"), "OSTIARY_PORT": "0"}
    done = run_command("serve", folder=tmp_path, variables=variables)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "listen" not in done.stderr
    assert "OSTIARY_DATA_DIR" in done.stderr or str(tmp_path / "file") in done.stderr


# -- What is kept on disk --


def test_the_secret_is_made_once_for_its_owner_only_and_used_again(tmp_path: Path) -> None:
    """DESIGN section 3."""
    secret = tmp_path / "ostiary-data" / "secret"
    with run_server(tmp_path) as server:
        first = secret.read_text()
        keys = httpx.get(f"{server.url}/.well-known/jwks.json").json()
    assert len(first.strip()) == 64
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    with run_server(tmp_path) as server:
        assert httpx.get(f"{server.url}/.well-known/jwks.json").json() == keys
    assert secret.read_text() == first
    assert first.strip() not in "".join(log.read_text() for log in tmp_path.glob("log-*"))


def test_the_data_folder_and_all_in_it_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with run_server(tmp_path) as server:
            make_member(server, new_address())
            kept = [tmp_path / "ostiary-data", *(tmp_path / "ostiary-data").rglob("*")]
            open_to_others = [str(path) for path in kept if path.stat().st_mode & 0o077]
    finally:
        os.umask(before)
    assert open_to_others == []
    assert {path.name for path in kept} >= {"secret", "ostiary.sqlite3", "inbox"}


def test_a_secret_of_ones_own_is_written_nowhere(tmp_path: Path) -> None:
    with run_server(tmp_path, {"OSTIARY_SECRET": STRONG}):
        pass
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or STRONG.encode() not in path.read_bytes(), path


# -- An environment of its own --


def test_another_distribution_that_owns_our_names_refuses_to_start(tmp_path: Path) -> None:
    """DESIGN section 1: the four package names are an application's."""
    foreign = tmp_path / "foreign" / "shopkit-1.0.dist-info"
    foreign.mkdir(parents=True)
    (foreign / "METADATA").write_text("Metadata-Version: 2.1\nName: shopkit\nVersion: 1.0\n")
    (foreign / "RECORD").write_text("domain/__init__.py,,\nshopkit/__init__.py,,\n")
    done = run_command("settings", folder=tmp_path, variables={"PYTHONPATH": str(foreign.parent)})
    assert done.returncode == 2
    assert "domain is owned by shopkit" in done.stderr
    assert "environment of its own" in done.stderr


def test_a_package_of_that_name_on_the_path_refuses_to_start(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign" / "application"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").write_text("")
    done = run_command("settings", folder=tmp_path, variables={"PYTHONPATH": str(foreign.parent)})
    assert done.returncode == 2
    assert f"application is taken from {foreign}" in done.stderr


# -- The announcement --


def test_the_start_says_where_everything_is(server: Server) -> None:
    said = server.log.read_text()
    for path in ("/auth/signup", "/auth/signin", "/dev/inbox", "/docs"):
        assert f"{server.url}{path}" in said
    assert "nobody learns" in said


def test_what_is_given_up_is_said_at_the_start(tmp_path: Path) -> None:
    """DESIGN section 2: what `allow` reopens is printed."""
    with run_server(tmp_path, {"OSTIARY_VERIFY_ELSEWHERE": "allow"}) as server:
        assert "WARNING: OSTIARY_VERIFY_ELSEWHERE=allow" in server.log.read_text()
        email = new_address()
        with server.client() as here, server.client() as there:
            sign_up(here, email)
            assert there.post("/auth/verify-email", json={"token": server.token(email)}).status_code == 200


def test_it_starts_as_a_user_starts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not as most tests do, from a process that has imported it already."""
    monkeypatch.setattr(processes, "cold", True)
    with run_server(tmp_path) as server:
        make_member(server, new_address())
        assert server.stop() == 0
    assert run_command("settings", folder=tmp_path).returncode == 0


def test_it_listens_by_the_time_it_says_so(tmp_path: Path) -> None:
    port = free_port()
    with run_server(tmp_path, {"OSTIARY_PORT": str(port)}) as server:
        assert server.url == f"http://127.0.0.1:{port}"
        assert httpx.get(f"{server.url}/health/ready").status_code == 200


# -- The end --


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to_and_says_that_all_is_well(tmp_path: Path, how: signal.Signals) -> None:
    with run_server(tmp_path) as server:
        with server.client() as client:
            assert client.get("/health/live").status_code == 200
            assert server.stop(how) == 0
        assert "Traceback" not in server.log.read_text()


def test_a_request_in_hand_is_finished(tmp_path: Path) -> None:
    """SECURITY 2.8: a rolling restart loses nothing."""
    body = json.dumps({"email": new_address(), "password": "engine of difference", "name": "Ada"}).encode()
    head = f"POST /auth/signup HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    head += "Content-Type: application/json\r\n\r\n"
    with run_server(tmp_path) as server:
        port = httpx.URL(server.url).port or 0
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(head.encode() + body[:20])
            assert httpx.get(f"{server.url}/health/live").status_code == 200
            server.process.send_signal(signal.SIGTERM)
            wait_for(lambda: True if refuses(port) else None, "new connections to be refused")
            connection.sendall(body[20:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 202 ")
        assert server.process.wait(20) == 0


def test_what_still_comes_is_answered_for_a_moment_and_told_to_go_elsewhere(tmp_path: Path) -> None:
    with run_server(tmp_path) as server:
        port = httpx.URL(server.url).port or 0
        connections = [HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(2)]
        for connection in connections:
            connection.connect()
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: True if refuses(port) else None, "new connections to be refused")
        for connection, path, status in zip(connections, ("/health/live", "/health/ready"), (200, 503), strict=True):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert (answer.status, answer.getheader("connection")) == (status, "close")
            connection.close()
        assert server.process.wait(20) == 0


def refuses(port: int) -> bool:
    """Whether nobody new is let in."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_letter_in_hand_is_finished(tmp_path: Path) -> None:
    """Or it would be sent a second time after the restart."""
    mail = SlowMailServer()
    with run_mail_server(mail), run_server(tmp_path, mail.variables) as server:
        with server.client() as client:
            assert sign_up(client, new_address()).status_code == 202
        assert mail.reading.wait(20)
        server.process.send_signal(signal.SIGTERM)
        port = httpx.URL(server.url).port or 0
        wait_for(lambda: True if refuses(port) else None, "new connections to be refused")
        mail.may_answer.set()
        assert server.process.wait(20) == 0
        with closing(sqlite3.connect(tmp_path / "ostiary-data" / "ostiary.sqlite3")) as database:
            assert database.execute("SELECT status, attempts FROM letters").fetchall() == [("sent", 1)]


def test_a_killed_server_starts_again(tmp_path: Path) -> None:
    with run_server(tmp_path) as server:
        member = make_member(server, new_address())
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    with run_server(tmp_path) as server, server.client() as client:
        bearer = {"authorization": f"Bearer {member['access_token']}"}
        assert client.get("/health/ready").status_code == 200
        assert client.get("/.well-known/jwks.json").json()["keys"]
        assert client.get("/auth/me", headers=bearer).status_code in (200, 401)
