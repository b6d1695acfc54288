"""Delivery (R40, R41, R83, R85; DESIGN sections 2, 3 and 5): docs/letters.md."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from application.admission import SignedIn
from application.ports.letters import MailDelayed, MailRefused
from application.ports.mailroom import LetterFilter
from application.use_cases import mail_delivery
from domain.errors import AlreadyVerified, TokenInvalid
from domain.events import EventKind
from domain.letters import RenderedLetter
from tests.support.mail import token_in
from tests.support.refusals import refused
from tests.support.variations import (
    BreakingRenderer,
    DiscerningMailbox,
    ForgetfulMailbox,
    SlowMailbox,
    changed,
    client,
    with_mailbox,
)
from tests.support.world import ADA, OTHER_PASSWORD, PASSWORD, World, make_world

BOB = "bob@example.com"
STRANGER = client(66)
VERIFY = "Confirm your e-mail address for Ostiary"
NOTICE = "You already have an account at Ostiary"


def subjects(world: World, address: str = ADA) -> list[str]:
    return [letter.subject for letter in world.mailbox.to(address)]


async def endure(world: World, *, hours: float) -> None:
    """Let time pass in small steps, with a worker at work."""
    for _ in range(int(hours * 4)):
        world.clock.advance(minutes=15)
        await world.deliver()


# What a letter becomes


async def test_a_sign_up_for_a_free_address_becomes_a_link_to_the_front_end(tmp_path: Path) -> None:
    variables = {"APP_URL": "https://app.example.com", "OSTIARY_SECRET": "the-old-secret-of-this-house-6c1f93a7"}
    variables |= {"EMAIL_FROM": "House <house@example.com>", "SMTP_HOST": "mail.example.com"}
    async with make_world("memory", tmp_path, variables) as world:
        await world.sign_up("ada+news@example.com")
        token = await world.token_for("ada+news@example.com")
        [letter] = world.mailbox.letters
        link = f"https://app.example.com/auth/verify?token={token}&email=ada%2Bnews%40example.com"
        assert link in letter.text.split()
        assert "60 minutes" in letter.text


async def test_a_sign_up_for_a_taken_address_becomes_a_notice_to_its_owner_without_a_link(any_world: World) -> None:
    await any_world.member()
    await any_world.sign_up(password=OTHER_PASSWORD, name="Mallory", client=STRANGER)
    await any_world.deliver()
    assert subjects(any_world) == [VERIFY, NOTICE]
    notice = any_world.mailbox.letters[-1]
    assert "token" not in notice.text + notice.html
    assert "Mallory" not in notice.text + notice.html


async def test_what_a_letter_becomes_is_decided_when_it_leaves(any_world: World) -> None:
    mine = await any_world.sign_up()
    token = await any_world.token_for()
    await any_world.sign_up(password=OTHER_PASSWORD, client=STRANGER)
    await any_world.verify(token, cookie=mine.cookie.text)
    await any_world.deliver()
    assert subjects(any_world) == [VERIFY, NOTICE]


async def test_an_owner_is_told_at_most_once_an_hour(any_world: World) -> None:
    await any_world.member()
    any_world.clock.advance(hours=1)
    for number in range(5):
        await any_world.sign_up(client=client(number))
        await any_world.deliver()
        any_world.clock.advance(minutes=10)
    assert subjects(any_world).count(NOTICE) == 1
    assert any_world.events.kinds().count(EventKind.LETTER_SKIPPED) == 4
    any_world.clock.advance(minutes=10)
    await any_world.sign_up(client=client(9))
    await any_world.deliver()
    assert subjects(any_world).count(NOTICE) == 2


async def test_an_owners_notice_survives_a_mail_outage_longer_than_its_hour(any_world: World) -> None:
    await any_world.member()
    any_world.mailbox.trouble = MailDelayed("greylisted")
    await any_world.sign_up(client=STRANGER)
    await endure(any_world, hours=3)
    any_world.mailbox.trouble = None
    await endure(any_world, hours=1)
    assert subjects(any_world) == [VERIFY, NOTICE]


async def test_an_owners_notice_survives_a_short_mail_outage(any_world: World) -> None:
    await any_world.member()
    any_world.mailbox.trouble = MailDelayed("greylisted")
    await any_world.sign_up(client=STRANGER)
    await any_world.deliver()
    any_world.mailbox.trouble = None
    any_world.clock.advance(minutes=1)
    await any_world.deliver()
    assert subjects(any_world) == [VERIFY, NOTICE]


async def test_a_letter_tried_again_after_its_sign_up_was_proven_is_dropped(any_world: World) -> None:
    """The first attempt did arrive, only the answer got lost: no reason to ask "did you try to sign up?"."""
    forgetful = with_mailbox(any_world, ForgetfulMailbox())
    forgetful.mailbox.trouble = MailDelayed("the answer got lost")
    sent = await forgetful.sign_up()
    await forgetful.verify(await forgetful.token_for(), cookie=sent.cookie.text)
    forgetful.mailbox.trouble = None
    forgetful.clock.advance(minutes=1)
    await forgetful.deliver()
    assert subjects(forgetful) == [VERIFY]


# When it leaves


async def test_letters_leave_at_a_random_moment_within_the_jitter(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_DELIVERY_JITTER": "60s"}) as world:
        for number in range(20):
            await world.sign_up(f"person{number}@example.com", client=client(number))
        assert await world.use_cases.deliver_mail() == 0, "none at once"
        arrivals = []
        for _ in range(30):
            await world.deliver()
            arrivals.append(len(world.mailbox.letters))
        assert arrivals[-1] == 20
        assert len(set(arrivals)) > 5, "and not all together"


async def test_letters_leave_oldest_first_a_few_at_a_time(any_world: World) -> None:
    for number in range(20):
        await any_world.sign_up(f"person{number}@example.com", client=client(number))
        any_world.clock.advance(seconds=2)
    taken = [await any_world.use_cases.deliver_mail() for _ in range(4)]
    assert taken == [8, 8, 4, 0]
    recipients = [letter.recipient.local_part for letter in any_world.mailbox.letters]
    assert set(recipients[:8]) == {f"person{number}" for number in range(8)}
    assert any_world.events.kinds().count(EventKind.LETTER_SENT) == 20


async def test_after_an_outage_of_hours_the_link_is_as_fresh_as_any(any_world: World) -> None:
    any_world.mailbox.trouble = MailDelayed("no connection")
    sent = await any_world.sign_up()
    await endure(any_world, hours=5)
    any_world.mailbox.trouble = None
    while not any_world.mailbox.letters:
        any_world.clock.advance(minutes=1)
        await any_world.deliver()
    any_world.clock.advance(minutes=59)
    await any_world.verify(token_in(any_world.mailbox.letters[-1]), cookie=sent.cookie.text)


# When mail fails


async def test_a_delayed_letter_is_tried_again_ever_more_rarely_until_it_leaves(any_world: World) -> None:
    any_world.mailbox.trouble = MailDelayed("greylisted")
    await any_world.sign_up()
    waits = []
    for _ in range(8):
        waited = 0
        while not await any_world.use_cases.deliver_mail():
            any_world.clock.advance(seconds=1)
            waited += 1
        waits.append(waited)
    for attempt, waited in enumerate(waits[1:]):
        assert 10 * 2**attempt * 0.75 <= waited <= 10 * 2**attempt * 1.25 + 1
    assert any_world.events.kinds().count(EventKind.LETTER_DELAYED) == 8
    any_world.mailbox.trouble = None
    await endure(any_world, hours=1)
    assert subjects(any_world) == [VERIFY]
    assert any_world.events.recorded[-1].kind is EventKind.LETTER_SENT


async def test_a_letter_that_is_refused_for_good_is_given_up_alone(any_world: World) -> None:
    world = with_mailbox(any_world, DiscerningMailbox(BOB, MailRefused("recipient refused (550)")))
    for address in ("carol@example.com", BOB, ADA):
        await world.sign_up(address)
    await world.deliver()
    assert {letter.recipient.canonical for letter in world.mailbox.letters} == {ADA, "carol@example.com"}
    abandoned = [event for event in world.events.recorded if event.kind is EventKind.LETTER_ABANDONED]
    assert [str(event.email) for event in abandoned] == [BOB]
    await endure(any_world, hours=2)
    assert any_world.mailbox.letters == [], "it is not tried again"


async def test_a_person_whose_letter_was_given_up_can_ask_for_another(any_world: World) -> None:
    any_world.mailbox.trouble = MailRefused("mailbox full (552)")
    sent = await any_world.sign_up()
    await any_world.deliver()
    any_world.mailbox.trouble = None
    await any_world.resend(email=ADA, cookie=sent.cookie.text)
    await any_world.verify(await any_world.token_for(), cookie=sent.cookie.text)


POISONS = [RuntimeError("a bug of the provider's"), ValueError("\ud800"), KeyError("x"), asyncio.CancelledError()]
"""The last comes out of a connection that a provider had another task make, and closed."""


@pytest.mark.parametrize("poison", POISONS, ids=lambda poison: type(poison).__name__)
async def test_a_letter_that_breaks_the_sender_stops_no_other(poison: BaseException, any_world: World) -> None:
    world = with_mailbox(any_world, DiscerningMailbox(BOB, poison))
    for address in (BOB, ADA, "carol@example.com"):
        await world.sign_up(address)
    await world.deliver()
    assert (len(world.mailbox.to(ADA)), len(world.mailbox.to("carol@example.com"))) == (1, 1)
    delayed = [event for event in world.events.recorded if event.kind is EventKind.LETTER_DELAYED]
    ((email, reason),) = [(str(event.email), str(event.reason)) for event in delayed]
    assert email == BOB
    assert reason.startswith(f"{type(poison).__name__} in variations.py, line ")


@pytest.mark.parametrize("trouble", [MailDelayed, MailRefused])
async def test_a_reason_is_kept_in_one_legible_line_whatever_a_provider_says(
    trouble: type[Exception], any_world: World
) -> None:
    world = with_mailbox(any_world, DiscerningMailbox(ADA, trouble("421\r\n\x00 try \ud800 later" + 300 * "!")))
    await world.sign_up()
    await world.deliver()
    [letter] = [each async for each in world.use_cases.list_letters(LetterFilter())]
    assert letter.reason == ("421 try later" + 300 * "!")[:200]


async def test_others_take_the_places_of_those_that_are_done_while_one_hangs(
    any_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_delivery, "_LOOK_AGAIN", 0.01)
    slow = SlowMailbox(for_recipient=BOB)
    world = with_mailbox(any_world, slow)
    await world.sign_up(BOB)
    world.clock.advance(seconds=2)
    hanging = asyncio.create_task(world.use_cases.deliver_mail())
    await _at_the_counter(world)
    for number in range(20):
        await world.sign_up(f"person{number}@example.com", client=client(number))
    world.clock.advance(seconds=2)
    async with asyncio.timeout(10):
        while len(slow.letters) < 20:  # noqa: ASYNC110 - nobody in there would set an event
            await asyncio.sleep(0)
    assert not hanging.done()
    await _end(world, hanging)
    assert len(slow.letters) == 21


async def test_a_letter_that_breaks_the_renderer_stops_no_other_and_leaves_once_it_is_mended(any_world: World) -> None:
    deliver_mail = any_world.use_cases.deliver_mail
    renderer = BreakingRenderer(deliver_mail.renderer, BOB)
    world = changed(any_world, deliver_mail=replace(deliver_mail, renderer=renderer))
    for address in (BOB, ADA):
        await world.sign_up(address)
    await world.deliver()
    assert (len(world.mailbox.to(BOB)), len(world.mailbox.to(ADA))) == (0, 1)
    renderer.broken = False
    world.clock.advance(minutes=1)
    await world.deliver()
    assert len(world.mailbox.to(BOB)) == 1


async def test_a_letter_is_given_up_after_48_hours(any_world: World) -> None:
    any_world.mailbox.trouble = MailDelayed("no connection")
    await any_world.sign_up()
    await endure(any_world, hours=47)
    assert EventKind.LETTER_ABANDONED not in any_world.events.kinds()
    await endure(any_world, hours=2)
    assert any_world.events.recorded[-1].kind is EventKind.LETTER_ABANDONED
    any_world.mailbox.trouble = None
    await endure(any_world, hours=2)
    assert any_world.mailbox.letters == []


async def test_a_letter_for_a_sign_up_that_is_over_by_the_time_it_could_leave_never_does(any_world: World) -> None:
    sent = await any_world.sign_up()
    any_world.clock.advance(hours=47)
    await any_world.resend(email=ADA, cookie=sent.cookie.text)
    any_world.clock.advance(hours=2)
    await any_world.deliver()
    assert any_world.mailbox.letters == []


# Tried again


async def test_each_attempt_has_the_same_message_id_and_a_token_of_its_own(any_world: World) -> None:
    world = with_mailbox(any_world, ForgetfulMailbox())
    world.mailbox.trouble = MailDelayed("the answer got lost")
    await world.sign_up()
    for _ in range(3):
        await world.deliver()
        world.clock.advance(minutes=2)
    letters = world.mailbox.to(ADA)
    assert len(letters) == 3
    assert len({letter.message_id for letter in letters}) == 1
    assert len({token_in(letter) for letter in letters}) == 3


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
async def test_a_retry_kills_no_earlier_token_and_one_of_them_used_ends_the_other(
    first: int, second: int, any_world: World
) -> None:
    world = with_mailbox(any_world, ForgetfulMailbox())
    world.mailbox.trouble = MailDelayed("the answer got lost")
    sent = await world.sign_up()
    for _ in range(2):
        await world.deliver()
        world.clock.advance(minutes=1)
    tokens = [token_in(letter) for letter in world.mailbox.to(ADA)]
    assert len(tokens) == 2
    await world.verify(tokens[first], cookie=sent.cookie.text)
    assert await refused(world.verify(tokens[second], cookie=sent.cookie.text)) is AlreadyVerified
    assert await refused(world.verify(tokens[second])) is TokenInvalid
    assert await refused(world.verify(tokens[second], new_password="another password, please")) is TokenInvalid
    await world.sign_in(password=PASSWORD)


@pytest.mark.every_store
async def test_of_two_links_of_one_sign_up_opened_at_once_exactly_one_makes_the_user(any_world: World) -> None:
    world = with_mailbox(any_world, ForgetfulMailbox())
    world.mailbox.trouble = MailDelayed("the answer got lost")
    await world.sign_up()
    for _ in range(2):
        await world.deliver()
        world.clock.advance(minutes=1)
    clicks = (
        world.verify(token_in(letter), new_password=f"new password number {number}")
        for number, letter in enumerate(world.mailbox.to(ADA))
    )
    outcomes = [type(outcome) for outcome in await asyncio.gather(*clicks, return_exceptions=True)]
    assert (outcomes.count(SignedIn), outcomes.count(TokenInvalid)) == (1, 1)


async def test_two_letters_have_two_message_ids(any_world: World) -> None:
    await any_world.sign_up()
    await any_world.deliver()
    await any_world.resend(email=ADA)
    await any_world.deliver()
    assert len({letter.message_id for letter in any_world.mailbox.letters}) == 2


# Many workers


@pytest.mark.every_store
async def test_workers_side_by_side_send_every_letter_once(any_world: World) -> None:
    for number in range(20):
        await any_world.sign_up(f"person{number}@example.com", client=client(number))
    any_world.clock.advance(seconds=2)
    taken = await asyncio.gather(*(any_world.use_cases.deliver_mail() for _ in range(5)))
    assert sum(taken) == 20
    recipients = [letter.recipient.canonical for letter in any_world.mailbox.letters]
    assert len(recipients) == len(set(recipients)) == 20


async def test_a_letter_in_one_workers_hands_is_left_alone_by_the_others_for_a_minute(any_world: World) -> None:
    slow = with_mailbox(any_world, SlowMailbox())
    await any_world.sign_up()
    any_world.clock.advance(seconds=2)
    hanging = asyncio.create_task(slow.use_cases.deliver_mail())
    await _at_the_counter(slow)
    any_world.clock.advance(seconds=59)
    assert await any_world.use_cases.deliver_mail() == 0
    await _end(slow, hanging)
    assert await any_world.use_cases.deliver_mail() == 0
    assert len(slow.mailbox.letters) == 1


async def test_the_letter_of_a_worker_that_died_is_sent_by_another_under_the_same_message_id(
    any_world: World,
) -> None:
    slow = with_mailbox(any_world, SlowMailbox())
    sent = await any_world.sign_up()
    any_world.clock.advance(seconds=2)
    dying = asyncio.create_task(slow.use_cases.deliver_mail())
    [letter] = await _at_the_counter(slow)
    dying.cancel()
    with suppress(asyncio.CancelledError):
        await dying
    any_world.clock.advance(seconds=60)
    token = await any_world.token_for()
    assert [each.message_id for each in any_world.mailbox.letters] == [letter.message_id]
    await any_world.verify(token, cookie=sent.cookie.text)


@pytest.mark.parametrize("late", [MailDelayed("at last"), MailRefused("at last")])
async def test_a_worker_that_lost_its_letter_to_another_has_no_say_any_more(late: Exception, any_world: World) -> None:
    slow = with_mailbox(any_world, SlowMailbox())
    await any_world.sign_up()
    any_world.clock.advance(seconds=2)
    hanging = asyncio.create_task(slow.use_cases.deliver_mail())
    await _at_the_counter(slow)
    any_world.clock.advance(seconds=60)
    any_world.mailbox.trouble = MailDelayed("greylisted")
    assert await any_world.use_cases.deliver_mail() == 1
    slow.mailbox.trouble = late
    await _end(slow, hanging)
    any_world.mailbox.trouble = None
    any_world.clock.advance(minutes=1)
    await any_world.deliver()
    assert len(any_world.mailbox.to(ADA)) == 1, "the other's judgement stands: delayed, then sent"
    await endure(any_world, hours=1)
    assert len(any_world.mailbox.to(ADA)) == 1


async def _at_the_counter(world: World) -> list[RenderedLetter]:
    """The letters in a slow mailbox's hands, as soon as there are any."""
    mailbox = world.mailbox
    assert isinstance(mailbox, SlowMailbox)
    async with asyncio.timeout(5):
        await mailbox.busy.wait()
    return list(mailbox.at_the_counter)


async def _end(world: World, task: "asyncio.Task[int]") -> None:
    mailbox = world.mailbox
    assert isinstance(mailbox, SlowMailbox)
    mailbox.open.set()
    await task
