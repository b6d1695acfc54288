"""Turning passwords into hashes and judging them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.password import HashFault, Password, PasswordHash


class PasswordHasher(Protocol):
    """Slow on purpose. Runs in a fixed number of slots; raises `Overloaded` at once when too many already wait."""

    async def hash(self, password: Password) -> PasswordHash:
        """A new salted hash with the algorithm and the parameters in force."""

    async def verify(self, password: Password, stored: PasswordHash) -> bool:
        """Whether they match. A hash with a fault is a mismatch, not an error, and costs nothing."""

    async def verify_decoy(self, password: Password, identifier: str) -> None:
        """The work that `verify` would be for somebody, for an address or a username that nobody can be let in by.

        How much that is depends on the identifier, in the proportions in which the stored hashes differ: so a slow
        answer proves as little as a fast one.
        """

    def fault_of(self, stored: PasswordHash) -> HashFault | None:
        """Why nobody can be let in by this hash; None when somebody can. Found out before any work, in no time."""

    def outdated(self, stored: PasswordHash, password: Password) -> bool:
        """Whether to replace the hash by a new one of this password, which it matches (R34): it was made with another
        algorithm or other parameters than those in force, and not of a password that is only similar."""


SAMPLE = 10_000
"""Hashes that are looked at: a share is right to about half a percent then."""


class HashSample(Protocol):
    """Looks at the stored hashes."""

    async def __call__(self) -> Sequence[PasswordHash]:
        """Those of `SAMPLE` people picked at random once and for all, or of everybody where they are fewer. Raises
        `Unavailable`."""


class StrengthEstimator(Protocol):
    """Estimates how hard a password is to guess."""

    def score(self, password: str, own_words: Sequence[str]) -> int:
        """From 0, guessed at once, to `domain.password.BEST_SCORE`; `own_words` are guessed first.

        Answers within a few milliseconds, whatever the text: it is asked in the event loop.
        """


class BreachCheckFailed(Exception):
    """Nobody knows whether a password was breached. `reason` is a code of ours, and nothing here tells the password."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BreachCheck(Protocol):
    """The passwords that have become public in breaches (R09)."""

    async def contains(self, password: Password) -> bool:
        """Whether the password is among them. Nobody learns the password by being asked.

        Raises `BreachCheckFailed`, after about a second at most.
        """


class PepperCensus(Protocol):
    """Counts the stored hashes by the pepper without which they verify nobody."""

    async def __call__(self, now: datetime) -> Mapping[str, int]:
        """How many need each, by its id: people's, and those of sign-ups that still wait. Raises `Unavailable`."""


class CommonPasswords(Protocol):
    """The list of passwords that attackers try first (R08)."""

    def contains(self, password: str) -> bool:
        """Whether the whole password is on the list, as typed or in small letters."""
