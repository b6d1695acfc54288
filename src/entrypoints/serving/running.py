"""Running a process: its event loop, and the signals that end it."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(work: Coroutine[None, None, None]) -> None:
    """Run it in the fastest event loop there is here."""
    with asyncio.Runner(loop_factory=_new_event_loop) as runner:
        runner.run(work)


def _new_event_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.SelectorEventLoop()  # the other one there cannot watch a socket
    import uvloop

    return uvloop.new_event_loop()


@contextmanager
def told_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Have the event loop call `stop` at the first SIGTERM or SIGINT; a second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def first(*_: object) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop)

    usual = {each: signal.signal(each, first) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in usual.items():
            signal.signal(each, handler)
