"""Taking units from limits, exactly, however many ask at once (R60-R62)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.limits import Charge, Unit


class Limits(Protocol):
    """Exact sliding windows. Each call is a short transaction of its own, untouched by what the work does later.

    Raises `Unavailable` when the store does not answer: a limit that cannot be counted is a refusal, never a pass.
    """

    async def spend(self, charges: Sequence[Charge], now: datetime) -> list[Unit]:
        """Take one unit of each, all or none; a limit whose quota is None takes nothing. No key comes twice.

        Raises `RateLimited` naming one that is used up. Its `retry_after` is when a unit falls free for a
        `per_client` limit, and the whole window for any other, which must not tell when strangers tried.
        """

    async def give_back(self, units: Sequence[Unit]) -> None:
        """Return exactly these units, wherever they stand in their windows, each once; unknown ones are ignored."""
