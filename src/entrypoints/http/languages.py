"""What a browser says its user reads: `Accept-Language` (RFC 9110 section 12.5.4)."""

import re
from contextlib import suppress
from functools import lru_cache
from typing import Any

from litestar import Request

from application.ports.languages import Sentences
from domain.locale import parse_tag
from domain.violations import Broken
from entrypoints.composition import Ostiary

_MOST_CHARACTERS = 1000
_RANGE = re.compile(r"([A-Za-z0-9*-]+)\s*(?:;\s*[qQ]\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?", re.ASCII)


@lru_cache(maxsize=256)
def read_languages(header: str) -> tuple[str, ...]:
    """The language tags, the best first. What cannot be read is passed over, and `*` says nothing."""
    found: list[tuple[float, str]] = []
    for part in header.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is not None and (weight := float(match[2] or 1)) > 0:
            with suppress(Broken):
                found.append((weight, parse_tag(match[1])))
    return tuple(tag for _, tag in sorted(found, key=lambda one: -one[0]))


def languages_of(request: Request[Any, Any, Any]) -> tuple[str, ...]:
    """Those that the caller reads, the best first."""
    return read_languages(",".join(request.headers.getall("accept-language", []))[:_MOST_CHARACTERS])


def language_of(ostiary: Ostiary, request: Request[Any, Any, Any]) -> Sentences:
    """The one of the languages offered that the caller reads best."""
    return ostiary.languages.of(ostiary.profile.locales.best(languages_of(request)))
