"""Firebase's scrypt, by the standard library's scrypt and pyca/cryptography's AES.

Form: `$fbscrypt$v=1,n=<log2 N>,r=<r>,p=<p>[,ss=<separator>],sk=<signer key>$<salt>$<hash>` in padded base64, as GoTrue,
Supabase Auth, writes it (`internal/crypto/password.go`). What it computes is published in github.com/firebase/scrypt:
scrypt of the password with salt and separator together gives 32 bytes; they are the key under which AES-256 in counter
mode, from zero, encrypts the project's signer key; the ciphertext is the hash. Bounds as in `adapters.hashing.scrypt`.
Firebase's export has hash and salt apart and the rest once for the project, as the console shows it:
`adapters.transfer.firebase` puts them together, where `rounds` is r and `mem_cost` is log2 N.

The password's UTF-8 bytes as typed.
"""

import hmac
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from adapters.hashing.scrypt import ScryptHash, scrypt_hash
from adapters.hashing.stored import base64_bytes, number
from application.ports.stored_hashes import StoredHash, unreadable
from domain.password import Password

_SHAPE = re.compile(
    r"\$fbscrypt\$v=1,n=(?P<n>[0-9]+),r=(?P<r>[0-9]+),p=(?P<p>[0-9]+)(?:,ss=(?P<separator>[^$,]*))?"
    r",sk=(?P<signer>[^$,]*)\$(?P<salt>[^$]*)\$(?P<digest>[^$]*)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FirebaseHash:
    """`application.ports.stored_hashes.StoredHash`."""

    key: ScryptHash
    """Derives the key; of its own digest only the length counts."""
    signer: bytes
    digest: bytes

    @property
    def work(self) -> float:
        return self.key.work

    @property
    def memory_kib(self) -> int:
        return self.key.memory_kib

    def matches(self, password: Password) -> bool:
        try:
            encryptor = Cipher(AES(self.key.derive(password)), CTR(bytes(16))).encryptor()
        except (ValueError, MemoryError):
            return False
        return hmac.compare_digest(encryptor.update(self.signer) + encryptor.finalize(), self.digest)


def read_firebase(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if not encoded.startswith("$fbscrypt$"):
        return None
    match = _SHAPE.fullmatch(encoded)
    if match is None:
        raise unreadable("no scrypt hash of Firebase, or its signer key is missing")
    signer = base64_bytes(match["signer"], "the signer key", 16, 128)
    salt = base64_bytes(match["salt"], "the salt", 1, 64)
    return FirebaseHash(
        key=scrypt_hash(
            n=2 ** number(match["n"], "n", 1, 24),
            r=number(match["r"], "r", 1, 64),
            p=number(match["p"], "p", 1, 64),
            salt=salt + base64_bytes(match["separator"] or "", "the salt separator", 0, 64),
            digest=bytes(32),
        ),
        signer=signer,
        digest=base64_bytes(match["digest"], "the hash", len(signer), len(signer)),
    )
