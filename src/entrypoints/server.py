"""One process: the web application and its background work, under uvicorn."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager

import structlog
import uvicorn

from entrypoints.background import background_work
from entrypoints.composition import Replacements, compose
from entrypoints.http.app import create_app
from entrypoints.logs import configure_logs
from entrypoints.metrics_listener import metrics_served, metrics_socket
from entrypoints.settings import Settings

_DRAIN_SECONDS = 30
_log = structlog.get_logger("ostiary.server")
_BACKLOG = 128


class CannotListen(Exception):
    """The address is taken, or is not this machine's."""


def serve(
    settings: Settings, replace: Replacements | None = None, *, announce: Callable[[Settings], None] = lambda _: None
) -> None:
    """Serve until the process is told to stop; requests in hand are finished. `announce` gets what is in force once it
    listens.

    Raises `Unavailable`, `CannotListen`, and `SettingsError` when the metrics' address cannot be listened on.
    """
    configure_logs(settings.log_format)
    asyncio.run(_serve(settings, replace, announce))


async def _serve(settings: Settings, replace: Replacements | None, announce: Callable[[Settings], None]) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as trouble:
        raise CannotListen(os.strerror(trouble.errno) if trouble.errno else str(trouble)) from trouble
    # Connections inherit it. asyncio would set it only on sockets that name their protocol, and without it every
    # answer waits 40 ms for the other side's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    metrics_listener = metrics_socket(settings)
    settings = settings.listening_on(listener.getsockname()[1])
    async with AsyncExitStack() as stack:
        ostiary = await stack.enter_async_context(compose(settings, replace))
        if settings.worker:
            await stack.enter_async_context(background_work(ostiary.use_cases))
        await stack.enter_async_context(metrics_served(ostiary, metrics_listener))
        config = uvicorn.Config(
            create_app(ostiary),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # trusted proxies are ours to judge, from the right
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        announce(settings)
        await _Server(config).serve(sockets=[listener])
        _log.info("stopping")
    _log.info("stopped")


class _Server(uvicorn.Server):
    """uvicorn, but a signal that has been obeyed is not raised again: the letter in hand is still to be finished."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop gracefully at SIGTERM and SIGINT; a second one, later, has its usual effect."""
        usual = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for each, handler in usual.items():
                signal.signal(each, handler)
