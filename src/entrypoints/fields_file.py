"""The file that declares the operator's own profile fields (docs/profile.md): TOML, read once, at start."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.declared_fields import (
    LARGEST,
    SMALLEST,
    USUAL_LENGTH,
    DeclaredField,
    DeclaredFields,
    FieldType,
    bytes_in_tokens,
)
from domain.plain_text import plain_text
from domain.violations import Broken
from entrypoints.setting_values import existing_file

MOST_FIELDS = 20
MOST_LENGTH = 1000
MOST_BYTES = 12 * 1024
"""What all values of one person come to at most: they fit into one request of 16 KiB with the rest of a sign-up."""
MOST_BYTES_IN_TOKENS = 1200
"""A token that is longer than 4 KiB fits into no cookie, and is refused by ourselves."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII | re.IGNORECASE)
_LONGEST_LABEL = 100

_RESERVED_TEXT = """
id user user_id email email_verified name username role roles created_at updated_at disabled disabled_at
first_signed_in_at password password_confirm current_password new_password password_hash fields
transport remember locale device_token refresh_token access_token token token_type expires_in session_id
iss sub aud exp nbf iat jti sid azp nonce auth_time acr amr cnf act scope client_id groups entitlements typ
"""


def squashed(name: str) -> str:
    """A name as hasty eyes read it: `emailVerified` passes for `email_verified`."""
    return name.replace("_", "").lower()


RESERVED = frozenset(map(squashed, _RESERVED_TEXT.split()))
"""Names of ours, of tokens and of what may be asked for one day."""

_NOT_GIVEN = object()


class SeveralProblems(ValueError):
    """Several things are wrong with one setting; each gets a line of its own."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class FieldsFile:
    """A file, and what it declares."""

    path: Path
    declared: DeclaredFields

    def __str__(self) -> str:
        return str(self.path)


def fields_file(text: str) -> FieldsFile | None:
    """The file at this path, read; none when empty. Raises ValueError, which lists everything that is wrong in it."""
    path = existing_file(text)
    if path is None:
        return None
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as trouble:
        raise ValueError(f"{path}: this is not TOML: {trouble}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: expected text in UTF-8") from None
    except OSError as trouble:
        raise ValueError(f"{path}: cannot be read ({type(trouble).__name__})") from None
    problems: list[str] = []
    declared = [_field(name, table, problems) for name, table in document.items()]
    fields = DeclaredFields(tuple(field for field in declared if field is not None))
    problems += _of_all(document, fields)
    if problems:
        raise SeveralProblems([f"{path}: {problem}" for problem in problems])
    return FieldsFile(path, fields)


def _of_all(document: Mapping[str, Any], fields: DeclaredFields) -> Iterator[str]:
    if len(document) > MOST_FIELDS:
        yield f"{len(document)} fields; at most {MOST_FIELDS} can be declared"
    total = sum(field.most_bytes for field in fields.all)
    if total > MOST_BYTES:
        yield f"the values of one person could take {total} bytes, at most {MOST_BYTES} may; lower some max_length"
    in_tokens = bytes_in_tokens(fields.all)
    if in_tokens > MOST_BYTES_IN_TOKENS:
        yield (
            f"the fields with in_token could add {in_tokens} bytes to an access token, at most {MOST_BYTES_IN_TOKENS} "
            "may; lower some max_length (a character counts as 4 bytes)"
        )
    seen: dict[str, str] = {}
    for name in document:
        if (other := seen.setdefault(squashed(name), name)) != name:
            yield f"{name}: too much like {other}"


def _field(name: str, table: object, problems: list[str]) -> DeclaredField | None:
    """The field that a table declares, or None with everything that is wrong with it noted."""
    found: list[str] = []
    if not _NAME.fullmatch(name):
        # Not repeated whole: this may be the wrong file.
        found.append("a name has 1 to 32 of a-z, A-Z, 0-9 and _, and begins with a letter")
    elif squashed(name) in RESERVED:
        found.append("this name is taken by Ostiary or by a standard claim; choose another")
    field = None
    if not isinstance(table, dict):
        found.append(f"expected a table of its own, such as [{name[:32]}]")
    else:
        field = _Table(table, found).field(name)
    problems += [f"{name[:32]}: {problem}" for problem in found]
    return None if found else field


class _Table:
    """One field's table, taken apart key by key."""

    def __init__(self, table: Mapping[str, Any], problems: list[str]) -> None:
        self._left = dict(table)
        self._problems = problems

    def field(self, name: str) -> DeclaredField | None:
        """What it declares; good for something only if no problem was noted."""
        if "type" not in self._left:
            self._problems.append("type is missing: string, integer or boolean")
        named = self._take("type", _kind, None)
        given: dict[str, Any] = {
            "label": self._take("label", _label, name.replace("_", " ").capitalize()),
            "required": self._take("required", _switch, default=False),
            "input": self._take("input", _switch, default=True),
            "in_token": self._take("in_token", _switch, default=False),
        }
        if named is FieldType.STRING:
            if "choices" in self._left:
                given["choices"] = choices = self._take("choices", _choices, ())
                given["max_length"] = max(map(len, choices), default=0)
            else:
                given["max_length"] = self._take("max_length", _length, USUAL_LENGTH)
        if named is FieldType.INTEGER:
            given["minimum"] = self._take("minimum", _bound, SMALLEST)
            given["maximum"] = self._take("maximum", _bound, LARGEST)
            if given["minimum"] > given["maximum"]:
                self._problems.append("minimum is above maximum: no number fits")
        if given["required"] and not given["input"]:
            self._problems.append("required asks a person for what input = false forbids them to give; drop one")
        if named is None:
            return None
        self._problems += [f"{key[:32]} is no key of this type of field" for key in self._left]
        return DeclaredField(name=name, type=named, **given)

    def _take(self, key: str, read: Callable[[Any], Any], default: Any) -> Any:
        value = self._left.pop(key, _NOT_GIVEN)
        if value is _NOT_GIVEN:
            return default
        try:
            return read(value)
        except ValueError as wrong:
            self._problems.append(f"{key}: {wrong}")
            return default


def _kind(value: object) -> FieldType:
    for kind in FieldType:
        if value == kind:
            return kind
    raise ValueError("expected string, integer or boolean")


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def _label(value: object) -> str:
    try:
        label = plain_text(value, _LONGEST_LABEL) if isinstance(value, str) else ""
    except Broken:
        label = ""
    if not label:
        raise ValueError(f"expected 1 to {_LONGEST_LABEL} characters of text")
    return label


def _length(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_LENGTH:
        raise ValueError(f"expected a whole number from 1 to {MOST_LENGTH}")
    return value


def _bound(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not SMALLEST <= value <= LARGEST:
        raise ValueError("expected a whole number of at most 64 bits")
    return value


def _choices(value: object) -> tuple[str, ...]:
    wrong = ValueError("expected a list of different texts without spaces around them, each of at most 200 characters")
    if not isinstance(value, list) or not value or len(value) > MOST_LENGTH:
        raise wrong
    for choice in value:
        try:
            kept = plain_text(choice, USUAL_LENGTH) if isinstance(choice, str) else None
        except Broken:
            raise wrong from None
        if not kept or kept != choice:
            raise wrong
    if len(set(value)) != len(value):
        raise wrong
    return tuple(value)
