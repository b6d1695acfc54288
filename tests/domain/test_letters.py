"""When a letter is tried again (R83): docs/letters.md."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.letters import retry_delay

attempts = st.integers(0, 10_000)
luck = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 10), (2, 20), (3, 40), (8, 1280), (9, 1800), (100, 1800), (10_000, 1800)]
)
def test_the_wait_doubles_from_10_seconds_up_to_30_minutes(attempt: int, seconds: float) -> None:
    assert retry_delay(attempt, 0.5) == timedelta(seconds=seconds)


@given(attempts, luck)
def test_chance_moves_a_wait_by_a_quarter_at_most(attempt: int, chance: float) -> None:
    usual = retry_delay(attempt, 0.5)
    assert usual * 0.75 <= retry_delay(attempt, chance) <= usual * 1.25


@given(attempts, luck)
def test_a_wait_is_never_shorter_than_7_seconds_nor_longer_than_38_minutes(attempt: int, chance: float) -> None:
    assert timedelta(seconds=7) < retry_delay(attempt, chance) < timedelta(minutes=38)


@given(st.integers(1, 100), luck)
def test_a_later_attempt_never_waits_less_by_the_same_chance(attempt: int, chance: float) -> None:
    assert retry_delay(attempt, chance) <= retry_delay(attempt + 1, chance)
