"""Decoys stand for people nobody has: as slow as the database's hashes, in their proportions (DESIGN section 2)."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from adapters.hashing import decoys as module
from adapters.hashing.argon2 import Argon2id
from adapters.hashing.decoys import Decoys
from adapters.hashing.keyring import Keyring
from application.ports.stored_hashes import Unusable
from domain.errors import Unavailable
from domain.password import NO_PASSWORD, Password, PasswordHash
from tests.support.hash_vectors import BY_FORM
from tests.support.hashing import CHEAP, CountingSlots, read

SLOW, MIDDLING, FAST = (
    PasswordHash(BY_FORM[form].encoded) for form in ("scrypt-better-auth", "fbscrypt", "passlib pbkdf2-sha256")
)
OWN = PasswordHash(BY_FORM["argon2id"].encoded)
CROWD = [f"person{number}@example.com" for number in range(10_000)]


class Sample:
    """Says what it was told to say."""

    def __init__(self, *stored: tuple[int, PasswordHash]) -> None:
        self.stored = [each for number, each in stored for _ in range(number)]

    async def __call__(self) -> Sequence[PasswordHash]:
        return self.stored


def decoys(key: bytes = bytes(32)) -> Decoys:
    return Decoys(key, OWN, lambda stored: read(stored.encoded))


def drawn(of: Decoys, identifiers: Sequence[str] = CROWD) -> list[float]:
    """How much work each of them is."""
    return [of.draw(identifier).work for identifier in identifiers]


def work(stored: PasswordHash) -> float:
    return read(stored.encoded).work


async def counted(*shares: tuple[int, PasswordHash], key: bytes = bytes(32)) -> Decoys:
    made = decoys(key)
    await made.count(Sample(*shares))
    return made


def test_before_anything_is_counted_there_are_ones_own_parameters() -> None:
    assert set(drawn(decoys())) == {work(OWN)}


async def test_an_empty_database_leaves_ones_own_parameters() -> None:
    assert set(drawn(await counted())) == {work(OWN)}


async def test_each_kind_is_as_frequent_as_in_the_database() -> None:
    found = Counter(drawn(await counted((600, FAST), (300, SLOW), (100, OWN))))
    assert found.keys() == {work(FAST), work(SLOW), work(OWN)}
    for stored, share in ((FAST, 0.6), (SLOW, 0.3), (OWN, 0.1)):
        assert found[work(stored)] / len(CROWD) == pytest.approx(share, abs=0.02)


async def test_a_database_of_others_hashes_alone_is_told_by_no_decoy() -> None:
    """As it would be if they were always made with one's own algorithm."""
    assert set(drawn(await counted((7, SLOW)))) == {work(SLOW)}


async def test_rare_kinds_are_drawn_too() -> None:
    found = Counter(drawn(await counted((995, OWN), (5, SLOW))))
    assert 0 < found[work(SLOW)] < 100


@pytest.mark.parametrize("form", BY_FORM)
async def test_hashes_that_take_the_same_are_one_kind_whatever_their_salts(form: str) -> None:
    """Else what somebody's hash takes would be told by whose turn it is among many kinds."""
    own = BY_FORM[form].encoded
    others = [PasswordHash(own[: -len(tail)] + tail) for tail in (own[-12:-2][::-1] + own[-2:],)]
    stored = [PasswordHash(own), *(each for each in others if _reads(each))]
    made = decoys()
    await made.count(Sample(*((1, each) for each in stored)))
    assert len({id(made.draw(identifier)) for identifier in CROWD[:200]}) == 1


def _reads(stored: PasswordHash) -> bool:
    try:
        read(stored.encoded)
    except Unusable:
        return False
    return True


async def test_the_same_identifier_is_always_the_same_kind() -> None:
    one, other = [await counted((500, FAST), (300, SLOW), (200, OWN)) for _ in range(2)]
    reordered = await counted((200, OWN), (500, FAST), (300, SLOW))
    assert drawn(one) == drawn(one) == drawn(other) == drawn(reordered)


async def test_which_identifier_is_which_kind_is_nobodys_to_work_out() -> None:
    shares = ((500, FAST), (500, SLOW))
    one, other = drawn(await counted(*shares)), drawn(await counted(*shares, key=bytes(31) + b"x"))
    same = sum(map(float.__eq__, one, other)) / len(CROWD)
    assert same == pytest.approx(0.5, abs=0.03)


async def test_as_people_leave_old_hashes_behind_an_identifier_turns_from_slow_to_fast_and_never_back() -> None:
    """As a person's does: an address that turned slow would be one that nobody has."""
    made, before = decoys(), [float("inf")] * len(CROWD)
    for moved in range(0, 501, 50):
        slow, middling = 500 - moved, 500 - moved // 2
        shares = ((slow, SLOW), (middling, MIDDLING), (1000 - slow - middling, FAST))
        await made.count(Sample(*shares))
        now = drawn(made)
        assert all(map(float.__le__, now, before))
        before = now
    assert set(before) == {work(MIDDLING), work(FAST)}


async def test_hashes_that_let_nobody_in_are_not_counted() -> None:
    unusable = [NO_PASSWORD, PasswordHash("garbage"), PasswordHash("$2b$31$" + "a" * 53)]
    found = Counter(drawn(await counted(*((1000, stored) for stored in unusable), (10, SLOW), (30, FAST))))
    assert found.keys() == {work(SLOW), work(FAST)}
    assert found[work(SLOW)] / len(CROWD) == pytest.approx(0.25, abs=0.02)
    assert set(drawn(await counted((1000, NO_PASSWORD)))) == {work(OWN)}


class Recorded:
    """`application.ports.stored_hashes.StoredHash` that notes who was tried."""

    work, memory_kib = 1.0, 1

    def __init__(self) -> None:
        self.tried: list[Password] = []

    def matches(self, password: Password) -> bool:
        self.tried.append(password)
        return True


async def test_the_work_of_a_decoy_is_done_in_a_slot() -> None:
    recorded, slots, typed = Recorded(), CountingSlots(), Password("engine of difference")
    keyring = Keyring(Argon2id(CHEAP), (lambda encoded: recorded,), slots, bytes(32))
    assert await keyring.verify_decoy(typed, CROWD[0]) is None  # type: ignore[func-returns-value]
    assert (recorded.tried, slots.runs) == ([typed], 1)
    slots.close()


async def test_counting_goes_on_when_the_database_was_away_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(module, "_SHARE_OF_TIME", 1.0)
    again = asyncio.Event()
    calls = 0

    async def sample() -> Sequence[PasswordHash]:
        nonlocal calls
        calls += 1
        if calls in (2, 3):
            raise Unavailable
        if calls > 4:
            again.set()
        return [SLOW if calls == 1 else FAST]

    made = decoys()
    async with made.counted(sample):
        assert set(drawn(made, CROWD[:10])) == {work(SLOW)}
        await asyncio.wait_for(again.wait(), 5)
        assert set(drawn(made, CROWD[:10])) == {work(FAST)}
    stopped = calls
    for _ in range(10):
        await asyncio.sleep(0)
    assert calls == stopped, "left is left"


async def test_a_database_that_is_away_at_the_start_is_told() -> None:
    async def sample() -> Sequence[PasswordHash]:
        raise Unavailable

    with pytest.raises(Unavailable):
        async with decoys().counted(sample):
            pytest.fail("nothing is served")
