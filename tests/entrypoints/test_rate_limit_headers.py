"""429 (R63; draft-ietf-httpapi-ratelimit-headers): what it says parses, and is true by the clock. docs/limits.md."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from entrypoints.http.app import create_app
from tests.support.http_requests import assert_problem
from tests.support.server import NO_LIMITS
from tests.support.world import PASSWORD, World, make_world

Attempt = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]

# A list of strings with integer parameters (RFC 9651 sections 3.1, 3.1.2, 3.3.1, 3.3.3): all that the draft needs.
_STRING = r'"(?P<name>[\x20-\x21\x23-\x5b\x5d-\x7e]*)"'
_ITEM = re.compile(_STRING + r"(?P<parameters>(?:;[a-z*][a-z0-9_.*-]*=-?[0-9]{1,15})*)")


def structured(value: str) -> list[tuple[str, dict[str, int]]]:
    """A structured field as the draft has it; fails where it is none."""
    items = []
    for text in re.split(r"[ \t]*,[ \t]*", value):
        match = _ITEM.fullmatch(text)
        assert match is not None, value
        pairs = [pair.split("=") for pair in match["parameters"].split(";")[1:]]
        items.append((match["name"], {key: int(number) for key, number in pairs}))
    return items


@asynccontextmanager
async def served(folder: Path, variables: dict[str, str]) -> AsyncIterator[tuple[World, httpx.AsyncClient]]:
    """The application under a clock that stands still."""
    async with make_world("sqlite", folder, {**NO_LIMITS, **variables}) as world:
        transport = httpx.ASGITransport(app=create_app(world.ostiary))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            yield world, client


async def sign_in(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await client.post("/auth/signin", json={"email": f"p{number}@example.com", "password": "x"})


async def sign_up(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await client.post(
        "/auth/signup", json={"email": f"p{number}@example.com", "password": PASSWORD, "name": "Ada"}
    )


async def resend(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await client.post("/auth/resend-verification", json={"email": f"p{number}@example.com"})


async def verify(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await client.post("/auth/verify-email", json={"token": "A" * 43})


WINDOWS = {"15m": 900, "1h": 3600, "7s": 7, "1s": 1}
OWN: list[tuple[str, Attempt]] = [
    ("sign_in_client", sign_in),
    ("sign_up_client", sign_up),
    ("letter_client", resend),
    ("token_client", verify),
]


@pytest.mark.parametrize(
    ("count", "window"), [(1, "15m"), (3, "1h"), (5, "7s"), (2, "1s"), (101, "15m"), (101, "7s"), (150, "1h")]
)
@pytest.mark.parametrize(("name", "attempt"), OWN, ids=[name for name, _ in OWN])
async def test_the_numbers_for_a_limit_of_the_callers_own_parse_and_are_true(
    tmp_path: Path, name: str, attempt: Attempt, count: int, window: str
) -> None:
    """Waiting as told is enough, and a second less is not; also where the quota is granted at an even pace."""
    async with served(tmp_path, {f"OSTIARY_LIMIT_{name.upper()}": f"{count}/{window}"}) as (world, client):
        for number in range(count):
            assert (await attempt(client, number)).status_code != 429
        world.clock.advance(microseconds=1234)
        answer = await attempt(client, count)
        problem = assert_problem(answer, 429, "rate_limited")
        assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
        wait = int(answer.headers["retry-after"])
        assert 1 <= wait <= WINDOWS[window]
        assert structured(answer.headers["ratelimit-policy"]) == [(name, {"q": count, "w": WINDOWS[window]})]
        assert structured(answer.headers["ratelimit"]) == [(name, {"r": 0, "t": wait})]
        world.clock.advance(seconds=wait - 1)
        assert (await attempt(client, count)).status_code == 429
        world.clock.advance(seconds=1)
        assert (await attempt(client, count)).status_code != 429


async def of_one_client(client: httpx.AsyncClient, _: int) -> httpx.Response:
    return await sign_in(client, 0)


async def of_one_address(client: httpx.AsyncClient, _: int) -> httpx.Response:
    return await sign_up(client, 0)


async def to_one_address(client: httpx.AsyncClient, _: int) -> httpx.Response:
    return await resend(client, 0)


OTHERS: list[tuple[str, Attempt]] = [
    ("sign_in_pair", of_one_client),
    ("sign_in_address", of_one_client),
    ("sign_up_address", of_one_address),
    ("letter_hour", to_one_address),
]


@pytest.mark.parametrize("count", [3, 101], ids=["exact", "paced"])
@pytest.mark.parametrize(("name", "attempt"), OTHERS, ids=[name for name, _ in OTHERS])
async def test_about_an_address_the_whole_window_is_said_and_nothing_that_tells_when_strangers_tried(
    tmp_path: Path, name: str, attempt: Attempt, count: int
) -> None:
    async with served(tmp_path, {f"OSTIARY_LIMIT_{name.upper()}": f"{count}/1h"}) as (world, client):
        for number in range(count):
            assert (await attempt(client, number)).status_code != 429
        for _ in range(3):
            world.clock.advance(seconds=10)
            answer = await attempt(client, 0)
            assert_problem(answer, 429, "rate_limited")
            assert answer.headers["retry-after"] == "3600"
            assert not [header for header in answer.headers if header.startswith("ratelimit")]
        world.clock.advance(seconds=3600)
        assert (await attempt(client, 0)).status_code != 429


async def test_where_both_are_used_up_the_longer_wait_is_told(tmp_path: Path) -> None:
    variables = {"OSTIARY_LIMIT_SIGN_IN_PAIR": "2/1m", "OSTIARY_LIMIT_SIGN_IN_CLIENT": "2/1h"}
    async with served(tmp_path, variables) as (world, client):
        for _ in range(2):
            await sign_in(client, 0)
        world.clock.advance(seconds=10)
        answer = await sign_in(client, 0)
        assert answer.headers["retry-after"] == "3590"
        assert structured(answer.headers["ratelimit"]) == [("sign_in_client", {"r": 0, "t": 3590})]
