"""SendGrid's Signed Event Webhook."""

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adapters.bounces.json_document import document_of
from application.ports.bounces import NotAuthentic, ProviderBounce, Unreadable
from domain.suppression import SuppressionReason

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

_DROPS = {
    "bounced address": SuppressionReason.BLOCKED,
    "spam reporting address": SuppressionReason.COMPLAINT,
    "invalid": SuppressionReason.HARD_BOUNCE,
}
"""Why SendGrid sends nothing to somebody, as far as that lies with the address; the other reasons lie with us."""


class _Event(msgspec.Struct):
    """Of what SendGrid tells, what matters here."""

    event: str
    email: str
    timestamp: float
    type: str = ""
    """Of a bounce: `bounce` when SendGrid will send nothing there any more, `blocked` when it will."""
    reason: str = ""


class SendGridHook:
    """`application.ports.bounces.BounceHook`: an ECDSA signature over a timestamp and the body.

    How old the timestamp is does not matter: a report that is sent again changes nothing (`Suppressions.add`), and
    SendGrid itself sends one again for a day.
    """

    challenge = 'Signature realm="sendgrid"'

    def __init__(self, key: str) -> None:
        """`key` is a P-256 public key (SubjectPublicKeyInfo, DER) in base64, as SendGrid shows it."""
        loaded = load_der_public_key(b64decode(key))
        assert isinstance(loaded, EllipticCurvePublicKey)  # noqa: S101 - the settings have seen to it
        self._key = loaded

    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[ProviderBounce, ...]:
        try:
            signature = b64decode(headers.get(_SIGNATURE, ""), validate=True)
            self._key.verify(signature, headers.get(_TIMESTAMP, "").encode() + body, ECDSA(SHA256()))
        except (ValueError, InvalidSignature):
            raise NotAuthentic from None
        document = document_of(body)
        if not isinstance(document, list):
            raise Unreadable
        return tuple(bounce for entry in document if (bounce := _bounce(entry)) is not None)


def _bounce(entry: object) -> ProviderBounce | None:
    try:
        told = msgspec.convert(entry, _Event)
        at = datetime.fromtimestamp(told.timestamp, UTC)
    except (msgspec.ValidationError, ValueError, OverflowError, OSError):
        return None  # an event of a kind that is not ours to know
    reason = None
    if told.event == "bounce" and told.type == "bounce":
        reason = SuppressionReason.HARD_BOUNCE
    elif told.event == "spamreport":
        reason = SuppressionReason.COMPLAINT
    elif told.event == "dropped":
        reason = _DROPS.get(told.reason.lower())
    return ProviderBounce(reason=reason, source="sendgrid", recipient=told.email, at=at) if reason else None
