"""The hashes of Acme Cart, the shop before this one, which are read; and scrypt as Acme wants it, which makes new ones.

Acme Cart wrote `acme$<rounds>$<salt>$<digest>`, both in hexadecimal: PBKDF2 with SHA-256 over HMAC-SHA-256 of the
password under a key of the whole shop.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from application.ports.providers import CannotProvide, Surroundings
from application.ports.stored_hashes import HashAlgorithm, HashReader, StoredHash, immoderate, unreadable
from domain.password import Password

# -- Acme Cart: read, never made --

_CART = re.compile(r"acme\$([1-9][0-9]{0,9})\$([0-9a-f]{32})\$([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class CartHash:
    """A hash of Acme Cart's."""

    key: bytes = field(repr=False)
    rounds: int
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @property
    def work(self) -> float:
        """Rough milliseconds on one core: measured once, on a machine like those it will run on."""
        return self.rounds / 2000

    @property
    def memory_kib(self) -> int:
        """Next to nothing."""
        return 1

    def matches(self, password: Password) -> bool:
        """Whether it is this password's. Runs in a thread, beside others."""
        # `as_typed`: Acme Cart took what came. What is made anew is made of `password.text`, which is in NFC.
        seasoned = hmac.digest(self.key, password.as_typed.encode(), "sha256")
        made = hashlib.pbkdf2_hmac("sha256", seasoned, self.salt, self.rounds)
        return hmac.compare_digest(made, self.digest)


@dataclass(frozen=True, slots=True)
class AcmeCart:
    """Reads the hashes of Acme Cart."""

    key: bytes = field(repr=False)

    def read(self, encoded: str) -> StoredHash | None:
        """The hash, before any work; None when it is not Acme Cart's. Raises `Unusable`."""
        if not encoded.startswith("acme$"):
            return None
        match = _CART.fullmatch(encoded)
        if match is None:
            raise unreadable("no hash of Acme Cart")
        return CartHash(self.key, int(match[1]), bytes.fromhex(match[2]), bytes.fromhex(match[3]))


def acme_cart(surroundings: Surroundings) -> HashReader:
    """The factory."""
    key = surroundings.environment.get("ACME_CART_KEY")
    if not key:
        raise CannotProvide("ACME_CART_KEY: needed to read the passwords of Acme Cart")
    return AcmeCart(key.encode())


# -- scrypt: made and read --

_SCRYPT = re.compile(r"\$acme-scrypt\$ln=([0-9]{1,2})\$([0-9a-f]{32})\$([0-9a-f]{64})", re.ASCII)
_BLOCK, _LANES = 8, 1


@dataclass(frozen=True, slots=True)
class ScryptHash:
    """A hash of Acme's own making."""

    log_n: int
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @property
    def work(self) -> float:
        """Rough milliseconds on one core."""
        return (1 << self.log_n) / 350

    @property
    def memory_kib(self) -> int:
        """128 bytes for each of the N times r blocks."""
        return (1 << self.log_n) * _BLOCK // 8

    def matches(self, password: Password) -> bool:
        """Whether it is this password's."""
        return hmac.compare_digest(_scrypt(password, self.salt, self.log_n), self.digest)


@dataclass(frozen=True, slots=True)
class AcmeScrypt:
    """Makes and reads hashes by scrypt with N = 2^log_n."""

    log_n: int

    def hash(self, password: Password) -> str:
        """A new one, salted. Runs in a thread."""
        salt = secrets.token_bytes(16)
        return f"$acme-scrypt$ln={self.log_n}${salt.hex()}${_scrypt(password, salt, self.log_n).hex()}"

    def made(self, encoded: str) -> bool:
        """Whether it is as it would be made today; if not, the next sign-in makes a new one."""
        return encoded.startswith(f"$acme-scrypt$ln={self.log_n}$")

    def read(self, encoded: str) -> StoredHash | None:
        """As above."""
        if not encoded.startswith("$acme-scrypt$"):
            return None
        match = _SCRYPT.fullmatch(encoded)
        if match is None:
            raise unreadable("no hash of Acme's scrypt")
        log_n = int(match[1])
        if not 10 <= log_n <= 20:  # before anything is computed: 2^99 would be the end of the machine
            raise immoderate("N is not from 2^10 to 2^20")
        return ScryptHash(log_n, bytes.fromhex(match[2]), bytes.fromhex(match[3]))


def acme_scrypt(surroundings: Surroundings) -> HashAlgorithm:
    """The factory. OWASP's least is N = 2^17 with r = 8 and p = 1."""
    log_n = surroundings.environment.get("ACME_SCRYPT_LOG_N", "17")
    if not re.fullmatch(r"1[0-9]|20", log_n):
        raise CannotProvide("ACME_SCRYPT_LOG_N: expected a number from 10 to 20")
    return AcmeScrypt(int(log_n))


def _scrypt(password: Password, salt: bytes, log_n: int) -> bytes:
    memory = 2**log_n * _BLOCK * 128
    return hashlib.scrypt(
        password.text.encode(), salt=salt, n=2**log_n, r=_BLOCK, p=_LANES, dklen=32, maxmem=memory + 2**20
    )
