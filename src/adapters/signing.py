"""The master secret, the keys that come from it, and the seals of session tokens and device marks."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.ports.environment import Randomness
from application.ports.tokens import KnownDevice
from domain.device_mark import MARK_LIFETIME, MOST_MARKS, DeviceMark
from domain.email_address import EmailAddress
from domain.session import Session, SessionToken
from domain.user import User
from domain.username import Username

_DEVICE_ID_BYTES = 16
_TAG_BYTES = 16
_NO_TAG = bytes(_TAG_BYTES)


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


class HmacDeviceMarks:
    """`application.ports.tokens.DeviceMarks`: the first secret seals, all of them open."""

    def __init__(self, secrets: Sequence[MasterSecret], randomness: Randomness) -> None:
        self._keys = [secret.derive("device marks") for secret in secrets]
        self._tag_keys = [secret.derive("device mark tags") for secret in secrets]
        self._randomness = randomness

    def mark(self, user: User, credential_version: int, held: str | None, now: datetime, *, anew: bool = False) -> str:
        good = self._good_marks(held, now)
        own = self._of(user.email, good) + (self._of(user.username, good) if user.username else [])
        new = DeviceMark(
            device_id=own[0].device_id if own and not anew else self._randomness.bytes(_DEVICE_ID_BYTES),
            expires_at=int((now + MARK_LIFETIME).timestamp()),
            credential_version=credential_version,
            address_tag=_tag(self._tag_keys[0], user.email),
            username_tag=_tag(self._tag_keys[0], user.username) if user.username else _NO_TAG,
            user_tag=_tag(self._tag_keys[0], user.id),
        )
        sealed = replace(new, mac=_device_mac(self._keys[0], new))
        return DeviceMark.join([sealed, *(mark for mark in good if mark not in own)][:MOST_MARKS])

    def recognises(self, held: str | None, identifier: EmailAddress | Username, now: datetime) -> KnownDevice | None:
        fitting = self._of(identifier, self._good_marks(held, now))
        if not fitting:
            return None
        mark = fitting[0]
        return KnownDevice(mark.device_id.hex(), mark.credential_version, mark.user_tag)

    def is_of(self, device: KnownDevice, user: User) -> bool:
        return device.user_tag in {_tag(key, user.id) for key in self._tag_keys}

    def _good_marks(self, held: str | None, now: datetime) -> list[DeviceMark]:
        return [mark for mark in DeviceMark.parse_all(held or "") if self._sealed_by_us(mark) and mark.alive(now)]

    def _sealed_by_us(self, mark: DeviceMark) -> bool:
        # Every key is tried here too.
        fits = [hmac.compare_digest(mark.mac, _device_mac(key, mark)) for key in self._keys]
        return any(fits)

    def _of(self, identifier: EmailAddress | Username, marks: list[DeviceMark]) -> list[DeviceMark]:
        tags = {_tag(key, identifier) for key in self._tag_keys}
        return [mark for mark in marks if mark.address_tag in tags or mark.username_tag in tags]


def _device_mac(key: bytes, mark: DeviceMark) -> bytes:
    return hmac.digest(key, mark.sealed_part, "sha256")


def _tag(key: bytes, identifier: EmailAddress | Username | UUID) -> bytes:
    """What stands for an address, a username or a user; the same text as another kind has another tag."""
    named = f"{type(identifier).__name__} {identifier}"
    return hmac.digest(key, named.encode(), "sha256")[:_TAG_BYTES]


def _mac(key: bytes, session: Session, counter: int) -> bytes:
    return hmac.digest(key, SessionToken.sealed_part(session, counter), "sha256")
