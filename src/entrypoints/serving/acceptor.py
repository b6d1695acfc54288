"""Accepts connections, and no more of them than there is room for."""

import asyncio
import math
import socket
from collections.abc import Callable

import structlog

from entrypoints.serving.connection import Connection, Connections

_AT_ONCE = 16
"""Accepted between two turns of the event loop, so that other processes at the same socket get their share."""

_LAST = 1024
"""Accepted at the end: all that may still be in the queue."""

_SPARED_SECONDS = 1.0
"""A connection that has waited less is not cut for another: its request may be on the way."""

_TELL_EVERY = 60.0
"""Seconds between two complaints about the same thing."""

_log = structlog.get_logger("ostiary.server")


class Acceptor:
    """Accepts from a listening socket that may be shared with other processes.

    When there is no room, the connection that has waited longest for its own client is cut for the newcomer; when all
    are being answered, further ones wait in the system's queue. Running out of descriptors is the same as having no
    room. asyncio itself would log each failure to accept, and uvloop would close the socket for good.
    """

    def __init__(
        self, listener: socket.socket, book: Connections, connect: Callable[[], Connection], room: int
    ) -> None:
        self._listener = listener
        self._book = book
        self._connect = connect
        self._room = room
        self._loop = asyncio.get_running_loop()
        self._starting: set[asyncio.Task[None]] = set()
        self._paused = False
        self._told = -math.inf
        listener.setblocking(False)

    def open(self) -> None:
        """Accept from now on."""
        self._paused = False
        self._loop.add_reader(self._listener, self._accept, _AT_ONCE)

    def tick(self) -> None:
        """To be called several times a second: cut what is overdue, and accept again when there may be room."""
        now = self._loop.time()
        for connection in [each for each in self._book.all if each.overdue(now)]:
            connection.cut()
        if self._paused and self._has_room():
            self.open()

    def close(self) -> None:
        """Accept what is in the queue already, then nothing more."""
        self._room += _LAST  # nobody is cut for these
        self._accept(_LAST)
        self._pause()
        self._paused = False
        self._listener.close()

    def _accept(self, at_once: int) -> None:
        for _ in range(at_once):
            try:
                accepted, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as trouble:  # no descriptors, no memory
                for _ in range(_AT_ONCE):
                    self._make_room(str(trouble.strerror))
                self._pause()
                return
            task = self._loop.create_task(self._start(accepted, self._connect()))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)
            if not self._has_room():
                self._pause()
                return

    async def _start(self, connected: socket.socket, connection: Connection) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: connection, connected)
        except OSError:  # gone already
            connection.leave()
            connected.close()

    def _has_room(self) -> bool:
        return len(self._book.all) <= self._room or self._make_room("every connection is taken")

    def _make_room(self, why: str) -> bool:
        if (now := self._loop.time()) - self._told >= _TELL_EVERY:
            self._told = now
            _log.warning("no_room", reason=why, connections=len(self._book.all))
        longest = next(iter(self._book.waiting), None)
        if longest is None or longest.waits_since > now - _SPARED_SECONDS:
            return False
        longest.cut()
        return True

    def _pause(self) -> None:
        self._paused = True
        self._loop.remove_reader(self._listener)
