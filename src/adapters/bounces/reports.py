"""Reports about letters of ours, as messages: of what could not be delivered (RFC 3464), of complaints (RFC 5965)."""

from __future__ import annotations  # `Message` takes its parameters in type checkers only

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters.bounces.mailboxes import messages_of
from application.ports.bounces import FiledMessage, ReturnedLetter
from domain.suppression import SuppressionReason

_FOR_GOOD = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"}
"""RFC 3463, RFC 7505: no such mailbox; no such domain; no address at all; moved; a domain that takes no mail; disabled;
nowhere to be found in DNS. Not among them is what is full (5.2.2), what is too large, whatever is about the sender
(5.1.7, 5.1.8) or about a policy (5.7.x), and what says nothing in particular (5.0.0, 5.1.0)."""

_STATUS = re.compile(r"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})")
_OURS = re.compile(r"\s*<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[^>]*>\s*", re.IGNORECASE)

_NO_REPORT = "no report"

_MOST_MULTIPARTS = 8
"""A report is one, and the letter in it two. The parser holds each line against every one that is open, so many of them
take minutes."""


def filed_messages(place: Path) -> Iterator[FiledMessage]:
    """Each message of an mbox file, a Maildir folder, or a file with one message, and what it says of a letter of ours.
    Raises `NoMailbox`, then and later."""
    for number, content in enumerate(messages_of(place), 1):
        if content.lower().count(b"multipart/") > _MOST_MULTIPARTS:
            yield FiledMessage(number=number, said="it cannot be read", report=True, bounce=None)
            continue
        try:
            said, bounce = _judge(message_from_bytes(content))
        except Exception:  # whatever a hostile message trips in the standard library's parser
            said, bounce = "it cannot be read", None
        yield FiledMessage(number=number, said=said, report=said is not _NO_REPORT, bounce=bounce)


def _judge(message: Message[str, str]) -> tuple[str, ReturnedLetter | None]:
    if message.get_content_type() != "multipart/report":
        return _NO_REPORT, None
    if len(parts := _within(message)) < 3:
        return "it does not hold the letter that it is about", None
    _, report, returned = parts[:3]
    match report.get_content_type():
        case "message/delivery-status":
            said, reason = _failure(report)
        case "message/feedback-report":
            said, reason = _complaint(report)
        case _:
            return _NO_REPORT, None
    if reason is None:
        return said, None
    letter_id = _letter_id(returned)
    if letter_id is None:
        return "it is about no letter of ours", None
    return said, ReturnedLetter(reason=reason, letter_id=letter_id)


def _failure(report: Message[str, str]) -> tuple[str, SuppressionReason | None]:
    """Of the recipients that it is about, which for a letter of ours is one; the first group is about the message."""
    said = "it says of nobody that it failed"
    for group in _within(report)[1:]:
        status = _STATUS.match(str(group.get("Status", "")))
        if str(group.get("Action", "")).strip().lower() != "failed" or status is None:
            continue
        if status[1] in _FOR_GOOD:
            return status[1], SuppressionReason.HARD_BOUNCE
        said = f"{status[1]} is not for good"
    return said, None


def _complaint(report: Message[str, str]) -> tuple[str, SuppressionReason | None]:
    [fields] = _within(report)
    if str(fields.get("Feedback-Type", "")).strip().lower() != "abuse":
        return "it is no complaint", None
    return "abuse", SuppressionReason.COMPLAINT


def _letter_id(returned: Message[str, str]) -> UUID | None:
    match returned.get_content_type():
        case "message/rfc822":
            [letter] = _within(returned)
        case "text/rfc822-headers":
            content = returned.get_payload(decode=True)
            assert isinstance(content, bytes)  # noqa: S101 - a part of text
            letter = message_from_bytes(content)
        case _:
            return None
    ours = _OURS.fullmatch(str(letter.get("Message-ID", "")))
    return UUID(ours[1]) if ours else None


def _within(message: Message[str, str]) -> list[Message[str, str]]:
    """The parts of a message, or the message within it; none where it only says that it has some."""
    parts: Any = message.get_payload()
    return parts if isinstance(parts, list) else []
