"""The contract of `application.ports.tokens.DeviceMarks` (DESIGN section 4): docs/sign-in.md."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.signing import HmacDeviceMarks, MasterSecret
from domain.device_mark import DeviceMark
from domain.email_address import EmailAddress
from domain.user import User
from domain.username import Username
from tests.support.store_samples import NOW, a_user

SECRET = MasterSecret(b"an example of a secret, 32 bytes or more")
OTHER = MasterSecret(b"another example of a secret of 32 bytes")
RETIRED = MasterSecret(b"the secret of last year, 32 bytes or more")

ADA = a_user(email=EmailAddress("ada@example.com"), username=Username("countess"))
BOB = a_user(email=EmailAddress("bob@example.com"))
HALF_A_YEAR = timedelta(days=180)
TICK = timedelta(microseconds=1)


class Counting:
    """`Randomness` that never says the same twice."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def bytes(self, count: int) -> bytes:
        return next(self._numbers).to_bytes(count)

    def fraction(self) -> float:
        return 0.5


class Marks(HmacDeviceMarks):
    """For tests to whom the credential version does not matter."""

    def mark(self, user: User, held: str | None, now: datetime, *, version: int = 1) -> str:  # type: ignore[override]
        return super().mark(user, version, held, now)


@pytest.fixture
def marks() -> Marks:
    return Marks([SECRET], Counting())


def person(number: int) -> User:
    return a_user(email=EmailAddress(f"person{number}@example.com"))


def test_a_device_is_recognised_by_the_address_and_by_the_username_of_its_owner(marks: Marks) -> None:
    held = marks.mark(ADA, None, NOW)
    by_address = marks.recognises(held, ADA.email, NOW)
    assert by_address is not None
    assert ADA.username is not None
    assert marks.recognises(held, ADA.username, NOW) == by_address


def test_a_mark_for_one_person_is_nothing_to_another(marks: Marks) -> None:
    held = marks.mark(ADA, None, NOW)
    for identifier in (BOB.email, Username("duchess"), EmailAddress("ada@example.org")):
        assert marks.recognises(held, identifier, NOW) is None


def test_an_address_is_no_username_and_nobodys_missing_username_is_recognised(marks: Marks) -> None:
    held = marks.mark(BOB, None, NOW)
    assert marks.recognises(held, Username("bob@example.com"), NOW) is None
    assert marks.recognises(held, Username(""), NOW) is None
    assert marks.recognises(marks.mark(ADA, None, NOW), EmailAddress("countess"), NOW) is None


def test_every_device_has_an_id_of_its_own_and_keeps_it_when_it_is_marked_anew(marks: Marks) -> None:
    first, second = marks.mark(ADA, None, NOW), marks.mark(ADA, None, NOW)
    ids = {marks.recognises(held, ADA.email, NOW) for held in (first, second)}
    assert len(ids) == 2
    renewed = marks.mark(ADA, first, NOW + HALF_A_YEAR / 2)
    assert renewed != first
    assert marks.recognises(renewed, ADA.email, NOW) == marks.recognises(first, ADA.email, NOW)
    assert len(renewed) == len(first), "one mark a person"


def test_it_also_keeps_its_id_when_its_owner_has_another_address_or_username_by_now(marks: Marks) -> None:
    held = marks.mark(ADA, None, NOW)
    moved = replace(ADA, email=EmailAddress("countess@example.com"))
    renewed = marks.mark(moved, held, NOW)
    assert marks.recognises(renewed, moved.email, NOW) == marks.recognises(held, ADA.email, NOW)
    assert marks.recognises(renewed, ADA.email, NOW) is None


def test_a_mark_is_good_for_180_days_and_as_long_again_when_renewed(marks: Marks) -> None:
    held = marks.mark(ADA, None, NOW)
    late = NOW + HALF_A_YEAR - timedelta(seconds=1)
    assert marks.recognises(held, ADA.email, late)
    assert marks.recognises(held, ADA.email, NOW + HALF_A_YEAR) is None
    renewed = marks.mark(ADA, held, late)
    assert marks.recognises(renewed, ADA.email, NOW + HALF_A_YEAR)


def test_an_expired_mark_is_not_carried_on_and_its_device_is_a_new_one(marks: Marks) -> None:
    held, later = marks.mark(ADA, None, NOW), NOW + HALF_A_YEAR
    assert len(DeviceMark.parse_all(marks.mark(BOB, held, later))) == 1
    anew = marks.mark(ADA, held, later)
    assert marks.recognises(anew, ADA.email, later) != marks.recognises(held, ADA.email, NOW)


def test_up_to_four_people_share_a_device_and_of_more_the_last_are_known(marks: Marks) -> None:
    people, held = [person(number) for number in range(6)], None
    for each in people[:4]:
        held = marks.mark(each, held, NOW)
    assert all(marks.recognises(held, each.email, NOW) for each in people[:4])
    held = marks.mark(people[0], held, NOW)  # who signs in again is not the first to go
    held = marks.mark(people[4], held, NOW)
    known = [bool(marks.recognises(held, each.email, NOW)) for each in people]
    assert known == [True, False, True, True, True, False]


def test_people_who_share_a_device_have_ids_of_their_own(marks: Marks) -> None:
    held = marks.mark(BOB, marks.mark(ADA, None, NOW), NOW)
    assert marks.recognises(held, ADA.email, NOW) != marks.recognises(held, BOB.email, NOW)


@pytest.mark.parametrize("held", [None, "", ".", "....", "x", "A" * 119, "A" * 100_000, "=", "é", "\x00", "a.b.c.d.e"])
def test_what_is_no_mark_is_nothing_and_no_error(marks: Marks, held: str | None) -> None:
    assert marks.recognises(held, ADA.email, NOW) is None
    fresh = marks.mark(ADA, held, NOW)
    assert len(DeviceMark.parse_all(fresh)) == 1
    assert marks.recognises(fresh, ADA.email, NOW)


def test_a_mark_with_any_character_changed_is_nothing(marks: Marks) -> None:
    held = marks.mark(ADA, None, NOW)
    for place, char in enumerate(held):
        forged = held[:place] + ("A" if char != "A" else "B") + held[place + 1 :]
        assert marks.recognises(forged, ADA.email, NOW) is None, place
    for forged in (held + "=", held + "A", held[:-1], f'"{held}"', held.swapcase(), f" {held}"):
        assert marks.recognises(forged, ADA.email, NOW) is None


def test_a_forged_mark_is_not_sealed_by_being_carried_on(marks: Marks) -> None:
    """Or whoever signs in as themselves could have a mark for another made good."""
    forged = Marks([OTHER], Counting()).mark(ADA, None, NOW)
    assert marks.recognises(marks.mark(BOB, forged, NOW), ADA.email, NOW) is None


def test_a_mark_under_another_secret_is_nothing(marks: Marks) -> None:
    assert marks.recognises(Marks([OTHER], Counting()).mark(ADA, None, NOW), ADA.email, NOW) is None


def test_an_accepted_secret_recognises_and_does_not_mark() -> None:
    """Rotation (DESIGN section 3): nobody's device is forgotten as long as the old secret is accepted."""
    old, rotated, new = (Marks(secrets, Counting()) for secrets in ([RETIRED], [SECRET, RETIRED], [SECRET]))
    held = old.mark(BOB, old.mark(ADA, None, NOW), NOW)
    before = old.recognises(held, ADA.email, NOW)
    assert before is not None
    assert rotated.recognises(held, ADA.email, NOW) == before
    assert rotated.is_of(before, ADA)
    renewed = rotated.mark(ADA, held, NOW)
    after = new.recognises(renewed, ADA.email, NOW)
    assert after is not None
    assert (after.id, new.is_of(after, ADA)) == (before.id, True)
    assert old.recognises(renewed, ADA.email, NOW) is None
    assert rotated.recognises(renewed, BOB.email, NOW), "whose mark is of last year still"
    assert new.recognises(renewed, BOB.email, NOW) is None


def test_a_mark_says_neither_whose_it_is_nor_that_two_devices_are_one_persons_under_another_secret(
    marks: Marks,
) -> None:
    [mark] = DeviceMark.parse_all(marks.mark(ADA, None, NOW))
    [elsewhere] = DeviceMark.parse_all(Marks([OTHER], Counting()).mark(ADA, None, NOW))
    assert mark.address_tag != elsewhere.address_tag
    assert b"ada" not in mark.sealed_part
    assert mark.username_tag != bytes(16)
    [without] = DeviceMark.parse_all(marks.mark(BOB, None, NOW))
    assert without.username_tag == bytes(16)


def test_a_mark_says_under_which_credential_its_owner_was_let_in(marks: Marks) -> None:
    held = marks.mark(ADA, None, NOW)
    renewed = marks.mark(ADA, held, NOW, version=2)
    before, after = (marks.recognises(each, ADA.email, NOW) for each in (held, renewed))
    assert before is not None
    assert after is not None
    assert (before.credential_version, after.credential_version) == (1, 2)
    assert before.id == after.id


def test_whoever_had_the_address_or_the_username_before_is_somebody_else(marks: Marks) -> None:
    """Every account begins at the same credential version, so the version alone would let their mark count."""
    known = marks.recognises(marks.mark(ADA, None, NOW), ADA.email, NOW)
    assert known is not None
    assert marks.is_of(known, ADA)
    assert not marks.is_of(known, a_user(email=ADA.email, username=ADA.username))
