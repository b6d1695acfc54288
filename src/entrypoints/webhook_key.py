"""The key with which SendGrid's Signed Event Webhook is verified, as SendGrid shows it."""

from base64 import b64decode


def sendgrid_key(text: str) -> str | None:
    """A P-256 public key (SubjectPublicKeyInfo, DER) in base64; none when empty."""
    if not text:
        return None
    # Imported here: most installations have no such key.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        loaded = load_der_public_key(b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        loaded = None
    if not isinstance(loaded, EllipticCurvePublicKey) or not isinstance(loaded.curve, SECP256R1):
        raise ValueError("expected the verification key that SendGrid shows, in base64, beginning with MFkw")
    return text
