"""What became of letters after they left, as those who carry them report it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.suppression import SuppressionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBounce:
    """Reported by a mail provider of ours, who has proven who it is."""

    reason: SuppressionReason
    source: str
    """Which provider: `sendgrid` or `postmark`."""
    recipient: str
    """As the provider wrote it, which may be no address."""
    at: datetime
    """When it happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedLetter:
    """A letter of ours came back, or its receiver complained about it: in a message that anybody can write.

    It counts by the letter's id alone, which stands in its Message-ID and is known to who received it and to nobody
    else: so nobody can have the letters of somebody else stopped.
    """

    reason: SuppressionReason
    letter_id: UUID


Bounce = ProviderBounce | ReturnedLetter


class NotAuthentic(Exception):
    """This does not come from the provider, or its key or secret is not the one we have."""


class Unreadable(Exception):
    """This comes from the provider, but is not what it says it sends."""


class BounceHook(Protocol):
    """What one provider sends when something became of a letter."""

    @property
    def challenge(self) -> str:
        """What is asked of those who prove nothing, as `WWW-Authenticate` says it."""

    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[ProviderBounce, ...]:
        """What of it keeps letters back: whatever else a provider tells is passed over.

        `headers` are those that were given once, by their names in small letters. Looks at nothing of the body before
        it is known who wrote it. Raises `NotAuthentic`, `Unreadable`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledMessage:
    """A message of a mailbox file, and what it says of a letter of ours."""

    number: int
    """Which of the file, from 1."""
    said: str
    """What it says of a letter, or why it does not count: `5.1.1`, or other words of ours."""
    report: bool = True
    """Whether it is a report at all: people's own messages lie in the same mailbox."""
    bounce: ReturnedLetter | None = None


class NoMailbox(Exception):
    """This cannot be read as a mailbox. The message says why, and names no address."""
