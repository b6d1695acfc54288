"""A real PgBouncer in transaction mode, Debian's, before the tests' PostgreSQL server."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.http_requests import free_port
from tests.support.postgresql import server
from tests.support.server import wait_for

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="there is no pgbouncer (apt-get install pgbouncer)")

SERVER_CONNECTIONS = 3
"""Fewer than anybody wants, so that every transaction meets another one."""


class Bouncer:
    """Where it listens, and what it said."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log

    def url(self, direct: str) -> str:
        """The URL of a database by way of the pooler."""
        return f"postgresql://postgres@127.0.0.1:{self.port}{urlsplit(direct).path}?sslmode=disable"


@contextmanager
def run_pgbouncer() -> Iterator[Bouncer]:
    """A pooler that knows nothing of startup parameters nor prepared statements, while the block runs."""
    socket_folder = dict(parse_qsl(urlsplit(server().url()).query))["host"]
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        log = folder / "log"
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(port),
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": str(SERVER_CONNECTIONS),
            "max_client_conn": "500",
        }
        if (user := server().system_user) is not None:
            settings["user"] = user  # it refuses to be root, and the server's socket is that user's
        lines = ["[databases]", f"* = host={socket_folder} user=postgres", "[pgbouncer]"]
        configuration = folder / "pgbouncer.ini"
        configuration.write_text("\n".join([*lines, *(f"{key} = {value}" for key, value in settings.items()), ""]))
        with log.open("wb") as output:
            process = subprocess.Popen([str(PROGRAM), str(configuration)], stdout=output, stderr=output)
        try:
            wait_for(lambda: "process up" in log.read_text() or None, "pgbouncer to listen")
            yield Bouncer(port, log)
        finally:
            process.terminate()
            process.wait(10)
