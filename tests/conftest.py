"""Fixtures that many tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import processes, statements, workplace
from tests.support.server import Server, run_server
from tests.support.world import World, make_world

# Property tests run the same examples everywhere, take the time they need, and leave no files behind;
# `--hypothesis-profile long` runs others, and more of them.
settings.register_profile("ostiary", deadline=None, database=None, derandomize=True)
settings.register_profile("long", deadline=None, database=None, max_examples=20_000)
settings.load_profile("ostiary")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much of what can be done without end is done: a little in the suite, a lot before a release."""
    parser.addoption("--kills", type=int, default=3, help="how often tests/adapters/test_kill.py kills the service")
    parser.addoption("--keys", type=int, default=3_000, help="keys that tests/adapters/test_limits_growth.py spends")
    parser.addoption("--cases", type=int, default=30, help="cases that tests/entrypoints/test_cases.py tries, a server")
    parser.addoption("--sequences", type=int, default=4, help="sequences tests/application/test_any_order.py runs")
    parser.addoption(
        "--every-store", action="store_true", help="hold each conversation over PostgreSQL, not races only"
    )
    parser.addoption("--cold", action="store_true", help="start each process as a user would, which takes its time")


def pytest_configure(config: pytest.Config) -> None:
    """Before the first process starts."""
    processes.cold = bool(config.getoption("--cold"))
    statements.share_compiled()
    workplace.in_memory()


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often to kill the service."""
    return int(request.config.getoption("--kills"))


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> int:
    """How many cases to try at each server."""
    return int(request.config.getoption("--cases"))


@pytest.fixture
def sequences(request: pytest.FixtureRequest) -> int:
    """How many sequences of steps to run on each store."""
    return int(request.config.getoption("--sequences"))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The use cases over the memory adapters."""
    async with make_world("memory", tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real `ostiary serve` process on SQLite with the dev inbox, limits as wide as tests need them."""
    with run_server(tmp_path_factory.mktemp("server")) as running:
        yield running
