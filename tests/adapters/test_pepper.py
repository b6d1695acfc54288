"""The pepper: what is stored under it verifies by its key, and by nothing else (SECURITY 2.4)."""

import unicodedata
from collections.abc import AsyncIterator
from datetime import timedelta

import argon2
import pytest

from adapters.hashing.argon2 import Argon2id, Argon2Parameters, read_argon2
from adapters.hashing.keyring import Keyring
from adapters.hashing.pepper import Pepper, PepperedArgon2id, peppered_by
from adapters.hashing.slots import HashingSlots
from domain.password import FaultKind, Password, PasswordHash
from domain.user import Credential
from tests.support.hashing import CHEAP, kind_of
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import NOW, TICK, a_sign_up, a_user, settle_in, wait_in_line

PASSWORD = Password("engine of difference")
OLD = Pepper("2026-a", b"kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA")
NEW = Pepper("2026-b", b"mX3bN8cV5zL1kJ6hG9fD2sA7pQ4wE0rT")
IMPOSTOR = Pepper(OLD.id, NEW.key)


@pytest.fixture
async def slots() -> AsyncIterator[HashingSlots]:
    made = HashingSlots(2)
    yield made
    made.close()


def keyring(slots: HashingSlots, *peppers: Pepper, parameters: Argon2Parameters = CHEAP) -> Keyring:
    argon2id = Argon2id(parameters)
    maker = PepperedArgon2id(peppers[0], argon2id) if peppers else argon2id
    return Keyring(maker, (peppered_by(peppers), read_argon2), slots, decoy_key=bytes(32))


async def test_a_password_verifies_under_its_pepper_and_another_password_does_not(slots: HashingSlots) -> None:
    hasher = keyring(slots, OLD)
    stored = await hasher.hash(PASSWORD)
    assert stored.encoded.startswith("$pepper$k=2026-a$argon2id$v=19$m=8,t=1,p=1$")
    assert await hasher.verify(PASSWORD, stored)
    assert not await hasher.verify(Password("engine of differences"), stored)


async def test_a_dump_without_the_key_verifies_nothing(slots: HashingSlots) -> None:
    """The right password and the stored hash are not enough: neither by the library, nor by us under another key."""
    stored = await keyring(slots, OLD).hash(PASSWORD)
    inner = stored.encoded.removeprefix("$pepper$k=2026-a")
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(inner, PASSWORD.text)
    assert argon2.PasswordHasher().verify(inner, OLD.season(PASSWORD).text), "while with the key it is Argon2id"
    assert not await keyring(slots).verify(PASSWORD, PasswordHash(inner))
    assert not await keyring(slots, IMPOSTOR).verify(PASSWORD, stored)


async def test_a_hash_under_a_key_that_is_gone_is_a_fault_and_no_work(slots: HashingSlots) -> None:
    stored = await keyring(slots, OLD).hash(PASSWORD)
    for without in (keyring(slots), keyring(slots, NEW)):
        assert kind_of(without.fault_of(stored)) is FaultKind.NO_KEY
        assert not await without.verify(PASSWORD, stored)
        assert not without.outdated(stored, PASSWORD), "it is not replaced by whoever cannot verify it"


async def test_the_same_password_twice_is_two_different_rows(slots: HashingSlots) -> None:
    hasher = keyring(slots, OLD)
    assert (await hasher.hash(PASSWORD)).encoded != (await hasher.hash(PASSWORD)).encoded


async def test_a_password_is_the_same_however_its_characters_are_composed(slots: HashingSlots) -> None:
    hasher = keyring(slots, OLD)
    stored = await hasher.hash(Password.parse(unicodedata.normalize("NFD", "Zażółć gęślą jaźń")))
    assert await hasher.verify(Password.parse(unicodedata.normalize("NFC", "Zażółć gęślą jaźń")), stored)


@pytest.mark.parametrize("text", ["", "x\0y", "a" * 1024, "🧮" * 256], ids=["empty", "NUL", "longest", "emoji"])
async def test_every_byte_of_a_password_counts(slots: HashingSlots, text: str) -> None:
    hasher = keyring(slots, OLD)
    stored = await hasher.hash(Password(text))
    assert await hasher.verify(Password(text), stored)
    assert not await hasher.verify(Password(text[:-1] or "x"), stored)


async def test_what_the_first_key_did_not_make_with_the_parameters_in_force_is_outdated(slots: HashingSlots) -> None:
    hasher = keyring(slots, NEW, OLD)
    assert not hasher.outdated(await hasher.hash(PASSWORD), PASSWORD)
    cheaper = Argon2Parameters(memory_kib=16, time=1)
    for other in (keyring(slots), keyring(slots, OLD), keyring(slots, NEW, parameters=cheaper)):
        stored = await other.hash(PASSWORD)
        assert await hasher.verify(PASSWORD, stored)
        assert hasher.outdated(stored, PASSWORD)
    assert keyring(slots, OLD, NEW).outdated(await hasher.hash(PASSWORD), PASSWORD), "swapped back"


async def test_an_id_that_begins_like_another_is_another(slots: HashingSlots) -> None:
    short, long = Pepper("a", OLD.key), Pepper("ab", OLD.key)
    stored = await keyring(slots, long).hash(PASSWORD)
    assert kind_of(keyring(slots, short).fault_of(stored)) is FaultKind.NO_KEY
    assert keyring(slots, short, long).outdated(stored, PASSWORD)


INNER = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"


@pytest.mark.parametrize(
    ("encoded", "fault"),
    [
        (f"$pepper$k=2026-a{INNER}", None),
        ("$pepper$", FaultKind.UNREADABLE),
        ("$pepper$k=2026-a", FaultKind.UNREADABLE),
        (f"$pepper$k={INNER}", FaultKind.UNREADABLE),
        (f"$pepper$k=2026-A{INNER}", FaultKind.UNREADABLE),
        (f"$pepper$k=2026-a${INNER}", FaultKind.UNREADABLE),
        (f"$pepper$k=2026-a$pepper$k=2026-a{INNER}", FaultKind.UNREADABLE),
        (f"$pepper$k=2026-a{INNER.replace('2id', '2i')}", FaultKind.UNREADABLE),
        (f"$pepper$k=2026-a{INNER.replace('v=19', 'v=16')}", FaultKind.UNREADABLE),
        ("$pepper$k=2026-a$2b$10$abcdefghijklmnopqrstuuJ1z6yDw9yHWPVjM1C8O1P7Z4yq7y1W6", FaultKind.UNREADABLE),
        (f"$pepper$k=2026-a{INNER}\n", FaultKind.UNREADABLE),
        (f"$pepper$k=2026-a{INNER.replace('m=8', 'm=4194304')}", FaultKind.IMMODERATE),
    ],
)
def test_only_what_is_made_here_is_read(slots: HashingSlots, encoded: str, fault: FaultKind | None) -> None:
    assert kind_of(keyring(slots, OLD).fault_of(PasswordHash(encoded))) is fault


async def test_the_decoy_is_peppered_like_everybody(slots: HashingSlots) -> None:
    hasher = keyring(slots, OLD)
    decoy, genuine = hasher.decoys.draw("ada@example.com"), hasher._read(await hasher.hash(PASSWORD))
    assert (type(decoy), decoy.work, decoy.memory_kib) == (type(genuine), genuine.work, genuine.memory_kib)


def test_no_repr_shows_a_key() -> None:
    argon2id = Argon2id(CHEAP)
    shown = repr(
        (OLD, PepperedArgon2id(OLD, argon2id), peppered_by([OLD]), peppered_by([OLD])(f"$pepper$k=2026-a{INNER}"))
    )
    assert OLD.key.decode() not in shown


# -- What the database holds --


async def test_stored_hashes_are_counted_by_their_pepper(store: StoreUnderTest) -> None:
    """People's, and those of sign-ups for as long as they wait; what is not well written needs no key."""
    made = {"2026-a": 2, "2026-b": 1, "sixteen-letters-": 1, "a": 1}
    for pepper_id, number in made.items():
        for serial in range(number):
            await keep(store, f"$pepper$k={pepper_id}{INNER[:-1]}{serial}")
    for encoded in (INNER, "!", f"$pepper$k={INNER}", "$pepper$k=Capital$x", f"$pepper$k=seventeen-letters{INNER}"):
        await keep(store, encoded)
    waiting = a_sign_up(password_hash=PasswordHash(f"$pepper$k=2026-b{INNER}"))
    await wait_in_line(store.units, waiting, a_sign_up(password_hash=PasswordHash(f"$pepper$k=waits{INNER}")))
    assert await store.peppers(NOW) == {**made, "2026-b": 2, "waits": 1}
    assert await store.peppers(waiting.expires_at - TICK) == {**made, "2026-b": 2, "waits": 1}
    assert await store.peppers(waiting.expires_at) == made


async def keep(store: StoreUnderTest, encoded: str) -> None:
    user = a_user()
    await settle_in(store.units, user, Credential(user_id=user.id, password_hash=PasswordHash(encoded)))


async def test_an_empty_database_needs_no_pepper(store: StoreUnderTest) -> None:
    assert await store.peppers(NOW + timedelta(days=1)) == {}
