"""What is verified for an address nobody has, so that time does not tell (DESIGN section 2)."""

import asyncio
import hashlib
import hmac
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from itertools import accumulate

from application.ports.hashing import HashSample
from application.ports.stored_hashes import StoredHash, Unusable
from domain.errors import Unavailable
from domain.password import PasswordHash

_EVERY_SECONDS = 60.0
_SHARE_OF_TIME = 0.01
"""Counting takes no more of the time than this, however slow the database is."""


class Decoys:
    """Draws a hash for an identifier: always the same kind for the same one, and each kind as often as the database
    holds it.

    Slow kinds come first. As people sign in, their old hashes become new ones and the shares of the old shrink: so
    an address that nobody has may turn from slow to fast, as a person's does, and does not turn back. The hash that
    stands for a kind is one of the database's own; whether the password is its owner's is never looked at.
    """

    def __init__(self, key: bytes, own: PasswordHash, read: Callable[[PasswordHash], StoredHash]) -> None:
        self._key = key
        self._read = read
        self._kinds = [read(own)]
        self._shares: list[float] = []

    def draw(self, identifier: str) -> StoredHash:
        """The hash to verify for an identifier that belongs to nobody."""
        digest = hmac.digest(self._key, b"decoy " + identifier.encode(), hashlib.sha256)
        return self._kinds[bisect_right(self._shares, int.from_bytes(digest[:8]) / 2**64)]

    async def count(self, sample: HashSample) -> None:
        """Take over the proportions of the database. Nothing changes where it holds no hash. Raises `Unavailable`."""
        stored = await sample()
        # Ten thousand take a while, in which others have their turn.
        kinds = await asyncio.to_thread(self._kinds_of, stored)
        if not kinds:
            return
        total = sum(number for _, number in kinds)
        self._kinds = [kind for kind, _ in kinds]
        self._shares = [upto / total for upto in accumulate(number for _, number in kinds)][:-1]

    def _kinds_of(self, stored: Iterable[PasswordHash]) -> list[tuple[StoredHash, int]]:
        """One of each kind, the slowest first, and how many there are. Hashes that take the same are one kind."""
        found: dict[tuple[float, int, str], StoredHash] = {}
        numbers: Counter[tuple[float, int, str]] = Counter()
        for each in stored:
            with suppress(Unusable):
                read = self._read(each)
                kind = (-read.work, read.memory_kib, type(read).__name__)
                found.setdefault(kind, read)
                numbers[kind] += 1
        return [(found[kind], numbers[kind]) for kind in sorted(found)]

    @asynccontextmanager
    async def counted(self, sample: HashSample) -> AsyncIterator[None]:
        """Count now, and now and then while the block runs: not when asked, which would tell. Raises `Unavailable`."""
        pause = await self._timed(sample)
        task = asyncio.create_task(self._recount(sample, pause))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _recount(self, sample: HashSample, pause: float) -> None:
        while True:
            await asyncio.sleep(pause)
            with suppress(Unavailable):  # the last proportions are good for a while
                pause = await self._timed(sample)

    async def _timed(self, sample: HashSample) -> float:
        """Count; how many seconds to leave the database alone then."""
        began = time.monotonic()
        await self.count(sample)
        return max(_EVERY_SECONDS, (time.monotonic() - began) / _SHARE_OF_TIME)
