"""The languages that pages, letters and refusals are said in."""

from collections.abc import Collection
from datetime import timedelta
from typing import Protocol


class Sentences(Protocol):
    """One language."""

    @property
    def locale(self) -> str:
        """Its tag (BCP 47)."""

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""

    def duration(self, time: timedelta) -> str:
        """Such as *60 minutes*, in the largest unit that says it exactly and makes more than one."""

    def say(self, sentence: str) -> str:
        """The same in this language; in English where nobody has translated it. A `domain.sentence.Sentence` takes its
        figures along."""


class Languages(Protocol):
    """All there are."""

    @property
    def known(self) -> Collection[str]:
        """The tags of those that somebody has translated to, and English."""

    def of(self, locale: str | None) -> Sentences:
        """The language of this tag; English for None, and for one that is not known."""
