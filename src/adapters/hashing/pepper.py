"""The pepper: a keyed step before Argon2id, so that the database alone is not enough to guess at passwords.

Stored as `$pepper$k=<id>` before the PHC string that Argon2id made of base64(HMAC-SHA-256(key, the password in NFC and
UTF-8)). The digest is keyed, so a list of digests from elsewhere fits no row (no shucking), and it is text, so nothing
ends at a NUL. Only what is made here is peppered: hashes that people bring are verified as they are until they sign in.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.hashing.argon2 import Argon2id, read_argon2
from application.ports.stored_hashes import Form, StoredHash, Unusable, unreadable
from domain.password import FaultKind, Password

MARK = "$pepper$k="
"""What every peppered hash begins with; then come the id of the pepper and `$`."""

LONGEST_ID = 16
_BEGINNING = re.compile(r"\$pepper\$k=(?P<id>[a-z0-9-]{1,16})\$", re.ASCII)
_SHAPE = re.compile(r"\$pepper\$k=(?P<id>[a-z0-9-]{1,16})(?P<inner>\$argon2id\$v=19\$.*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pepper:
    """A key that is in the settings and never in the database, and the name it goes by there."""

    id: str
    key: bytes = field(repr=False)

    def season(self, password: Password) -> Password:
        """What Argon2id is given in its place."""
        digest = hmac.digest(self.key, password.text.encode(), hashlib.sha256)
        return Password(base64.b64encode(digest).decode())


@dataclass(frozen=True, slots=True)
class PepperedHash:
    """`application.ports.stored_hashes.StoredHash`."""

    pepper: Pepper
    inner: StoredHash

    @property
    def work(self) -> float:
        return self.inner.work

    @property
    def memory_kib(self) -> int:
        return self.inner.memory_kib

    def matches(self, password: Password) -> bool:
        return self.inner.matches(self.pepper.season(password))


class PepperedArgon2id:
    """`application.ports.stored_hashes.Maker`: under this pepper. What was made without it, or under another, is
    outdated."""

    def __init__(self, pepper: Pepper, argon2id: Argon2id) -> None:
        self._pepper = pepper
        self._argon2id = argon2id

    def hash(self, password: Password) -> str:
        return f"{MARK}{self._pepper.id}{self._argon2id.hash(self._pepper.season(password))}"

    def made(self, encoded: str) -> bool:
        found = _SHAPE.fullmatch(encoded)
        return found is not None and found["id"] == self._pepper.id and self._argon2id.made(found["inner"])


def peppered_by(peppers: Iterable[Pepper]) -> Form:
    """The form of hashes made under any of these."""
    by_id = {pepper.id: pepper for pepper in peppers}

    def read(encoded: str) -> StoredHash | None:
        if not encoded.startswith("$pepper$"):
            return None
        found = _SHAPE.fullmatch(encoded)
        if found is None:
            raise unreadable("no peppered Argon2id")
        if found["id"] not in by_id:
            raise Unusable(FaultKind.NO_KEY, f"made under the pepper {found['id']}, whose key is not configured")
        inner = read_argon2(found["inner"])
        return PepperedHash(by_id[found["id"]], inner) if inner is not None else None

    return read


def pepper_id_of(encoded: str) -> str | None:
    """The id of the pepper that a hash needs, of which the beginning is enough; None when it needs none."""
    found = _BEGINNING.match(encoded)
    return found["id"] if found else None
