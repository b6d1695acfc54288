"""Housekeeping (ASVS 14.2.7): docs/housekeeping.md."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from application.use_cases.housekeeping import BATCH
from application.use_cases.identify import IdentifyCommand
from domain.errors import Conflict, RateLimited, TokenExpired, TokenInvalid, Unauthenticated, Unavailable
from domain.events import EventKind
from domain.retention import Retention
from tests.support.refusals import limit_of, refused
from tests.support.variations import client
from tests.support.world import ADA, PASSWORD, World, make_world

BOB = "bob@example.com"


async def tidy(world: World, **span: float) -> dict[str, int]:
    """Let time pass and keep house; counters of limits are left out, for how many there are is no promise."""
    world.clock.advance(**span)
    deleted = await world.use_cases.keep_house()
    return {name: count for name, count in deleted.items() if name != "limits"}


async def test_everything_is_forgotten_when_its_time_has_come(named_world: World) -> None:
    await named_world.sign_up(username="countess")
    await named_world.deliver()
    assert await tidy(named_world, hours=47) == {}
    assert await tidy(named_world, hours=1) == {"sign_ups": 1, "username_claims": 1}
    assert await tidy(named_world, minutes=59) == {}
    assert await tidy(named_world, minutes=2) == {"one_time_tokens": 1}
    assert await tidy(named_world, days=27) == {}
    assert await tidy(named_world, days=1) == {"letters": 1}
    assert await tidy(named_world, days=1000) == {}


async def test_a_proven_sign_up_is_forgotten_and_its_user_is_not(named_world: World) -> None:
    sent = await named_world.sign_up(username="countess")
    user = (await named_world.verify(await named_world.token_for(), cookie=sent.cookie.text)).user
    assert await tidy(named_world, days=2) == {"sign_ups": 1}
    await tidy(named_world, days=1000)
    assert (await named_world.sign_in()).user == user
    assert await refused(named_world.sign_up(BOB, username="countess")) is Conflict


async def test_sessions_are_forgotten_after_their_idle_or_absolute_expiry(any_world: World) -> None:
    used = await any_world.member()
    await any_world.sign_in()
    await any_world.sign_in(remember=False)
    cookie = IdentifyCommand(session_cookie=used.session_token.text)
    assert (await tidy(any_world, hours=24))["sessions"] == 1, "the one not to be remembered"
    any_world.clock.advance(days=9)
    await any_world.use_cases.identify(cookie)
    assert (await tidy(any_world, days=4))["sessions"] == 1, "the one unused for 14 days"
    for _ in range(2):
        any_world.clock.advance(days=7)
        await any_world.use_cases.identify(cookie)
    assert "sessions" not in await tidy(any_world, days=1)
    assert (await tidy(any_world, days=1))["sessions"] == 1, "the one 30 days old"
    assert await refused(any_world.use_cases.identify(cookie)) is Unauthenticated


async def test_what_is_alive_stays(any_world: World) -> None:
    member = await any_world.member()
    sent = await any_world.sign_up(BOB, client=client(2))
    await tidy(any_world)
    token = await any_world.token_for(BOB)
    await tidy(any_world, minutes=30)
    await any_world.use_cases.identify(IdentifyCommand(session_cookie=member.session_token.text))
    await any_world.verify(token, cookie=sent.cookie.text, client=client(2))
    await any_world.sign_in(BOB, client=client(2))
    await any_world.sign_in()


async def test_a_late_click_reads_expired_for_as_long_as_its_sign_up_waits(any_world: World) -> None:
    await any_world.sign_up()
    token = await any_world.token_for()
    await tidy(any_world, hours=47)
    assert await refused(any_world.verify(token, password=PASSWORD)) is TokenExpired
    await tidy(any_world, hours=1)
    assert await refused(any_world.verify(token, password=PASSWORD)) is TokenInvalid


async def test_limits_in_force_are_not_forgotten(any_world: World) -> None:
    for _ in range(5):
        await refused(any_world.sign_in(password="not the password at all"))
    await tidy(any_world, minutes=14)
    assert await refused(any_world.sign_in()) is RateLimited
    for number in range(5):
        await any_world.sign_up(client=client(number))
    await tidy(any_world, minutes=59)
    assert (await limit_of(any_world.sign_up())).limit == "sign_up_address"


async def test_letters_that_wait_for_a_mail_system_are_not_forgotten(any_world: World) -> None:
    sent = await any_world.sign_up()
    await tidy(any_world, hours=47)
    await any_world.verify(await any_world.token_for(), cookie=sent.cookie.text)


async def test_what_was_done_is_reported_and_doing_nothing_is_not(any_world: World) -> None:
    await any_world.sign_up()
    await any_world.use_cases.keep_house()
    assert EventKind.PURGED not in any_world.events.kinds()
    any_world.clock.advance(days=2)
    deleted = await any_world.use_cases.keep_house()
    recorded = any_world.events.recorded[-1]
    assert recorded.kind is EventKind.PURGED
    assert dict(recorded.counts) == deleted
    assert deleted["sign_ups"] == 1


async def test_however_much_there_is_to_forget_all_of_it_goes(tmp_path: Path) -> None:
    unlimited = {f"OSTIARY_LIMIT_{name}": "off" for name in ("SIGN_UP_CLIENT", "SIGN_UP_ADDRESS", "LETTER_DAY")}
    async with make_world("memory", tmp_path, unlimited) as world:
        for _ in range(BATCH + 1):
            await world.sign_up(ADA)
        assert await tidy(world, hours=48) == {"sign_ups": BATCH + 1}
        assert await tidy(world) == {}


async def test_it_is_done_in_batches_until_none_is_full(world: World) -> None:
    left = {"sign_ups": 2 * BATCH + 3, "sessions": 7}
    asked = []

    async def purge(now: datetime, batch: int, kept: Retention) -> Mapping[str, int]:
        asked.append((now, batch))
        counts = {name: min(batch, rows) for name, rows in left.items()}
        left.update({name: left[name] - counts[name] for name in left})
        return counts

    keep_house = replace(world.use_cases.keep_house, purge=purge)
    assert await keep_house() == {"sign_ups": 2 * BATCH + 3, "sessions": 7}
    assert asked == [(world.clock.now(), BATCH)] * 3


async def test_a_store_that_does_not_answer_is_no_success(world: World) -> None:
    async def purge(now: datetime, batch: int, kept: Retention) -> Mapping[str, int]:
        raise Unavailable

    keep_house = replace(world.use_cases.keep_house, purge=purge)
    assert await refused(keep_house()) is Unavailable
    assert EventKind.PURGED not in world.events.kinds()
