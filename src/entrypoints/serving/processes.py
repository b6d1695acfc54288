"""Several processes at one listening socket, and the parent that starts, replaces and ends them."""

import asyncio
import signal
import socket
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from entrypoints.serving.listening import ignore_newcomers

_START_SECONDS = 60.0
"""A child that does not serve by then never will."""

_STOP_SECONDS = 90.0
"""A child that was told to stop is killed after so long: more than it may take for what it has in hand."""

_YOUNG_SECONDS = 10.0
"""A child that dies younger is not replaced at once."""

_LONGEST_PAUSE = 30.0
"""Seconds between two tries to replace it, at most."""

_log = structlog.get_logger("ostiary.processes")


class CannotStart(Exception):
    """A child ended before it served, and has said itself why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True, eq=False)
class _Child:
    process: Process
    line: socket.socket
    """The child says here that it serves, and hears that it is to stop when this end is shut."""
    born: float

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()


class Supervisor:
    """Keeps `count` processes of a command serving, until SIGTERM or SIGINT; SIGHUP replaces them one after the other.

    Each is started anew and is no copy of this one, so that a restart brings new settings and new code. `command` is
    told the numbers of two descriptors: the listening socket and the line to the parent; `ended` is told which process
    has ended.
    """

    def __init__(
        self,
        command: Callable[[int, int], Sequence[str]],
        listener: socket.socket,
        count: int,
        *,
        ended: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._command = command
        self._ended = ended
        self._listener = listener
        self._count = count
        self._children: list[_Child] = []
        self._outdated: list[_Child] = []
        self._leaving: list[_Child] = []
        self._lives: set[asyncio.Task[int]] = set()
        self._failures = 0
        self._changed = asyncio.Event()

    async def run(self, announce: Callable[[], None]) -> None:
        """Start all, `announce`, supervise. Raises `CannotStart` when one of the first does not come up."""
        loop = asyncio.get_running_loop()
        work = loop.create_task(self._supervise(announce))
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self._stop, work)
        loop.add_signal_handler(signal.SIGHUP, self._renew)
        try:
            await work
        except asyncio.CancelledError:
            _log.info("stopping")
        finally:
            ignore_newcomers(self._listener)
            self._listener.close()  # before the children close theirs: nobody is to wait here for nobody
            for child in [*self._children]:
                self._dismiss(child)
            await asyncio.gather(*self._lives)
        _log.info("stopped")

    def _stop(self, work: "asyncio.Task[None]") -> None:
        """The first time gracefully, the second time at once."""
        if not work.cancel():
            for child in self._leaving:
                child.kill()

    def _renew(self) -> None:
        self._outdated = [*self._children]
        self._changed.set()

    async def _supervise(self, announce: Callable[[], None]) -> None:
        await self._add()  # alone, as it may have a database to make
        await asyncio.gather(*(self._add() for _ in range(1, self._count)))
        announce()
        while True:
            self._changed.clear()
            try:
                if len(self._children) < self._count:
                    await asyncio.sleep(min(2**self._failures, _LONGEST_PAUSE) if self._failures else 0)
                    await self._add()
                elif self._outdated and not self._leaving:
                    outdated = self._outdated[0]
                    await self._add()
                    self._dismiss(outdated)
                else:
                    await self._changed.wait()
            except CannotStart as failed:
                self._failures += 1
                self._outdated.clear()  # what serves goes on serving
                _log.error("process_not_started", status=failed.status)

    async def _add(self) -> None:
        """One more child; returns when it serves. Raises `CannotStart`."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            process = await create_subprocess_exec(
                *self._command(self._listener.fileno(), theirs.fileno()),
                pass_fds=(self._listener.fileno(), theirs.fileno()),
                stdin=DEVNULL,
                process_group=0,  # what is typed at the terminal is for the parent
            )
        child = _Child(process, ours, loop.time())
        self._children.append(child)
        serves: asyncio.Future[bool] = loop.create_future()
        life = loop.create_task(self._live(child, serves))
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)
        try:
            async with asyncio.timeout(_START_SECONDS):
                if await asyncio.shield(serves):
                    return
        except TimeoutError:
            child.kill()
        raise CannotStart(await life)

    async def _live(self, child: _Child, serves: "asyncio.Future[bool]") -> int:
        """A child's life, from its birth to its exit status."""
        loop = asyncio.get_running_loop()
        serves.set_result(await loop.sock_recv(child.line, 1) != b"")
        status = await child.process.wait()
        child.line.close()
        self._ended(child.process.pid)
        if child in self._leaving:
            self._leaving.remove(child)
        else:
            self._children.remove(child)
            if child in self._outdated:
                self._outdated.remove(child)
            if serves.result():
                _log.error("process_died", process=child.process.pid, status=status)
                self._failures = self._failures + 1 if loop.time() - child.born < _YOUNG_SECONDS else 0
        self._changed.set()
        return status

    def _dismiss(self, child: _Child) -> None:
        """Tell it to stop, unless it has died meanwhile."""
        if child not in self._children:
            return
        self._children.remove(child)
        if child in self._outdated:
            self._outdated.remove(child)
        self._leaving.append(child)
        child.line.shutdown(socket.SHUT_RDWR)
        asyncio.get_running_loop().call_later(_STOP_SECONDS, child.kill)
