"""Bodies: one strict reading of JSON (M1-M4), with every misfit named."""

import re
from typing import Any, ClassVar, Literal, TypeVar

import msgspec
from litestar import Request
from msgspec import Struct

from domain.errors import ValidationError, Violation
from domain.sentence import Sentence
from entrypoints.http.problems import EdgeRefusal
from entrypoints.settings import Settings

MAX_BYTES = 16 * 1024
MAX_DEPTH = 8

# Possessive, and content with an unclosed end: a body of backslashes would otherwise be tried in every way (R72).
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTENT_TYPE = re.compile(r'application/json(?:\s*;\s*charset="?utf-8"?)?\s*', re.IGNORECASE)

Purpose = Literal["no", "to join", "to change", "to administer"]
"""Whether the operator's declared fields may stand in a body, and who sets them by it."""

BodyT = TypeVar("BodyT", bound="Body")


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request body. Every field may be missing here; `REQUIRED` ones are asked for by `decode`."""

    REQUIRED: ClassVar[tuple[str, ...]] = ()
    DECLARED: ClassVar[Purpose] = "no"
    """Whether the operator's declared fields may stand beside these, and what for (`decode_profile`)."""

    @classmethod
    def required_besides(cls, settings: Settings) -> list[str]:
        """What these settings require on top; the use case asks for it, and the API's description says so."""
        return []

    @classmethod
    def clearable(cls, settings: Settings) -> list[str]:
        """Where these settings let null stand."""
        return []


async def decode(request: Request[Any, Any, Any], shape: type[BodyT]) -> BodyT:
    """The body as `shape`. Raises `ValidationError` for unknown, missing and misfit fields together."""
    body, misfits = await decode_leniently(request, shape)
    named = {misfit.field for misfit in misfits}
    misfits += [
        Violation(name, "required", Sentence("This field is required."))
        for name in shape.REQUIRED
        if getattr(body, name) is None and name not in named
    ]
    if misfits:
        raise ValidationError(misfits)
    return body


async def decode_leniently(request: Request[Any, Any, Any], shape: type[BodyT]) -> tuple[BodyT, list[Violation]]:
    """The fields that fit, and what is wrong with the others, for a use case to report with its own findings."""
    body, _, misfits = await decode_profile(request, shape, frozenset())
    return body, misfits


async def decode_profile(
    request: Request[Any, Any, Any], shape: type[BodyT], declared: frozenset[str], *, clearable: bool = False
) -> tuple[BodyT, dict[str, Any], list[Violation]]:
    """The same for a body that declared fields may stand in: what was given for those is the use case's to judge.

    `clearable` lets null through, where the shape has a place for it.
    """
    document = await _read_object(request)
    known = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    misfits, fitting, given = [], {}, {}
    for name, value in document.items():
        if name in declared:
            given[name] = value
            if value is None and not clearable:
                misfits.append(_misfit(name))
        elif name not in known:
            misfits.append(Violation(_shown(name), "unknown_field", Sentence("There is no such field.")))
        elif isinstance(value, str) and _CONTROLS.search(value):
            misfits.append(Violation(name, "invalid_characters", Sentence("Control characters are not accepted.")))
        else:
            try:
                if value is None and not clearable:
                    raise msgspec.ValidationError  # null is not the same as missing
                fitting[known[name].name] = msgspec.convert(value, known[name].type)
            except msgspec.ValidationError:
                misfits.append(_misfit(name))
    return shape(**fitting), given, misfits


def _misfit(name: str) -> Violation:
    return Violation(name, "invalid_type", Sentence("This is not the kind of value that belongs here."))


async def _read_object(request: Request[Any, Any, Any]) -> dict[str, Any]:
    content_type = request.headers.get("content-type", "")
    raw = await request.body()
    if not raw and not content_type:
        return {}
    if not _CONTENT_TYPE.fullmatch(content_type) or "content-encoding" in request.headers:
        raise EdgeRefusal("unsupported_media_type")
    if not raw:
        return {}
    skeleton = _STRINGS.sub(b"", raw)
    if _depth(skeleton) > MAX_DEPTH:
        raise EdgeRefusal("malformed_request")
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise EdgeRefusal("malformed_request") from None
    # Every name has one colon outside strings: fewer names than colons means that one was given twice.
    if not isinstance(document, dict) or skeleton.count(b":") != _count_names(document):
        raise EdgeRefusal("malformed_request")
    return document


def _depth(skeleton: bytes) -> int:
    """How deep the nesting goes, found without recursion."""
    depth = deepest = 0
    for byte in skeleton:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _count_names(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_count_names, value.values()))
    if isinstance(value, list):
        return sum(map(_count_names, value))
    return 0


def _shown(name: str) -> str:
    """A name from outside, as far as it is fit to be repeated."""
    return name[:64] if name.isascii() and name.isprintable() else "?"
