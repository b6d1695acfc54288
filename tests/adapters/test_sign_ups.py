"""The contract of `application.ports.collections.SignUps` and `UsernameClaims`, on every store."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from application.ports.units_of_work import Units
from domain.display_name import DisplayName
from domain.sign_up import SignUpRequest
from domain.username import Username
from tests.support.store_samples import (
    ADA,
    GRACE,
    HOUR,
    NOW,
    ODD,
    TICK,
    a_sign_up,
    digest,
    wait_in_line,
)

NAME = Username("ada")


async def get(units: Units, sign_up_id: UUID) -> SignUpRequest | None:
    async with units.proof_reading() as unit:
        return await unit.sign_ups.get(sign_up_id)


async def settle(units: Units, sign_up_id: UUID, now: datetime = NOW) -> bool:
    async with units.proving() as unit:
        settled = await unit.sign_ups.settle(sign_up_id, now)
        await unit.commit()
    return settled


async def claim(units: Units, name: Username, holder: UUID, now: datetime = NOW) -> bool:
    async with units.intake() as unit:
        claimed = await unit.usernames.claim(name, holder=holder, now=now, expires_at=now + HOUR)
        await unit.commit()
    return claimed


async def claim_for_good(units: Units, name: Username, holder: UUID, now: datetime = NOW) -> bool:
    async with units.account_keeping() as unit:
        claimed = await unit.usernames.claim(name, holder=holder, now=now, expires_at=None)
        await unit.commit()
    return claimed


async def release(units: Units, name: Username, holder: UUID, expires_at: datetime) -> None:
    async with units.account_keeping() as unit:
        await unit.usernames.release(name, holder=holder, expires_at=expires_at)
        await unit.commit()


async def settle_name(units: Units, name: Username, holder: UUID) -> bool:
    async with units.proving() as unit:
        settled = await unit.usernames.settle(name, holder=holder)
        await unit.commit()
    return settled


@pytest.mark.parametrize(
    "sign_up",
    [
        a_sign_up(),
        a_sign_up(email=ODD, name=DisplayName("Ἀδα‌ \u200d👩‍💻 O'Neill \"; DROP TABLE users;-- %_\\")),
        a_sign_up(name=None, username=None, fields={}, password_hash=None, client_unit=None),
        a_sign_up(proven_at=NOW + TICK),
        a_sign_up(fields={"company": 'Ενγινε "🧮"', "seats": -(2**63), "news": False}),
        a_sign_up(name=DisplayName("𝒜" * 64), username=Username("a" * 32)),
        a_sign_up(created_at=NOW.replace(microsecond=0), expires_at=NOW.replace(year=9999)),
    ],
    ids=[
        "full",
        "odd characters",
        "nothing optional",
        "proven",
        "declared fields",
        "longest",
        "whole seconds and far away",
    ],
)
async def test_every_field_of_a_sign_up_comes_back_as_it_went_in(units: Units, sign_up: SignUpRequest) -> None:
    await wait_in_line(units, sign_up)
    assert await get(units, sign_up.id) == sign_up


async def test_an_instant_given_in_another_zone_comes_back_as_the_same_instant_in_utc(units: Units) -> None:
    sign_up = a_sign_up(created_at=NOW.astimezone(timezone(timedelta(hours=5, minutes=45))))
    await wait_in_line(units, sign_up)
    kept = await get(units, sign_up.id)
    assert kept is not None
    assert kept.created_at == NOW


async def test_an_instant_given_in_another_zone_is_compared_as_an_instant(units: Units) -> None:
    tokyo = timezone(timedelta(hours=9))
    sign_up = a_sign_up(expires_at=(NOW + TICK).astimezone(tokyo))
    await wait_in_line(units, sign_up)
    async with units.intake() as unit:
        assert await unit.sign_ups.newest_waiting(ADA, NOW.astimezone(tokyo)) == sign_up.id
        assert await unit.sign_ups.newest_waiting(ADA, (NOW + TICK).astimezone(tokyo)) is None


async def test_an_unknown_sign_up_is_none(units: Units) -> None:
    assert await get(units, uuid4()) is None


async def test_any_number_may_wait_for_one_address_and_the_newest_is_found(units: Units) -> None:
    oldest, newest, middle = (
        a_sign_up(created_at=NOW - HOUR),
        a_sign_up(created_at=NOW + TICK),
        a_sign_up(created_at=NOW),
    )
    await wait_in_line(units, oldest, newest, middle, a_sign_up(email=GRACE, created_at=NOW + HOUR))
    async with units.intake() as unit:
        assert await unit.sign_ups.newest_waiting(ADA, NOW) == newest.id


async def test_nobody_waits_under_an_address_that_nobody_gave(units: Units) -> None:
    await wait_in_line(units, a_sign_up(email=GRACE))
    async with units.intake() as unit:
        assert await unit.sign_ups.newest_waiting(ADA, NOW) is None


async def test_an_address_is_matched_by_its_bytes_and_not_as_a_pattern(units: Units) -> None:
    await wait_in_line(units, a_sign_up(email=replace(ADA, canonical="adaXexample@example.com")))
    async with units.intake() as unit:
        for pattern in ("ada_example@example.com", "%@example.com", "ADAXEXAMPLE@example.com", "' OR 1=1--@x.com"):
            assert await unit.sign_ups.newest_waiting(replace(ADA, canonical=pattern), NOW) is None


async def test_the_waiting_sign_up_of_a_browser_is_found_by_its_cookie_until_it_expires(units: Units) -> None:
    sign_up = a_sign_up(expires_at=NOW + HOUR)
    await wait_in_line(units, sign_up, a_sign_up())
    async with units.intake() as unit:
        assert await unit.sign_ups.waiting_by_cookie(sign_up.cookie_digest, NOW) == (sign_up.id, ADA)
        assert await unit.sign_ups.waiting_by_cookie(sign_up.cookie_digest, NOW + HOUR - TICK) == (sign_up.id, ADA)
        assert await unit.sign_ups.waiting_by_cookie(sign_up.cookie_digest, NOW + HOUR) is None
        assert await unit.sign_ups.waiting_by_cookie(digest(), NOW) is None


async def test_settling_marks_a_sign_up_proven_and_wipes_its_hash_name_username_and_fields(units: Units) -> None:
    sign_up = a_sign_up()
    await wait_in_line(units, sign_up)
    assert await settle(units, sign_up.id, NOW + TICK)
    assert await get(units, sign_up.id) == replace(
        sign_up, proven_at=NOW + TICK, password_hash=None, name=None, username=None, fields={}
    )


async def test_a_sign_up_is_settled_once(units: Units) -> None:
    sign_up = a_sign_up()
    await wait_in_line(units, sign_up)
    assert [await settle(units, sign_up.id) for _ in range(3)] == [True, False, False]


async def test_a_sign_up_is_settled_until_the_moment_it_expires_and_not_then(units: Units) -> None:
    one, other = a_sign_up(expires_at=NOW), a_sign_up(expires_at=NOW)
    await wait_in_line(units, one, other)
    assert not await settle(units, one.id, NOW)
    assert await settle(units, other.id, NOW - TICK)


async def test_nothing_is_settled_for_an_unknown_sign_up(units: Units) -> None:
    assert not await settle(units, uuid4())


async def test_of_many_who_settle_one_sign_up_at_once_exactly_one_does(units: Units) -> None:
    sign_up = a_sign_up()
    await wait_in_line(units, sign_up)
    assert sorted(await asyncio.gather(*(settle(units, sign_up.id) for _ in range(20)))) == [False] * 19 + [True]


async def test_a_proven_sign_up_no_longer_waits_in_any_way(units: Units) -> None:
    sign_up = a_sign_up()
    await wait_in_line(units, sign_up)
    await settle(units, sign_up.id)
    async with units.intake() as unit:
        assert await unit.sign_ups.newest_waiting(ADA, NOW) is None
        assert await unit.sign_ups.waiting_by_cookie(sign_up.cookie_digest, NOW) is None


async def test_the_other_waiting_sign_ups_of_a_proven_address_are_forgotten_and_nobody_elses(units: Units) -> None:
    kept, rival, stranger = a_sign_up(), a_sign_up(), a_sign_up(email=GRACE)
    proven_long_ago = a_sign_up(proven_at=NOW - HOUR)
    await wait_in_line(units, kept, rival, stranger, proven_long_ago)
    async with units.proving() as unit:
        await unit.sign_ups.delete_waiting(ADA, keep=kept.id)
        await unit.commit()
    assert await get(units, rival.id) is None
    assert [await get(units, other.id) for other in (kept, stranger, proven_long_ago)] == [
        kept,
        stranger,
        proven_long_ago,
    ]


async def test_a_free_username_is_claimed_and_a_claimed_one_is_not(units: Units) -> None:
    assert await claim(units, NAME, uuid4())
    assert not await claim(units, NAME, uuid4())
    assert await claim(units, Username("ada2"), uuid4())


async def test_a_claim_holds_to_the_moment_of_its_expiry_and_then_falls_to_the_next(units: Units) -> None:
    first, second = uuid4(), uuid4()
    assert await claim(units, NAME, first, NOW)
    assert not await claim(units, NAME, second, NOW + HOUR - TICK)
    assert await claim(units, NAME, second, NOW + HOUR)
    assert not await settle_name(units, NAME, first)
    assert await settle_name(units, NAME, second)


async def test_a_settled_claim_is_for_good(units: Units) -> None:
    holder = uuid4()
    assert await claim(units, NAME, holder)
    assert await settle_name(units, NAME, holder)
    assert not await claim(units, NAME, uuid4(), NOW + timedelta(days=36500))


async def test_a_name_that_was_released_stays_its_holders_until_then_and_only_theirs(units: Units) -> None:
    holder = uuid4()
    await claim_for_good(units, NAME, holder)
    await release(units, NAME, uuid4(), NOW)
    assert not await claim(units, NAME, uuid4(), NOW + HOUR), "it is not for others to release"
    await release(units, NAME, holder, NOW + HOUR)
    assert not await claim(units, NAME, uuid4(), NOW + HOUR - TICK)
    assert await claim_for_good(units, NAME, holder)
    assert not await claim(units, NAME, uuid4(), NOW + timedelta(days=36500))


async def test_a_name_that_was_released_falls_to_the_next_and_is_no_longer_its_holders(units: Units) -> None:
    holder, other = uuid4(), uuid4()
    await claim_for_good(units, NAME, holder)
    await release(units, NAME, holder, NOW)
    assert await claim_for_good(units, NAME, other)
    assert not await claim_for_good(units, NAME, holder)
    await release(units, NAME, holder, NOW)
    assert not await claim(units, NAME, uuid4(), NOW + HOUR)


async def test_whoever_holds_a_name_for_good_may_claim_it_again(units: Units) -> None:
    holder = uuid4()
    assert [await claim_for_good(units, NAME, holder) for _ in range(2)] == [True, True]


async def test_nobody_settles_a_claim_they_do_not_hold(units: Units) -> None:
    assert not await settle_name(units, NAME, uuid4())
    await claim(units, NAME, uuid4())
    assert not await settle_name(units, NAME, uuid4())


async def test_of_many_who_claim_one_username_at_once_exactly_one_gets_it(units: Units) -> None:
    assert sum(await asyncio.gather(*(claim(units, NAME, uuid4()) for _ in range(20)))) == 1


async def test_a_claim_in_a_unit_left_without_commit_was_never_made(units: Units) -> None:
    async with units.intake() as unit:
        assert await unit.usernames.claim(NAME, holder=uuid4(), now=NOW, expires_at=NOW + HOUR)
    assert await claim(units, NAME, uuid4())


async def test_a_released_username_is_kept_for_its_holder_for_a_while_and_is_then_anybodys(units: Units) -> None:
    holder = uuid4()
    await claim(units, NAME, holder)
    await settle_name(units, NAME, holder)
    await release(units, NAME, holder, NOW + HOUR)
    assert not await claim(units, NAME, uuid4(), NOW + HOUR - TICK)
    assert await settle_name(units, NAME, holder)
    assert not await claim(units, NAME, uuid4(), NOW + timedelta(days=36500))
    await release(units, NAME, holder, NOW + HOUR)
    assert await claim(units, NAME, uuid4(), NOW + HOUR)
    assert not await settle_name(units, NAME, holder)


async def test_nobody_releases_what_they_do_not_hold(units: Units) -> None:
    holder = uuid4()
    await claim(units, NAME, holder)
    await settle_name(units, NAME, holder)
    await release(units, NAME, uuid4(), NOW - HOUR)
    await release(units, Username("nobodys"), holder, NOW - HOUR)
    assert not await claim(units, NAME, uuid4(), NOW + timedelta(days=36500))
    assert await claim(units, Username("nobodys"), uuid4())


async def test_of_many_who_want_a_username_the_moment_it_is_free_again_exactly_one_gets_it(units: Units) -> None:
    holder = uuid4()
    await claim(units, NAME, holder)
    await settle_name(units, NAME, holder)
    await release(units, NAME, holder, NOW)
    assert sum(await asyncio.gather(*(claim(units, NAME, uuid4()) for _ in range(20)))) == 1


@pytest.mark.parametrize("proven", [False, True])
async def test_a_sign_up_is_deleted_proven_or_not_and_its_neighbours_are_not(units: Units, proven: bool) -> None:
    sign_up, neighbour = a_sign_up(), a_sign_up()
    await wait_in_line(units, sign_up, neighbour)
    if proven:
        await settle(units, sign_up.id)
    for gone in (sign_up.id, sign_up.id, uuid4()):
        async with units.account_keeping() as unit:
            await unit.sign_ups.delete(gone)
            await unit.commit()
    assert await get(units, sign_up.id) is None
    assert await get(units, neighbour.id) == neighbour
