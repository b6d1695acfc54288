"""Device marks: how a browser shows that its owner has been let in there before (DESIGN section 4)."""

import base64
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.secret import decode_base64url

MARK_LIFETIME = timedelta(days=180)

MOST_MARKS = 4
"""So many people may share a browser; of more, those who signed in there last are known."""

_VERSION = 2
_SEALED = struct.Struct(">B16sQI16s16s16s")
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class DeviceMark:
    """One person's mark on one device. The tags stand for their address and username, and say neither."""

    device_id: bytes
    expires_at: int
    credential_version: int
    """Under which its owner was let in; once the password is another, whoever knew the old one is a stranger again."""
    address_tag: bytes
    username_tag: bytes
    user_tag: bytes
    """For whose account: somebody else may have the address or the username one day, and begins at version 1, too."""
    mac: bytes = field(default=b"", repr=False)

    @classmethod
    def parse(cls, text: str) -> "DeviceMark | None":
        """Read one that came from outside; None unless it is the one canonical spelling."""
        packed = decode_base64url(text)
        if packed is None or len(packed) != _SEALED.size + _MAC_BYTES:
            return None
        version, device_id, expires_at, credential_version, address, username, user = _SEALED.unpack_from(packed)
        mark = cls(device_id, expires_at, credential_version, address, username, user, packed[_SEALED.size :])
        return mark if version == _VERSION else None

    @classmethod
    def parse_all(cls, text: str) -> list["DeviceMark"]:
        """The marks that a device holds, newest first. What is none is left out, and too many are none at all."""
        parts = text.split(".", MOST_MARKS)
        return [mark for mark in map(cls.parse, parts) if mark is not None] if len(parts) <= MOST_MARKS else []

    @staticmethod
    def join(marks: Iterable["DeviceMark"]) -> str:
        """What a device that holds these carries."""
        return ".".join(mark.text for mark in marks)

    @property
    def text(self) -> str:
        """The base64url form."""
        return base64.urlsafe_b64encode(self.sealed_part + self.mac).rstrip(b"=").decode()

    @property
    def sealed_part(self) -> bytes:
        """What the MAC is computed over: all the rest."""
        return _SEALED.pack(
            _VERSION,
            self.device_id,
            self.expires_at,
            self.credential_version,
            self.address_tag,
            self.username_tag,
            self.user_tag,
        )

    def alive(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return now.timestamp() < self.expires_at
