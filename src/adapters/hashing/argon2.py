"""Argon2 (RFC 9106), by argon2-cffi: Argon2id is what is made here, Argon2i is read too.

Form: the PHC string of the reference implementation, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` in unpadded base64, as
GoTrue, Keycloak and passlib have it; Django writes `argon2` before it (`django.contrib.auth.hashers`). Argon2d, which
tells its memory accesses to who shares the machine, and the parameters `keyid` and `data` are refused. What is made
here is of the password in NFC; what Django made, of the password as it was typed. Nothing else tells others' hashes
from ours, so the import writes Django's prefix before all that others made.
"""

import re
from dataclasses import dataclass

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import Argon2Error
from argon2.low_level import verify_secret

from adapters.hashing.stored import base64_bytes, number, unpadded
from application.ports.stored_hashes import StoredHash, unreadable
from domain.password import Password

AS_TYPED = "argon2"
"""Before a hash that was made of the password as it was typed."""

_MILLISECONDS_PER_MIB_PASS = 1.1
_SHAPE = re.compile(
    r"(?P<as_typed>argon2)?\$argon2(?P<kind>id|i)\$(?:v=(?P<version>16|19)\$)?"
    r"m=(?P<memory>[0-9]+),t=(?P<time>[0-9]+),p=(?P<lanes>[0-9]+)\$(?P<salt>[^$]*)\$(?P<digest>[^$]*)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Parameters:
    """Cost of one hash. The default is OWASP's: 19 MiB, two passes, one lane (ASVS 11.4.2)."""

    memory_kib: int = 19 * 1024
    time: int = 2
    parallelism: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Argon2Hash:
    """`application.ports.stored_hashes.StoredHash`."""

    encoded: str
    kind: Type
    memory_kib: int
    time: int
    as_typed: bool

    @property
    def work(self) -> float:
        return self.memory_kib / 1024 * self.time * _MILLISECONDS_PER_MIB_PASS

    def matches(self, password: Password) -> bool:
        text = password.as_typed if self.as_typed else password.text
        try:
            return verify_secret(self.encoded.encode(), text.encode(), self.kind)
        except Argon2Error:
            return False


def read_argon2(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if not encoded.startswith(("$argon2", "argon2$")):
        return None
    match = _SHAPE.fullmatch(encoded)
    if match is None:
        raise unreadable("no PHC string of Argon2id or Argon2i")
    lanes = number(match["lanes"], "p", 1, 16)
    # What it costs together is bounded for all forms alike.
    memory_kib = number(match["memory"], "m", 8 * lanes, 2**32)
    time = number(match["time"], "t", 1, 20)
    salt = base64_bytes(match["salt"], "the salt", 8, 64)
    digest = base64_bytes(match["digest"], "the hash", 12, 128)
    # Written anew in the one spelling that the library reads: any other it would turn away in no time, which tells.
    version = f"v={match['version']}$" if match["version"] else ""
    parameters = f"{version}m={memory_kib},t={time},p={lanes}"
    return Argon2Hash(
        encoded=f"$argon2{match['kind']}${parameters}${unpadded(salt)}${unpadded(digest)}",
        kind=Type.ID if match["kind"] == "id" else Type.I,
        memory_kib=memory_kib,
        time=time,
        as_typed=match["as_typed"] is not None,
    )


def as_typed(encoded: str) -> str:
    """A hash that others made, Argon2 or not, so that it is taken for one of a password as it was typed."""
    return AS_TYPED + encoded if encoded.startswith("$argon2") else encoded


class Argon2id:
    """`application.ports.stored_hashes.Maker`."""

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
