"""A breach check of a provider's, held to the contract of `application.ports.hashing.BreachCheck` (R09, R80)."""

import asyncio

import pytest

from adapters.bounded_breach_check import BoundedBreachCheck
from application.ports.hashing import BreachCheckFailed
from domain.password import Password


class Provided:
    """Does as it is told; `found` may be an error."""

    def __init__(self, found: bool | BaseException, seconds: float = 0) -> None:
        self._found = found
        self._seconds = seconds

    async def contains(self, password: Password) -> bool:
        await asyncio.sleep(self._seconds)
        if isinstance(self._found, BaseException):
            raise self._found
        return self._found


async def test_what_it_finds_is_what_is_found() -> None:
    for found in (True, False):
        assert await BoundedBreachCheck(Provided(found)).contains(Password("x")) is found


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (BreachCheckFailed("list_unreadable"), "list_unreadable"),
        (BreachCheckFailed("The server said: canary"), "failed"),
        (BreachCheckFailed(3), "failed"),  # type: ignore[arg-type]
        (TimeoutError("canary"), "timed_out"),
        (ValueError("canary"), "broken"),
        (asyncio.CancelledError("canary"), "broken"),
    ],
    ids=[
        "its own code",
        "words of the other side",
        "no text",
        "its own deadline",
        "a fault",
        "a fault of another task",
    ],
)
async def test_whatever_goes_wrong_is_a_code(
    raised: BaseException, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BreachCheckFailed) as failed:
        await BoundedBreachCheck(Provided(raised)).contains(Password("canary"))
    assert failed.value.reason == reason
    assert failed.value.__cause__ is None
    assert "canary" not in capsys.readouterr().out


async def test_nobody_waits_for_it_longer_than_its_time() -> None:
    with pytest.raises(BreachCheckFailed, match="timed_out"):
        await BoundedBreachCheck(Provided(True, seconds=3600), seconds=0.01).contains(Password("x"))
