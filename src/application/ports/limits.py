"""Taking units from limits, exactly, however many ask at once (R60-R62)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.limits import Charge, Unit


class Limits(Protocol):
    """Exact sliding windows. Each call is a short transaction of its own, untouched by what the work does later;
    within a unit of work it is part of that, and who goes on after a refusal there asks for one charge at a time.

    Raises `Unavailable` when the store does not answer: a limit that cannot be counted is a refusal, never a pass.
    """

    async def spend(self, charges: Sequence[Charge], now: datetime) -> list[Unit]:
        """Take one unit of each, all or none; a limit whose quota is None takes nothing. No key comes twice.

        Raises `RateLimited` naming the one to wait for longest of those that are used up. Its `retry_after` is when a
        unit falls free for a `per_client` limit, and the whole window for any other, which must not tell when strangers
        tried. A clock that steps back frees nothing: an instant still to come counts as one in the window.
        """

    async def give_back(self, units: Sequence[Unit]) -> None:
        """Return exactly these units, wherever they stand in their windows, each once; unknown ones are ignored."""
