"""Hashing at test cost."""

import threading
from collections.abc import Callable
from typing import TypeVar

from adapters.hashing.argon2 import Argon2id, Argon2Parameters
from adapters.hashing.forms import ALL_FORMS
from adapters.hashing.keyring import Keyring
from adapters.hashing.pepper import peppered_by
from adapters.hashing.slots import HashingSlots
from adapters.hashing.stored import read_by
from application.ports.stored_hashes import StoredHash
from domain.password import FaultKind, HashFault

Result = TypeVar("Result")

CHEAP = Argon2Parameters(memory_kib=8, time=1)


class CountingSlots(HashingSlots):
    """Real slots that note what ran, and how many at once."""

    def __init__(self, slots: int = 2) -> None:
        super().__init__(slots)
        self.runs = self._running = self.most = 0
        self._lock = threading.Lock()

    async def run(self, job: Callable[[], Result]) -> Result:
        def counted() -> Result:
            with self._lock:
                self.runs += 1
                self._running += 1
                self.most = max(self.most, self._running)
            try:
                return job()
            finally:
                with self._lock:
                    self._running -= 1

        return await super().run(counted)


def read(encoded: str) -> StoredHash:
    """A stored hash of any form. Raises `Unusable`."""
    return read_by(ALL_FORMS, encoded)


def quick_keyring(slots: HashingSlots, parameters: Argon2Parameters = CHEAP) -> Keyring:
    """A keyring that has read no database."""
    return Keyring(Argon2id(parameters), (peppered_by([]), *ALL_FORMS), slots, decoy_key=bytes(32))


def kind_of(fault: HashFault | None) -> FaultKind | None:
    """What is wrong, whatever the words."""
    return fault.kind if fault is not None else None
