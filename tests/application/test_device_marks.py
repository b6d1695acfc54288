"""Owners cannot be locked out by strangers (DESIGN section 4; A 6.1.1, 6.3.1; SECURITY 2.6): docs/sign-in.md."""

from datetime import timedelta
from pathlib import Path

import pytest

from application.admission import SessionWish, SignedIn
from application.use_cases.sign_in import SignInCommand
from domain.device_mark import DeviceMark
from domain.errors import InvalidCredentials, RateLimited
from domain.session import Transport
from tests.support.refusals import limit_of, refused
from tests.support.variations import client, disabled_user
from tests.support.world import ADA, ELSEWHERE, HERE, PASSWORD, World, make_world

BOB = "bob@example.com"
CAROL = "carol@example.com"
WRONG = "not the password at all"
QUARTER = timedelta(minutes=15)


async def hammer(world: World, email: str = ADA) -> None:
    """Strangers who fail from everywhere, the owner's own network among it, until the address is refused."""
    for number in range(4):
        for _ in range(5):
            await refused(world.sign_in(email, WRONG, client=HERE if number == 0 else client(number)))
    for stranger in (HERE, client(1), ELSEWHERE):
        assert await refused(world.sign_in(email, client=stranger)) is RateLimited


def marks_of(signed_in: SignedIn) -> str:
    assert signed_in.device_marks is not None
    return signed_in.device_marks


async def failures(world: World, count: int, marks: str, email: str = ADA) -> list[type[BaseException] | None]:
    return [await refused(world.sign_in(email, WRONG, marks=marks)) for _ in range(count)]


async def test_where_the_owner_has_verified_they_get_in_while_strangers_hammer(any_world: World) -> None:
    marks = marks_of(await any_world.member())
    await hammer(any_world)
    assert (await any_world.sign_in(marks=marks)).user.email.canonical == ADA
    await any_world.sign_in(marks=marks, client=client(99))


async def test_where_the_owner_has_signed_in_they_get_in_while_strangers_hammer(any_world: World) -> None:
    await any_world.member()
    marks = marks_of(await any_world.sign_in(client=ELSEWHERE))
    await hammer(any_world)
    for _ in range(3):
        any_world.clock.advance(minutes=1)
        await any_world.sign_in(marks=marks)


async def test_a_hammered_client_does_not_lock_its_own_people_out(any_world: World) -> None:
    """An office behind one address, and somebody in it who tries a hundred accounts."""
    marks = marks_of(await any_world.member())
    for number in range(100):
        await refused(any_world.sign_in(f"person{number}@example.com", WRONG))
    assert (await limit_of(any_world.sign_in())).limit == "sign_in_client"
    await any_world.sign_in(marks=marks)


async def test_a_mark_for_another_address_gives_nothing(any_world: World) -> None:
    await any_world.member(ADA)
    bobs = marks_of(await any_world.member(BOB, client=client(50)))
    for _ in range(5):
        assert await refused(any_world.sign_in(ADA, WRONG, marks=bobs)) is InvalidCredentials
    limited = await limit_of(any_world.sign_in(ADA, marks=bobs))
    assert (limited.limit, limited.retry_after, limited.policy) == ("sign_in_pair", QUARTER, None)
    await any_world.sign_in(ADA, client=ELSEWHERE)


@pytest.mark.parametrize("marks", ["", "x", "....", "A" * 119, "A" * 5000, "\x00"])
async def test_what_is_no_mark_gives_nothing_and_harms_nothing(marks: str, world: World) -> None:
    await world.member()
    for _ in range(5):
        assert await refused(world.sign_in(password=WRONG, marks=marks)) is InvalidCredentials
    assert (await limit_of(world.sign_in(marks=marks))).limit == "sign_in_pair"
    assert (await world.sign_in(marks=marks, client=ELSEWHERE)).device_marks


async def test_a_marked_device_fails_ten_times_in_a_quarter_of_an_hour_and_is_told_so_in_numbers(
    any_world: World,
) -> None:
    marks = marks_of(await any_world.member())
    assert await failures(any_world, 10, marks) == [InvalidCredentials] * 10
    any_world.clock.advance(minutes=5)
    limited = await limit_of(any_world.sign_in(marks=marks))
    assert (limited.limit, limited.policy, limited.retry_after) == (
        "sign_in_device",
        (10, QUARTER),
        timedelta(minutes=10),
    )
    any_world.clock.advance(minutes=10)
    await any_world.sign_in(marks=marks)


async def test_its_failures_are_its_own_and_use_up_nobody_elses(any_world: World) -> None:
    marks = marks_of(await any_world.member())
    other = marks_of(await any_world.sign_in())
    assert await failures(any_world, 11, marks) == [InvalidCredentials] * 10 + [RateLimited]
    await any_world.sign_in(marks=other)
    await any_world.sign_in()
    assert [await refused(any_world.sign_in(password=WRONG)) for _ in range(6)] == [InvalidCredentials] * 5 + [
        RateLimited
    ]


async def test_success_gives_its_own_unit_back_and_renewing_the_mark_no_others(any_world: World) -> None:
    """Or ten wrong guesses and a right one would be worth ten more."""
    marks = marks_of(await any_world.member())
    assert await failures(any_world, 9, marks) == [InvalidCredentials] * 9
    for _ in range(5):
        marks = marks_of(await any_world.sign_in(marks=marks))
    assert await failures(any_world, 2, marks) == [InvalidCredentials, RateLimited]


async def test_a_mark_is_good_for_180_days_from_the_last_sign_in(any_world: World) -> None:
    first = marks_of(await any_world.member())
    any_world.clock.advance(days=179)
    renewed = marks_of(await any_world.sign_in(marks=first))
    any_world.clock.advance(days=1)
    await hammer(any_world)
    assert await refused(any_world.sign_in(marks=first)) is RateLimited
    any_world.clock.advance(days=178)
    await hammer(any_world)
    await any_world.sign_in(marks=renewed)


async def test_people_who_share_a_device_are_all_spared(any_world: World) -> None:
    marks = marks_of(await any_world.member(ADA))
    sent = await any_world.sign_up(BOB)
    proven = await any_world.verify(await any_world.token_for(BOB), cookie=sent.cookie.text, marks=marks)
    marks = marks_of(proven)
    await hammer(any_world, ADA)
    any_world.clock.advance(minutes=15)
    await hammer(any_world, BOB)
    await any_world.sign_in(BOB, marks=marks)
    any_world.clock.advance(minutes=15)
    await hammer(any_world, ADA)
    await any_world.sign_in(ADA, marks=marks)


async def test_those_who_share_a_device_share_no_tries(any_world: World) -> None:
    marks = marks_of(await any_world.member(ADA))
    sent = await any_world.sign_up(BOB)
    marks = marks_of(await any_world.verify(await any_world.token_for(BOB), cookie=sent.cookie.text, marks=marks))
    assert await failures(any_world, 10, marks, ADA) == [InvalidCredentials] * 10
    await any_world.sign_in(BOB, marks=marks)


async def test_a_username_is_spared_like_the_address_and_neither_is_resolved(tmp_path: Path) -> None:
    async with make_world("sqlite", tmp_path, {"OSTIARY_USERNAME": "required"}) as world:
        sent = await world.sign_up(username="countess")
        marks = marks_of(await world.verify(await world.token_for(), cookie=sent.cookie.text))

        async def by_username(password: str, marks: str | None) -> SignedIn:
            wish = SessionWish(client=HERE, device_marks=marks)
            return await world.use_cases.sign_in(SignInCommand(username="countess", password=password, session=wish))

        for _ in range(5):
            assert await refused(by_username(WRONG, None)) is InvalidCredentials
        assert await refused(by_username(PASSWORD, None)) is RateLimited
        await by_username(PASSWORD, marks)
        for _ in range(10):
            assert await refused(by_username(WRONG, marks)) is InvalidCredentials
        assert (await limit_of(by_username(PASSWORD, marks))).limit == "sign_in_device"
        await world.sign_in(marks=marks)


async def test_nobody_gets_a_mark_without_proof(any_world: World) -> None:
    """Only success answers with one, and a refusal has no place for it."""
    await any_world.member(ADA)
    await any_world.sign_up(BOB)
    await disabled_user(any_world, CAROL, PASSWORD)
    for email, password in ((ADA, WRONG), (BOB, PASSWORD), (CAROL, PASSWORD), ("nobody@example.com", PASSWORD)):
        with pytest.raises(InvalidCredentials) as caught:
            await any_world.sign_in(email, password)
        assert vars(caught.value) == {}


async def test_a_native_client_is_marked_in_the_same_way(world: World) -> None:
    await world.member()
    marks = marks_of(await world.sign_in(transport=Transport.TOKEN))
    await hammer(world)
    await world.sign_in(transport=Transport.TOKEN, marks=marks)


async def test_marks_do_not_show_themselves(world: World) -> None:
    signed_in = await world.member()
    marks = marks_of(signed_in)
    assert marks not in repr(signed_in) + repr(SessionWish(client=HERE, device_marks=marks))
    assert len(DeviceMark.parse_all(marks)) == 1
