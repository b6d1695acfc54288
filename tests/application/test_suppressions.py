"""Addresses that get no letters, and letters that are tried again or given up: docs/letters.md, docs/bounces.md."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from application.administrators import CommandLine
from application.ports.bounces import ProviderBounce, ReturnedLetter
from application.ports.letters import LetterRenderer, MailDelayed, MailRefused
from application.ports.mailroom import LetterFilter, LetterRecord, LetterState
from application.use_cases.event_history import ListAllEventsCommand
from application.use_cases.letter_register import LetterCommand
from application.use_cases.password_reset import ForgotPasswordCommand
from application.use_cases.suppressions import LiftSuppressionCommand, NoteBouncesCommand, Verdict
from domain.errors import LetterExpired, LetterInHand, LetterIsGone, NotFound, TokenInvalid, ValidationError
from domain.events import EventKind
from domain.letters import Letter, Outcome, RenderedLetter
from domain.suppression import SuppressionReason
from tests.support.mail import token_in
from tests.support.variations import SlowMailbox, changed, client, with_mailbox
from tests.support.world import ADA, HERE, OTHER_PASSWORD, World, make_world

GRACE = "grace@example.com"
STRANGER = client(66)
MONTH = 30 * 24


def bounce(world: World, email: str = ADA, *, hours_ago: float = 0, **fields: object) -> ProviderBounce:
    at = world.clock.now() - timedelta(hours=hours_ago)
    of = {"reason": SuppressionReason.HARD_BOUNCE, "source": "sendgrid", **fields}
    return ProviderBounce(recipient=email, at=at, **of)  # type: ignore[arg-type]


async def note(world: World, *bounces: ProviderBounce | ReturnedLetter) -> list[Verdict]:
    return await world.use_cases.note_bounces(NoteBouncesCommand(bounces=bounces))


async def suppressed(world: World) -> list[str]:
    return [str(each.email) async for each in world.use_cases.list_suppressed()]


async def lift(world: World, email: str = ADA) -> None:
    await world.use_cases.lift_suppression(LiftSuppressionCommand(email=email))


async def letters(world: World, state: LetterState | None = None) -> list[LetterRecord]:
    return [each async for each in world.use_cases.list_letters(LetterFilter(state=state))]


def of(record: LetterRecord) -> LetterCommand:
    return LetterCommand(letter_id=record.letter.id)


async def ask_for_a_password(world: World, email: str = ADA) -> None:
    await world.use_cases.forgot_password(ForgotPasswordCommand(client=HERE, email=email))


# Suppressed


async def test_what_waits_can_be_read_by_the_version_before_which_knows_no_suppressed(any_world: World) -> None:
    """Its workers may run beside, and one that cannot read a letter delivers none."""
    await note(any_world, bounce(any_world))
    await any_world.sign_up()
    any_world.clock.advance(seconds=2)
    delivery = any_world.use_cases.deliver_mail
    async with delivery.delivery() as unit:
        [letter] = await unit.letters.lease(uuid4(), any_world.clock.now(), 1)
        decision = await delivery.decisions.decide(unit, letter)
        await unit.commit()
    [waiting] = await letters(any_world, LetterState.QUEUED)
    assert (decision.outcome, waiting.letter.outcome) == (Outcome.SUPPRESSED, Outcome.NONE)


async def test_a_suppressed_address_gets_no_letter_and_the_operator_sees_why(any_world: World) -> None:
    assert await note(any_world, bounce(any_world)) == [Verdict.SUPPRESSED]
    await any_world.sign_up()
    await any_world.sign_up(GRACE)
    await any_world.deliver()
    assert [str(letter.recipient) for letter in any_world.mailbox.letters] == [GRACE]
    skipped = [each for each in any_world.events.recorded if each.kind is EventKind.LETTER_SKIPPED]
    assert [(str(each.email), each.reason) for each in skipped] == [(ADA, "suppressed")]
    [record] = [each for each in await letters(any_world) if str(each.letter.recipient) == ADA]
    assert (record.state, record.letter.outcome) == (LetterState.SENT, "suppressed")


async def test_the_token_of_a_suppressed_letter_opens_nothing(any_world: World) -> None:
    """It is minted for nothing, so that even who could read the letter's making has nothing to show."""
    onlooker = Onlooker(any_world.use_cases.deliver_mail.renderer)
    deliver_mail = replace(any_world.use_cases.deliver_mail, renderer=onlooker)
    await note(any_world, bounce(any_world))
    sent = await any_world.sign_up()
    await changed(any_world, deliver_mail=deliver_mail).deliver()
    [letter] = onlooker.rendered
    with pytest.raises(TokenInvalid):
        await any_world.verify(token_in(letter), cookie=sent.cookie.text)


class Onlooker:
    """`LetterRenderer` that keeps what another one makes."""

    def __init__(self, renderer: LetterRenderer) -> None:
        self._renderer = renderer
        self.rendered: list[RenderedLetter] = []

    def render(self, letter: Letter, letter_id: UUID) -> RenderedLetter:
        self.rendered.append(self._renderer.render(letter, letter_id))
        return self.rendered[-1]


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    seen: list[str] = []

    def at_statement(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", at_statement)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", at_statement)


@pytest.mark.parametrize("occasion", ["sign-up", "sign-up of an owner", "new password"])
async def test_a_suppressed_letter_asks_the_same_of_the_database_as_one_that_leaves(
    occasion: str, tmp_path: Path
) -> None:
    async with make_world("sqlite", tmp_path) as world:
        for email in (ADA, GRACE):
            if occasion != "sign-up":
                await world.member(email)
        world.clock.advance(hours=2)
        await note(world, bounce(world))
        asked = []
        for email in (ADA, GRACE):
            with statements() as while_asking:
                if occasion == "new password":
                    await ask_for_a_password(world, email)
                else:
                    await world.sign_up(email, client=STRANGER)
            with statements() as while_delivering:
                await world.deliver()
            asked.append((while_asking, while_delivering))
        assert asked[0] == asked[1]
        assert len(asked[0][1]) > 5


async def test_a_suppression_ends_by_itself(any_world: World) -> None:
    await note(any_world, bounce(any_world))
    any_world.clock.advance(hours=MONTH)
    assert await suppressed(any_world) == []
    await any_world.sign_up()
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == 1


async def test_a_lifted_suppression_stays_lifted_however_often_the_old_report_comes(any_world: World) -> None:
    old = bounce(any_world)
    await note(any_world, old)
    any_world.clock.advance(hours=1)
    await lift(any_world)
    for hours in (0, 1, MONTH - 3, 1, 1, 1):
        any_world.clock.advance(hours=hours)
        await any_world.use_cases.keep_house()
        assert await note(any_world, old) in ([Verdict.KNOWN], [Verdict.OVER])
    assert await suppressed(any_world) == []
    assert await note(any_world, bounce(any_world)) == [Verdict.SUPPRESSED]
    kinds = any_world.events.kinds()
    assert kinds.count(EventKind.ADDRESS_SUPPRESSED) == 2
    assert kinds.count(EventKind.SUPPRESSION_LIFTED) == 1


async def test_a_report_from_a_clock_that_is_ahead_lasts_no_longer_than_others(any_world: World) -> None:
    assert await note(any_world, bounce(any_world, hours_ago=-1_000)) == [Verdict.SUPPRESSED]
    any_world.clock.advance(hours=MONTH)
    assert await suppressed(any_world) == []


async def test_what_came_of_each_report_is_said_in_the_order_in_which_they_came(any_world: World) -> None:
    assert await note(
        any_world,
        bounce(any_world, GRACE),
        bounce(any_world, "nobody at all"),
        bounce(any_world, hours_ago=2),
        bounce(any_world, "late@example.com", hours_ago=MONTH),
        bounce(any_world, "ADA@Example.com", hours_ago=1),
        ReturnedLetter(reason=SuppressionReason.COMPLAINT, letter_id=uuid4()),
    ) == [
        Verdict.SUPPRESSED,
        Verdict.NOBODYS,
        Verdict.KNOWN,
        Verdict.OVER,
        Verdict.SUPPRESSED,
        Verdict.NOBODYS,
    ]
    assert await suppressed(any_world) == [ADA, GRACE]


async def test_many_reports_are_noted_in_portions_and_twice_changes_nothing(any_world: World) -> None:
    batch = [bounce(any_world, f"person{number}@example.com") for number in range(250)]
    assert set(await note(any_world, *batch)) == {Verdict.SUPPRESSED}
    assert set(await note(any_world, *batch)) == {Verdict.KNOWN}
    assert len(await suppressed(any_world)) == 250


@pytest.mark.every_store
async def test_two_who_report_the_same_addresses_at_once_do_not_stand_in_each_others_way(any_world: World) -> None:
    batch = [bounce(any_world, f"person{number}@example.com") for number in range(30)]
    verdicts = await asyncio.gather(*(note(any_world, *each) for each in (batch, batch[::-1], batch, batch[::-1])))
    assert [verdict for found in verdicts for verdict in found].count(Verdict.SUPPRESSED) == 30


async def test_a_returned_letter_counts_for_who_it_went_to_from_when_it_was_asked_for(any_world: World) -> None:
    await any_world.sign_up()
    await any_world.deliver()
    [record] = await letters(any_world)
    returned = ReturnedLetter(reason=SuppressionReason.COMPLAINT, letter_id=record.letter.id)
    assert await note(any_world, returned) == [Verdict.SUPPRESSED]
    [found] = [each async for each in any_world.use_cases.list_suppressed()]
    assert (found.source, found.since, str(found.email)) == ("report", record.letter.created_at, ADA)
    assert await note(any_world, returned) == [Verdict.KNOWN]
    any_world.clock.advance(minutes=1)
    await lift(any_world)
    assert await note(any_world, returned) == [Verdict.KNOWN]


async def test_nothing_can_be_lifted_that_is_not_there(any_world: World) -> None:
    with pytest.raises(NotFound):
        await lift(any_world)
    with pytest.raises(ValidationError):
        await lift(any_world, "nowhere")


async def test_a_suppression_outlives_the_account_and_says_nothing_of_it(any_world: World) -> None:
    """It is about the mailbox: a letter to who signs up there tomorrow would bounce as well."""
    await note(any_world, bounce(any_world))
    assert await suppressed(any_world) == [ADA]
    assert await note(any_world, bounce(any_world, "never.here@example.com")) == [Verdict.SUPPRESSED]


async def test_after_a_lifting_the_operator_can_have_the_suppressed_letter_sent(any_world: World) -> None:
    """It has cost its owner nothing: the notice that one gets once an hour is not spent on one that did not leave."""
    await any_world.member()
    any_world.clock.advance(hours=2)
    await note(any_world, bounce(any_world))
    await any_world.sign_up(password=OTHER_PASSWORD, client=STRANGER)
    await any_world.deliver()
    await lift(any_world)
    [record] = [each for each in await letters(any_world) if each.letter.outcome == "suppressed"]
    await any_world.use_cases.requeue_letter(of(record))
    await any_world.deliver()
    assert [letter.subject for letter in any_world.mailbox.to(ADA)][-1].startswith("You already have an account")


async def test_the_history_of_an_owner_tells_of_no_reset_letter_that_did_not_leave(any_world: World) -> None:
    member = await any_world.member()
    await note(any_world, bounce(any_world))
    await ask_for_a_password(any_world)
    await any_world.deliver()
    command = ListAllEventsCommand(caller=CommandLine(), user_id=member.user.id, kind=EventKind.PASSWORD_RESET_SENT)
    assert await any_world.use_cases.list_all_events(command) == []


# Tried again and given up


async def test_a_dead_letter_is_sent_once_the_trouble_is_mended(any_world: World) -> None:
    any_world.mailbox.trouble = MailRefused("550")
    await any_world.sign_up()
    await any_world.deliver()
    [dead] = await letters(any_world, LetterState.ABANDONED)
    assert dead.reason == "550"
    any_world.mailbox.trouble = None
    await any_world.use_cases.requeue_letter(of(dead))
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == 1
    assert any_world.events.kinds().count(EventKind.LETTER_REQUEUED) == 1


async def test_a_sent_letter_that_did_not_arrive_is_sent_again_under_its_message_id_with_a_token_of_its_own(
    any_world: World,
) -> None:
    sent = await any_world.sign_up()
    await any_world.deliver()
    [record] = await letters(any_world, LetterState.SENT)
    await any_world.use_cases.requeue_letter(of(record))
    await any_world.deliver()
    first, second = any_world.mailbox.letters
    assert first.message_id == second.message_id
    assert token_in(first) != token_in(second)
    await any_world.verify(token_in(first), cookie=sent.cookie.text)


async def test_a_letter_in_a_workers_hands_is_neither_requeued_nor_sent_twice(any_world: World) -> None:
    held = SlowMailbox()
    world = with_mailbox(any_world, held)
    await world.sign_up()
    world.clock.advance(seconds=2)
    at_work = asyncio.create_task(world.use_cases.deliver_mail())
    await held.busy.wait()
    [record] = await letters(world)
    assert record.in_hand
    with pytest.raises(LetterInHand):
        await world.use_cases.requeue_letter(of(record))
    held.open.set()
    await at_work
    assert [each.state for each in await letters(world)] == [LetterState.SENT]


async def test_a_letter_given_up_while_it_is_being_sent_has_left_and_is_not_tried_again(any_world: World) -> None:
    held = SlowMailbox()
    world = with_mailbox(any_world, held)
    await world.sign_up()
    world.clock.advance(seconds=2)
    at_work = asyncio.create_task(world.use_cases.deliver_mail())
    await held.busy.wait()
    [record] = await letters(world)
    await world.use_cases.abandon_letter(of(record))
    held.open.set()
    await at_work
    await world.deliver()
    assert len(held.letters) == 1
    assert [each.state for each in await letters(world)] == [LetterState.ABANDONED]


async def test_a_letter_that_waits_is_given_up_by_hand_and_can_be_called_back(any_world: World) -> None:
    any_world.mailbox.trouble = MailDelayed("451")
    await any_world.sign_up()
    await any_world.deliver()
    [record] = await letters(any_world)
    assert (record.state, record.reason) == (LetterState.QUEUED, "451")
    await any_world.use_cases.abandon_letter(of(record))
    with pytest.raises(LetterIsGone):
        await any_world.use_cases.abandon_letter(of(record))
    any_world.mailbox.trouble = None
    any_world.clock.advance(hours=1)
    await any_world.deliver()
    assert any_world.mailbox.letters == []
    await any_world.use_cases.requeue_letter(of(record))
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == 1


async def test_a_letter_that_nobody_waits_for_is_not_tried_again(any_world: World) -> None:
    await any_world.sign_up()
    await any_world.deliver()
    [record] = await letters(any_world)
    any_world.clock.advance(hours=48)
    with pytest.raises(LetterExpired):
        await any_world.use_cases.requeue_letter(of(record))


async def test_what_is_not_there_is_said(any_world: World) -> None:
    nobodys = LetterCommand(letter_id=uuid4())
    for use_case in (
        any_world.use_cases.show_letter,
        any_world.use_cases.requeue_letter,
        any_world.use_cases.abandon_letter,
    ):
        with pytest.raises(NotFound):
            await use_case(nobodys)
