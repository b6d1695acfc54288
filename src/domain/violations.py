"""Collects every broken rule of one request, so that a person is told all of them at once (R07, R70)."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from domain.errors import ValidationError, Violation
from domain.sentence import Sentence

Given = TypeVar("Given")
Parsed = TypeVar("Parsed")


class Broken(ValueError):
    """Raised by a domain parser: the rule's stable code and a sentence; the field is the caller's to name."""

    def __init__(self, code: str, message: Sentence) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Violations:
    """The findings so far. A field that the edge found malformed is reported once and not judged again."""

    def __init__(self, already_found: Iterable[Violation] = ()) -> None:
        self._found = list(already_found)

    def add(self, field: str, code: str, message: Sentence) -> None:
        """Note one broken rule of `field`."""
        self._found.append(Violation(field, code, message))

    def parse(self, field: str, given: Given | None, parser: Callable[[Given], Parsed]) -> Parsed | None:
        """What `parser` makes of a required field, or None with the reason noted."""
        if any(violation.field == field for violation in self._found):
            return None
        if given is None:
            self.add(field, "required", Sentence("This field is required."))
            return None
        try:
            return parser(given)
        except Broken as broken:
            self.add(field, broken.code, broken.message)
            return None

    def parse_optional(self, field: str, given: Given | None, parser: Callable[[Given], Parsed]) -> Parsed | None:
        """Like `parse`, but a missing field is fine."""
        return None if given is None else self.parse(field, given, parser)

    def settle(self) -> None:
        """Raise `ValidationError` with everything found, if anything was."""
        if self._found:
            raise ValidationError(self._found)
