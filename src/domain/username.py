"""Usernames (R05): public, unique, harmless in a URL, a log line and a mention."""

import re
from dataclasses import dataclass

from domain.sentence import Sentence
from domain.violations import Broken

MIN_LENGTH = 3
MAX_LENGTH = 32
PATTERN = r"^[a-z0-9][a-z0-9_.-]*$"

_RESERVED_TEXT = """
abuse account admin administrator api auth billing contact everyone help hostmaster info mail me moderator no-reply
noreply nobody null official ostiary owner postmaster root security settings signin signup staff support system
undefined user users webmaster www
"""
RESERVED = frozenset(_RESERVED_TEXT.split())
"""Names that pose as the service or break URLs and role mailboxes (RFC 2142)."""

_ALLOWED = re.compile(PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True)
class Username:
    """3 to 32 of a-z 0-9 `_` `.` `-`, beginning with a letter or digit; case-folded."""

    name: str

    @classmethod
    def parse(cls, text: str) -> "Username":
        """Read what a person typed. Raises `Broken` with the rule it breaks."""
        name = text.strip().casefold()
        if not MIN_LENGTH <= len(name) <= MAX_LENGTH:
            raise Broken(
                "invalid_length",
                Sentence("A username has %(least)d to %(most)d characters.", least=MIN_LENGTH, most=MAX_LENGTH),
            )
        if not _ALLOWED.fullmatch(name):
            raise Broken(
                "invalid_characters", Sentence("Use letters a-z, digits, _ . and -, beginning with a letter or digit.")
            )
        if name in RESERVED:
            raise Broken("reserved", Sentence("This name is reserved."))
        return cls(name)

    def __str__(self) -> str:
        return self.name
