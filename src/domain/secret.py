"""Random values that are shown once and stored only as a digest."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """32 random bytes as the holder carries them (43 characters of base64url). Never stored, never logged."""

    text: str = field(repr=False)

    @classmethod
    def of(cls, random: bytes) -> "Secret":
        """The secret made from 32 bytes of a cryptographic source."""
        if len(random) != _BYTES:
            raise ValueError(f"a secret is made of {_BYTES} bytes")
        return cls(base64.urlsafe_b64encode(random).rstrip(b"=").decode())

    @classmethod
    def parse(cls, text: str) -> "Secret | None":
        """Read one that came from outside; None when it is not the one canonical spelling of 32 bytes."""
        return cls(text) if len(decode_base64url(text) or b"") == _BYTES else None

    @property
    def digest(self) -> bytes:
        """SHA-256, all that is ever stored; with 256 random bits no salt or slowness is needed (ASVS 6.5.2)."""
        return hashlib.sha256(self.text.encode()).digest()


def decode_base64url(text: str) -> bytes | None:
    """The bytes of unpadded canonical base64url, or None: one value has one spelling (RFC 4648 section 3.5)."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() == text else None
