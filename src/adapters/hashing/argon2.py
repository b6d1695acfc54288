"""Argon2 (RFC 9106), by argon2-cffi: Argon2id is what is made here, Argon2i is read too.

Form: the PHC string of the reference implementation, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` in unpadded base64, as
GoTrue, Keycloak and passlib have it; Django writes `argon2` before it (`django.contrib.auth.hashers`). Argon2d, which
tells its memory accesses to who shares the machine, and the parameters `keyid` and `data` are refused. What is made
here is of the password in NFC; what others made, of the password as it was typed: nothing tells them apart, so where
the two differ both are tried.
"""

import re
from dataclasses import dataclass

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import Argon2Error
from argon2.low_level import verify_secret

from adapters.hashing.stored import StoredHash, base64_bytes, number, unreadable
from domain.password import Password

_MILLISECONDS_PER_MIB_PASS = 0.8
_SHAPE = re.compile(
    r"(?:argon2)?(?P<phc>\$argon2(?P<kind>id|i)\$(?:v=(?P<version>[0-9]+)\$)?"
    r"m=(?P<memory>[0-9]+),t=(?P<time>[0-9]+),p=(?P<lanes>[0-9]+)\$(?P<salt>[^$]*)\$(?P<digest>[^$]*))",
    re.ASCII,
)
_OLD_VERSION, _VERSION = 16, 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Parameters:
    """Cost of one hash. The default is OWASP's: 19 MiB, two passes, one lane (ASVS 11.4.2)."""

    memory_kib: int = 19 * 1024
    time: int = 2
    parallelism: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Argon2Hash:
    """`adapters.hashing.stored.StoredHash`."""

    encoded: str
    kind: Type
    memory_kib: int
    time: int

    @property
    def work(self) -> float:
        return self.memory_kib / 1024 * self.time * _MILLISECONDS_PER_MIB_PASS

    def matches(self, password: Password) -> bool:
        return self._is_of(password.text) or (password.as_typed != password.text and self._is_of(password.as_typed))

    def _is_of(self, text: str) -> bool:
        try:
            return verify_secret(self.encoded.encode(), text.encode(), self.kind)
        except Argon2Error:
            return False


def read_argon2(encoded: str) -> StoredHash | None:
    """`adapters.hashing.stored.Form`."""
    if not encoded.startswith(("$argon2", "argon2$")):
        return None
    match = _SHAPE.fullmatch(encoded)
    if match is None:
        raise unreadable("no PHC string of Argon2id or Argon2i")
    if int(match["version"] or _OLD_VERSION) not in (_OLD_VERSION, _VERSION):
        raise unreadable("a version of Argon2 that is not known here")
    lanes = number(match["lanes"], "p", 1, 16)
    # What it costs together is bounded for all forms alike.
    memory_kib = number(match["memory"], "m", 8 * lanes, 2**32)
    time = number(match["time"], "t", 1, 20)
    base64_bytes(match["salt"], "the salt", 8, 64)
    base64_bytes(match["digest"], "the hash", 12, 128)
    kind = Type.ID if match["kind"] == "id" else Type.I
    return Argon2Hash(encoded=match["phc"], kind=kind, memory_kib=memory_kib, time=time)


class Argon2id:
    """`adapters.hashing.keyring.Maker`."""

    def __init__(self, parameters: Argon2Parameters) -> None:
        self._argon2 = Argon2(
            time_cost=parameters.time,
            memory_cost=parameters.memory_kib,
            parallelism=parameters.parallelism,
            type=Type.ID,
        )

    def hash(self, password: Password) -> str:
        return self._argon2.hash(password.text)

    def made(self, encoded: str) -> bool:
        return encoded.startswith("$argon2id$") and not self._argon2.check_needs_rehash(encoded)
