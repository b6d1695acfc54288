"""How a device mark is written (DESIGN section 4): docs/sign-in.md."""

import base64
import dataclasses
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.device_mark import MARK_LIFETIME, MOST_MARKS, DeviceMark

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LENGTH = 146

sixteen = st.binary(min_size=16, max_size=16)
marks = st.builds(
    DeviceMark,
    sixteen,
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    sixteen,
    sixteen,
    sixteen,
    st.binary(min_size=32, max_size=32),
)


@given(marks)
def test_a_mark_reads_as_it_is_written(mark: DeviceMark) -> None:
    assert len(mark.text) == LENGTH
    assert DeviceMark.parse(mark.text) == mark


@given(marks, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_a_changed_character_is_refused_or_makes_another_mark(mark: DeviceMark, place: int, char: str) -> None:
    changed = mark.text[:place] + char + mark.text[place + 1 :]
    assert changed == mark.text or DeviceMark.parse(changed) != mark


@given(marks, st.integers(0, LENGTH), st.sampled_from(["=", "+", "/", " ", "\n", "\x00", ".", "A", "é"]))
def test_padding_and_anything_else_put_in_is_refused(mark: DeviceMark, place: int, char: str) -> None:
    assert DeviceMark.parse(mark.text[:place] + char + mark.text[place:]) is None


@given(marks, st.integers(0, LENGTH - 1))
def test_anything_cut_off_is_refused(mark: DeviceMark, length: int) -> None:
    assert DeviceMark.parse(mark.text[:length]) is None


@given(marks, st.integers(0, 255).filter(lambda version: version != 2))
def test_a_mark_of_another_version_is_refused(mark: DeviceMark, version: int) -> None:
    packed = base64.urlsafe_b64decode(mark.text + "==")
    assert DeviceMark.parse(base64.urlsafe_b64encode(bytes([version]) + packed[1:]).rstrip(b"=").decode()) is None


@given(st.text())
def test_arbitrary_text_holds_no_marks_and_is_no_error(text: str) -> None:
    assert DeviceMark.parse_all(text) == []


@given(st.lists(marks, max_size=MOST_MARKS))
def test_a_device_reads_the_marks_it_holds_in_their_order(held: list[DeviceMark]) -> None:
    assert DeviceMark.parse_all(DeviceMark.join(held)) == held


@given(st.lists(marks, min_size=MOST_MARKS + 1, max_size=MOST_MARKS + 40))
def test_more_than_a_device_may_hold_are_none(held: list[DeviceMark]) -> None:
    assert DeviceMark.parse_all(DeviceMark.join(held)) == []


@given(marks, marks, st.text(alphabet=ALPHABET + "= é", max_size=130))
def test_what_is_no_mark_is_left_out_and_the_others_stay(one: DeviceMark, other: DeviceMark, text: str) -> None:
    assert DeviceMark.parse_all(f"{one.text}.{text}.{other.text}") == [one, other]


@given(marks, st.sampled_from(["device_id", "address_tag", "username_tag", "user_tag"]), sixteen)
def test_all_but_the_mac_is_sealed(mark: DeviceMark, part: str, value: bytes) -> None:
    fields = {each.name: getattr(mark, each.name) for each in dataclasses.fields(mark)}
    other = DeviceMark(**{**fields, part: value})
    assert (other.sealed_part == mark.sealed_part) == (other == mark)
    later = DeviceMark(**{**fields, "expires_at": mark.expires_at ^ 1})
    assert later.sealed_part != mark.sealed_part
    newer = DeviceMark(**{**fields, "credential_version": mark.credential_version ^ 1})
    assert newer.sealed_part != mark.sealed_part


def test_a_mark_is_good_until_it_expires_and_not_at_that_moment() -> None:
    mark = DeviceMark(bytes(16), int((NOON + MARK_LIFETIME).timestamp()), 1, bytes(16), bytes(16), bytes(16))
    assert mark.alive(NOON)
    assert mark.alive(NOON + timedelta(days=180, microseconds=-1))
    assert not mark.alive(NOON + timedelta(days=180))


def test_the_mac_does_not_show_itself() -> None:
    assert "mac" not in repr(DeviceMark(bytes(16), 0, 1, bytes(16), bytes(16), bytes(16), bytes(32)))
