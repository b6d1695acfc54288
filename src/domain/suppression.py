"""Addresses that get no letters for a while: their mailbox is gone, or its owner called a letter of ours spam."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.email_address import EmailAddress


class SuppressionReason(StrEnum):
    """Why an address gets no letters."""

    HARD_BOUNCE = "hard_bounce"
    """The mailbox or its domain does not exist, or refuses for good (RFC 3463 class 5)."""
    COMPLAINT = "complaint"
    """Its owner called a letter spam."""
    BLOCKED = "blocked"
    """The mail provider sends nothing there, for a reason of its own, such as an earlier bounce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One address, and why and until when nothing is sent to it."""

    email: EmailAddress
    reason: SuppressionReason
    source: str
    """Who reported it: `postmark`, `sendgrid` or `report`."""
    since: datetime
    """When it happened, by the report."""
    until: datetime
