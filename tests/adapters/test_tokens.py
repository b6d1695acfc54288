"""The contract of `application.ports.collections.Tokens`, on every store."""

import asyncio
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import pytest

from application.ports.units_of_work import Units
from domain.letters import Occasion
from domain.one_time_token import OneTimeToken, Purpose
from domain.password import PasswordHash
from domain.user import Credential
from tests.support.store_samples import (
    HASH,
    HOUR,
    NOW,
    ODD,
    TICK,
    a_letter,
    a_token,
    a_user,
    digest,
    mint,
    queue,
    settle_in,
)

VERIFY = Purpose.VERIFY_ADDRESS


async def find(units: Units, token: bytes, purpose: Purpose = VERIFY) -> OneTimeToken | None:
    async with units.proof_reading() as unit:
        return await unit.tokens.find(token, purpose)


async def spend(units: Units, token: bytes, purpose: Purpose = VERIFY, now: datetime = NOW) -> bool:
    async with units.proving() as unit:
        spent = await unit.tokens.spend(token, purpose, now)
        await unit.commit()
    return spent


@pytest.mark.parametrize(
    "token",
    [
        a_token(),
        a_token(used_at=NOW + TICK),
        a_token(purpose=Purpose.NOTHING),
        a_token(purpose=Purpose.CHANGE_EMAIL, user_id=uuid4(), email=ODD),
        a_token(digest=b"\x00" * 32, requested_at=NOW.replace(microsecond=0)),
    ],
    ids=["live", "used", "for nothing", "of a user", "zeroes"],
)
async def test_every_field_of_a_token_comes_back_as_it_went_in(units: Units, token: OneTimeToken) -> None:
    await mint(units, token)
    assert await find(units, token.digest, token.purpose) == token


async def test_a_token_is_found_by_its_whole_digest_only(units: Units) -> None:
    token = a_token()
    await mint(units, token)
    for other in (digest(), token.digest[:-1], token.digest + b"\x00", b"", b"\x00"):
        assert await find(units, other) is None
        assert not await spend(units, other)


async def test_a_token_of_one_purpose_is_unknown_for_every_other(units: Units) -> None:
    token = a_token(purpose=Purpose.NOTHING)
    await mint(units, token)
    assert await find(units, token.digest, VERIFY) is None
    assert not await spend(units, token.digest, VERIFY)


async def test_a_token_is_spent_once_and_the_moment_is_kept(units: Units) -> None:
    token = a_token()
    await mint(units, token)
    assert [await spend(units, token.digest, now=NOW + TICK) for _ in range(3)] == [True, False, False]
    assert await find(units, token.digest) == replace(token, used_at=NOW + TICK)


async def test_a_token_is_good_until_the_moment_it_expires_and_not_then(units: Units) -> None:
    one, other = a_token(expires_at=NOW + HOUR), a_token(expires_at=NOW + HOUR)
    await mint(units, one, other)
    assert not await spend(units, one.digest, now=NOW + HOUR)
    assert await spend(units, other.digest, now=NOW + HOUR - TICK)


async def test_an_expired_token_can_still_be_found_so_that_its_holder_can_be_told(units: Units) -> None:
    token = a_token(expires_at=NOW - HOUR)
    await mint(units, token)
    assert await find(units, token.digest) == token


async def test_spending_one_token_spends_no_other_of_the_same_subject(units: Units) -> None:
    one = a_token()
    other = a_token(subject_id=one.subject_id)
    await mint(units, one, other)
    assert await spend(units, one.digest)
    assert await spend(units, other.digest)


async def test_of_many_who_spend_one_token_at_once_exactly_one_does(units: Units) -> None:
    token = a_token()
    await mint(units, token)
    assert sum(await asyncio.gather(*(spend(units, token.digest) for _ in range(30)))) == 1


async def test_a_newer_request_about_the_same_subject_supersedes_a_token(units: Units) -> None:
    token = a_token()
    await mint(units, token)
    await queue(units, a_letter(subject_id=token.subject_id, created_at=NOW + TICK))
    assert await find(units, token.digest) == replace(token, superseded=True)
    assert not await spend(units, token.digest)


async def test_neither_its_own_request_nor_an_older_nor_a_strangers_supersedes_a_token(units: Units) -> None:
    token = a_token()
    await mint(units, token)
    await queue(
        units,
        a_letter(subject_id=token.subject_id, created_at=NOW),
        a_letter(subject_id=token.subject_id, created_at=NOW - HOUR),
        a_letter(subject_id=uuid4(), created_at=NOW + HOUR),
        a_letter(subject_id=None, created_at=NOW + HOUR),
    )
    assert await find(units, token.digest) == token
    assert await spend(units, token.digest)


async def test_a_retry_adds_a_token_and_kills_none(units: Units) -> None:
    letter = a_letter()
    first, second = (a_token(subject_id=letter.subject_id, requested_at=letter.created_at) for _ in range(2))
    await queue(units, letter)
    await mint(units, first, second)
    assert await find(units, first.digest) == first
    assert await spend(units, second.digest)


async def test_a_token_spent_in_a_unit_left_without_commit_is_still_good(units: Units) -> None:
    token = a_token()
    await mint(units, token)
    async with units.proving() as unit:
        assert await unit.tokens.spend(token.digest, VERIFY, NOW)
    assert await find(units, token.digest) == token
    assert await spend(units, token.digest)


# -- Tokens of an account --


async def a_token_of_somebody(units: Units, version: int = 1) -> OneTimeToken:
    """Somebody with a credential of the first version, and a token asked for under `version`."""
    user = await settle_in(units, a_user())
    token = a_token(
        purpose=Purpose.RESET_PASSWORD,
        user_id=user.id,
        credential_version=version,
        email=user.email,
        subject_id=uuid4(),
    )
    await mint(units, token)
    return token


async def raise_version(units: Units, token: OneTimeToken) -> None:
    assert token.user_id is not None
    async with units.account_keeping() as unit:
        credential = await unit.accounts.hold(token.user_id)
        assert credential is not None
        assert await unit.accounts.replace(credential, PasswordHash("new"), NOW)
        await unit.commit()


async def spend_reset(units: Units, token: OneTimeToken) -> bool:
    async with units.account_keeping() as unit:
        spent = await unit.tokens.spend(token.digest, Purpose.RESET_PASSWORD, NOW)
        await unit.commit()
    return spent


async def test_a_token_of_an_account_comes_back_as_it_went_in_and_is_spent_once(units: Units) -> None:
    token = await a_token_of_somebody(units)
    assert await find(units, token.digest, Purpose.RESET_PASSWORD) == token
    assert [await spend_reset(units, token) for _ in range(3)] == [True, False, False]
    assert await find(units, token.digest, Purpose.RESET_PASSWORD) == replace(token, used_at=NOW)


async def test_a_token_is_void_once_the_credential_is_another_than_it_was_asked_for_under(units: Units) -> None:
    token, others = await a_token_of_somebody(units), await a_token_of_somebody(units)
    await raise_version(units, token)
    assert await find(units, token.digest, Purpose.RESET_PASSWORD) == replace(token, superseded=True)
    assert not await spend_reset(units, token)
    assert await spend_reset(units, others)


@pytest.mark.parametrize("version", [0, 2, 7])
async def test_a_token_asked_for_under_another_version_than_the_accounts_is_void(units: Units, version: int) -> None:
    token = await a_token_of_somebody(units, version)
    assert await find(units, token.digest, Purpose.RESET_PASSWORD) == replace(token, superseded=True)
    assert not await spend_reset(units, token)


async def test_a_token_is_void_once_its_user_is_gone_and_when_they_are_back_under_another_version(
    units: Units,
) -> None:
    token = await a_token_of_somebody(units)
    assert token.user_id is not None
    assert token.email is not None
    async with units.account_keeping() as unit:
        await unit.users.remove(token.user_id)
        await unit.commit()
    assert not await spend_reset(units, token)
    user = a_user(id=token.user_id, email=token.email)
    await settle_in(units, user, Credential(user_id=user.id, password_hash=HASH, version=2))
    assert not await spend_reset(units, token)
    assert await find(units, token.digest, Purpose.RESET_PASSWORD) == replace(token, superseded=True)


async def test_a_version_without_an_account_to_have_it_is_void_and_a_user_without_a_version_is_not(
    units: Units,
) -> None:
    nobodys, unbound = a_token(credential_version=1), a_token(user_id=uuid4())
    await mint(units, nobodys, unbound)
    assert not await spend(units, nobodys.digest)
    assert await spend(units, unbound.digest)


async def test_of_twenty_who_spend_one_token_of_an_account_at_once_exactly_one_does(units: Units) -> None:
    token = await a_token_of_somebody(units)
    assert sum(await asyncio.gather(*(spend_reset(units, token) for _ in range(20)))) == 1


async def test_a_token_is_spent_or_voided_by_another_password_but_not_both(units: Units) -> None:
    """Whoever holds the account first decides; the other one sees it."""
    token = await a_token_of_somebody(units)

    async def spend_and_replace() -> bool:
        assert token.user_id is not None
        async with units.account_keeping() as unit:
            credential = await unit.accounts.hold(token.user_id)
            assert credential is not None
            if not await unit.tokens.spend(token.digest, Purpose.RESET_PASSWORD, NOW):
                return False
            await unit.accounts.replace(credential, PasswordHash("reset"), NOW)
            await unit.commit()
        return True

    outcomes = await asyncio.gather(*(spend_and_replace() for _ in range(10)), raise_version(units, token))
    assert sum(bool(outcome) for outcome in outcomes) <= 1
    assert not await spend_reset(units, token)


async def test_only_a_newer_request_of_the_same_purpose_supersedes_a_token(units: Units) -> None:
    token = await a_token_of_somebody(units)
    later = NOW + TICK
    await queue(units, a_letter(subject_id=token.subject_id, occasion=Occasion.CHANGE_EMAIL, created_at=later))
    assert await find(units, token.digest, Purpose.RESET_PASSWORD) == token
    await queue(units, a_letter(subject_id=token.subject_id, occasion=Occasion.FORGOT_PASSWORD, created_at=later))
    assert not await spend_reset(units, token)
