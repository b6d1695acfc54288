"""Somebody else's breach check, held to its port: an answer in time, or a code."""

import asyncio
import re

import structlog

from application.cancellation import ends_us
from application.ports.hashing import BreachCheck, BreachCheckFailed
from domain.password import Password

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_log = structlog.get_logger("ostiary.breach_check")


class BoundedBreachCheck:
    """`application.ports.hashing.BreachCheck`: one that breaks, or takes longer than `seconds`, keeps nobody out."""

    def __init__(self, check: BreachCheck, *, seconds: float = 2.0) -> None:
        self._check = check
        self._seconds = seconds

    async def contains(self, password: Password) -> bool:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._check.contains(password)
        except TimeoutError:
            raise BreachCheckFailed("timed_out") from None
        except BreachCheckFailed as failed:
            # A code goes on record; anything else may be words of the other side.
            raise BreachCheckFailed(failed.reason if _CODE.fullmatch(str(failed.reason)) else "failed") from None
        except (Exception, asyncio.CancelledError) as fault:
            if ends_us(fault):
                raise
            _log.error("breach_check_broke", fault=type(fault).__name__)
            raise BreachCheckFailed("broken") from None
