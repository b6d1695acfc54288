"""One process: the web application and its background work, under uvicorn."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace as changed
from pathlib import Path

import structlog

from entrypoints.background import background_work
from entrypoints.composition import Replacements, compose
from entrypoints.http.app import create_app
from entrypoints.logs import configure_logs
from entrypoints.metrics_listener import metrics_served, metrics_socket
from entrypoints.serving.connection import Patience
from entrypoints.serving.draining import DrainingServer
from entrypoints.serving.listening import ignore_newcomers, listen, room_for
from entrypoints.serving.running import run, told_to_stop
from entrypoints.settings import Settings

_log = structlog.get_logger("ostiary.server")


def serve(
    settings: Settings, replace: Replacements | None = None, *, announce: Callable[[Settings], None] = lambda _: None
) -> None:
    """Serve in this process until it is told to stop; what is in hand is finished. `announce` gets what is in force
    once it listens.

    Raises `Unavailable`, `SchemaMismatch`, `CannotListen`, and `SettingsError` when the metrics' address cannot be
    listened on or a pepper is missing.
    """
    configure_logs(settings.log_format)
    with listen(settings) as listener:
        settings = settings.listening_on(listener.getsockname()[1])
        run(_serve(settings, replace, listener, listening=lambda: announce(settings)))


def serve_for(parent: socket.socket, settings: Settings, listener: socket.socket, metrics_folder: Path | None) -> None:
    """Serve as one of several processes at a shared socket: tell the parent when it listens, and stop when the parent
    hangs up, which it also does by dying. They measure as one in `metrics_folder`.

    Raises `Unavailable`, `SchemaMismatch`, and `SettingsError` as above.
    """
    configure_logs(settings.log_format)

    def listening() -> None:
        with suppress(OSError):  # it has hung up already
            parent.sendall(b"\n")

    with listener, parent:
        settings = settings.listening_on(listener.getsockname()[1])
        run(_serve(settings, None, listener, listening=listening, parent=parent, metrics_folder=metrics_folder))


async def _serve(
    settings: Settings,
    replace: Replacements | None,
    listener: socket.socket,
    *,
    listening: Callable[[], None],
    parent: socket.socket | None = None,
    metrics_folder: Path | None = None,
) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    metrics_listener = metrics_socket(settings, shared=parent is not None)
    async with AsyncExitStack() as stack:
        ostiary = await stack.enter_async_context(compose(settings, replace, metrics_folder=metrics_folder))
        await ostiary.check_peppers()
        server = DrainingServer(
            create_app(changed(ostiary, draining=stopping.is_set)),
            listener,
            room=room_for(settings.max_connections),
            patience=Patience(idle=settings.keep_alive.total_seconds()),
            listening=listening,
        )

        def stop() -> None:
            stopping.set()
            server.stop()
            if parent is None:
                ignore_newcomers(listener)
            else:  # others may go on accepting there, and it is the parent who knows
                loop.remove_reader(parent)

        await stack.enter_async_context(ostiary.watch())
        if settings.worker:
            await stack.enter_async_context(background_work(ostiary.use_cases))
        await stack.enter_async_context(metrics_served(ostiary, metrics_listener))
        if parent is not None:
            loop.add_reader(parent, stop)
        with told_to_stop(stop):
            await server.serve()
            _log.info("stopping")
            await stack.aclose()
    _log.info("stopped")
