"""How hard a password is to guess, by zxcvbn's estimate, at a cost that no password can drive up."""

import re
from collections.abc import Sequence

from zxcvbn_rs_py import zxcvbn

from domain.password import SCORED_CHARACTERS

_SPELLINGS = 2
"""Symbols read as letters (`@` for a) at a time: the time nearly doubles with each."""

_LOOK_ALIKES = frozenset("@({[<!|$+%")
_LONGEST_WORD = 256


class Zxcvbn:
    """`application.ports.hashing.StrengthEstimator`. Without limits a hostile password of 128 characters takes seconds,
    in which nothing else of the process runs, in whichever thread."""

    def __init__(self) -> None:
        zxcvbn("read the word lists now", [])  # and not while somebody waits

    def score(self, password: str, own_words: Sequence[str]) -> int:
        guessed_first = set()
        for word in own_words:
            guessed_first |= {word[:_LONGEST_WORD], *re.split(r"[\W_]+", word[:_LONGEST_WORD])}
        return int(zxcvbn(_tamed(password[:SCORED_CHARACTERS]), sorted(filter(None, guessed_first))).score)


def _tamed(text: str) -> str:
    """The text with its third different look-alike symbol, and each after that, in the place of a character that looks
    like nothing: no easier and no harder to guess, but no other spelling of any word."""
    look_alikes = list(dict.fromkeys(filter(_LOOK_ALIKES.__contains__, text)))
    return text.translate({ord(symbol): 0xE000 + ord(symbol) for symbol in look_alikes[_SPELLINGS:]})
