"""The contracts of `application.ports.collections.Users` and `Accounts`, on every store."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.ports.units_of_work import Units
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.password import PasswordHash
from domain.user import Credential, User
from domain.username import Username
from tests.support.store_samples import (
    ADA,
    GRACE,
    HASH,
    HOUR,
    NOW,
    ODD,
    TICK,
    a_session,
    a_user,
    keep_session,
    settle_in,
)

NEW_HASH = PasswordHash("$argon2id$v=19$m=16,t=1,p=1$c2FsdHNhbHQ$bmV3bmV3bmV3")


async def add(units: Units, user: User) -> bool:
    return await taken(units, user) == frozenset()


async def taken(units: Units, user: User) -> frozenset[str]:
    async with units.proving() as unit:
        fields = await unit.users.add(user)
        await unit.commit()
    return fields


async def prove(units: Units, user: User) -> bool:
    async with units.proving() as unit:
        done = await unit.users.prove(user)
        await unit.commit()
    return done


async def replace_password(units: Units, credential: Credential, new: PasswordHash) -> bool:
    async with units.proving() as unit:
        done = await unit.accounts.replace(credential, new, NOW)
        await unit.commit()
    return done


async def by_email(units: Units, email: EmailAddress) -> tuple[User, Credential] | None:
    async with units.credential_reading() as unit:
        return await unit.logins.by_email(email)


async def owns(units: Units, email: EmailAddress) -> bool:
    async with units.delivery() as unit:
        return await unit.users.of_email(email) is not None


async def rehash(units: Units, user_id: UUID, old: PasswordHash, new: PasswordHash = NEW_HASH) -> bool:
    async with units.signing_in() as unit:
        done = await unit.accounts.rehash(user_id, old=old, new=new, now=NOW)
        await unit.commit()
    return done


@pytest.mark.parametrize(
    "user",
    [
        a_user(
            email=ADA,
            username=Username("ada"),
            fields={"company": "Zażółć & 'Söhne' 🧮", "seats": 2**40, "newsletter": False, "notes": ""},
            first_signed_in_at=NOW + TICK,
        ),
        a_user(email=ODD, name=DisplayName("Ὑπατία \u200d🏛 ' \" \\ % _ --")),
        a_user(name=None, username=None),
        a_user(email_verified=False, role="admin", disabled_at=NOW + TICK),
        a_user(created_at=NOW.replace(microsecond=0), name=DisplayName("𝒜" * 64), username=Username("a" * 32)),
    ],
    ids=["full", "odd characters", "nothing optional", "disabled administrator", "longest"],
)
async def test_every_field_of_a_user_and_a_credential_comes_back_as_it_went_in(units: Units, user: User) -> None:
    credential = Credential(user_id=user.id, password_hash=PasswordHash("$argon2id$" + "x" * 500), version=7)
    await settle_in(units, user, credential)
    assert await by_email(units, user.email) == (user, credential)
    async with units.proof_reading() as unit:
        assert await unit.accounts.of_user(user.id) == credential


async def test_a_user_is_found_by_username_and_only_by_the_whole_one(units: Units) -> None:
    user = await settle_in(units, a_user(username=Username("a_b")))
    async with units.credential_reading() as unit:
        found = await unit.logins.by_username(Username("a_b"))
        assert found is not None
        assert found[0] == user
        for other in ("axb", "a_", "a_b_", "a%"):
            assert await unit.logins.by_username(Username(other)) is None


async def test_nobody_is_found_under_an_unknown_address_username_or_id(units: Units) -> None:
    await settle_in(units, a_user())
    async with units.credential_reading() as unit:
        assert await unit.logins.by_email(GRACE) is None
        assert await unit.logins.by_username(Username("grace")) is None
    async with units.proof_reading() as unit:
        assert await unit.accounts.of_user(uuid4()) is None


async def test_an_address_belongs_to_one_user_and_the_second_is_told_so(units: Units) -> None:
    first = a_user(email=ADA)
    assert await add(units, first)
    assert not await add(units, a_user(email=ADA))
    assert await owns(units, ADA)


async def test_a_username_belongs_to_one_user_and_the_second_is_not_added(units: Units) -> None:
    assert await add(units, a_user(username=Username("ada")))
    second = a_user(username=Username("ada"), email=GRACE)
    assert not await add(units, second)
    assert not await owns(units, GRACE)


async def test_whoever_is_not_added_is_told_which_of_address_and_username_is_taken(units: Units) -> None:
    """R16, R17."""
    await add(units, a_user(email=ADA, username=Username("ada")))
    await add(units, a_user(email=GRACE, username=Username("grace")))
    assert await taken(units, a_user(email=ADA)) == {"email"}
    assert await taken(units, a_user(email=ADA, username=Username("countess"))) == {"email"}
    assert await taken(units, a_user(username=Username("ada"))) == {"username"}
    assert await taken(units, a_user(email=ADA, username=Username("ada"))) == {"email", "username"}
    assert await taken(units, a_user(email=ADA, username=Username("grace"))) == {"email", "username"}
    assert await taken(units, a_user(email=ODD, username=Username("odd"))) == frozenset()


@pytest.mark.parametrize(
    ("wanted", "field"), [({"email": ADA}, "email"), ({"username": Username("ada")}, "username")], ids=str
)
async def test_of_fifty_who_want_the_same_one_is_added_and_the_others_are_told_what(
    units: Units, wanted: dict[str, Any], field: str
) -> None:
    outcomes = await asyncio.gather(*(taken(units, a_user(**wanted)) for _ in range(50)))
    assert sorted(map(sorted, outcomes)) == [[], *[[field]] * 49]


async def test_any_number_of_users_have_no_username(units: Units) -> None:
    assert await add(units, a_user(username=None))
    assert await add(units, a_user(username=None))


async def test_an_id_that_is_taken_replaces_nobody(units: Units) -> None:
    user = await settle_in(units, a_user(email=ADA))
    assert not await add(units, replace(a_user(email=GRACE), id=user.id))
    found = await by_email(units, ADA)
    assert found is not None
    assert found[0] == user


async def test_of_many_who_become_users_of_one_address_at_once_exactly_one_does(units: Units) -> None:
    assert sum(await asyncio.gather(*(add(units, a_user(email=ADA)) for _ in range(20)))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("istanbul@example.com", "ıstanbul@example.com"),
        ("kate@example.com", "\u212aate@example.com"),
        ("strasse@example.com", "straße@example.com"),
        ("sue@example.com", "ſue@example.com"),
        ("é@example.com", "e\u0301@example.com"),
    ],
)
async def test_addresses_are_compared_by_their_bytes_and_never_folded_by_the_store(
    units: Units, one: str, other: str
) -> None:
    assert await add(units, a_user(email=EmailAddress(one)))
    assert not await owns(units, EmailAddress(other))
    assert await add(units, a_user(email=EmailAddress(other)))


async def test_an_address_is_owned_once_it_is_a_users(units: Units) -> None:
    assert not await owns(units, ADA)
    await settle_in(units, a_user(email=ADA))
    assert await owns(units, ADA)
    assert not await owns(units, GRACE)


async def test_a_user_is_found_by_id_and_by_address(units: Units) -> None:
    user = await settle_in(units, a_user(email=ADA, email_verified=False))
    async with units.proof_reading() as unit:
        assert await unit.users.get(user.id) == user
        assert await unit.users.get(uuid4()) is None
        assert await unit.users.of_email(ADA) == user
        assert await unit.users.of_email(GRACE) is None


async def test_a_user_is_proven_once_and_gets_the_name_and_the_language_that_were_given_then(units: Units) -> None:
    user = await settle_in(units, a_user(email=ADA, email_verified=False, username=Username("ada")))
    other = await settle_in(units, a_user(email=GRACE, email_verified=False))
    told = replace(user, name=DisplayName("Countess"), locale="de")
    assert await prove(units, replace(told, username=None, role="admin"))
    assert not await prove(units, replace(user, name=DisplayName("Mallory")))
    async with units.proof_reading() as unit:
        assert await unit.users.get(user.id) == replace(told, email_verified=True)
        assert await unit.users.get(other.id) == other


async def test_a_user_may_be_proven_to_have_no_name_and_no_language(units: Units) -> None:
    user = await settle_in(units, a_user(email_verified=False))
    assert await prove(units, replace(user, name=None, locale=None))
    async with units.proof_reading() as unit:
        assert await unit.users.get(user.id) == replace(user, email_verified=True, name=None, locale=None)


async def test_nobody_is_proven_under_an_address_that_is_no_longer_theirs(units: Units) -> None:
    user = await settle_in(units, a_user(email=ADA, email_verified=False))
    assert not await prove(units, replace(user, email=GRACE))
    assert not await prove(units, replace(user, id=uuid4()))
    async with units.proof_reading() as unit:
        assert await unit.users.get(user.id) == user


async def test_of_many_who_prove_a_user_at_once_exactly_one_does(units: Units) -> None:
    user = await settle_in(units, a_user(email_verified=False))
    assert sum(await asyncio.gather(*(prove(units, user) for _ in range(20)))) == 1


async def test_another_password_raises_the_version_and_ends_the_sessions(units: Units) -> None:
    user, other = await settle_in(units, a_user()), await settle_in(units, a_user())
    session, others = a_session(user.id), a_session(other.id)
    assert await keep_session(units, session)
    assert await keep_session(units, others)
    assert await replace_password(units, Credential(user_id=user.id, password_hash=HASH), NEW_HASH)
    async with units.proof_reading() as reading:
        changed, unchanged = await reading.accounts.of_user(user.id), await reading.accounts.of_user(other.id)
    assert changed == Credential(user_id=user.id, password_hash=NEW_HASH, version=2)
    assert unchanged == Credential(user_id=other.id, password_hash=HASH)
    async with units.session_reading() as unit:
        assert await unit.sessions.find(session.id) is None
        assert await unit.sessions.find(others.id) == (others, other)
    assert not await keep_session(units, a_session(user.id))


async def test_of_many_who_replace_a_password_at_once_exactly_one_does(units: Units) -> None:
    user = await settle_in(units, a_user())
    credential = Credential(user_id=user.id, password_hash=HASH)
    hashes = [PasswordHash(f"new {number}") for number in range(20)]
    assert sum(await asyncio.gather(*(replace_password(units, credential, new) for new in hashes))) == 1
    assert not await replace_password(units, replace(credential, user_id=uuid4()), NEW_HASH)


async def test_a_user_without_a_credential_cannot_be_found_to_sign_in(units: Units) -> None:
    await add(units, a_user(email=ADA, username=Username("ada")))
    assert await by_email(units, ADA) is None
    async with units.credential_reading() as unit:
        assert await unit.logins.by_username(Username("ada")) is None


async def test_a_rehash_replaces_the_hash_and_keeps_the_version(units: Units) -> None:
    user = a_user()
    await settle_in(units, user, Credential(user_id=user.id, password_hash=HASH, version=3))
    assert await rehash(units, user.id, HASH)
    assert await by_email(units, user.email) == (
        user,
        Credential(user_id=user.id, password_hash=NEW_HASH, version=3),
    )


async def test_a_rehash_comes_to_nothing_when_the_password_has_changed_meanwhile(units: Units) -> None:
    user = await settle_in(units, a_user())
    assert not await rehash(units, user.id, old=PasswordHash("another"))
    found = await by_email(units, user.email)
    assert found is not None
    assert found[1].password_hash == HASH


async def test_a_rehash_touches_nobody_else(units: Units) -> None:
    user, other = await settle_in(units, a_user()), await settle_in(units, a_user())
    await rehash(units, user.id, HASH)
    found = await by_email(units, other.email)
    assert found is not None
    assert found[1].password_hash == HASH


async def test_a_rehash_for_somebody_who_is_gone_is_false_and_no_error(units: Units) -> None:
    assert not await rehash(units, uuid4(), HASH)


async def test_of_many_who_rehash_at_once_exactly_one_does(units: Units) -> None:
    user = await settle_in(units, a_user())
    hashes = [PasswordHash(f"new {number}") for number in range(20)]
    assert sum(await asyncio.gather(*(rehash(units, user.id, HASH, new) for new in hashes))) == 1


async def test_a_hash_is_in_no_repr(units: Units) -> None:
    user = await settle_in(units, a_user(email=ADA, created_at=NOW + HOUR))
    assert HASH.encoded not in repr(await by_email(units, user.email))
