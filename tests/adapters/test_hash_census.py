"""The contract of `application.ports.hashing.HashCensus`, on every store."""

import random
import string
from collections.abc import Iterable

import pytest

from adapters.memory.hash_census import MemoryHashCensus
from application.ports.hashing import HashShare
from application.ports.units_of_work import Units
from domain.password import NO_PASSWORD, PasswordHash
from domain.user import Credential
from tests.support.hash_vectors import BY_FORM
from tests.support.hashing import read
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import a_user

RANDOM = random.Random(2026)  # noqa: S311 - of salts that protect nothing
UNIX = string.ascii_letters + string.digits + "./"
STANDARD = string.ascii_letters + string.digits + "+/"

MAKES = {
    "argon2id": ("$argon2id$v=19$m=8,t=1,p=1$", STANDARD, 22, "$", 43, ""),
    "argon2id, more memory": ("$argon2id$v=19$m=16,t=1,p=1$", STANDARD, 22, "$", 43, ""),
    "argon2i": ("$argon2i$v=19$m=8,t=1,p=1$", STANDARD, 22, "$", 43, ""),
    "argon2id by django": ("argon2$argon2id$v=19$m=8,t=1,p=1$", STANDARD, 22, "$", 43, ""),
    "bcrypt 2a of 10": ("$2a$10$", UNIX, 22, "", 31, ""),
    "bcrypt 2b of 10": ("$2b$10$", UNIX, 22, "", 31, ""),
    "bcrypt 2b of 12": ("$2b$12$", UNIX, 22, "", 31, ""),
    "bcrypt by django": ("bcrypt$$2b$12$", UNIX, 22, "", 31, ""),
    "bcrypt_sha256": ("bcrypt_sha256$$2b$12$", UNIX, 22, "", 31, ""),
    "scrypt-node": ("$scrypt-node$", "0123456789abcdef", 32, ":", 128, ""),
    "scrypt-node-trim": ("$scrypt-node-trim$", "0123456789abcdef", 32, ":", 128, ""),
    "scrypt-better-auth": ("$scrypt-better-auth$", "0123456789abcdef", 32, ":", 128, ""),
    "scrypt": ("$scrypt$ln=14,r=8,p=1$", STANDARD, 24, "$", 44, ""),
    "scrypt, higher": ("$scrypt$ln=15,r=8,p=1$", STANDARD, 24, "$", 44, ""),
    "scrypt by django": ("scrypt$16384$", string.ascii_letters, 22, "$8$5$", 86, "=="),
    "scrypt by django, higher": ("scrypt$32768$", string.ascii_letters, 22, "$8$5$", 86, "=="),
    "scrypt by django, narrower": ("scrypt$16384$", string.ascii_letters, 22, "$8$1$", 86, "=="),
    "scrypt by werkzeug": ("scrypt:32768:8:1$", string.ascii_letters, 16, "$", 128, ""),
    "scrypt by werkzeug, wider": ("scrypt:32768:8:2$", string.ascii_letters, 16, "$", 128, ""),
    "firebase": ("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykb$", STANDARD, 14, "==$", 22, "=="),
    "firebase, wider": ("$fbscrypt$v=1,n=14,r=9,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykb$", STANDARD, 14, "==$", 22, "=="),
    "pbkdf2 by django": ("pbkdf2_sha256$600000$", string.ascii_letters, 22, "$", 43, "="),
    "pbkdf2 by django, longer": ("pbkdf2_sha256$720000$", string.ascii_letters, 22, "$", 43, "="),
    "pbkdf2 of sha1 by django": ("pbkdf2_sha1$600000$", string.ascii_letters, 22, "$", 27, "="),
    "pbkdf2 by passlib": ("$pbkdf2-sha256$29000$", UNIX, 24, "$", 43, ""),
    "pbkdf2 of sha512 by passlib": ("$pbkdf2-sha512$25000$", UNIX, 24, "$", 86, ""),
    "pbkdf2 of keycloak's": ("$pbkdf2-sha256$i=27500,l=32$", STANDARD, 22, "$", 43, ""),
    "pbkdf2 of keycloak's, longer": ("$pbkdf2-sha256$i=27501,l=32$", STANDARD, 22, "$", 43, ""),
    "pbkdf2 by werkzeug": ("pbkdf2:sha256:600000$", string.ascii_letters, 16, "$", 64, ""),
    "pbkdf2 by werkzeug, longer": ("pbkdf2:sha256:700000$", string.ascii_letters, 16, "$", 64, ""),
    "asp.net": ("$aspnet-identity-v3$AQAAAAEAACcQAAAAE", STANDARD, 24, "", 43, "=="),
    "asp.net, longer": ("$aspnet-identity-v3$AQAAAAEAACcRAAAAE", STANDARD, 24, "", 43, "=="),
    "asp.net of sha512": ("$aspnet-identity-v3$AQAAAAIAACcQAAAAE", STANDARD, 24, "", 43, "=="),
    "phpass of 2^13": ("$P$B", UNIX, 8, "", 22, ""),
    "phpass of 2^11": ("$P$9", UNIX, 8, "", 22, ""),
    "phpass of phpbb": ("$H$9", UNIX, 8, "", 22, ""),
    "sha512crypt": ("$6$", UNIX, 16, "$", 86, ""),
    "sha512crypt of 656000": ("$6$rounds=656000$", UNIX, 16, "$", 86, ""),
    "sha256crypt": ("$5$", UNIX, 8, "$", 43, ""),
}  # fmt: skip
"""What comes before the salt, the salt's letters and length, what comes before the hash, its length and padding."""


def hashes(make: str, number: int = 3) -> list[str]:
    before, letters, salt, between, digest, padding = MAKES[make]
    hexadecimal = "werkzeug" in make or "scrypt-" in make

    def some(choice: str, length: int) -> str:
        return "".join(RANDOM.choices(choice, k=length))

    letters_of_hash = "0123456789abcdef" if hexadecimal else letters
    return [before + some(letters, salt) + between + some(letters_of_hash, digest) + padding for _ in range(number)]


async def settle(units: Units, encoded: Iterable[str]) -> None:
    """People with these hashes."""
    async with units.proving() as unit:
        for text in encoded:
            user = a_user()
            assert not await unit.users.add(user)
            await unit.accounts.add(
                user.id, Credential(user_id=user.id, password_hash=PasswordHash(text)), user.created_at
            )
        await unit.commit()


async def test_hashes_of_one_make_are_one_share_and_no_others_are(store: StoreUnderTest) -> None:
    crowd = {make: hashes(make) for make in MAKES}
    await settle(store.units, (text for texts in crowd.values() for text in texts))
    shares = await store.hashes()
    assert sum(share.number for share in shares) == 3 * len(MAKES)
    by_make = {make: [s.number for s in shares if s.example.encoded in texts] for make, texts in crowd.items()}
    counts_each_by_itself = isinstance(store.hashes, MemoryHashCensus)
    assert by_make == dict.fromkeys(MAKES, [1, 1, 1] if counts_each_by_itself else [3])


async def test_every_form_there_is_is_among_them_and_can_be_told_by_its_make(store: StoreUnderTest) -> None:
    """Whatever is added to the forms has to be told apart from the others too."""
    await settle(store.units, [vector.encoded for vector in BY_FORM.values()])
    makes = {example_of(share) for share in await store.hashes()}
    assert makes == {
        (type(found), found.work, found.memory_kib) for found in map(read, (v.encoded for v in BY_FORM.values()))
    }


def example_of(share: HashShare) -> tuple[type, float, int]:
    found = read(share.example.encoded)
    return type(found), found.work, found.memory_kib


async def test_the_most_frequent_come_first(store: StoreUnderTest) -> None:
    await settle(store.units, [*hashes("argon2id", 2), *hashes("bcrypt 2a of 10", 5), *hashes("sha512crypt", 3)])
    numbers = [share.number for share in await store.hashes()]
    assert numbers == sorted(numbers, reverse=True)


async def test_people_without_a_password_are_a_share_of_their_own(store: StoreUnderTest) -> None:
    await settle(store.units, [NO_PASSWORD.encoded, NO_PASSWORD.encoded, *hashes("argon2id", 1)])
    without = [share.number for share in await store.hashes() if share.example == NO_PASSWORD]
    assert sum(without) == 2


async def test_an_empty_database_has_no_shares(store: StoreUnderTest) -> None:
    assert list(await store.hashes()) == []


@pytest.mark.parametrize(
    "encoded", ["", "$", "garbage", "$$$", "scrypt$", "scrypt$$$$$", "$P$", "$aspnet-identity-v3$", "ü$ü$ü"]
)
async def test_nonsense_is_counted_too(store: StoreUnderTest, encoded: str) -> None:
    await settle(store.units, [encoded])
    assert list(await store.hashes()) == [HashShare(1, PasswordHash(encoded))]
