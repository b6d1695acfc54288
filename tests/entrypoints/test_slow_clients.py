"""What a client may take its time over, and how much it may send (M5, SECURITY 2.7): the server in a thread, in a
hurry."""

import asyncio
import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from litestar.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs

from entrypoints.composition import Replacements, compose, memory_store
from entrypoints.http import perimeter
from entrypoints.http.app import create_app
from entrypoints.serving.connection import HEAD_BYTES, Patience
from entrypoints.serving.draining import DrainingServer
from entrypoints.serving.listening import listen, room_for
from entrypoints.serving.running import run
from entrypoints.settings import read_settings
from tests.support.server import PATIENCE, run_server, wait_for

# How a controller declares its path's parameters is not this page's matter.
pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")

HURRY = Patience(head=1.0, answer=3.0, idle=1.0, goodbye=0.5)
GET = b"GET /auth/policy HTTP/1.1\r\nHost: localhost\r\n\r\n"


class House:
    """A server in this process."""

    def __init__(self, port: int, server: DrainingServer) -> None:
        self.port = port
        self._server = server

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._server.server_state.connections)

    def connect(self, sending: bytes = b"") -> socket.socket:
        """A connection on which this has been sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        connection.sendall(sending)
        return connection

    def answers(self) -> bool:
        """Whether somebody new is served."""
        return httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=5).status_code == 200


@contextmanager
def open_house(
    folder: Path, *, room: int = 1000, patience: Patience = HURRY, app: ASGIApp | None = None
) -> Iterator[House]:
    """The whole application over the memory adapters, or another one, in a thread."""
    settings = read_settings({"OSTIARY_DATA_DIR": str(folder), "OSTIARY_PORT": "0"}, dotenv=None)
    listening = threading.Event()
    listener = listen(settings)  # closed by the server
    settings = settings.listening_on(listener.getsockname()[1])
    started: list[tuple[asyncio.AbstractEventLoop, DrainingServer]] = []

    async def serve() -> None:
        async with compose(settings, Replacements(store=memory_store())) as ostiary:
            server = DrainingServer(
                app or create_app(ostiary), listener, room=room, patience=patience, listening=listening.set
            )
            started.append((asyncio.get_running_loop(), server))
            await server.serve()

    thread = threading.Thread(target=run, args=(serve(),))
    with capture_logs():
        thread.start()
        wait_for(lambda: listening.is_set() or not thread.is_alive() or None, "the server to listen")
        loop, server = started[0]
        try:
            yield House(settings.port, server)
        finally:
            loop.call_soon_threadsafe(server.stop)
            thread.join()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


def end_of(connection: socket.socket) -> bytes:
    """What still comes, to its end, however abrupt."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def drip(connection: socket.socket, data: bytes, *, bite: int) -> int:
    """Send bite after bite until the other side has had enough; says how much it took."""
    for start in range(0, len(data), bite):
        try:
            connection.sendall(data[start : start + bite])
        except (BrokenPipeError, ConnectionResetError):
            return start
        time.sleep(0.02)
    return len(data)


HALF = {
    "silent": b"",
    "an empty line": b"\r\n",
    "half a request line": b"GET /auth/pol",
    "half the headers": b"GET /auth/policy HTTP/1.1\r\nHost: local",
    "half a body": b"POST /auth/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 99\r\n\r\n{",
    "half a body nobody wanted": b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{",
    "half of a second request": GET + GET[:20],
    "nothing after an answer": GET,
    "an empty line after an answer": GET + b"\r\n",
}


@pytest.mark.parametrize("kind", HALF)
def test_two_hundred_who_do_not_finish_keep_nobody_out_and_are_cut(
    house: House, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(perimeter, "BODY_SECONDS", 0.5)
    room_for(1000)
    with ExitStack() as stack:
        hanging = [stack.enter_context(house.connect(HALF[kind])) for _ in range(200)]
        assert house.answers()
        started = time.monotonic()
        for connection in hanging:
            assert end_of(connection)[:12] in (b"", b"HTTP/1.1 200", b"HTTP/1.1 404", b"HTTP/1.1 408")
        assert time.monotonic() - started < 5
        assert house.answers()


def test_a_request_that_begins_late_has_its_time_all_the_same(tmp_path: Path) -> None:
    with open_house(tmp_path, patience=Patience(idle=1)) as house, house.connect(GET) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(GET[:20])
        time.sleep(1.5)
        connection.sendall(GET[20:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_request_that_begins_has_no_longer_for_coming_second(tmp_path: Path) -> None:
    with open_house(tmp_path, patience=Patience(head=0.5)) as house, house.connect(GET) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(GET[:20])
        assert end_of(connection) == b""


def test_a_body_has_its_own_time(tmp_path: Path) -> None:
    with open_house(tmp_path, patience=Patience(head=0.5)) as house, house.connect(HALF["half a body"]) as connection:
        time.sleep(1)
        connection.sendall(b"}" + b" " * 97)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")


def test_a_byte_now_and_then_gains_no_time(house: House) -> None:
    with house.connect() as connection:
        started = time.monotonic()
        assert drip(connection, GET[:-4] + b"\r\nX-Padding: " + b"a" * 1000, bite=1) < 200
        assert time.monotonic() - started < 5


def test_who_does_not_read_is_cut(house: House) -> None:
    request = GET.replace(b"/auth/policy", b"/openapi.json")
    with house.connect() as connection:
        connection.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                connection.send(request * 100)
        wait_for(lambda: None if house.connections else True, "the connection to be cut")


def test_somebody_new_is_let_in_when_all_connections_are_taken_by_the_silent(tmp_path: Path) -> None:
    with open_house(tmp_path, room=20, patience=Patience()) as house, ExitStack() as stack:
        silent = [stack.enter_context(house.connect()) for _ in range(20)]
        wait_for(lambda: True if house.connections == 20 else None, "all to be in")
        for _ in range(5):
            newcomer = stack.enter_context(house.connect(GET))
            assert newcomer.recv(65536).startswith(b"HTTP/1.1 200")
        assert house.connections <= 21
        started = time.monotonic()
        assert [end_of(connection) for connection in silent[:5]] == [b""] * 5, "the longest silent ones made room"
        assert time.monotonic() - started < 5, "and not because their time was up"
        for connection in silent[10:]:
            connection.sendall(GET)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_somebody_new_waits_when_all_connections_are_being_answered(tmp_path: Path) -> None:
    with open_house(tmp_path, room=5) as house, ExitStack() as stack:
        busy = [stack.enter_context(house.connect(HALF["half a body"])) for _ in range(5)]
        wait_for(lambda: True if house.connections == 5 else None, "all to be in")
        newcomers = [stack.enter_context(house.connect(GET)) for _ in range(10)]
        for connection in busy:
            connection.sendall(b"}" + b" " * 97)
            assert connection.recv(65536).startswith(b"HTTP/1.1 400")
        for connection in newcomers:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")


# -- How much it may send --


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 2 * HEAD_BYTES,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 2 * HEAD_BYTES,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-Another: header\r\n" * 4000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * HEAD_BYTES + b"\r\n\r\n",
    ],
    ids=["address", "header", "headers", "complete"],
)
def test_headers_have_an_end(house: House, head: bytes) -> None:
    with house.connect(head) as connection:
        answer = end_of(connection)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b'"code":"headers_too_large"' in answer


@pytest.mark.parametrize("what", [b"X-Trailer: canary\r\n", b"a"], ids=["trailers", "one trailer"])
def test_trailers_have_an_end_too(house: House, what: bytes) -> None:
    head = b"POST /auth/signin HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
    with house.connect(head) as connection:
        assert drip(connection, what * (16_000_000 // len(what)), bite=65536) < 8_000_000


def test_a_trailer_is_no_header(tmp_path: Path) -> None:
    async def tell_the_headers(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        names = b" ".join(name for name, _ in scope["headers"])
        headers = [(b"content-length", b"%d" % len(names))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": names, "more_body": False})

    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = head + b"0\r\nAuthorization: Bearer canary\r\n\r\n"
    with open_house(tmp_path, app=tell_the_headers) as house, house.connect(request) as connection:
        assert connection.recv(65536).endswith(b"\r\n\r\nhost transfer-encoding")


# -- What else could be in doubt --


def test_a_body_behind_an_upgrade_is_not_taken_for_the_next_request(house: House) -> None:
    head = b"POST /auth/signin HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    with house.connect(head + b"Content-Length: %d\r\n\r\n" % len(GET)) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(GET)
        assert end_of(connection) == b""


def test_an_upgrade_without_a_body_is_ignored(house: House) -> None:
    upgrade = GET[:-2] + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    with house.connect(upgrade) as connection:
        for _ in range(2):
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            connection.sendall(GET)


def test_a_body_that_breaks_its_framing_is_refused_at_once(house: House) -> None:
    head = b"POST /auth/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with house.connect(head + b"Transfer-Encoding: chunked\r\n\r\nfive\r\n{}\r\n") as connection:
        assert end_of(connection).startswith(b"HTTP/1.1 400")


def test_a_broken_body_that_was_refused_already_is_not_refused_again(house: House) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with house.connect(head) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 404")
        connection.sendall(b"five\r\n{}\r\n")
        assert end_of(connection) == b""


def test_what_follows_a_request_and_is_none_does_not_spoil_its_answer(house: House) -> None:
    with house.connect(GET + b"\x00garbage\r\n\r\n") as connection:
        answer = end_of(connection)
    assert answer.count(b"HTTP/1.1") == 1
    assert answer.startswith(b"HTTP/1.1 200")


def test_a_refused_body_that_comes_late_leaves_the_connection_usable(tmp_path: Path) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n"
    with open_house(tmp_path, patience=Patience(head=0.5)) as house, house.connect(head) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 404")
        connection.sendall(b"{}")
        time.sleep(1)
        connection.sendall(GET)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_several_requests_at_once_are_answered_one_after_the_other(house: House) -> None:
    requests = [GET] * 9 + [GET[:-2] + b"Connection: close\r\n\r\n"]
    with house.connect(b"".join(requests)) as connection:
        assert end_of(connection).count(b"HTTP/1.1 200 OK\r\n") == 10


# -- The end --


async def test_who_waits_to_be_let_in_at_the_end_is_answered(tmp_path: Path) -> None:
    settings = read_settings({"OSTIARY_DATA_DIR": str(tmp_path), "OSTIARY_PORT": "0"}, dotenv=None)
    async with compose(settings, Replacements(store=memory_store())) as ostiary:
        with ExitStack() as stack:
            listener = listen(settings)
            address = listener.getsockname()
            waiting = [stack.enter_context(socket.create_connection(address)) for _ in range(50)]
            for connection in waiting:
                connection.sendall(GET)
            server = DrainingServer(create_app(ostiary), listener, room=10, patience=HURRY)
            server.stop()
            await server.serve()
            for connection in waiting:
                answer = end_of(connection)
                assert answer.startswith(b"HTTP/1.1 200")
                assert b"\r\nconnection: close\r\n" in answer


# -- Descriptors --


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process can be set on Linux only")
def test_running_out_of_descriptors_ends_nothing_and_fills_no_log(tmp_path: Path) -> None:
    with run_server(tmp_path) as server, ExitStack() as stack:
        process = server.process.pid
        open_files = len(list(Path(f"/proc/{process}/fd").iterdir()))
        resource.prlimit(process, resource.RLIMIT_NOFILE, (open_files + 10, 20000))
        for _ in range(40):
            stack.enter_context(socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0)))
        for _ in range(3):
            assert httpx.get(f"{server.url}/health/live", timeout=PATIENCE).status_code == 200
        complaints = [event for event in server.events() if event["event"] == "no_room"]
        assert [event["reason"] for event in complaints] == ["Too many open files"]
        assert len(server.log.read_text().splitlines()) < 50


def test_no_more_connections_are_taken_than_there_are_descriptors_for() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert room_for(500) == 500
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 600, "what may be raised is raised"
        assert room_for(10**9) == hard - 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
