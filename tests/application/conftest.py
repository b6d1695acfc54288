"""The worlds that conversations are held in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.store_kinds import STORES
from tests.support.world import World, make_world


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each conversation is held over memory and SQLite, and over PostgreSQL as well where several people want the same
    at once, or with `--every-store`: what PostgreSQL promises a single one of them, `tests/adapters` asks it itself."""
    if "store_kind" not in metafunc.fixturenames:
        return
    marked = metafunc.definition.get_closest_marker("every_store") is not None
    every = marked or metafunc.config.getoption("--every-store")
    metafunc.parametrize("store_kind", sorted(STORES if every else STORES.keys() - {"postgresql"}))


@pytest.fixture
async def any_world(store_kind: str, tmp_path: Path) -> AsyncIterator[World]:
    """The use cases over each store in turn."""
    async with make_world(store_kind, tmp_path) as made:
        yield made


@pytest.fixture
async def named_world(store_kind: str, tmp_path: Path) -> AsyncIterator[World]:
    """Over each store in turn, a place where people have usernames."""
    async with make_world(store_kind, tmp_path, {"OSTIARY_USERNAME": "optional"}) as made:
        yield made
