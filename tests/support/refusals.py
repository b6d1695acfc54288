"""What a refusal said."""

import asyncio
from collections.abc import Awaitable

import pytest

from domain.errors import RateLimited, ValidationError


async def violations_of(attempt: Awaitable[object]) -> list[tuple[str, str]]:
    """The fields an attempt was refused for, each with its code, in order."""
    with pytest.raises(ValidationError) as caught:
        await attempt
    return [(violation.field, violation.code) for violation in caught.value.violations]


async def limit_of(attempt: Awaitable[object]) -> RateLimited:
    """The limit an attempt ran into."""
    with pytest.raises(RateLimited) as caught:
        await attempt
    return caught.value


async def refused(attempt: Awaitable[object]) -> type[BaseException] | None:
    """What kind of refusal an attempt meets, or None."""
    [outcome] = await asyncio.gather(attempt, return_exceptions=True)
    return type(outcome) if isinstance(outcome, BaseException) else None
