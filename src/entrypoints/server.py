"""One process: the web application and its background work, under uvicorn."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import uvicorn

from entrypoints.background import background_work
from entrypoints.composition import Replacements, compose
from entrypoints.http.app import create_app
from entrypoints.settings import Settings

_DRAIN_SECONDS = 30


def serve(
    settings: Settings, replace: Replacements | None = None, *, announce: Callable[[str], None] = lambda url: None
) -> None:
    """Serve until the process is told to stop; requests in hand are finished. `announce` gets the URL once it listens.

    Raises `NotMigrated`, `Unavailable`, and OSError when the address is taken.
    """
    asyncio.run(_serve(settings, replace, announce))


async def _serve(settings: Settings, replace: Replacements | None, announce: Callable[[str], None]) -> None:
    async with AsyncExitStack() as stack:
        ostiary = await stack.enter_async_context(compose(settings, replace))
        if settings.worker:
            await stack.enter_async_context(background_work(ostiary.use_cases))
        config = uvicorn.Config(
            create_app(ostiary),
            host=settings.host,
            port=settings.port,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # trusted proxies are ours to judge, from the right
            timeout_graceful_shutdown=_DRAIN_SECONDS,
            h11_max_incomplete_event_size=16 * 1024,
        )
        socket = config.bind_socket()
        host, port = socket.getsockname()[:2]
        announce(f"http://{host}:{port}")
        await uvicorn.Server(config).serve(sockets=[socket])
