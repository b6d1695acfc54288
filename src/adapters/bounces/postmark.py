"""Postmark's webhooks for bounces, complaints and changes of its own list of suppressions."""

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from adapters.bounces.json_document import document_of
from application.ports.bounces import NotAuthentic, ProviderBounce, Unreadable
from domain.suppression import SuppressionReason

_TYPES = {
    "HardBounce": SuppressionReason.HARD_BOUNCE,
    "BadEmailAddress": SuppressionReason.HARD_BOUNCE,
    "SpamComplaint": SuppressionReason.COMPLAINT,
    "ManuallyDeactivated": SuppressionReason.BLOCKED,
}
"""Types of bounces, and reasons of changes to its list."""


class _Record(msgspec.Struct, rename="pascal"):
    """Of what Postmark tells, what matters here."""

    record_type: str
    email: str = ""
    bounced_at: str = ""
    type: str = ""
    inactive: bool = False
    """Whether Postmark sends nothing there any more."""
    recipient: str = ""
    changed_at: str = ""
    suppress_sending: bool = False
    suppression_reason: str | None = None


class PostmarkHook:
    """`application.ports.bounces.BounceHook`: a secret in the webhook's URL, sent as HTTP Basic (RFC 7617).

    Postmark signs nothing: who knows the secret can have anybody's letters stopped. The user name is not looked at.
    """

    challenge = 'Basic realm="postmark", charset="UTF-8"'

    def __init__(self, secret: str) -> None:
        self._digest = _digest(secret.encode())

    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[ProviderBounce, ...]:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        try:
            _, _, given = b64decode(credentials, validate=True).partition(b":")
        except ValueError:
            raise NotAuthentic from None
        # Digests are of one length, so the comparison takes one time.
        if not hmac.compare_digest(_digest(given), self._digest) or scheme.lower() != "basic":
            raise NotAuthentic
        try:
            told = msgspec.convert(document_of(body), _Record)
        except msgspec.ValidationError:
            raise Unreadable from None
        found = _bounce(told)
        return (found,) if found else ()


def _bounce(told: _Record) -> ProviderBounce | None:
    reason, recipient, at = None, told.email, told.bounced_at
    match told.record_type:
        case "Bounce":
            reason = _TYPES.get(told.type) or (SuppressionReason.BLOCKED if told.inactive else None)
        case "SpamComplaint":
            reason = SuppressionReason.COMPLAINT
        case "SubscriptionChange" if told.suppress_sending:
            reason = _TYPES.get(told.suppression_reason or "", SuppressionReason.BLOCKED)
            recipient, at = told.recipient, told.changed_at
    if reason is None:
        return None
    try:
        moment = datetime.fromisoformat(at)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable from None
    return ProviderBounce(reason=reason, source="postmark", recipient=recipient, at=moment)


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
