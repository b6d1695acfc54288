"""Profile fields that the operator declares (R12)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.plain_text import plain_text
from domain.sentence import Sentence
from domain.violations import Broken, Violations

FieldValue = str | int | bool
"""What a declared field may hold."""

SMALLEST, LARGEST = -(2**63), 2**63 - 1
"""Whole numbers fit in 64 bits: what lies beyond is read by no database and few back ends."""

USUAL_LENGTH = 200
"""Characters of a string whose declaration says nothing else."""


class FieldType(StrEnum):
    """What kind of value a field takes."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredField:
    """One field. A string has at most `max_length` characters, or is one of `choices`; an integer lies within its
    bounds. The value is never converted: "1" is no integer, and neither are `true` and 1.0.
    """

    name: str
    type: FieldType
    label: str
    required: bool = False
    input: bool = True
    """Whether its owner may set it; else administrators do."""
    in_token: bool = False
    """Whether access tokens carry it."""
    max_length: int = USUAL_LENGTH
    choices: tuple[str, ...] = ()
    minimum: int = SMALLEST
    maximum: int = LARGEST

    def parse(self, given: object) -> FieldValue | None:
        """The value that was given; None for a string of nothing but spaces. Raises `Broken` with the rule it breaks,
        which is `required` for such a string where the field is."""
        match self.type, given:
            case FieldType.STRING, str():
                return self._text(given)
            case FieldType.BOOLEAN, bool():
                return given
            case FieldType.INTEGER, int() if not isinstance(given, bool):
                if not self.minimum <= given <= self.maximum:
                    raise Broken(
                        "out_of_range",
                        Sentence(
                            "Give a whole number from %(least)d to %(most)d.", least=self.minimum, most=self.maximum
                        ),
                    )
                return given
            case _:
                raise Broken("invalid_type", Sentence("This is not the kind of value that belongs here."))

    def _text(self, given: str) -> str | None:
        try:
            text = plain_text(given, self.max_length)
        except Broken:
            if not self.choices:
                raise
            text = given  # no choice either, which is said below
        if not text:
            if self.required:
                raise Broken("required", Sentence("This field is required."))
            return None
        if self.choices and text not in self.choices:
            raise Broken("not_a_choice", Sentence("Choose one of: %(choices)s.", choices=", ".join(self.choices)))
        return text

    def fits(self, stored: object) -> bool:
        """Whether a value that was stored once, perhaps under an older declaration, is still one of this field's."""
        try:
            return self.parse(stored) == stored
        except Broken:
            return False

    @property
    def most_bytes(self) -> int:
        """How many bytes the longest value takes, in UTF-8 and between quotes."""
        match self.type:
            case FieldType.STRING:
                characters = max(map(len, self.choices)) if self.choices else self.max_length
                return 4 * characters + 2
            case FieldType.INTEGER:
                return len(str(SMALLEST))
            case FieldType.BOOLEAN:
                return len("false")


@dataclass(frozen=True, slots=True)
class DeclaredFields:
    """Every declared field, in the operator's order."""

    all: tuple[DeclaredField, ...] = ()

    @property
    def asked_for(self) -> tuple[DeclaredField, ...]:
        """Those that their owner may set."""
        return tuple(field for field in self.all if field.input)

    @property
    def names(self) -> frozenset[str]:
        """What they are called."""
        return frozenset(field.name for field in self.all)

    def judge(
        self,
        violations: Violations,
        given: Mapping[str, object],
        *,
        joining: bool = False,
        by_administrator: bool = False,
    ) -> dict[str, FieldValue | None]:
        """What is to be stored of what was given, None where a field is to be cleared. Notes every broken rule.

        Only what is given changes; `joining`, who leaves out a required field is told so. An owner may not name a field
        that is not theirs to set, not even with the value it has.
        """
        theirs = self.all if by_administrator else self.asked_for
        for name in given:
            if name not in self.names:
                violations.add(name, "unknown_field", Sentence("There is no such field."))
            elif name not in {field.name for field in theirs}:
                violations.add(name, "server_only", Sentence("This field is not yours to set."))
        accepted: dict[str, FieldValue | None] = {}
        for field in theirs:
            if field.name in given or (joining and field.required):
                parse = violations.parse if field.required else violations.parse_optional
                accepted[field.name] = parse(field.name, given.get(field.name), field.parse)
        return accepted

    def shown(self, stored: Mapping[str, FieldValue]) -> dict[str, FieldValue | None]:
        """Every field with what a user has in it, or None. What is stored and no longer fits its declaration, or is no
        longer declared, is not shown."""
        return {field.name: _fitting(field, stored) for field in self.all}

    def in_token(self, stored: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
        """What access tokens say of it: only what is there."""
        values = {field.name: _fitting(field, stored) for field in self.all if field.in_token}
        return {name: value for name, value in values.items() if value is not None}

    def without_input(self, stored: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
        """What is left when everything that its owner may have typed is wiped."""
        theirs = {field.name for field in self.all if not field.input}
        return {name: value for name, value in stored.items() if name in theirs}


def changed_fields(stored: Mapping[str, FieldValue], changes: Mapping[str, FieldValue | None]) -> dict[str, FieldValue]:
    """What is stored once the changes are made."""
    merged = {**stored, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def bytes_in_tokens(fields: Iterable[DeclaredField]) -> int:
    """How many bytes these fields add to an access token at most, before it is encoded."""
    return sum(len(f'"{field.name}":,') + field.most_bytes for field in fields if field.in_token)


def _fitting(field: DeclaredField, stored: Mapping[str, FieldValue]) -> FieldValue | None:
    value = stored.get(field.name)
    return value if value is not None and field.fits(value) else None
