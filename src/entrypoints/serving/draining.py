"""uvicorn's server, accepting and ending our way: it comes to an end without a failed request."""

import asyncio
import math
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from litestar.types import ASGIApp

from entrypoints.serving.acceptor import Acceptor
from entrypoints.serving.connection import Connection, Connections, Patience

_HANDSHAKE_SECONDS = 0.1
"""At the end, whoever has begun to connect gets so long to come in."""

GRACE_SECONDS = 2.0
"""At the end connections are served on for so long, and told in each answer that it is the last."""

DRAIN_SECONDS = 30.0
"""Requests that have begun are waited for that long."""

_TICK = 0.1
_CLOSE = (b"connection", b"close")


class DrainingServer(uvicorn.Server):
    """Serves one application at one listening socket until it is told to `stop`; `listening` is called once it does."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        *,
        room: int,
        patience: Patience,
        grace: float = GRACE_SECONDS,
        listening: Callable[[], None] = lambda: None,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",  # what clients do wrong is answered, and no news
            access_log=False,
            server_header=False,
            proxy_headers=False,  # trusted proxies are ours to judge, from the right
            timeout_keep_alive=math.ceil(patience.idle),
        )
        super().__init__(config)
        self._book = Connections()
        self._acceptor = Acceptor(
            listener, self._book, lambda: Connection(config, self.server_state, patience, self._book), room
        )
        self._listening = listening
        self._grace = grace

    def stop(self) -> None:
        """Come to an end."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        await super().startup(sockets=[])
        self._acceptor.open()
        self._listening()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        self._acceptor.tick()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more; answer what comes for a moment, and then only what has begun."""
        self.config.encoded_headers.append(_CLOSE)
        await self.on_tick(0)  # which puts it into every answer from here on
        for connection in self._book.all:
            connection.prepare_to_close()
        await asyncio.sleep(_HANDSHAKE_SECONDS)
        self._acceptor.close()
        await self._wait_for_the_end(self._grace)
        for connection in list(self._book.all):
            connection.close_if_idle()
        await self._wait_for_the_end(DRAIN_SECONDS)
        for task in self.server_state.tasks:
            task.cancel()
        for connection in list(self._book.all):
            connection.cut()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's business."""
        yield

    async def _wait_for_the_end(self, seconds: float) -> None:
        for tick in range(round(seconds / _TICK)):
            await self.on_tick(tick)
            if not self._book.all and not self.server_state.tasks:
                return
            await asyncio.sleep(_TICK)
