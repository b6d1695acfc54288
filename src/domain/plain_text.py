"""A line of text that a person typed and others will read: nothing in it hides or re-orders other text."""

import unicodedata

from domain.sentence import Sentence
from domain.violations import Broken

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of controls, bidi overrides, surrogates and separators; joiners are let through below."""

_JOINERS = frozenset("\u200c\u200d")
"""Persian and Indic names, and emoji, are not spelt right without them."""


_HIDES = Sentence("This field cannot have control or invisible characters.")


def plain_text(text: str, most: int, *, too_long: Sentence | None = None, hides: Sentence = _HIDES) -> str:
    """The text trimmed and in NFC; perhaps empty. Raises `Broken` beyond `most` code points and for what hides, with
    these sentences, or with some that speak of "this field"."""
    too_long = too_long or Sentence("This field has at most %(most)d characters.", most=most)
    trimmed = text.strip()
    # NFC puts accents in order in quadratic time, so the length is looked at before.
    if len(trimmed) > 4 * most:
        raise Broken("too_long", too_long)
    line = unicodedata.normalize("NFC", trimmed)
    if len(line) > most:
        raise Broken("too_long", too_long)
    hidden = [char for char in line if unicodedata.category(char) in _HIDDEN]
    if not _JOINERS.issuperset(hidden) or (line and len(hidden) == len(line)):
        raise Broken("invalid_characters", hides)
    return line
