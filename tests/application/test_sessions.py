"""Being recognised, and ending sessions (R51, R56; DESIGN section 3, SECURITY 1.4): docs/sessions.md."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from application.admission import SignedIn
from application.recognition import Caller
from application.use_cases.identify import IdentifyCommand
from application.use_cases.sessions import Scope, SignOutCommand
from domain.errors import Unauthenticated, Unavailable
from domain.events import EventKind
from domain.session import SessionToken, Transport
from tests.support.refusals import refused
from tests.support.variations import changed, failing_at_commit
from tests.support.world import ELSEWHERE, HERE, World, make_world

BOB = "bob@example.com"


async def by_cookie(world: World, signed_in: SignedIn) -> Caller:
    return await world.use_cases.identify(IdentifyCommand(session_cookie=signed_in.session_token.text))


async def by_bearer(world: World, signed_in: SignedIn) -> Caller:
    return await world.use_cases.identify(IdentifyCommand(access_token=signed_in.access_token))


async def alive(world: World, signed_in: SignedIn) -> bool:
    """Whether a session is recognised; by its cookie and its access token alike."""
    outcomes = {await refused(by_cookie(world, signed_in)), await refused(by_bearer(world, signed_in))}
    assert len(outcomes) == 1
    return outcomes == {None}


async def sign_out(world: World, signed_in: SignedIn, scope: Scope = Scope.THIS) -> None:
    caller = await by_cookie(world, signed_in)
    await world.use_cases.sign_out(SignOutCommand(caller=caller, scope=scope, client=HERE))


# Being recognised


async def test_a_session_cookie_and_an_access_token_name_the_same_caller(any_world: World) -> None:
    signed_in = await any_world.member()
    caller = await by_cookie(any_world, signed_in)
    assert caller == await by_bearer(any_world, signed_in)
    assert (caller.user, caller.session.id) == (signed_in.user, signed_in.session.id)


async def test_nobody_is_recognised_by_nothing(world: World) -> None:
    assert await refused(world.use_cases.identify(IdentifyCommand())) is Unauthenticated
    for text in ("", "x", "A" * 71, "é", "a.b.c", "\x00"):
        assert await refused(world.use_cases.identify(IdentifyCommand(session_cookie=text))) is Unauthenticated
        assert await refused(world.use_cases.identify(IdentifyCommand(access_token=text))) is Unauthenticated


async def test_neither_token_is_accepted_in_the_place_of_the_other(world: World) -> None:
    signed_in = await world.member()
    swapped = [
        IdentifyCommand(session_cookie=signed_in.access_token),
        IdentifyCommand(access_token=signed_in.session_token.text),
    ]
    for command in swapped:
        assert await refused(world.use_cases.identify(command)) is Unauthenticated


async def test_the_token_of_a_native_client_is_no_cookie(any_world: World) -> None:
    await any_world.member()
    native = await any_world.sign_in(transport=Transport.TOKEN)
    assert await refused(by_cookie(any_world, native)) is Unauthenticated
    await by_bearer(any_world, native)


async def test_any_change_to_a_session_token_is_refused_and_does_the_session_no_harm(any_world: World) -> None:
    signed_in = await any_world.member()
    text = signed_in.session_token.text
    for place in range(len(text)):
        flipped = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        command = IdentifyCommand(session_cookie=flipped)
        assert await refused(any_world.use_cases.identify(command)) is Unauthenticated
    assert await alive(any_world, signed_in)


async def test_a_token_for_another_session_counter_or_mac_is_refused(any_world: World) -> None:
    mine, theirs = await any_world.member(), await any_world.member(BOB)
    token = mine.session_token
    forged = [
        SessionToken(theirs.session.id, 0, token.mac),
        SessionToken(token.session_id, 1, token.mac),
        SessionToken(token.session_id, 0, theirs.session_token.mac),
        SessionToken(token.session_id, 0, bytes(32)),
    ]
    for each in forged:
        assert await refused(any_world.use_cases.identify(IdentifyCommand(session_cookie=each.text))) is Unauthenticated


async def test_a_well_sealed_token_of_a_counter_that_was_never_reached_is_refused(any_world: World) -> None:
    signed_in = await any_world.member()
    ahead = any_world.use_cases.sign_in.admission.seal.token_for(replace(signed_in.session, counter=1))
    command = IdentifyCommand(session_cookie=ahead.text)
    assert await refused(any_world.use_cases.identify(command)) is Unauthenticated


async def test_an_access_token_that_names_another_user_than_its_session_is_refused(any_world: World) -> None:
    mine, theirs = await any_world.member(), await any_world.member(BOB)
    access_tokens = any_world.use_cases.identify.access_tokens
    mixed = access_tokens.issue(theirs.user, mine.session, mine.session.id, any_world.clock.now())
    assert await refused(any_world.use_cases.identify(IdentifyCommand(access_token=mixed))) is Unauthenticated


@pytest.mark.parametrize("place", ["header", "claims", "signature"])
async def test_any_change_to_an_access_token_is_refused(place: str, world: World) -> None:
    signed_in = await world.member()
    parts = dict(zip(("header", "claims", "signature"), signed_in.access_token.split("."), strict=True))
    middle = len(parts[place]) // 2
    parts[place] = parts[place][:middle] + ("A" if parts[place][middle] != "A" else "B") + parts[place][middle + 1 :]
    command = IdentifyCommand(access_token=".".join(parts.values()))
    assert await refused(world.use_cases.identify(command)) is Unauthenticated


async def test_tokens_sealed_with_another_secret_are_refused_unless_it_is_accepted(tmp_path: Path) -> None:
    old, new = "the-old-secret-of-this-house-6c1f93a7", "the-new-secret-of-this-house-b20d4e58"
    async with make_world("sqlite", tmp_path, {"OSTIARY_SECRET": old}) as world:
        signed_in = await world.member()
    async with make_world("sqlite", tmp_path, {"OSTIARY_SECRET": new}) as world:
        assert not await alive(world, signed_in)
    async with make_world("sqlite", tmp_path, {"OSTIARY_SECRET": new, "OSTIARY_ACCEPTED_SECRETS": old}) as world:
        assert await alive(world, signed_in)
        assert await alive(world, await world.sign_in())


async def test_what_a_caller_brings_does_not_show_itself(world: World) -> None:
    signed_in = await world.member()
    command = IdentifyCommand(session_cookie=signed_in.session_token.text, access_token=signed_in.access_token)
    assert signed_in.session_token.text not in repr(command)
    assert signed_in.access_token not in repr(command)


# How long


async def test_an_access_token_is_good_for_15_minutes_and_the_session_for_longer(any_world: World) -> None:
    signed_in = await any_world.member()
    any_world.clock.advance(minutes=15, seconds=-1)
    await by_bearer(any_world, signed_in)
    any_world.clock.advance(seconds=1)
    assert await refused(by_bearer(any_world, signed_in)) is Unauthenticated
    await by_cookie(any_world, signed_in)


async def test_a_session_ends_after_14_days_unused(any_world: World) -> None:
    used, unused = await any_world.member(), await any_world.sign_in()
    any_world.clock.advance(days=14, microseconds=-1)
    await by_cookie(any_world, used)
    any_world.clock.advance(microseconds=1)
    assert await refused(by_cookie(any_world, unused)) is Unauthenticated
    await by_cookie(any_world, used)


async def test_a_session_ends_after_30_days_however_much_it_is_used(any_world: World) -> None:
    signed_in = await any_world.member()
    for _ in range(29):
        any_world.clock.advance(days=1)
        await by_cookie(any_world, signed_in)
    any_world.clock.advance(days=1)
    assert await refused(by_cookie(any_world, signed_in)) is Unauthenticated


async def test_a_session_not_to_be_remembered_ends_after_24_hours_however_much_it_is_used(any_world: World) -> None:
    await any_world.member()
    signed_in = await any_world.sign_in(remember=False)
    for _ in range(23):
        any_world.clock.advance(hours=1)
        await by_cookie(any_world, signed_in)
    any_world.clock.advance(hours=1)
    assert await refused(by_cookie(any_world, signed_in)) is Unauthenticated


async def test_a_session_that_ended_is_dead_under_a_longer_access_token_too(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_JWT_LIFETIME": "7d"}) as world:
        await world.member()
        signed_in = await world.sign_in(remember=False)
        world.clock.advance(hours=24)
        assert not await alive(world, signed_in)


async def test_presence_is_noted_at_most_every_five_minutes(any_world: World) -> None:
    signed_in = await any_world.member()
    begun = any_world.clock.now()
    any_world.clock.advance(minutes=5, microseconds=-1)
    await by_cookie(any_world, signed_in)
    assert (await by_cookie(any_world, signed_in)).session.last_seen_at == begun
    any_world.clock.advance(microseconds=1)
    await by_cookie(any_world, signed_in)
    session = (await by_cookie(any_world, signed_in)).session
    assert session.last_seen_at == begun + timedelta(minutes=5)
    assert session.idle_expires_at == begun + timedelta(minutes=5) + timedelta(days=14)


async def test_a_store_that_cannot_be_written_still_recognises_people(any_world: World) -> None:
    signed_in = await any_world.member()
    identify = any_world.use_cases.identify
    full = changed(any_world, identify=replace(identify, keeping=failing_at_commit(identify.keeping)))
    any_world.clock.advance(hours=1)
    assert (await by_cookie(full, signed_in)).user == signed_in.user


# Ending sessions


async def test_signing_out_ends_this_session_at_once_and_no_other(any_world: World) -> None:
    here, elsewhere = await any_world.member(), await any_world.sign_in(client=ELSEWHERE)
    await sign_out(any_world, here)
    assert not await alive(any_world, here), "also under the access token that is still good elsewhere"
    assert await alive(any_world, elsewhere)


@pytest.mark.parametrize(
    ("scope", "survivors"), [(Scope.THIS, {"elsewhere", "native"}), (Scope.OTHERS, {"here"}), (Scope.ALL, set())]
)
async def test_a_scope_says_which_of_my_sessions_end(scope: Scope, survivors: set[str], any_world: World) -> None:
    stranger = await any_world.member(BOB)
    mine = {
        "here": await any_world.member(),
        "elsewhere": await any_world.sign_in(client=ELSEWHERE),
        "native": await any_world.sign_in(transport=Transport.TOKEN),
    }
    await sign_out(any_world, mine["here"], scope)
    left = {name for name, signed_in in mine.items() if await refused(by_bearer(any_world, signed_in)) is None}
    assert left == survivors
    assert await alive(any_world, stranger), "never anybody else's"
    recorded = any_world.events.recorded[-1]
    assert (recorded.kind, recorded.reason) == (EventKind.SIGNED_OUT, scope.value)
    assert recorded.user_id == mine["here"].user.id


async def test_signing_out_twice_is_no_error(any_world: World) -> None:
    signed_in = await any_world.member()
    caller = await by_cookie(any_world, signed_in)
    for _ in range(2):
        await any_world.use_cases.sign_out(SignOutCommand(caller=caller, client=HERE))
    await any_world.sign_in()


async def test_a_sign_out_that_could_not_be_stored_is_not_reported_as_done(any_world: World) -> None:
    signed_in = await any_world.member()
    use_case = any_world.use_cases.sign_out
    full = changed(any_world, sign_out=replace(use_case, keeping=failing_at_commit(use_case.keeping)))
    assert await refused(sign_out(full, signed_in)) is Unavailable
    assert EventKind.SIGNED_OUT not in any_world.events.kinds()
    assert await alive(any_world, signed_in)
