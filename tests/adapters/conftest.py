"""Fixtures of the contract suites: each store in turn, empty."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from application.ports.limits import Limits
from application.ports.units_of_work import Units
from tests.support.smtp_certificates import Authority
from tests.support.store_kinds import STORES, StoreUnderTest


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StoreUnderTest]:
    """An empty store of each kind in turn."""
    async with STORES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def units(store: StoreUnderTest) -> Units:
    """The units of work of `store`."""
    return store.units


@pytest.fixture
def limits(store: StoreUnderTest) -> Limits:
    """The limits of `store`."""
    return store.limits


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority of the tests' own."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def one_authority(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours is trusted over HTTP instead of a hundred others, because reading them takes longer than a test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


@pytest.fixture
async def no_threads_left() -> AsyncIterator[None]:
    """aiosqlite's thread of a connection that failed reports to the event loop a little later: let it."""
    yield
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)
