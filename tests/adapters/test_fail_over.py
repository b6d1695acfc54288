"""Fail-over: letters leave by another way while one is out of order."""

import asyncio
import inspect
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from adapters.mail.fail_over import FailOver
from adapters.mail.message import NotCarried
from application.ports.letters import MailDelayed, MailRefused
from domain.letters import LEASE, RenderedLetter
from tests.support.mail import Mailbox
from tests.support.rendered_letters import a_letter


class Watch:
    """A clock in seconds that a test moves on."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Asked(Mailbox):
    """A mailbox that counts who asked, and may never answer."""

    def __init__(self, trouble: BaseException | None = None, *, silent: bool = False) -> None:
        super().__init__()
        self.trouble = trouble
        self.silent = silent
        self.times = 0

    async def send(self, letter: RenderedLetter) -> None:
        self.times += 1
        if self.silent:
            await asyncio.Event().wait()
        await asyncio.sleep(0)  # as over a network
        await super().send(letter)


def over(*senders: Asked, clock: Callable[[], float] = time.monotonic, seconds: float = 20.0) -> FailOver:
    """Named for their places."""
    named = list(zip(("one", "two", "three", "four"), senders, strict=False))
    return FailOver(named, seconds=seconds, monotonic=clock)


async def delayed_by(sender: FailOver) -> MailDelayed:
    with pytest.raises(MailDelayed) as delayed:
        await sender.send(a_letter())
    return delayed.value


async def test_the_first_one_carries_everything_while_it_works() -> None:
    one, two = Asked(), Asked()
    for _ in range(3):
        await over(one, two).send(a_letter())
    assert (len(one.letters), two.times) == (3, 0)


@pytest.mark.parametrize(
    "trouble",
    [MailDelayed("later"), RuntimeError("a bug"), OSError(), TimeoutError(), KeyError("x"), asyncio.CancelledError()],
    ids=lambda trouble: type(trouble).__name__,
)
async def test_another_carries_the_letter_where_one_delays_it_or_breaks(trouble: BaseException) -> None:
    one, two = Asked(trouble), Asked()
    await over(one, two).send(a_letter())
    assert len(two.letters) == 1


async def test_a_refusal_for_good_is_final() -> None:
    one, two = Asked(MailRefused("recipient refused (550)")), Asked()
    with pytest.raises(MailRefused, match=r"^recipient refused \(550\)$"):
        await over(one, two).send(a_letter())
    assert two.times == 0


async def test_an_address_that_one_cannot_carry_is_for_another_that_can() -> None:
    one, two, three = Asked(NotCarried("beyond ASCII")), Asked(MailDelayed("later")), Asked()
    await over(one, three).send(a_letter())
    assert len(three.letters) == 1
    assert str(await delayed_by(over(one, two))) == "two: later"
    with pytest.raises(MailRefused, match="beyond ASCII"):
        await over(one, one).send(a_letter())


async def test_who_has_failed_is_asked_last_for_a_minute() -> None:
    clock, one, two = Watch(), Asked(MailDelayed("later")), Asked()
    sender = over(one, two, clock=clock)
    for _ in range(3):
        await sender.send(a_letter())
    assert (one.times, two.times) == (1, 3)
    one.trouble = None
    clock.seconds += 59.9
    await sender.send(a_letter())
    assert one.times == 1
    clock.seconds += 0.2
    await sender.send(a_letter())
    assert (one.times, len(one.letters)) == (2, 1)


@pytest.mark.parametrize(
    ("asked_for", "rest"), [(timedelta(seconds=5), 60), (timedelta(minutes=10), 600), (timedelta(days=9), 1800)]
)
async def test_who_asks_to_be_left_alone_is_asked_last_for_so_long(asked_for: timedelta, rest: int) -> None:
    clock, one, two = Watch(), Asked(MailDelayed("too many", retry_after=asked_for)), Asked()
    sender = over(one, two, clock=clock)
    await sender.send(a_letter())
    clock.seconds += rest - 0.1
    await sender.send(a_letter())
    assert one.times == 1
    clock.seconds += 0.2
    await sender.send(a_letter())
    assert one.times == 2


async def test_it_is_still_asked_where_nobody_else_works_and_then_it_comes_first_again() -> None:
    one, two = Asked(MailDelayed("later")), Asked()
    sender = over(one, two, clock=Watch())
    await sender.send(a_letter())
    one.trouble, two.trouble = None, MailDelayed("later")
    await sender.send(a_letter())
    assert len(one.letters) == 1
    await sender.send(a_letter())
    assert (len(one.letters), two.times) == (2, 2)


async def test_one_that_hangs_leaves_the_others_their_share_of_the_time() -> None:
    one, two, three = Asked(silent=True), Asked(silent=True), Asked()
    loop = asyncio.get_running_loop()
    before = loop.time()
    await over(one, two, three, seconds=0.3).send(a_letter())
    assert len(three.letters) == 1
    assert loop.time() - before < 3


def test_all_of_it_is_over_before_the_letter_is_taken_out_of_hand() -> None:
    """`DeliverMail` gives up after three quarters of a lease."""
    assert inspect.signature(FailOver).parameters["seconds"].default < LEASE.total_seconds() * 0.75


async def test_when_all_fail_each_is_named_with_its_reason() -> None:
    one, two, three = Asked(MailDelayed("log-in refused (535)")), Asked(ValueError("secret")), Asked(silent=True)
    delayed = await delayed_by(over(one, two, three, seconds=0.1))
    assert str(delayed) == "one: log-in refused (535); two: ValueError; three: no answer in time"
    assert delayed.retry_after is None


async def test_no_more_is_said_than_is_kept_and_each_has_its_part_of_it() -> None:
    said = str(await delayed_by(over(*(Asked(MailDelayed("x" * 500)) for _ in range(4)))))
    assert len(said) <= 200
    assert [part.partition(":")[0] for part in said.split("; ")] == ["one", "two", "three", "four"]


async def test_the_shortest_wait_counts_if_everyone_asks_for_one() -> None:
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    one, two = Asked(MailDelayed("later", retry_after=hour)), Asked(MailDelayed("later", retry_after=minute))
    assert (await delayed_by(over(one, two))).retry_after == minute
    two.trouble = MailDelayed("later")
    assert (await delayed_by(over(one, two))).retry_after is None


async def test_being_cancelled_is_passed_on_and_asks_nobody_else() -> None:
    one, two = Asked(silent=True), Asked()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await over(one, two).send(a_letter())
    assert (one.times, two.times) == (1, 0)


async def test_who_fails_is_told_to_the_operator_even_though_the_letter_left() -> None:
    with capture_logs() as logs:
        await over(Asked(MailDelayed("log-in refused (535)")), Asked()).send(a_letter())
    assert logs == [
        {"event": "mail_sender_failed", "sender": "one", "reason": "log-in refused (535)", "log_level": "warning"}
    ]
