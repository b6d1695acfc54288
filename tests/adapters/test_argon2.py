"""The contract of `application.ports.hashing.PasswordHasher`, held by the keyring."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from argon2 import PasswordHasher as Library
from argon2 import Type, extract_parameters

from adapters.hashing.argon2 import Argon2Hash, Argon2Parameters, read_argon2
from adapters.hashing.keyring import Keyring
from domain.errors import Overloaded
from domain.password import Password, PasswordHash
from tests.support.hashing import CHEAP, CountingSlots, quick_keyring

PASSWORD = Password("engine of difference")


@pytest.fixture
async def slots() -> AsyncIterator[CountingSlots]:
    made = CountingSlots()
    yield made
    made.close()


@pytest.fixture
def hasher(slots: CountingSlots) -> Keyring:
    return quick_keyring(slots)


def library(memory: int = 8, time: int = 1, lanes: int = 1, kind: Type = Type.ID, **sizes: Any) -> PasswordHash:
    """A hash made by the library itself."""
    made = Library(memory_cost=memory, time_cost=time, parallelism=lanes, type=kind, **sizes)
    return PasswordHash(made.hash(PASSWORD.text))


@pytest.mark.parametrize("text", ["engine of difference", " spaces ", "", "пароль 🦊 パスワード", "x" * 1024, "a\x00b"])
async def test_a_password_matches_its_own_hash_and_no_other(hasher: Keyring, text: str) -> None:
    stored = await hasher.hash(Password(text))
    assert await hasher.verify(Password(text), stored)
    for other in (text + " ", text.upper() + "!", text[:-1] if text else "x"):
        assert not await hasher.verify(Password(other), stored)


async def test_passwords_count_to_their_last_byte(hasher: Keyring) -> None:
    stored = await hasher.hash(Password("x" * 1023 + "y"))
    assert not await hasher.verify(Password("x" * 1023 + "z"), stored)
    assert not await hasher.verify(Password("x" * 72), stored)


async def test_two_hashes_of_one_password_have_nothing_in_common(hasher: Keyring) -> None:
    one, other = await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)
    assert one.encoded.split("$")[4:] != other.encoded.split("$")[4:]


async def test_a_hash_says_its_algorithm_and_cost(slots: CountingSlots) -> None:
    stored = await quick_keyring(slots, Argon2Parameters(memory_kib=16, time=3, parallelism=2)).hash(PASSWORD)
    assert stored.encoded.startswith("$argon2id$v=19$m=16,t=3,p=2$")
    assert extract_parameters(stored.encoded).salt_len == 16
    assert extract_parameters(stored.encoded).hash_len == 32


def test_the_cost_when_nothing_is_said_is_owasps() -> None:
    assert Argon2Parameters() == Argon2Parameters(memory_kib=19456, time=2, parallelism=1)


async def test_another_libraries_hash_is_verified_when_it_asks_for_no_more_than_is_bearable(
    hasher: Keyring, slots: CountingSlots
) -> None:
    for stored in (
        library(),
        library(64, 3, 4),
        library(8, 10),
        library(128, 1, 16),
        library(salt_len=32, hash_len=64),
    ):
        assert await hasher.verify(PASSWORD, stored)
    assert slots.runs == 5


SALT_AND_HASH = "c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
UNBEARABLE = {
    "4 GiB": f"$argon2id$v=19$m=4194304,t=1,p=1${SALT_AND_HASH}",
    "more memory than there is": f"$argon2id$v=19$m=4294967295,t=1,p=1${SALT_AND_HASH}",
    "just too much memory": f"$argon2id$v=19$m={256 * 1024 + 1},t=1,p=1${SALT_AND_HASH}",
    "2^31 passes": f"$argon2id$v=19$m=8,t=2147483648,p=1${SALT_AND_HASH}",
    "21 passes": f"$argon2id$v=19$m=8,t=21,p=1${SALT_AND_HASH}",
    "seconds of work": f"$argon2id$v=19$m=262144,t=20,p=1${SALT_AND_HASH}",
    "255 lanes": f"$argon2id$v=19$m=8192,t=1,p=255${SALT_AND_HASH}",
    "17 lanes": f"$argon2id$v=19$m=8192,t=1,p=17${SALT_AND_HASH}",
    "argon2d": library(kind=Type.D).encoded,
    "bcrypt of hours": "$2b$31$abcdefghijklmnopqrstuuJ9s2LZ1hZ3v0pYbD3q7Q1pE2e5Tq4Zu",
    "garbage": "garbage",
    "empty": "",
    "dollars": "$$$$$",
    "nothing but a name": "$argon2id",
    "no costs": f"$argon2id$v=19$${SALT_AND_HASH}",
    "a cost missing": f"$argon2id$v=19$m=8,t=1${SALT_AND_HASH}",
    "a cost that is no number": f"$argon2id$v=19$m=8,t=x,p=1${SALT_AND_HASH}",
    "cut off": "$argon2id$v=19$m=8,t=1,p=1$c2FsdA",
    "huge numbers": f"$argon2id$v=19$m={'9' * 400},t=1,p=1${SALT_AND_HASH}",
    "more digits than a number may have": f"$argon2id$v=19$m={'9' * 5000},t=1,p=1${SALT_AND_HASH}",
}


@pytest.mark.parametrize("case", UNBEARABLE)
async def test_an_immoderate_or_unreadable_hash_is_a_mismatch_and_is_never_run(
    hasher: Keyring, slots: CountingSlots, case: str
) -> None:
    stored = PasswordHash(UNBEARABLE[case])
    assert not await hasher.verify(PASSWORD, stored)
    assert slots.runs == 0
    assert hasher.outdated(stored, PASSWORD) in (True, False)


BROKEN = {
    "negative memory": f"$argon2id$v=19$m=-8,t=1,p=1${SALT_AND_HASH}",
    "no memory": f"$argon2id$v=19$m=0,t=1,p=1${SALT_AND_HASH}",
    "no passes": f"$argon2id$v=19$m=8,t=0,p=1${SALT_AND_HASH}",
    "no lanes": f"$argon2id$v=19$m=8,t=1,p=0${SALT_AND_HASH}",
    "less memory than lanes need": f"$argon2id$v=19$m=8,t=1,p=16${SALT_AND_HASH}",
    "another version": f"$argon2id$v=99$m=8,t=1,p=1${SALT_AND_HASH}",
    "no salt": "$argon2id$v=19$m=8,t=1,p=1$$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g",
    "no hash": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$",
    "a salt of one byte": "$argon2id$v=19$m=8,t=1,p=1$eA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g",
    "no base64": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$!!!!",
    "no ascii": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2héYXNoaGFzaGhhc2g",
    "numbers of another script": f"$argon2id$v=19$m=٨,t=١,p=١${SALT_AND_HASH}",
    "costs in another order": f"$argon2id$v=19$t=1,m=8,p=1${SALT_AND_HASH}",
    "a cost given twice": f"$argon2id$v=19$m=4194304,m=8,t=1,p=1${SALT_AND_HASH}",
    "spaces": f"$argon2id$v=19$m= 8,t=1,p=1${SALT_AND_HASH}",
    "a nul within": f"$argon2id$v=19$m=8,t=1,p=1${SALT_AND_HASH}\x00x",
    "cut off by a character": library().encoded[:-1],
    "cut off by half": library().encoded[:-20],
    "one character too many": library().encoded + "A",
    "a newline after": library().encoded + "\n",
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_hash_is_a_mismatch_and_no_error(hasher: Keyring, case: str) -> None:
    assert not await asyncio.wait_for(hasher.verify(PASSWORD, PasswordHash(BROKEN[case])), 5)
    assert hasher.outdated(PasswordHash(BROKEN[case]), PASSWORD) in (True, False)


@pytest.mark.parametrize("parameters", [CHEAP, Argon2Parameters(memory_kib=64, time=3, parallelism=2)])
async def test_the_decoy_costs_what_a_hash_of_the_parameters_in_force_costs(
    parameters: Argon2Parameters, slots: CountingSlots
) -> None:
    hasher = quick_keyring(slots, parameters)
    genuine = read_argon2((await hasher.hash(PASSWORD)).encoded)
    decoy = hasher.decoys.draw("ada@example.com")
    assert isinstance(genuine, Argon2Hash)
    assert isinstance(decoy, Argon2Hash)
    assert extract_parameters(decoy.encoded) == extract_parameters(genuine.encoded)
    assert decoy.memory_kib == parameters.memory_kib
    await hasher.verify_decoy(PASSWORD, "ada@example.com")
    assert slots.runs == 2, "hash and decoy each took a slot"


async def test_no_password_matches_the_decoy_in_a_way_that_anyone_could_see(hasher: Keyring) -> None:
    assert await hasher.verify_decoy(Password("decoy"), "ada@example.com") is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("stored", "outdated"),
    [
        (library(), False),
        (library(16), True),
        (library(8, 2), True),
        (library(16, 1, 2), True),
        (library(hash_len=16), True),
        (library(salt_len=8), True),
    ],
    ids=["the same", "memory", "time", "lanes", "length", "salt"],
)
def test_a_hash_is_outdated_when_its_parameters_are_not_those_in_force(
    hasher: Keyring, stored: PasswordHash, outdated: bool
) -> None:
    assert hasher.outdated(stored, PASSWORD) is outdated


async def test_a_new_hash_is_not_outdated(hasher: Keyring) -> None:
    assert not hasher.outdated(await hasher.hash(PASSWORD), PASSWORD)


async def test_a_storm_runs_no_more_at_once_than_there_are_slots(hasher: Keyring, slots: CountingSlots) -> None:
    stored = await hasher.hash(PASSWORD)
    storm = [hasher.verify(PASSWORD, stored) for _ in range(30)]
    storm += [hasher.verify(Password("wrong"), stored) for _ in range(10)]
    answers = await asyncio.gather(*storm, *(hasher.verify_decoy(PASSWORD, "ada@example.com") for _ in range(10)))
    assert answers == [True] * 30 + [False] * 10 + [None] * 10
    assert slots.most <= 2


async def test_a_storm_beyond_the_queue_is_turned_away_and_never_runs(hasher: Keyring, slots: CountingSlots) -> None:
    stored = await hasher.hash(PASSWORD)
    already = slots.runs
    answers = await asyncio.gather(*(hasher.verify(PASSWORD, stored) for _ in range(300)), return_exceptions=True)
    turned_away = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert len(turned_away) + answers.count(True) == 300
    assert len(turned_away) >= 300 - 2 - 2 - 2 * 32, "two at work, two handed over, the queue"
    assert slots.runs - already == answers.count(True)


def test_nothing_secret_is_in_a_repr() -> None:
    assert repr(PASSWORD) == "Password()"
    assert repr(library()) == "PasswordHash()"


@pytest.mark.parametrize(
    "change",
    [
        lambda phc: phc.replace(f"${phc.split('$')[4]}$", f"${phc.split('$')[4]}==$"),
        lambda phc: phc + "=",
    ],
    ids=["a padded salt", "a padded hash"],
)
async def test_whatever_spelling_is_read_is_verified_at_full_cost(
    hasher: Keyring, slots: CountingSlots, change: Callable[[str], str]
) -> None:
    """The library turns other spellings away in no time: that would tell, and lock their owner out in silence."""
    spelt = PasswordHash(change(library().encoded))
    assert hasher.fault_of(spelt) is None
    assert await hasher.verify(PASSWORD, spelt)
    assert not await hasher.verify(Password("another"), spelt)


async def test_others_hashes_are_of_what_was_typed_and_ours_of_nfc_and_none_is_tried_twice(
    hasher: Keyring, slots: CountingSlots
) -> None:
    typed = Password.parse("passe\u0301")
    ours = await hasher.hash(typed)
    theirs = PasswordHash("argon2" + Library(memory_cost=8, time_cost=1, parallelism=1).hash("passe\u0301"))
    assert await hasher.verify(typed, ours)
    assert await hasher.verify(typed, theirs)
    assert not await hasher.verify(typed, PasswordHash(theirs.encoded.removeprefix("argon2")))
