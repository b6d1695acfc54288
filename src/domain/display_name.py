"""The name a person goes by (R01): free text, but nothing that hides or re-orders other text."""

from dataclasses import dataclass

from domain.plain_text import plain_text
from domain.sentence import Sentence
from domain.violations import Broken

MAX_LENGTH = 64


@dataclass(frozen=True, slots=True)
class DisplayName:
    """1 to 64 code points after trimming and NFC; no control, bidi or invisible character."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "DisplayName":
        """Read what a person typed. Raises `Broken` with the rule it breaks."""
        name = plain_text(
            text,
            MAX_LENGTH,
            too_long=Sentence("A name has at most %(most)d characters.", most=MAX_LENGTH),
            hides=Sentence("A name cannot have control or invisible characters."),
        )
        if not name:
            raise Broken("required", Sentence("This field is required."))
        return cls(name)

    def __str__(self) -> str:
        return self.text
