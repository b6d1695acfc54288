"""phpass' portable hashes, by the standard library's MD5.

Form: `$P$<cost><8 characters of salt><22 of hash>`, in phpBB `$H$…`, as in Solar Designer's "Portable PHP password
hashing framework" (public domain; `PasswordHash.php`), with which WordPress hashed until 6.8: MD5 of salt and password,
then 2^cost times MD5 of that and the password, 7 to 20 (it allows 30, which takes a quarter of an hour; WordPress has
13). The password's UTF-8 bytes as typed; of more than 128 nothing
matches.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

from adapters.hashing.crypt_base64 import ALPHABET, MOST_BYTES, crypt_base64
from application.ports.stored_hashes import StoredHash, immoderate, unreadable
from domain.password import Password

_MILLISECONDS_PER_ROUND = 0.0008
_LEAST, _MOST = 7, 20
_SHAPE = re.compile(r"\$[PH]\$(?P<cost>[./0-9A-Za-z])(?P<salt>[./0-9A-Za-z]{8})(?P<digest>[./0-9A-Za-z]{22})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PhpassHash:
    """`application.ports.stored_hashes.StoredHash`."""

    rounds: int
    salt: bytes
    digest: str

    @property
    def work(self) -> float:
        return self.rounds * _MILLISECONDS_PER_ROUND

    @property
    def memory_kib(self) -> int:
        return 1

    def matches(self, password: Password) -> bool:
        secret = password.as_typed.encode()
        if len(secret) > MOST_BYTES:
            return False
        made = hashlib.md5(self.salt + secret, usedforsecurity=False).digest()
        for _ in range(self.rounds):
            made = hashlib.md5(made + secret, usedforsecurity=False).digest()
        return hmac.compare_digest(crypt_base64(made), self.digest)


def read_phpass(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if not encoded.startswith(("$P$", "$H$")):
        return None
    match = _SHAPE.fullmatch(encoded)
    if match is None:
        raise unreadable("no portable hash of phpass")
    cost = ALPHABET.index(match["cost"])
    if not _LEAST <= cost <= _MOST:
        raise immoderate(f"the cost is not from {_LEAST} to {_MOST}")
    return PhpassHash(rounds=2**cost, salt=match["salt"].encode(), digest=match["digest"])
