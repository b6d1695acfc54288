"""Passwords: the secret itself, the rules a new one must meet, and its hash."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from domain.sentence import Sentence
from domain.violations import Broken

MAX_BYTES = 1024
"""UTF-8 bytes, as typed, refused above, before any work on them (R06): nothing else is said of such a password."""

SCORED_CHARACTERS = 32
"""How much of a password is scored. Whatever takes that many guesses does so by its beginning."""

BEST_SCORE = 4
"""What an estimate of strength gives to a password that takes more than ten thousand million guesses."""


@dataclass(frozen=True, slots=True)
class Password:
    """What a person typed, in NFC (NIST SP 800-63B-4); never trimmed, never cut, never shown."""

    text: str = field(repr=False)
    typed: str | None = field(default=None, repr=False, compare=False)
    """The same before NFC, where it is known."""

    @classmethod
    def parse(cls, text: str) -> "Password":
        """Take any text as a password. Raises `Broken` above `MAX_BYTES`, and for half characters."""
        # Four bytes a character at most, so the cheap length check bounds the encoding, and that bounds NFC.
        if len(text) > MAX_BYTES or len(text.encode(errors="surrogatepass")) > MAX_BYTES:
            raise Broken("too_many_bytes", Sentence("A password has at most %(most)d bytes.", most=MAX_BYTES))
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise Broken("invalid_characters", Sentence("A password is made of whole characters."))
        return cls(unicodedata.normalize("NFC", text), typed=text)

    @property
    def as_typed(self) -> str:
        """For hashes of other systems, which took what was typed as it was."""
        return self.text if self.typed is None else self.typed


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A salted hash as it is stored, with its algorithm and parameters. Never shown."""

    encoded: str = field(repr=False)


NO_PASSWORD = PasswordHash("!")
"""The credential of somebody who has no password: no password matches, until a letter lets them choose one."""


class FaultKind(StrEnum):
    """What may be wrong with a stored hash."""

    NO_PASSWORD = "no_password"  # noqa: S105 - a code
    UNREADABLE = "hash_unreadable"
    NO_KEY = "pepper_missing"
    IMMODERATE = "hash_immoderate"
    """It asks for more memory or time than one verification may take (R35)."""


OWASPS_LEAST_KIB: Mapping[int, int] = {1: 46 * 1024, 2: 19 * 1024, 3: 12 * 1024}
"""Memory by passes that Argon2id has at least (OWASP, Password Storage Cheat Sheet). More passes than three do not make
up for less memory than with three: what is public here asks for no less."""

OWASPS_LEAST = (
    f"OWASP's least ({', '.join(f'{kib} KiB with {n}' for n, kib in OWASPS_LEAST_KIB.items())} passes or more)"
)
"""The same in words."""


def least_memory_kib(passes: int) -> int:
    """The least memory with so many passes."""
    return OWASPS_LEAST_KIB[min(passes, max(OWASPS_LEAST_KIB))]


@dataclass(frozen=True, slots=True)
class HashFault:
    """Why nobody can be let in by a stored hash; the words say nothing that it holds."""

    kind: FaultKind
    words: str


@dataclass(frozen=True, slots=True)
class CharacterClass:
    """Characters of which a policy may ask for one. `pattern` says which they are, for a regular expression that knows
    Unicode's properties (ECMAScript with the flag u)."""

    pattern: str
    code: str
    message: Sentence
    belongs: Callable[[str], bool]


CLASSES = {
    "upper": CharacterClass(r"\p{Uppercase}", "needs_upper", Sentence("Use an upper-case letter."), str.isupper),
    "lower": CharacterClass(r"\p{Lowercase}", "needs_lower", Sentence("Use a lower-case letter."), str.islower),
    "digit": CharacterClass(r"\p{Nd}", "needs_digit", Sentence("Use a digit."), str.isdecimal),
    "special": CharacterClass(
        r"[^\p{L}\p{N}]",
        "needs_special",
        Sentence("Use a special character."),
        lambda char: unicodedata.category(char)[0] not in "LN",
    ),
}
"""By the names that settings and password managers give them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy:
    """The rules for a *new* password; sign-in never judges one. Lengths are code points after NFC."""

    min_length: int = 12
    max_length: int = 128
    required_classes: frozenset[str] = frozenset()
    """Keys of `CLASSES`."""
    refuse_common: bool = True
    refuse_breached: bool = False
    min_score: int = 0
    """The least score that is good enough; 0 asks for none."""
    product_name: str = "Ostiary"

    def broken_rules(
        self,
        password: Password,
        *,
        own_words: Iterable[str],
        is_common: Callable[[str], bool],
        is_breached: bool = False,
        score: int = BEST_SCORE,
    ) -> list[Broken]:
        """Every rule that `password` breaks, each once; empty when it is good.

        `own_words` are the person's address, name and username; equality ignores case and separators (A 6.2.11), and
        containing one is no fault.
        """
        text = password.text
        broken = []
        if len(text) < self.min_length:
            broken.append(Broken("too_short", Sentence("Use at least %(least)d characters.", least=self.min_length)))
        if len(text) > self.max_length:
            broken.append(Broken("too_long", Sentence("Use at most %(most)d characters.", most=self.max_length)))
        for name, characters in CLASSES.items():
            if name in self.required_classes and not any(map(characters.belongs, text)):
                broken.append(Broken(characters.code, characters.message))
        if _bare(text) in {_bare(word) for word in (*own_words, self.product_name)}:
            broken.append(
                Broken("personal", Sentence("Do not use your own address or name, or the name of this service."))
            )
        if self.refuse_common and is_common(text):
            broken.append(Broken("common", Sentence("This password is on the lists that attackers try first.")))
        if self.refuse_breached and is_breached:
            broken.append(Broken("breached", Sentence("This password has become public in a data breach.")))
        if score < self.min_score:
            broken.append(
                Broken("too_weak", Sentence("This password is too easy to guess. Add a few unrelated words."))
            )
        return broken


def _bare(text: str) -> str:
    """The letters and digits of `text` in one case, so that `ada.lovelace!` equals `Ada Lovelace`."""
    return "".join(filter(str.isalnum, text.casefold())) or text
