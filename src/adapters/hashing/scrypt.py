"""scrypt (RFC 7914), by the standard library's OpenSSL.

Forms. The cost N is a power of two, 2 to 2^24; r and p are 1 to 64; memory and work together are bounded for all forms
alike:

- `$scrypt$ln=14,r=8,p=1$<salt>$<hash>`: the PHC string of passlib (`passlib/handlers/scrypt.py`), ln = log2 N, unpadded
  base64, a hash of 32 or 64 bytes.
- `scrypt$<N>$<salt>$<r>$<p>$<hash>`: Django (`ScryptPasswordHasher` in `django/contrib/auth/hashers.py`), the salt's
  own text, the hash in base64.
- `scrypt:<N>:<r>:<p>$<salt>$<hash>`: Werkzeug (`werkzeug/security.py`), the salt's own text, the hash in hexadecimal.
- `$scrypt-node$<salt>:<key>`: Node.js' `crypto.scryptSync(password, salt, 64)` with its defaults N=16384, r=8, p=1, as
  widespread tutorials have it; 16 bytes of salt in hexadecimal, of which *the text* is the salt. Originals bear no
  prefix: whoever brings them in gives it. `$scrypt-node-trim$` is the same where the password was trimmed first.
- `$scrypt-better-auth$<salt>:<key>`: Better Auth (`@better-auth/utils`, `password`), the same with r=16 and of the
  password in NFKC. Originals bear no prefix either.

Apart from Better Auth nobody normalises the password: its UTF-8 bytes as typed.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from adapters.hashing.stored import base64_bytes, hex_bytes, number
from application.ports.stored_hashes import StoredHash, immoderate, unreadable
from domain.password import Password

_MILLISECONDS_PER_BLOCK = 500 / 2**20
"""For each of the N * r * p blocks of 128 bytes that are mixed."""

_PHC = re.compile(
    r"\$scrypt\$ln=(?P<ln>[0-9]+),r=(?P<r>[0-9]+),p=(?P<p>[0-9]+)\$(?P<salt>[^$]*)\$(?P<digest>[^$]*)", re.ASCII
)
_PHC_SIZES = (32, 64)
_DJANGO = re.compile(
    r"scrypt\$(?P<n>[0-9]+)\$(?P<salt>[!-#%-~]{1,64})\$(?P<r>[0-9]+)\$(?P<p>[0-9]+)\$(?P<digest>[^$]*)", re.ASCII
)
_WERKZEUG = re.compile(
    r"scrypt:(?P<n>[0-9]+):(?P<r>[0-9]+):(?P<p>[0-9]+)\$(?P<salt>[!-#%-~]{1,64})\$(?P<digest>[^$]*)", re.ASCII
)
_SALT_AND_KEY = re.compile(r"(?P<salt>[0-9a-fA-F]{32}):(?P<digest>[0-9a-fA-F]{128})", re.ASCII)
_KEY_AND_SALT = re.compile(r"(?P<digest>[0-9a-fA-F]{128}):(?P<salt>[0-9a-fA-F]{32})", re.ASCII)

SCRYPT_NODE, SCRYPT_NODE_TRIM, SCRYPT_BETTER_AUTH = "$scrypt-node$", "$scrypt-node-trim$", "$scrypt-better-auth$"
"""Before `salt:key`, which does not say whose it is."""

_JAVASCRIPT_SPACES = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What `String.prototype.trim` takes off (ECMA-262, WhiteSpace and LineTerminator), which is not what Python's does."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ScryptHash:
    """`application.ports.stored_hashes.StoredHash`."""

    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes
    prepare: Callable[[str], str]
    """What the original did to a password before it took its bytes."""

    @property
    def work(self) -> float:
        return self.n * self.r * self.p * _MILLISECONDS_PER_BLOCK

    @property
    def memory_kib(self) -> int:
        return self._bytes // 1024

    @property
    def _bytes(self) -> int:
        """As OpenSSL counts, which refuses one byte more."""
        return 128 * self.r * (self.n + self.p + 2)

    def matches(self, password: Password) -> bool:
        try:
            return hmac.compare_digest(self.derive(password), self.digest)
        except (ValueError, MemoryError):
            return False

    def is_exact(self, password: Password) -> bool:
        return self.prepare(password.text) == password.text

    def derive(self, password: Password) -> bytes:
        """As many bytes as the digest has. Raises `ValueError` and `MemoryError`."""
        secret = self.prepare(password.as_typed).encode()
        size = len(self.digest)
        return hashlib.scrypt(secret, salt=self.salt, n=self.n, r=self.r, p=self.p, maxmem=self._bytes, dklen=size)


def scrypt_hash(
    *, n: int, r: int, p: int, salt: bytes, digest: bytes, prepare: Callable[[str], str] = str
) -> ScryptHash:
    """A hash whose three costs go together. Raises `Unusable` where they do not."""
    if n & (n - 1) or n.bit_length() > 16 * r:
        raise immoderate("N is no power of two, or one too high for r")
    return ScryptHash(n=n, r=r, p=p, salt=salt, digest=digest, prepare=prepare)


def read_scrypt_phc(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if not encoded.startswith("$scrypt$"):
        return None
    match = _PHC.fullmatch(encoded)
    if match is None:
        raise unreadable("no PHC string of scrypt")
    digest = base64_bytes(match["digest"], "the hash", 32, 64)
    if len(digest) not in _PHC_SIZES:  # any beginning of a hash would match too
        raise immoderate("the hash has neither 32 nor 64 bytes")
    return scrypt_hash(
        n=2 ** number(match["ln"], "ln", 1, 24),
        r=_r(match["r"]),
        p=_p(match["p"]),
        salt=base64_bytes(match["salt"], "the salt", 8, 64),
        digest=digest,
    )


def read_scrypt_django(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if not encoded.startswith("scrypt$"):
        return None
    match = _DJANGO.fullmatch(encoded)
    if match is None:
        raise unreadable("no scrypt hash as Django writes them")
    digest = base64_bytes(match["digest"], "the hash", 64, 64)
    return scrypt_hash(n=_n(match["n"]), r=_r(match["r"]), p=_p(match["p"]), salt=match["salt"].encode(), digest=digest)


def read_scrypt_werkzeug(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if not encoded.startswith("scrypt:"):
        return None
    match = _WERKZEUG.fullmatch(encoded)
    if match is None:
        raise unreadable("no scrypt hash as Werkzeug writes them")
    digest = hex_bytes(match["digest"], "the hash", 64, 64)
    return scrypt_hash(n=_n(match["n"]), r=_r(match["r"]), p=_p(match["p"]), salt=match["salt"].encode(), digest=digest)


def read_scrypt_node(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if encoded.startswith(SCRYPT_NODE):
        return _hexadecimal(encoded.removeprefix(SCRYPT_NODE), r=8, prepare=str)
    if encoded.startswith(SCRYPT_NODE_TRIM):
        return _hexadecimal(encoded.removeprefix(SCRYPT_NODE_TRIM), r=8, prepare=_trimmed)
    return None


def read_scrypt_better_auth(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if encoded.startswith(SCRYPT_BETTER_AUTH):
        return _hexadecimal(encoded.removeprefix(SCRYPT_BETTER_AUTH), r=16, prepare=_compatible)
    return None


def salt_first(raw: str) -> str | None:
    """`salt:key` of Node.js, also out of `key:salt`, as some tutorials have it; None for anything else."""
    match = _SALT_AND_KEY.fullmatch(raw) or _KEY_AND_SALT.fullmatch(raw)
    return f"{match['salt']}:{match['digest']}" if match else None


def _hexadecimal(encoded: str, *, r: int, prepare: Callable[[str], str]) -> ScryptHash:
    match = _SALT_AND_KEY.fullmatch(encoded)
    if match is None:
        raise unreadable("no salt and key in hexadecimal, of 16 and 64 bytes")
    salt, digest = match["salt"].encode(), bytes.fromhex(match["digest"])
    return scrypt_hash(n=2**14, r=r, p=1, salt=salt, digest=digest, prepare=prepare)


def _n(text: str) -> int:
    return number(text, "N", 2, 2**24)


def _r(text: str) -> int:
    return number(text, "r", 1, 64)


def _p(text: str) -> int:
    return number(text, "p", 1, 64)


def _trimmed(text: str) -> str:
    return text.strip(_JAVASCRIPT_SPACES)


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
