"""The back ends of docs/protect-your-api.md as real processes, started as the page says."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.server import PATIENCE, wait_for

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "protect-your-api"
KINDS = ("fastapi_app", "litestar_app", "node")

_CLOCK = Path(__file__).with_name("clock_ahead")
_OLDEST_NODE = 18
_UNREACHABLE = re.compile(
    r"^npm (?:error|ERR!) code (ENOTFOUND|EAI_AGAIN|ECONN\w+|ERR_SOCKET_TIMEOUT|E\w+UNREACH|ETIMEDOUT"
    r"|ENOTCACHED|E[45]\d\d)$",
    re.MULTILINE,
)
"""The registry does not answer, or does not give; anything else that npm finds is a fault of ours."""


@dataclass(frozen=True)
class BackEnd:
    """One that runs."""

    url: str
    log: Path
    clock: Path

    def ask(self, user_id: str, token: str | None = None, *, method: str = "GET") -> httpx.Response:
        """Ask for somebody's things, with an access token or without any."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.send(user_id, headers, method=method)

    def send(self, user_id: str, headers: Mapping[str, str], *, method: str = "GET") -> httpx.Response:
        """The same with these headers, on a connection of its own."""
        path = f"/users/{user_id}/things"
        as_bytes = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        return httpx.request(method, self.url + path, headers=as_bytes, timeout=PATIENCE)

    def let_time_pass(self, seconds: float) -> None:
        """Put forward the clock that key sets are kept by. Tokens live on: their times are the calendar's."""
        self.clock.write_text(str(float(self.clock.read_text()) + seconds))


@contextmanager
def run_back_end(kind: str, folder: Path, variables: Mapping[str, str]) -> Iterator[BackEnd]:
    """One of the examples, on a free port, until the block ends; `folder` is for its clock and log."""
    if kind == "node":
        node, there = _node_and_folder(folder)
        environ = {"PORT": "0", "NODE_OPTIONS": f"--import {(_CLOCK / 'clock_ahead.mjs').as_uri()}"}
        if _node_version(node) < 20:
            # Debian 12's: all that jose asks for is there, but for the global `crypto`.
            environ["NODE_OPTIONS"] += " --experimental-global-webcrypto"
        with _run([node, "server.mjs"], there, folder, {**environ, **variables}) as running:
            yield running
    else:
        command = [str(Path(sys.executable).with_name("uvicorn")), f"{kind}:app", "--port", "0"]
        with _run(command, EXAMPLES, folder, {"PYTHONPATH": str(_CLOCK), **variables}) as running:
            yield running


@contextmanager
def _run(command: Sequence[str], there: Path, folder: Path, variables: Mapping[str, str]) -> Iterator[BackEnd]:
    log, clock = folder / "back-end-log", folder / "clock-ahead"
    clock.write_text("0")
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "CLOCK_AHEAD": str(clock), **variables}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=there, env=environ, stdout=output, stderr=output)

    def address() -> str | None:
        if process.poll() is not None:
            raise AssertionError(f"the back end ended with {process.returncode}: {log.read_text()}")
        said = re.search(r"(?:running|listening) on (http://\S+)", log.read_text())
        return said[1] if said else None

    try:
        yield BackEnd(wait_for(address, "the back end to listen"), log, clock)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _node_and_folder(folder: Path) -> tuple[str, Path]:
    """Node, and the example beside what its lock file names; skips the test where either is not to be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or _node_version(node) < _OLDEST_NODE:
        pytest.skip(f"no Node.js {_OLDEST_NODE} with npm here: `apt-get install nodejs npm` lets these tests run")
    there = folder / "node"
    shutil.copytree(EXAMPLES / "node", there, ignore=shutil.ignore_patterns("node_modules"))
    # What npm has in its cache it need not ask for again.
    quietly = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"]
    installed = subprocess.run([npm, "ci", *quietly], cwd=there, capture_output=True, text=True, check=False)
    if installed.returncode and (cause := _UNREACHABLE.search(installed.stderr)):
        pytest.skip(f"npm cannot reach its registry ({cause[1]}), so there is no `jose` for the Node back end")
    assert installed.returncode == 0, installed.stderr
    return node, there


def _node_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    return int(answer.stdout.lstrip("v").split(".")[0])
