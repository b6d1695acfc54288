"""Reading what is too much for one look."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

PAGE = 500
"""How many are read at a time."""

Entry = TypeVar("Entry")


async def page_by_page(page_after: Callable[[Entry | None], Awaitable[Sequence[Entry]]]) -> AsyncIterator[Entry]:
    """Every entry, as many as somebody reads. `page_after` has the next `PAGE` behind the one that was read last; fewer
    mean that there are no more."""
    last = None
    while True:
        page = await page_after(last)
        for entry in page:
            yield entry
        if len(page) < PAGE:
            return
        last = page[-1]
