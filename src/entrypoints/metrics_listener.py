"""The private listener: GET /metrics and nothing else, at an address of its own (SECURITY A 13.4.5)."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from litestar.types import ASGIApp

from entrypoints.composition import Ostiary
from entrypoints.http.metrics import MetricsGate, nothing_else
from entrypoints.serving.connection import Patience
from entrypoints.serving.draining import DrainingServer
from entrypoints.settings import Settings, SettingsError

_ROOM = 50
"""Connections at a time: scrapers are few."""


def metrics_socket(settings: Settings, *, shared: bool = False) -> socket.socket | None:
    """The socket that `OSTIARY_METRICS_LISTEN` asks for. Of several processes, each of which answers for all, every one
    has its own at the shared address. Raises `SettingsError`."""
    where = settings.metrics_listen
    if where is None:
        return None
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    try:
        return socket.create_server((where.host, where.port), family=family, reuse_port=shared)
    except OSError as trouble:
        why = os.strerror(trouble.errno) if trouble.errno else str(trouble)
        raise SettingsError([f"OSTIARY_METRICS_LISTEN: cannot listen on {where}: {why}"]) from trouble


@asynccontextmanager
async def metrics_served(ostiary: Ostiary, listener: socket.socket | None) -> AsyncIterator[None]:
    """Answer there while the block runs. A private address needs no token."""
    where = ostiary.settings.metrics_listen
    if listener is None or where is None or ostiary.metrics is None:
        yield
        return
    gate = MetricsGate(
        cast("ASGIApp", nothing_else), ostiary.metrics, None if where.private else ostiary.settings.metrics_token
    )
    server = DrainingServer(gate, listener, room=_ROOM, patience=Patience(), grace=0)
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.stop()
        await task
