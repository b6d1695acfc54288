"""Whose cancellation is it?"""

import asyncio


def ends_us(fault: BaseException) -> bool:
    """Whether somebody has cancelled this task by it.

    Where nobody has, a `CancelledError` comes out of something that was waited for, such as a connection that a
    provider had another task make: a fault of its own, and no end of ours.
    """
    task = asyncio.current_task()
    return isinstance(fault, asyncio.CancelledError) and task is not None and task.cancelling() > 0
