"""Rendering and sending letters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable
from uuid import UUID

from domain.letters import Letter, RenderedLetter


class LetterRenderer(Protocol):
    """Turns a letter into subject, text and HTML."""

    def render(self, letter: Letter, letter_id: UUID) -> RenderedLetter:
        """Rendered the same way each time for the same letter; the Message-ID comes from `letter_id`."""


class MailRefused(Exception):
    """The mail system refused this mailbox or this content for good. Trying again would change nothing.

    What it says is kept with the letter for the operator to read: a code, or words of ours; never words of the other
    side, which may quote the letter. That holds for `MailDelayed` as well.
    """


class MailDelayed(Exception):
    """The mail system did not take it this time: 4xx, no connection, no answer in time, TLS trouble; or a log-in or a
    sender that is the operator's to mend. `retry_after` is what it asked to be left alone for, if it said so."""

    def __init__(self, reason: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MailSender(Protocol):
    """Hands letters to the mail system. Must not look a recipient up in headers: the envelope is `recipient`."""

    async def send(self, letter: RenderedLetter) -> None:
        """Return once the mail system has taken responsibility. Raises `MailRefused` or `MailDelayed`."""


@runtime_checkable
class Checkable(Protocol):
    """A mail sender that can be asked, for `ostiary doctor`, whether it would work."""

    async def check(self) -> None:
        """Everything but the sending of a letter. Raises as `send`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredLetter:
    """A letter as its reader sees it."""

    id: str
    to: str
    subject: str
    date: datetime
    text: str = field(repr=False)
    html: str = field(repr=False)
    link: str | None = field(repr=False)


class Inbox(Protocol):
    """Where letters land on a developer's machine (R82). Reads files, so call it off the event loop."""

    def letters(self) -> Sequence[DeliveredLetter]:
        """The newest letters, newest first."""

    def letter(self, letter_id: str) -> DeliveredLetter | None:
        """One of them."""

    def source(self, letter_id: str) -> str | None:
        """One of them as it went out, headers and all (RFC 5322)."""
