"""Profile fields that the operator declares (R12): docs/profile.md."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.declared_fields import (
    LARGEST,
    SMALLEST,
    DeclaredField,
    DeclaredFields,
    FieldType,
    FieldValue,
    bytes_in_tokens,
    changed_fields,
)
from domain.errors import ValidationError, Violation
from domain.sentence import Sentence
from domain.violations import Broken, Violations


def field(name: str, kind: str = "string", **rules: Any) -> DeclaredField:
    return DeclaredField(name=name, type=FieldType(kind), label=name, **rules)


COMPANY = field("company", required=True, max_length=10)
SIZE = field("size", choices=("small", "große"), in_token=True)
SEATS = field("seats", "integer", minimum=1, maximum=500)
NEWS = field("news", "boolean")
PLAN = field("plan", choices=("free", "pro"), input=False, in_token=True)
DECLARED = DeclaredFields((COMPANY, SIZE, SEATS, NEWS, PLAN))


def judged(given: dict[str, Any], **how: bool) -> dict[str, FieldValue | None]:
    """What is accepted, where nothing is wrong."""
    violations = Violations()
    accepted = DECLARED.judge(violations, given, **how)
    violations.settle()
    return accepted


def broken(given: dict[str, Any], *already: Violation, **how: bool) -> set[tuple[str, str]]:
    """Every field that is refused, with the code."""
    violations = Violations(already)
    DECLARED.judge(violations, given, **how)
    try:
        violations.settle()
    except ValidationError as refusal:
        return {(violation.field, violation.code) for violation in refusal.violations}
    return set()


def test_what_fits_is_accepted_as_it_is() -> None:
    given = {"company": "Analytical", "size": "große", "seats": 500, "news": False}
    assert judged(given, joining=True) == given


def test_texts_are_trimmed_and_normalised() -> None:
    assert judged({"company": "  Zoe\u0308 & Co\n"}) == {"company": "Zoë & Co"}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("company", 1, "invalid_type"),
        ("company", True, "invalid_type"),
        ("company", ["x"], "invalid_type"),
        ("company", {"a": "b"}, "invalid_type"),
        ("company", "x" * 11, "too_long"),
        ("company", "x" * 100_000, "too_long"),
        ("company", "a\x00b", "invalid_characters"),
        ("company", "a\nb", "invalid_characters"),
        ("company", "a\u202eb", "invalid_characters"),
        ("company", "\u200d", "invalid_characters"),
        ("company", "\ud800", "invalid_characters"),
        ("company", None, "required"),
        ("company", "", "required"),
        ("company", " \t ", "required"),
        ("size", "Small", "not_a_choice"),
        ("size", "x" * 1000, "not_a_choice"),
        ("seats", 0, "out_of_range"),
        ("seats", 501, "out_of_range"),
        ("seats", 2**70, "out_of_range"),
        ("seats", True, "invalid_type"),
        ("seats", "1", "invalid_type"),
        ("seats", 1.0, "invalid_type"),
        ("seats", float("nan"), "invalid_type"),
        ("news", 1, "invalid_type"),
        ("news", "true", "invalid_type"),
        ("plan", "pro", "server_only"),
        ("plan", None, "server_only"),
        ("role", "admin", "unknown_field"),
        ("Company", "x", "unknown_field"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(name: str, value: object, code: str) -> None:
    given = {"company": "Engines", name: value}
    assert broken(given) == {(name, code)}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    given = {"size": "x", "seats": "1", "plan": "pro", "role": "admin"}
    assert broken(given, joining=True) == {
        ("company", "required"),
        ("size", "not_a_choice"),
        ("seats", "invalid_type"),
        ("plan", "server_only"),
        ("role", "unknown_field"),
    }


def test_what_the_edge_found_is_not_judged_again() -> None:
    assert broken({}, Violation("company", "invalid_type", Sentence("")), joining=True) == {("company", "invalid_type")}


def test_who_joins_gives_what_is_required_and_who_changes_gives_what_changes() -> None:
    assert broken({"seats": 3}, joining=True) == {("company", "required")}
    assert judged({"seats": 3}) == {"seats": 3}
    assert judged({}) == {}


@pytest.mark.parametrize("empty", [None, "", "   "])
def test_what_is_not_required_can_be_cleared(empty: str | None) -> None:
    assert judged({"size": empty}) == {"size": None}


def test_an_administrator_sets_every_field_by_the_same_rules() -> None:
    assert judged({"plan": "pro", "seats": 3}, by_administrator=True) == {"plan": "pro", "seats": 3}
    assert broken({"plan": "gold"}, by_administrator=True) == {("plan", "not_a_choice")}


def test_without_a_bound_numbers_have_64_bits() -> None:
    number = field("number", "integer")
    assert [number.parse(SMALLEST), number.parse(LARGEST)] == [-(2**63), 2**63 - 1]
    for beyond in (SMALLEST - 1, LARGEST + 1):
        with pytest.raises(Broken):
            number.parse(beyond)


def test_changes_take_their_place_and_leave_the_rest() -> None:
    stored: dict[str, FieldValue] = {"company": "Engines", "seats": 3, "of_old": "x"}
    assert changed_fields(stored, {"seats": None, "news": False}) == {
        "company": "Engines",
        "of_old": "x",
        "news": False,
    }


def test_every_field_is_shown_and_what_no_longer_fits_is_not() -> None:
    stored: dict[str, FieldValue] = {"company": "far too long by now", "seats": True, "news": False, "of_old": "x"}
    assert DECLARED.shown(stored) == {"company": None, "size": None, "seats": None, "news": False, "plan": None}
    assert DECLARED.in_token({"size": "small", "plan": "gold", "company": "Engines"}) == {"size": "small"}


def test_what_a_stranger_typed_can_be_wiped() -> None:
    assert DECLARED.without_input({"company": "Stranger's", "plan": "pro", "of_old": "x"}) == {"plan": "pro"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["small", "große", "x" * 10]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
NAMES = st.sampled_from([*sorted(DECLARED.names), "role", "id", "__proto__"])


@given(st.dictionaries(NAMES, ANYTHING), st.booleans(), st.booleans())
def test_whatever_is_given_is_refused_or_fits(given: dict[str, Any], joining: bool, by_administrator: bool) -> None:
    """Nothing else is accepted, nothing is lost without a word, and what was accepted is accepted again."""
    how = {"joining": joining, "by_administrator": by_administrator}
    refused = {name for name, _ in broken(given, **how)}
    if refused:
        assert refused <= {*given, "company"}
        return
    accepted = judged(given, **how)
    assert accepted.keys() == given.keys()
    stored = changed_fields({}, accepted)
    assert {name: value for name, value in DECLARED.shown(stored).items() if value is not None} == stored
    assert json.loads(json.dumps(stored)) == stored
    assert judged(stored, **(how | {"joining": False})) == stored
    for declared in DECLARED.all:
        value = stored.get(declared.name)
        assert (
            value is None
            or type(value).__name__ == {"string": "str", "integer": "int", "boolean": "bool"}[declared.type]
        )
    company = stored.get("company", "x")
    assert isinstance(company, str)
    assert 1 <= len(company) <= 10
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in company)


@given(st.text(min_size=1, max_size=10), st.integers(1, 500))
def test_a_token_grows_by_no_more_than_was_reckoned(company: str, seats: int) -> None:
    fields = DeclaredFields((field("company", max_length=10, in_token=True), field("seats", "integer", in_token=True)))
    violations = Violations()
    accepted = fields.judge(violations, {"company": company, "seats": seats})
    claims = fields.in_token(changed_fields({}, accepted))
    written = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    assert len(written) <= bytes_in_tokens(fields.all) + len("{}")
