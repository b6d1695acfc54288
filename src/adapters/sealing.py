"""Records that only this installation can read again: AES-256-GCM (NIST SP 800-38D)."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.signing import MasterSecret
from application.ports.environment import Randomness
from domain.reversal import AsItWas

_NONCE_BYTES = 12


class AesRecordSeal:
    """`application.ports.sealing.RecordSeal`: the first secret seals, all of them open."""

    def __init__(self, secrets: Sequence[MasterSecret], randomness: Randomness) -> None:
        self._ciphers = [AESGCM(secret.derive("sealed records")) for secret in secrets]
        self._randomness = randomness

    def seal(self, record: AsItWas, about: UUID) -> bytes:
        nonce = self._randomness.bytes(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, msgspec.json.encode(record), about.bytes)

    def open(self, sealed: bytes, about: UUID) -> AsItWas | None:
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                return msgspec.json.decode(cipher.decrypt(nonce, text, about.bytes), type=AsItWas)
            except (InvalidTag, ValueError, msgspec.DecodeError):
                continue
        return None
