"""bcrypt (Provos and Mazieres, "A Future-Adaptable Password Scheme", USENIX 1999), by pyca/bcrypt.

Forms, all with a cost of 4 to 14, since 15 takes seconds:

- `$2a$12$<22 characters of salt><31 of hash>`, likewise `$2b$` and `$2y$`, which differ in the bugs that OpenBSD's and
  PHP's C code once had, not in what they compute: Supabase Auth (`golang.org/x/crypto/bcrypt`), Devise, Auth0,
  bcryptjs, passlib, PHP's `password_hash`. `$2x$`, made by the bug, is refused.
- `bcrypt$$2b$…`: the same by Django (`BCryptPasswordHasher` in `django/contrib/auth/hashers.py`).
- `bcrypt_sha256$$2b$…`: of the SHA-256 digest in hexadecimal (`BCryptSHA256PasswordHasher` there).

Nobody normalises the password: its UTF-8 bytes as typed. bcrypt looks at 72 bytes. The originals cut there when they
verify, so it is done here too; the whole password counts from the next hash on. A password with a NUL byte, where C
code ends and other code goes on, matches nothing: nobody types one, and a cut password would open to its beginning.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

import bcrypt

from adapters.hashing.stored import number
from application.ports.stored_hashes import StoredHash, unreadable
from domain.password import Password

_MILLISECONDS_AT_COST_0 = 0.083
_MEMORY_KIB = 8
_MOST_BYTES = 72
_SHAPE = re.compile(
    r"\$(?P<version>2[aby])\$(?P<cost>[0-9]{2})\$(?P<salt>[./A-Za-z0-9]{22})(?P<digest>[./A-Za-z0-9]{31})", re.ASCII
)
_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BcryptHash:
    """`application.ports.stored_hashes.StoredHash`."""

    setting: bytes
    """Version, cost and salt."""
    digest: str
    cost: int
    sha256_first: bool

    @property
    def work(self) -> float:
        return float(2**self.cost * _MILLISECONDS_AT_COST_0)

    @property
    def memory_kib(self) -> int:
        return _MEMORY_KIB

    def matches(self, password: Password) -> bool:
        secret = password.as_typed.encode()
        if self.sha256_first:
            secret = hashlib.sha256(secret).hexdigest().encode()
        if b"\x00" in secret:
            return False
        try:
            made = bcrypt.hashpw(secret[:_MOST_BYTES], self.setting)
        except ValueError:
            return False
        return hmac.compare_digest(made[len(self.setting) :], self.digest.encode())


def read_bcrypt(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if encoded.startswith(("$2", "bcrypt$")):
        return _read(encoded.removeprefix("bcrypt$"), sha256_first=False)
    return None


def read_bcrypt_sha256(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if encoded.startswith("bcrypt_sha256$"):
        return _read(encoded.removeprefix("bcrypt_sha256$"), sha256_first=True)
    return None


def _read(encoded: str, *, sha256_first: bool) -> StoredHash:
    match = _SHAPE.fullmatch(encoded)
    if match is None:
        raise unreadable("no bcrypt hash of version 2a, 2b or 2y")
    cost = number(match["cost"].removeprefix("0"), "the cost", 4, 14)
    # 128 bits leave four of the last character's six unused. The originals ignore them, the library does not.
    salt = match["salt"][:-1] + _ALPHABET[_ALPHABET.index(match["salt"][-1]) & 0b110000]
    setting = f"${match['version']}${match['cost']}${salt}"
    return BcryptHash(setting=setting.encode(), digest=match["digest"], cost=cost, sha256_first=sha256_first)
