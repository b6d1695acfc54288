"""Where slow work runs: as many threads as slots, a short queue, and a refusal for the rest."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from domain.errors import Overloaded

Result = TypeVar("Result")

_STEP_BACK = 10
"""By so much nicer than the event loop: a tenth of its share where the two compete, and all that is left over."""


class HashingSlots:
    """Runs at most `slots` jobs at once off the event loop, so memory is slots times one hash and never more.

    At most `queue_per_slot` jobs a slot wait, none longer than `patience`; whoever comes later is told `Overloaded`
    at once, which is an answer too (DESIGN section 9). `number`, `busy`, `waiting` and `turned_away` tell how it goes.
    """

    def __init__(
        self,
        slots: int,
        *,
        queue_per_slot: int = 32,
        patience: timedelta = timedelta(seconds=2),
        ahead: int = 1,
    ) -> None:
        self.number = slots
        self.waiting = self.turned_away = 0
        self._handed_over = 0
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="hashing", initializer=_step_back)
        # A thread that is done finds its next job without waiting for the event loop, which may be busy just then.
        self._free = asyncio.Semaphore(slots * (1 + ahead))
        self._most_waiting = slots * queue_per_slot
        self._patience = patience

    async def run(self, job: Callable[[], Result]) -> Result:
        """What `job` returns. Raises `Overloaded` instead of starting it."""
        if self._free.locked() and self.waiting >= self._most_waiting:
            self.turned_away += 1
            raise Overloaded
        self.waiting += 1
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await self._free.acquire()
        except TimeoutError:
            self.turned_away += 1
            raise Overloaded from None
        finally:
            self.waiting -= 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._threads, job)
        except RuntimeError:  # closed while we waited
            self._free.release()
            raise Overloaded from None
        self._handed_over += 1
        # The slot is free when the thread is, not when the one who asked has lost interest.
        future.add_done_callback(lambda _: self._done())
        return await asyncio.shield(future)

    @property
    def busy(self) -> int:
        """Slots at work."""
        return min(self._handed_over, self.number)

    def _done(self) -> None:
        self._handed_over -= 1
        self._free.release()

    def close(self) -> None:
        """Start nothing more; what runs may finish."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _step_back() -> None:
    """Let the event loop go first, so that whoever hashes keeps nobody else waiting."""
    if sys.platform == "linux":  # where a thread has a niceness of its own
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _STEP_BACK)
