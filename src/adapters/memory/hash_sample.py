"""A sample of the stored hashes, over dicts."""

from adapters.memory.store import MemoryStore
from application.ports.hashing import SAMPLE
from domain.password import PasswordHash


class MemoryHashSample:
    """`HashSample`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def __call__(self) -> list[PasswordHash]:
        credentials = list(self._store.tables.credentials.values())[:SAMPLE]
        return [credential.password_hash for credential in credentials]
