"""Roles: names that a product gives its people, and the one that rules over Ostiary."""

import re

from domain.sentence import Sentence
from domain.violations import Broken

ADMINISTRATOR = "admin"
"""Who has it may administer; a database begins with nobody who does (ASVS 6.3.2)."""

ORDINARY = "user"
"""What everybody has who has no other."""

_ALLOWED = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)


def parse_role(text: str) -> str:
    """Read a role: 1 to 32 of a-z 0-9 `_` `-`, beginning with a letter. Raises `Broken`; case counts."""
    if not _ALLOWED.fullmatch(text):
        raise Broken("invalid_role", Sentence("A role has 1 to 32 of a-z, 0-9, _ and -, beginning with a letter."))
    return text
