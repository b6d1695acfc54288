"""What is measured, and what it is measured against: each a real process on this machine."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import postgresql
from tests.support.server import NO_LIMITS

__all__ = ["NO_LIMITS"]

PASSWORD = "engine of difference"

MANY_CLIENTS = {
    "OSTIARY_LIMIT_SIGN_IN_CLIENT": "1000000/15m",
    "OSTIARY_LIMIT_SIGN_UP_CLIENT": "1000000/1h",
    "OSTIARY_NEW_DEVICE_LETTERS": "off",
}
"""All requests come from this machine, and nobody's devices are new; every other limit stays as it is."""


class Process:
    """A server on a port."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self.folder = folder
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, path: str, body: Mapping[str, object]) -> tuple[Any, list[str]]:
        """A JSON answer, and the cookies that came with it."""
        self._connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        answer = json.loads(response.read() or b"null")
        if response.status >= 400:
            raise RuntimeError(f"{path}: {response.status} {answer}")
        return answer, [cookie.partition(";")[0] for cookie in response.headers.get_all("Set-Cookie", [])]

    def get(self, path: str) -> Any:
        """A JSON answer."""
        self._connection.request("GET", path)
        return json.loads(self._connection.getresponse().read())

    @property
    def resident_mib(self) -> float:
        """Memory held now."""
        return self._status("VmRSS")

    @property
    def peak_mib(self) -> float:
        """The most held since the start, or since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """From here on."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def _status(self, name: str) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) / 1024

    @property
    def letters(self) -> Path:
        """The folder of the dev inbox."""
        return self.folder / "ostiary-data" / "inbox"


_PROGRAM = str(Path(sys.executable).with_name("ostiary"))


@contextmanager
def ostiary(url: str | None = None, module: str | None = None, **variables: str) -> Iterator[Process]:
    """`ostiary serve` at production cost, on PostgreSQL where there is a `url`; or a `module` that changes it."""
    with tempfile.TemporaryDirectory() as folder:
        environ = _environ() | {"OSTIARY_PORT": "0", **({"DATABASE_URL": url} if url else {}), **variables}
        command = [_PROGRAM, "serve"]
        if module is not None:
            command = [sys.executable, "-m", module]
            environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
        with _running(command, environ, Path(folder)) as process:
            yield process


def ostiary_command(url: str, *arguments: str) -> str:
    """What another command of the program says, on PostgreSQL. Raises `CalledProcessError`."""
    with tempfile.TemporaryDirectory() as folder:
        environ = _environ() | {"DATABASE_URL": url}
        ran = subprocess.run(
            [_PROGRAM, *arguments], cwd=folder, env=environ, stdout=subprocess.PIPE, text=True, check=True
        )
    return ran.stdout


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("OSTIARY_")}


@contextmanager
def bare() -> Iterator[Process]:
    """A Litestar handler that answers a constant, on the same server."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _running([sys.executable, "-c", _BARE], os.environ, folder) as process,
    ):
        yield process


_BARE = """
import asyncio, socket, sys
import uvicorn
from litestar import Litestar, get

@get("/")
async def constant() -> dict[str, str]:
    return {"id": "6f1b0c52-5d0e-4d3f-9a53-0c2f1b7c9e11", "email": "ada@example.com", "name": "Ada"}

listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
app = Litestar([constant], openapi_config=None, logging_config=None)
config = uvicorn.Config(app, access_log=False, log_config=None)
print(f"listens on http://127.0.0.1:{listener.getsockname()[1]} and nothing else", file=sys.stderr, flush=True)
uvicorn.Server(config).run(sockets=[listener])
"""


@contextmanager
def _running(command: list[str], environ: Mapping[str, str], folder: Path | str) -> Iterator[Process]:
    log = Path(folder, "log")
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=output)
    try:
        while b" and " not in log.read_bytes().partition(b"listens on ")[2]:
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.005)
        port = int(log.read_text().partition("listens on ")[2].split(" and ")[0].rpartition(":")[2])
        yield Process(process, port, Path(folder))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def member(server: Process, email: str = "ada@example.com") -> tuple[str, str]:
    """Somebody who signed up and proved their mailbox: the session cookie and an access token."""
    server.post("/auth/signup", {"email": email, "password": PASSWORD, "name": "Ada"})
    while not (letters := [each for each in server.get("/dev/inbox.json") if each["to"] == email]):
        time.sleep(0.05)
    token = letters[0]["link"].partition("token=")[2].partition("&")[0]
    answer, cookies = server.post("/auth/verify-email", {"token": token, "password": PASSWORD})
    return next(each for each in cookies if each.startswith("ostiary=")), answer["access_token"]


def clone_members(url: str, count: int, *, sessions: bool = False) -> None:
    """So many further users `user<n>@example.com`, each with the password of the only one there is."""
    postgresql.run(
        url,
        "SET search_path = ostiary",
        f"INSERT INTO users SELECT gen_random_uuid(), 'user' || n || '@example.com', true, 'Ada', NULL, 'user', now(), "
        f"NULL FROM generate_series(1, {count}) n ON CONFLICT DO NOTHING",
        "INSERT INTO accounts SELECT gen_random_uuid(), users.id, 'credential', hash, 1, now(), now() FROM users, "
        "(SELECT password_hash AS hash FROM accounts LIMIT 1) AS one ON CONFLICT DO NOTHING",
        *([_SESSIONS] if sessions else []),
        "ANALYZE",
    )


_SESSIONS = """
INSERT INTO sessions (id, user_id, credential_version, seed, counter, transport, remember, created_at, signed_in_at,
    refreshed_at, last_seen_at, idle_expires_at, absolute_expires_at, user_agent, masked_address)
SELECT gen_random_uuid(), id, 1, '\\x00112233445566778899aabbccddeeff', 0, 'cookie', true, now(), now(), now(), now(),
    now() + interval '14 days', now() + interval '30 days', 'Firefox', '192.0.2.0/24' FROM users
"""
