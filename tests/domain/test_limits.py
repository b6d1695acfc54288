"""Quotas (R60-R62): docs/sign-in.md and docs/sign-up.md."""

from dataclasses import fields
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.limits import Charge, Quota, Quotas, Unit

DURATIONS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@given(st.integers(1, 9_999_999), st.integers(1, 99_999), st.sampled_from("smhd"))
def test_a_quota_reads_as_it_is_written_and_back(count: int, size: int, unit: str) -> None:
    quota = Quota.parse(f"{count}/{size}{unit}")
    assert quota == Quota(count, size * DURATIONS[unit])
    assert Quota.parse(str(quota)) == quota


def test_one_of_a_unit_needs_no_number() -> None:
    assert Quota.parse("5/h") == Quota.parse("5/1h") == Quota.parse("5/60m")


def test_off_is_no_quota_at_all() -> None:
    assert Quota.parse("off") is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "5/", "/15m", "0/15m", "5/0m", "-5/15m", "5/-15m", "5/15", "5/15w", "5 / 15m", "5/15m\n", "5/1.5h"),
        *("05/15m", "5/m15", "five/15m", "٥/15m", "99999999/1s", "5/100000s", "OFF", "none", "5/15m,6/1h"),
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="5/15m"):
        Quota.parse(text)


def test_out_of_the_box_the_limits_are_those_that_the_documentation_names() -> None:
    defaults = {field.name: str(getattr(Quotas(), field.name)) for field in fields(Quotas)}
    assert defaults == {
        "sign_in_pair": "5/15m",
        "sign_in_address": "20/15m",
        "sign_in_client": "100/15m",
        "sign_in_device": "10/15m",
        "sign_up_client": "5/1h",
        "sign_up_address": "5/1h",
        "letter_minute": "1/1m",
        "letter_hour": "5/1h",
        "letter_day": "20/1d",
        "letter_client": "30/15m",
        "owner_notice": "1/1h",
        "token_client": "30/15m",
        "waiting_password": "5/2d",
        "own_password": "5/15m",
        "notice": "5/1h",
        "username_change": "5/1d",
    }


def test_only_what_the_caller_did_itself_may_be_told_in_numbers() -> None:
    told = {spec.name for spec in fields(Quotas) if Quotas().limit(spec.name).per_client}
    assert told == {
        "sign_in_client",
        "sign_in_device",
        "sign_up_client",
        "letter_client",
        "token_client",
        "username_change",
    }


def test_whom_a_limit_is_about_is_not_shown() -> None:
    charge = Charge(Quotas().limit("sign_in_address"), "ada@example.com")
    assert "ada" not in repr(charge)
    assert "ada" not in repr(Unit("sign_in_address", b"ada", "1"))
