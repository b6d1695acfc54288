"""What runs beside the web server or without one: letters leave, and what has served its time is forgotten."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from application.catalogue import UseCases
from entrypoints.composition import Replacements, compose
from entrypoints.logs import configure_logs
from entrypoints.serving.running import run, told_to_stop
from entrypoints.settings import Settings

LOOK_EVERY = 0.5
"""Seconds between looks into an empty outbox."""

WORKERS = 4
"""Batches of letters in hand at a time: one that hangs until its deadline leaves the others going."""

CLEAN_EVERY = 3600.0
"""Seconds between rounds of housekeeping."""

AFTER_TROUBLE = 2.0
"""Seconds to wait when the database does not answer."""

_DRAIN = 50.0
"""Seconds for the letters in hand: longer than the sending of one may take."""

_log = structlog.get_logger("ostiary.worker")


def work(
    settings: Settings, replace: Replacements | None = None, *, announce: Callable[[], None] = lambda: None
) -> None:
    """Work in this process until it is told to stop; letters in hand are finished. Raises `Unavailable`,
    `SchemaMismatch`, and `SettingsError` when a pepper is missing."""
    configure_logs(settings.log_format)
    run(_work(settings, replace, announce))


async def _work(settings: Settings, replace: Replacements | None, announce: Callable[[], None]) -> None:
    told = asyncio.Event()
    async with compose(settings, replace) as ostiary:
        await ostiary.check_peppers()
        with told_to_stop(told.set):
            async with background_work(ostiary.use_cases):
                announce()
                await told.wait()
                _log.info("stopping")
    _log.info("stopped")


@asynccontextmanager
async def background_work(use_cases: UseCases) -> AsyncIterator[None]:
    """Run the worker and the housekeeper while the block runs; then let a letter in hand be finished."""
    stop = asyncio.Event()

    async def deliver() -> float:
        return 0.0 if await use_cases.deliver_mail() else LOOK_EVERY

    async def clean() -> float:
        await use_cases.keep_house()
        return CLEAN_EVERY

    # One after the other, so that a letter waits for the next of them and not for all of them.
    looks = [_repeat(deliver, stop, first=LOOK_EVERY * number / WORKERS) for number in range(WORKERS)]
    tasks = [asyncio.create_task(work) for work in (*looks, _repeat(clean, stop))]
    try:
        yield
    finally:
        stop.set()
        _, unfinished = await asyncio.wait(tasks, timeout=_DRAIN)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)


async def _repeat(work: Callable[[], Awaitable[float]], stop: asyncio.Event, *, first: float = 0.0) -> None:
    """Do it `first` seconds from now, and again and again; `work` says how many seconds later. No trouble ends it."""
    pause = first
    while not await _is_set_within(pause, stop):
        try:
            pause = await work()
        except Exception as trouble:
            _log.error("background_trouble", exc_info=trouble)
            pause = AFTER_TROUBLE


async def _is_set_within(seconds: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
