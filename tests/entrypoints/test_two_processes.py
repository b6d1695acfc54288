"""Limits hold over processes that share a database (R62; DESIGN section 4): docs/limits.md."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest

from tests.support.http_requests import PASSWORD, make_member, new_address, sign_in
from tests.support.server import PATIENCE, Server, run_server
from tests.support.store_kinds import STORES, settings_of

AT_ONCE = 50


@pytest.fixture(scope="module", params=[store for store in STORES if store != "memory"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two processes on one data folder and one database, of which limits count one thing only."""
    folder = tmp_path_factory.mktemp("shared")
    limits = {"OSTIARY_LIMIT_SIGN_IN_PAIR": "5/15m", "OSTIARY_LIMIT_SIGN_IN_DEVICE": "10/15m"}
    with ExitStack() as stack:
        variables = {**stack.enter_context(settings_of(request.param)), **limits}
        yield [stack.enter_context(run_server(folder, variables)) for _ in range(2)]


def at_once(both: list[Server], email: str, headers: dict[str, str] | None = None) -> list[int]:
    """The statuses of fifty wrong guesses that leave at the same moment, half of them to each process."""
    start = Barrier(AT_ONCE, timeout=PATIENCE)

    def guess(number: int) -> int:
        with both[number % 2].client(headers=headers) as client:
            client.get("/health/live")  # connected
            start.wait()
            return sign_in(client, email, f"guess number {number}").status_code

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return sorted(threads.map(guess, range(AT_ONCE)))


@pytest.mark.parametrize("exists", [True, False], ids=["existing", "absent"])
def test_of_fifty_guesses_at_once_exactly_five_are_judged(both: list[Server], exists: bool) -> None:
    email = new_address("both")
    if exists:
        make_member(both[0], email)
    assert at_once(both, email) == [401] * 5 + [429] * 45
    with both[1].client() as client:
        assert sign_in(client, email).status_code == 429, "the right one comes too late as well"


def test_of_fifty_guesses_at_once_on_a_marked_device_exactly_ten_are_judged(both: list[Server]) -> None:
    """What one process marked, the other knows: nothing is shared but the secret."""
    email = new_address("marked")
    make_member(both[0], email)
    with both[0].client() as client:
        mark = sign_in(client, email, PASSWORD).cookies["ostiary-device"]
    assert at_once(both, email, {"cookie": f"ostiary-device={mark}"}) == [401] * 10 + [429] * 40
