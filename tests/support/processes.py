"""Starting `ostiary …` without importing it all anew: most of the time of a start goes there, and most tests start one.

A process that has imported it and done nothing else is forked instead (`fork_server.py`); that nothing happens at
import time is a rule of the house. Commands whose environment speaks to Python itself are started as a user would, as
are those that Ostiary starts itself, and all with `--cold`.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Protocol

PATIENCE = 20.0
"""Seconds to wait for something that is bound to happen."""

START_PATIENCE = 90.0
"""The same for a process to come up, or to do all it is started for: a busy machine takes its time with that."""

cold = False
"""Whether every process is started as a user would: `--cold`."""

_OSTIARY = str(Path(sys.executable).with_name("ostiary"))


class Process(Protocol):
    """As far as `subprocess.Popen` is asked for by tests."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def returncode(self) -> int | Any:
        """What it ended with, negative for a signal; None while it has not been seen to end."""

    def poll(self) -> int | None:
        """Look whether it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises `subprocess.TimeoutExpired`."""

    def send_signal(self, sig: int) -> None:
        """Unless it has ended."""

    def terminate(self) -> None:
        """SIGTERM."""


class _Fork:
    """A process whose parent watches over it and tells us."""

    def __init__(self, word: int) -> None:
        self._word = word
        self._said = b""
        self.returncode: int | None = None
        self.pid = int(self._hear(START_PATIENCE))

    def poll(self) -> int | None:
        if self.returncode is None and (said := self._hear(0)):
            self.returncode = int(said)
            os.close(self._word)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            select.select([self._word], [], [], timeout)
        if (ended := self.poll()) is None:
            raise subprocess.TimeoutExpired("ostiary", timeout or 0)
        return ended

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _hear(self, patience: float) -> bytes:
        """The next line, or nothing if it does not come in time."""
        while b"\n" not in self._said:
            if not select.select([self._word], [], [], patience)[0]:
                return b""
            more = os.read(self._word, 64)
            assert more, "whoever watched over it is gone"
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return line


def start(
    *arguments: str, folder: Path, environ: Mapping[str, str], typed: IO[Any], output: IO[Any], errors: IO[Any]
) -> Process:
    """`ostiary …` in a folder, with that environment and those standard streams."""
    command = [_OSTIARY, *arguments]
    pythons = {name for name in {*environ, *os.environ} if name.startswith("PYTHON")}
    if cold or any(environ.get(name) != os.environ.get(name) for name in pythons):
        return subprocess.Popen(command, cwd=folder, env=environ, stdin=typed, stdout=output, stderr=errors)
    os.umask(umask := os.umask(0))
    request = {"arguments": command, "folder": str(folder), "environ": dict(environ), "umask": umask}
    ours, theirs = os.pipe()
    try:
        streams = [each.fileno() for each in (typed, output, errors)]
        socket.send_fds(_fork_server(), [json.dumps(request).encode()], [*streams, theirs])
    finally:
        os.close(theirs)
    return _Fork(ours)


def run(
    *arguments: str, folder: Path, environ: Mapping[str, str], typed: str = ""
) -> "subprocess.CompletedProcess[str]":
    """The same to its end, with what it wrote; `typed` stands on its standard input."""
    with TemporaryFile("w+") as given, TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
        given.write(typed)
        given.seek(0)
        process = start(*arguments, folder=folder, environ=environ, typed=given, output=output, errors=errors)
        try:
            status = process.wait(START_PATIENCE)
        finally:
            process.send_signal(signal.SIGKILL)
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(arguments, status, output.read(), errors.read())


@cache
def _fork_server() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        program = [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(theirs.fileno())]
        process = subprocess.Popen(
            program, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def end() -> None:
        ours.close()
        process.wait(PATIENCE)

    atexit.register(end)
    return ours
