"""The contract of `application.ports.hashing.HashSample`, on every store."""

from collections.abc import Iterable

import pytest

from adapters.memory import hash_sample as of_memory
from adapters.sql import hash_sample as of_sql
from application.ports.units_of_work import Units
from domain.password import NO_PASSWORD, PasswordHash
from domain.user import Credential
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import a_user


async def settle(units: Units, encoded: Iterable[str]) -> None:
    """People with these hashes."""
    async with units.open_intake() as unit:
        for text in encoded:
            user = a_user()
            assert not await unit.users.add(user)
            await unit.accounts.add(
                user.id, Credential(user_id=user.id, password_hash=PasswordHash(text)), user.created_at
            )
        await unit.commit()


async def test_an_empty_database_shows_nothing(store: StoreUnderTest) -> None:
    assert list(await store.hashes()) == []


async def test_few_are_all_shown_whatever_they_are(store: StoreUnderTest) -> None:
    encoded = ["", "$", "garbage", "ü$ü$ü", "$2b$10$" + "a" * 53, "$2b$10$" + "a" * 53, NO_PASSWORD.encoded]
    await settle(store.units, encoded)
    assert sorted(stored.encoded for stored in await store.hashes()) == sorted(encoded)


async def test_of_many_some_are_shown_and_always_the_same(
    store: StoreUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (of_memory, of_sql):
        monkeypatch.setattr(module, "SAMPLE", 5)
    await settle(store.units, (f"hash {number}" for number in range(20)))
    sample = await store.hashes()
    assert len(set(sample)) == 5
    for _ in range(3):
        assert set(await store.hashes()) == set(sample)
