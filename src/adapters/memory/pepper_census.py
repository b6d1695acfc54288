"""Counting the stored hashes by their pepper, over dicts."""

from collections import Counter
from datetime import datetime

from adapters.hashing.pepper import pepper_id_of
from adapters.memory.store import MemoryStore
from domain.password import PasswordHash


class MemoryPepperCensus:
    """`application.ports.hashing.PepperCensus`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def __call__(self, now: datetime) -> dict[str, int]:
        tables = self._store.tables
        stored: list[PasswordHash | None] = [credential.password_hash for credential in tables.credentials.values()]
        stored += [each.password_hash for each in tables.sign_ups.values() if each.expires_at > now]
        ids = (pepper_id_of(password_hash.encoded) for password_hash in stored if password_hash is not None)
        return dict(Counter(each for each in ids if each is not None))
