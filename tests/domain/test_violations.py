"""All broken rules of a request at once (R07, R70): docs/sign-up.md."""

import pytest

from domain.email_address import EmailAddress
from domain.errors import ValidationError, Violation
from domain.sentence import Sentence
from domain.username import Username
from domain.violations import Violations


def found_in(violations: Violations) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        violations.settle()
    return [(violation.field, violation.code) for violation in caught.value.violations]


def test_nothing_found_is_nothing_raised() -> None:
    violations = Violations()
    assert violations.parse("email", "ada@example.com", EmailAddress.parse)
    assert violations.parse_optional("username", None, Username.parse) is None
    violations.settle()


def test_every_field_is_judged_before_anything_is_said() -> None:
    violations = Violations()
    violations.parse("email", "nonsense", EmailAddress.parse)
    violations.parse("username", "x", Username.parse)
    violations.parse("name", None, Username.parse)
    assert found_in(violations) == [("email", "invalid_email"), ("username", "invalid_length"), ("name", "required")]


def test_a_field_that_could_not_be_read_is_reported_once_with_the_others() -> None:
    violations = Violations([Violation("email", "not_text", Sentence("Text is expected here."))])
    assert violations.parse("email", None, EmailAddress.parse) is None
    violations.parse("username", "admin", Username.parse)
    assert found_in(violations) == [("email", "not_text"), ("username", "reserved")]
