"""What `adapters.hashing.slots` promises: so many at once, so many waiting, and an answer at once for all others."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.hashing.slots import HashingSlots
from domain.errors import Overloaded

SLOTS = 2


class Work:
    """Jobs that last until they are let go, and a count of how many run at once."""

    def __init__(self) -> None:
        self.running = self.most = self.done = 0
        self._count = threading.Lock()
        self._go = threading.Event()
        self._started = threading.Semaphore(0)

    def job(self) -> int:
        """Runs in a thread of the slots."""
        with self._count:
            self.running += 1
            self.most = max(self.most, self.running)
        self._started.release()
        assert self._go.wait(10)
        with self._count:
            self.running -= 1
            self.done += 1
            return self.done

    async def started(self, count: int = 1) -> None:
        """Wait until so many more have begun."""
        for _ in range(count):
            assert await asyncio.to_thread(self._started.acquire, timeout=10)

    def let_go(self) -> None:
        """Let all jobs finish."""
        self._go.set()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def slots(work: Work) -> AsyncIterator[HashingSlots]:
    made = HashingSlots(SLOTS, ahead=0, queue_per_slot=3, patience=timedelta(seconds=20))
    yield made
    work.let_go()
    made.close()


async def fill(slots: HashingSlots, work: Work, waiting: int = 0) -> list["asyncio.Task[int]"]:
    """Occupy every slot, and put some in the queue."""
    tasks = [asyncio.create_task(slots.run(work.job)) for _ in range(SLOTS + waiting)]
    await work.started(SLOTS)
    return tasks


async def test_a_job_runs_off_the_event_loop_and_its_result_comes_back(slots: HashingSlots) -> None:
    assert await slots.run(threading.get_ident) != threading.get_ident()


async def test_what_a_job_raises_comes_back_and_its_slot_is_free_again(slots: HashingSlots) -> None:
    def fail() -> None:
        raise LookupError("mine")

    for _ in range(SLOTS * 5):
        with pytest.raises(LookupError, match="mine"):
            await slots.run(fail)
    assert await slots.run(lambda: "well") == "well"


async def test_never_more_run_at_once_than_there_are_slots(slots: HashingSlots, work: Work) -> None:
    tasks = await fill(slots, work, waiting=6)
    work.let_go()
    await asyncio.gather(*tasks)
    assert (work.most, work.done) == (SLOTS, SLOTS + 6)


async def test_who_finds_the_queue_full_is_told_at_once_and_those_who_wait_are_served(
    slots: HashingSlots, work: Work
) -> None:
    tasks = await fill(slots, work, waiting=6)
    for _ in range(50):
        with pytest.raises(Overloaded):
            await asyncio.wait_for(slots.run(work.job), 1)
    work.let_go()
    await asyncio.gather(*tasks)
    assert work.done == SLOTS + 6


async def test_the_queue_has_room_again_when_somebody_leaves_it(slots: HashingSlots, work: Work) -> None:
    tasks = await fill(slots, work, waiting=6)
    tasks[-1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks.pop()
    tasks.append(asyncio.create_task(slots.run(work.job)))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await slots.run(work.job)
    work.let_go()
    await asyncio.gather(*tasks)


async def test_nobody_waits_longer_than_their_patience(work: Work) -> None:
    slots = HashingSlots(SLOTS, ahead=0, patience=timedelta(milliseconds=20))
    tasks = await fill(slots, work)
    with pytest.raises(Overloaded):
        await asyncio.wait_for(slots.run(work.job), 5)
    work.let_go()
    await asyncio.gather(*tasks)
    assert work.done == SLOTS, "what was turned away was never started"
    assert await slots.run(lambda: "well") == "well"
    slots.close()


async def test_a_caller_who_loses_interest_does_not_free_a_slot_that_is_still_busy(
    slots: HashingSlots, work: Work
) -> None:
    tasks = await fill(slots, work)
    for task in tasks:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    late = [asyncio.create_task(slots.run(work.job)) for _ in range(6)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert work.running == SLOTS
    assert not any(task.done() for task in late)
    with pytest.raises(Overloaded):  # all six wait: none of them got a slot whose thread is still at work
        await asyncio.wait_for(slots.run(work.job), 1)
    work.let_go()
    await asyncio.gather(*late)
    assert work.most == SLOTS


async def test_a_crowd_that_is_cancelled_while_waiting_leaves_every_slot_usable(
    slots: HashingSlots, work: Work
) -> None:
    tasks = await fill(slots, work, waiting=6)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    work.let_go()
    assert await asyncio.gather(*(slots.run(lambda: "well") for _ in range(6))) == ["well"] * 6
    assert work.most == SLOTS


async def test_closing_starts_nothing_more_and_lets_finish_what_runs(work: Work) -> None:
    slots = HashingSlots(SLOTS, ahead=0)
    running = await fill(slots, work)
    slots.close()
    work.let_go()
    assert sorted(await asyncio.gather(*running)) == [1, 2]
    with pytest.raises((RuntimeError, Overloaded)):
        await slots.run(work.job)


async def test_who_waits_while_the_slots_are_closed_is_turned_away_and_not_met_with_a_fault(work: Work) -> None:
    slots = HashingSlots(SLOTS, ahead=0)
    tasks = await fill(slots, work, waiting=1)
    slots.close()
    work.let_go()
    await asyncio.gather(*tasks[:SLOTS])
    with pytest.raises(Overloaded):
        await tasks[-1]


async def test_as_many_threads_as_slots_and_they_end_when_closed(work: Work) -> None:
    def ours() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("hashing")]

    before = ours()  # of other tests, which may end at any moment
    slots = HashingSlots(SLOTS, ahead=0)
    tasks = await fill(slots, work, waiting=10)
    started = [thread for thread in ours() if thread not in before]
    assert len(started) == SLOTS
    work.let_go()
    await asyncio.gather(*tasks)
    slots.close()
    for thread in started:
        await asyncio.to_thread(thread.join, 5)
    assert not any(thread.is_alive() for thread in started)


# -- What it tells about itself --


async def test_what_is_busy_and_what_waits_is_told_and_comes_to_nothing_in_the_end(
    slots: HashingSlots, work: Work
) -> None:
    assert (slots.number, slots.busy, slots.waiting, slots.turned_away) == (SLOTS, 0, 0, 0)
    tasks = await fill(slots, work, waiting=3)
    assert (slots.busy, slots.waiting, slots.turned_away) == (SLOTS, 3, 0)
    work.let_go()
    await asyncio.gather(*tasks)
    assert (slots.busy, slots.waiting, slots.turned_away) == (0, 0, 0)


async def test_whoever_is_turned_away_is_counted(slots: HashingSlots, work: Work) -> None:
    tasks = await fill(slots, work, waiting=3 * SLOTS)
    for turned_away in (1, 2):
        with pytest.raises(Overloaded):
            await slots.run(work.job)
        assert slots.turned_away == turned_away
    work.let_go()
    await asyncio.gather(*tasks)


async def test_whoever_waited_in_vain_is_counted_too(work: Work) -> None:
    slots = HashingSlots(SLOTS, ahead=0, patience=timedelta(milliseconds=20))
    tasks = await fill(slots, work)
    with pytest.raises(Overloaded):
        await slots.run(work.job)
    assert (slots.waiting, slots.turned_away) == (0, 1)
    work.let_go()
    await asyncio.gather(*tasks)
    slots.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
async def test_hashing_steps_back_for_the_event_loop() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    slots = HashingSlots(SLOTS, ahead=0)
    before = niceness()
    assert await slots.run(niceness) == before + 10
    assert niceness() == before
    slots.close()


async def test_a_job_handed_over_ahead_runs_when_a_thread_is_free_and_not_before(work: Work) -> None:
    slots = HashingSlots(SLOTS)
    tasks = await fill(slots, work, waiting=SLOTS)
    assert (work.running, slots.busy, slots.waiting) == (SLOTS, SLOTS, 0)
    work.let_go()
    await asyncio.gather(*tasks)
    assert (work.most, slots.busy) == (SLOTS, 0)
    slots.close()
