"""Counting the stored hashes, over dicts."""

from adapters.memory.store import MemoryStore
from application.ports.hashing import HashShare


class MemoryHashCensus:
    """`HashCensus`, by the easiest count there is: each by itself."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def __call__(self) -> list[HashShare]:
        return [HashShare(1, credential.password_hash) for credential in self._store.tables.credentials.values()]
