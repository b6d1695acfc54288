"""PBKDF2 with HMAC (RFC 8018), by the standard library's OpenSSL.

Forms. Work, which is iterations times the blocks that the hash takes, is bounded for all forms alike, to some three
million for a hash of one block of SHA-256:

- `pbkdf2_sha256$<iterations>$<salt>$<hash>`, `pbkdf2_sha1$…`: Django (`PBKDF2PasswordHasher` in
  `django/contrib/auth/hashers.py`), the salt's own text, the hash in base64.
- `$pbkdf2-sha256$<rounds>$<salt>$<hash>`, `$pbkdf2-sha512$…`, `$pbkdf2$…` (SHA-1): passlib
  (`passlib/handlers/pbkdf2.py`), in unpadded base64 with a full stop for the plus sign.
- `$pbkdf2-sha256$i=<iterations>[,l=<bytes>]$<salt>$<hash>`, likewise with `sha512` and `sha1`: the PHC string as the
  RustCrypto project writes it, in unpadded base64. What Keycloak holds is brought in as this.
- `pbkdf2:sha256:<iterations>$<salt>$<hash>`, likewise with `sha1` and `sha512`: Werkzeug (`werkzeug/security.py`), the
  salt's own text, the hash in hexadecimal.

A hash is as long as its function's, in the PHC string as `l` says, 16 to 64 bytes: a shorter one would be the beginning
of a longer one, and match too.

Nobody normalises the password: its UTF-8 bytes as typed.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal

from adapters.hashing.stored import base64_bytes, hex_bytes, number
from application.ports.stored_hashes import StoredHash, unreadable
from domain.password import Password

MOST_ITERATIONS = 10**8

Digest = Literal["sha1", "sha256", "sha512"]

_MILLISECONDS_PER_ITERATION = {"sha1": 0.00042, "sha256": 0.00045, "sha512": 0.00075}
_SIZES = {"sha1": 20, "sha256": 32, "sha512": 64}
_BY_NAME: dict[str, Digest] = {"sha1": "sha1", "sha256": "sha256", "sha512": "sha512"}

_DJANGO = re.compile(
    r"pbkdf2_(?P<name>sha1|sha256)\$(?P<iterations>[0-9]+)\$(?P<salt>[!-#%-~]{1,64})\$(?P<digest>[^$]*)", re.ASCII
)
_WERKZEUG = re.compile(
    r"pbkdf2:(?P<name>sha1|sha256|sha512):(?P<iterations>[0-9]+)\$(?P<salt>[!-#%-~]{1,64})\$(?P<digest>[^$]*)", re.ASCII
)
_PASSLIB_OR_PHC = re.compile(
    r"\$pbkdf2(?:-(?P<name>sha1|sha256|sha512))?\$(?:(?P<rounds>[0-9]+)|i=(?P<iterations>[0-9]+)(?:,l=(?P<length>[0-9]+))?)"
    r"\$(?P<salt>[^$]*)\$(?P<digest>[^$]*)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pbkdf2Hash:
    """`application.ports.stored_hashes.StoredHash`."""

    name: Digest
    iterations: int
    salt: bytes
    digest: bytes

    @property
    def work(self) -> float:
        blocks = -(-len(self.digest) // _SIZES[self.name])
        return self.iterations * blocks * _MILLISECONDS_PER_ITERATION[self.name]

    @property
    def memory_kib(self) -> int:
        return 1

    def matches(self, password: Password) -> bool:
        secret = password.as_typed.encode()
        made = hashlib.pbkdf2_hmac(self.name, secret, self.salt, self.iterations, len(self.digest))
        return hmac.compare_digest(made, self.digest)


def read_pbkdf2_django(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if not encoded.startswith("pbkdf2_"):
        return None
    match = _DJANGO.fullmatch(encoded)
    if match is None:
        raise unreadable("no PBKDF2 hash as Django writes them")
    name = _BY_NAME[match["name"]]
    digest = base64_bytes(match["digest"], "the hash", _SIZES[name], _SIZES[name])
    return _hash(name, match["iterations"], match["salt"].encode(), digest)


def read_pbkdf2_werkzeug(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if not encoded.startswith("pbkdf2:"):
        return None
    match = _WERKZEUG.fullmatch(encoded)
    if match is None:
        raise unreadable("no PBKDF2 hash as Werkzeug writes them")
    name = _BY_NAME[match["name"]]
    digest = hex_bytes(match["digest"], "the hash", _SIZES[name], _SIZES[name])
    return _hash(name, match["iterations"], match["salt"].encode(), digest)


def read_pbkdf2_modular(encoded: str) -> StoredHash | None:
    """passlib's and the PHC string. `application.ports.stored_hashes.Form`."""
    if not encoded.startswith(("$pbkdf2$", "$pbkdf2-")):
        return None
    match = _PASSLIB_OR_PHC.fullmatch(encoded)
    if match is None:
        raise unreadable("no PBKDF2 hash of passlib, and no PHC string of one")
    salt, digest = match["salt"], match["digest"]
    if match["rounds"] is not None:
        salt, digest = salt.replace(".", "+"), digest.replace(".", "+")
    name = _BY_NAME[match["name"] or "sha1"]
    size = number(match["length"], "l", 16, 64) if match["length"] else _SIZES[name]
    value = base64_bytes(digest, "the hash", size, size)
    return _hash(name, match["rounds"] or match["iterations"], base64_bytes(salt, "the salt", 1, 64), value)


def _hash(name: Digest, iterations: str, salt: bytes, digest: bytes) -> Pbkdf2Hash:
    count = number(iterations, "the iterations", 1, MOST_ITERATIONS)
    return Pbkdf2Hash(name=name, iterations=count, salt=salt, digest=digest)
