"""SHA-crypt, as Unix systems keep passwords, by the standard library's SHA-2.

Forms: `$5$[rounds=<n>$]<salt>$<hash>` with SHA-256 and `$6$…` with SHA-512, 5000 rounds where nothing is said, as in
Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512" (public domain), which glibc, libxcrypt, passlib and Dovecot
follow. Rounds are 1000 to what the bound of work for all forms allows, a million; passlib's default is 656,000.
The salt has 1 to 16 characters.

It is written out here, because Python has dropped `crypt`, and what lives on of passlib comes without types and without
a promise. The work is done in Python and holds its lock, a few milliseconds at a time.

The password's bytes as typed. Each round reads them all, so those of more than 128 bytes match nothing.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from adapters.hashing.crypt_base64 import MOST_BYTES, crypt_base64
from adapters.hashing.stored import number
from application.ports.stored_hashes import StoredHash, unreadable
from domain.password import Password

_MILLISECONDS_PER_ROUND = 0.0015
_DEFAULT_ROUNDS = 5000
_SHAPE = re.compile(
    r"\$(?P<kind>[56])\$(?:rounds=(?P<rounds>[0-9]+)\$)?(?P<salt>[./A-Za-z0-9]{1,16})\$(?P<digest>[./A-Za-z0-9]+)",
    re.ASCII,
)
_LENGTHS = {"5": 43, "6": 86}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ShaCryptHash:
    """`application.ports.stored_hashes.StoredHash`."""

    name: Literal["sha256", "sha512"]
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
        made = _sha_crypt(hashlib.sha256 if self.name == "sha256" else hashlib.sha512, secret, self.salt, self.rounds)
        return hmac.compare_digest(crypt_base64(_shuffled(made)), self.digest)


def read_sha_crypt(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if not encoded.startswith(("$5$", "$6$")):
        return None
    match = _SHAPE.fullmatch(encoded)
    if match is None or len(match["digest"]) != _LENGTHS[match["kind"]]:
        raise unreadable("no SHA-crypt hash")
    return ShaCryptHash(
        name="sha256" if match["kind"] == "5" else "sha512",
        rounds=number(match["rounds"], "the rounds", 1000, 999_999_999) if match["rounds"] else _DEFAULT_ROUNDS,
        salt=match["salt"].encode(),
        digest=match["digest"],
    )


def _sha_crypt(sha: "Callable[[bytes], hashlib._Hash]", secret: bytes, salt: bytes, rounds: int) -> bytes:
    """Drepper's steps 1 to 21. What he calls digests A, B, DP and DS bear these names."""
    b = sha(secret + salt + secret).digest()
    blend = secret + salt + _cycled(b, len(secret))
    bits = len(secret)
    while bits:
        blend += b if bits & 1 else secret
        bits >>= 1
    digest = sha(blend).digest()
    p = _cycled(sha(secret * len(secret)).digest(), len(secret))  # of DP
    s = _cycled(sha(salt * (16 + digest[0])).digest(), len(salt))  # of DS
    for turn in range(rounds):
        middle = (s if turn % 3 else b"") + (p if turn % 7 else b"")
        digest = sha(p + middle + digest if turn & 1 else digest + middle + p).digest()
    return digest


def _cycled(value: bytes, size: int) -> bytes:
    return (value * (size // len(value) + 1))[:size]


def _shuffled(digest: bytes) -> bytes:
    """The bytes in the order in which step 22 writes them: of each third of the digest one, beginning with another
    third each time, forwards for SHA-512 and backwards for SHA-256; then what is left over."""
    third, step = (21, 1) if len(digest) == 64 else (10, -1)
    triples = (
        bytes(digest[index + third * ((place + step * index) % 3)] for place in (2, 1, 0)) for index in range(third)
    )
    return b"".join(triples) + digest[3 * third :]
