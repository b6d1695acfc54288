"""Languages: which are offered, and which of them somebody reads (RFC 5646; lookup by RFC 4647 section 3.4)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from domain.sentence import Sentence
from domain.violations import Broken

LONGEST_TAG = 35
"""Characters that a language tag may need (RFC 5646 section 4.4.1)."""

_TAG = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*", re.ASCII)


def parse_tag(text: str) -> str:
    """A language tag such as `de` or `pt-BR`; the spelling of operating systems, `pt_BR`, is taken for it. Raises
    `Broken` for what is none."""
    if len(text) > LONGEST_TAG or not _TAG.fullmatch(text):
        raise Broken("invalid_locale", Sentence("Give a language tag such as en, de or pt-BR."))
    return text.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Locales:
    """The languages that are offered. The first is for everybody who reads none of the others."""

    offered: tuple[str, ...] = ("en",)

    @property
    def default(self) -> str:
        """For whoever says nothing."""
        return self.offered[0]

    def best(self, wanted: Iterable[str]) -> str:
        """The first of the wanted that is offered, more generally if need be (`de` for `de-AT`); else the default."""
        by_tag = {tag.lower(): tag for tag in self.offered}
        for tag in wanted:
            subtags = tag.lower().split("-")
            while subtags:
                if found := by_tag.get("-".join(subtags)):
                    return found
                subtags.pop()
                if subtags and len(subtags[-1]) == 1:  # what introduces an extension means nothing alone
                    subtags.pop()
        return self.default
