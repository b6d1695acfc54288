"""The name a person goes by (R01): free text, but nothing that hides or re-orders other text."""

import unicodedata
from dataclasses import dataclass

from domain.violations import Broken

MAX_LENGTH = 64

_MOST_TO_NORMALISE = 4 * MAX_LENGTH
"""NFC puts accents in order in quadratic time, so the length is looked at before."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of controls, bidi overrides, surrogates and separators; joiners are let through below."""

_JOINERS = frozenset("\u200c\u200d")
"""Persian and Indic names, and emoji, are not spelt right without them."""


@dataclass(frozen=True, slots=True)
class DisplayName:
    """1 to 64 code points after trimming and NFC; no control, bidi or invisible character."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "DisplayName":
        """Read what a person typed. Raises `Broken` with the rule it breaks."""
        trimmed = text.strip()
        if len(trimmed) > _MOST_TO_NORMALISE:
            raise Broken("too_long", f"A name has at most {MAX_LENGTH} characters.")
        name = unicodedata.normalize("NFC", trimmed)
        if not name:
            raise Broken("required", "This field is required.")
        if len(name) > MAX_LENGTH:
            raise Broken("too_long", f"A name has at most {MAX_LENGTH} characters.")
        hidden = [char for char in name if unicodedata.category(char) in _HIDDEN]
        if not _JOINERS.issuperset(hidden) or len(hidden) == len(name):
            raise Broken("invalid_characters", "A name cannot have control or invisible characters.")
        return cls(name)

    def __str__(self) -> str:
        return self.text
