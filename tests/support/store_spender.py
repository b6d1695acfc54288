"""A process that spends units of one limit, and says how many it got: `python -m tests.support.store_spender`."""

import asyncio
import sys
from pathlib import Path

from adapters.sql.limits import SqlLimits
from domain.errors import RateLimited
from tests.support.store_kinds import LIMITS_KEY, open_database
from tests.support.store_samples import NOW, charge


async def spend(file: Path, tries: int, quota: int) -> int:
    """How many of `tries` at once were granted."""
    async with open_database(file) as database:
        limits = SqlLimits(database, LIMITS_KEY)

        async def one() -> bool:
            try:
                await limits.spend([charge("ada", quota)], NOW)
            except RateLimited:
                return False
            return True

        print("ready", flush=True)  # noqa: T201
        sys.stdin.readline()
        return sum(await asyncio.gather(*(one() for _ in range(tries))))


if __name__ == "__main__":
    print(asyncio.run(spend(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))  # noqa: T201
