"""Several processes at one socket: they serve as one, are replaced without a failed request, and end gracefully."""

import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

from entrypoints.serving.listening import ignore_newcomers
from tests.support.crowd import crowd_at
from tests.support.http_requests import make_member, new_address, run_command, sign_in
from tests.support.server import CHEAP, PATIENCE, Server, run_server, wait_for

TWO = ("--workers", "2")


def children(server: Server) -> list[int]:
    """The processes that the parent has started, oldest first."""
    listed = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [int(each) for each in listed.split()]


def is_alive(process: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def port_of(server: Server) -> int:
    return httpx.URL(server.url).port or 0


def wait_for_others(server: Server, before: list[int]) -> list[int]:
    """The two processes there are as soon as they are none of those."""

    def look() -> list[int] | None:
        now = children(server)
        return now if len(now) == 2 and not set(now) & set(before) else None

    now: list[int] = wait_for(look, "other processes", patience=60)
    return now


def test_two_processes_serve_as_one_and_are_announced_once(tmp_path: Path) -> None:
    with run_server(tmp_path, None, *TWO) as server:
        assert len(children(server)) == 2
        email = new_address()
        make_member(server, email)
        for _ in range(20):  # whichever of them answers
            with server.client() as client:
                assert sign_in(client, email).status_code == 200
                assert client.get("/auth/me").status_code == 200
        assert server.log.read_text().count("Ostiary listens on") == 1
        family = [server.process.pid, *children(server)]
        assert server.stop() == 0
    assert not any(map(is_alive, family))
    assert "Traceback" not in server.log.read_text()


def test_the_number_of_processes_is_a_setting_too(tmp_path: Path) -> None:
    with run_server(tmp_path, {"OSTIARY_WORKERS": "2"}) as server:
        assert len(children(server)) == 2


def test_one_process_needs_no_parent(tmp_path: Path) -> None:
    with run_server(tmp_path, {"OSTIARY_WORKERS": "3"}, "--workers", "1") as server:
        assert children(server) == []


def test_what_keeps_a_process_from_starting_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    variables = {"OSTIARY_DATA_DIR": str(tmp_path / "file"), "OSTIARY_PORT": "0", **CHEAP}
    done = run_command("serve", *TWO, folder=tmp_path, variables=variables)
    assert done.returncode == 2
    assert done.stderr.count("The database cannot be used") == 1
    assert "Traceback" not in done.stderr


def test_a_rolling_restart_fails_no_request(tmp_path: Path) -> None:
    """SECURITY 2.8."""
    with run_server(tmp_path, None, *TWO) as server:
        before = children(server)
        with crowd_at(server) as crowd:
            crowd.wait_for_answers(100)
            server.process.send_signal(signal.SIGHUP)
            wait_for_others(server, before)
            crowd.wait_for_answers(100)
        assert crowd.failures == []
        assert server.stop() == 0
    assert not any(map(is_alive, before))


def test_a_restart_brings_new_settings_and_one_that_cannot_start_ends_nothing(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    with run_server(tmp_path, None, *TWO) as server:

        def shortest_password() -> int:
            return int(httpx.get(f"{server.url}/auth/policy").json()["password"]["min_length"])

        before = children(server)
        assert shortest_password() == 12
        dotenv.write_text("OSTIARY_PASSWORD_MIN_LENGTH=canary\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "process_not_started" in server.log.read_text() or None, "a failure")
        assert children(server) == before
        assert shortest_password() == 12
        dotenv.write_text("OSTIARY_PASSWORD_MIN_LENGTH=15\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for_others(server, before)
        assert {shortest_password() for _ in range(10)} == {15}


def test_a_process_that_dies_is_replaced_while_the_other_serves(tmp_path: Path) -> None:
    with run_server(tmp_path, None, *TWO) as server:
        before = children(server)
        os.kill(before[0], signal.SIGKILL)
        for _ in range(10):
            assert httpx.get(f"{server.url}/health/ready").status_code == 200
        after = wait_for(lambda: now if len(now := children(server)) == 2 and before[0] not in now else None, "another")
        assert before[1] in after
        assert [event["process"] for event in server.events() if event["event"] == "process_died"] == [before[0]]


def test_when_the_parent_is_killed_nobody_serves_on_without_it(tmp_path: Path) -> None:
    with run_server(tmp_path, None, *TWO) as server:
        orphans = children(server)
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        wait_for(lambda: None if any(map(is_alive, orphans)) else True, "the children to end")
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port_of(server))) != 0


@pytest.mark.parametrize("arguments", [("--workers", "1"), TWO], ids=["one process", "two processes"])
def test_at_the_end_every_request_that_began_is_answered(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with run_server(tmp_path, None, *arguments) as server, crowd_at(server, fresh=8) as crowd:
        crowd.wait_for_answers(100)
        assert server.stop() == 0
        assert crowd.failures == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can keep the door shut before it is taken away")
def test_at_the_end_nobody_is_let_in_to_be_thrown_out() -> None:
    """Closing a listening socket resets whoever is in its queue, and nobody can look there and close it in one."""
    with socket.socket() as late, socket.socket() as early:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            early.connect(listener.getsockname())
            ignore_newcomers(listener)
            late.setblocking(False)
            late.connect_ex(listener.getsockname())
            early.sendall(b"I was in time")
            listener.settimeout(PATIENCE)
            with listener.accept()[0] as accepted:
                assert accepted.recv(99) == b"I was in time"
            listener.settimeout(0.2)
            with pytest.raises(TimeoutError):
                listener.accept()
        late.settimeout(PATIENCE)
        with pytest.raises(ConnectionRefusedError):
            late.send(b"and I was not")


def test_at_the_end_it_does_no_harm_to_tell_everybody(tmp_path: Path) -> None:
    """As systemd does unless it is told otherwise."""
    with run_server(tmp_path, None, *TWO) as server, crowd_at(server) as crowd:
        crowd.wait_for_answers(100)
        for child in children(server):
            os.kill(child, signal.SIGTERM)
        assert server.stop() == 0
        assert crowd.failures == []


@pytest.mark.parametrize("arguments", [("--workers", "1"), TWO], ids=["one process", "two processes"])
def test_a_second_signal_ends_all_at_once(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    half = b"POST /auth/signin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"
    with run_server(tmp_path, None, *arguments) as server:
        family = [server.process.pid, *children(server)]
        with socket.create_connection(("127.0.0.1", port_of(server))) as connection:
            connection.sendall(half)  # would be waited for
            assert httpx.get(f"{server.url}/health/live").status_code == 200
            server.process.send_signal(signal.SIGTERM)
            wait_for(lambda: "stopping" in server.log.read_text() or refuses(port_of(server)) or None, "the drain")
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(2)
        wait_for(lambda: None if any(map(is_alive, family[1:])) else True, "all to end")


def refuses(port: int) -> bool:
    """Whether nobody new is let in."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
