"""The master secret, the keys that come from it, and the seal of session tokens."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.session import Session, SessionToken


@dataclass(frozen=True, slots=True)
class MasterSecret:
    """The one secret of an installation; every key comes from it by HKDF (RFC 5869) under a label of its purpose."""

    value: bytes = field(repr=False)

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """A key for one purpose; knowing it tells nothing about the secret or any other key."""
        hkdf = HKDF(algorithm=SHA256(), length=length, salt=b"ostiary", info=purpose.encode())
        return hkdf.derive(self.value)


class HmacSessionSeal:
    """`application.ports.tokens.SessionSeal`: the first secret seals, all of them open."""

    def __init__(self, secrets: Sequence[MasterSecret]) -> None:
        self._keys = [secret.derive("session tokens") for secret in secrets]

    def token_for(self, session: Session) -> SessionToken:
        return SessionToken(session.id, session.counter, _mac(self._keys[0], session, session.counter))

    def opens(self, token: SessionToken, session: Session) -> bool:
        # Every key is tried, whichever fits, so that the time tells nothing.
        fits = [hmac.compare_digest(token.mac, _mac(key, session, token.counter)) for key in self._keys]
        return token.session_id == session.id and any(fits)


def _mac(key: bytes, session: Session, counter: int) -> bytes:
    return hmac.digest(key, SessionToken.sealed_part(session, counter), "sha256")
