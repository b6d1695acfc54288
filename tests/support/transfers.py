"""Sources of people, gathered."""

import asyncio
import base64
import hashlib
import tracemalloc
from collections.abc import AsyncIterator

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from application.ports.transfer import Candidate, Unfit


def gathered(source: AsyncIterator[Candidate | Unfit]) -> list[Candidate | Unfit]:
    """All that a source holds."""

    async def gather() -> list[Candidate | Unfit]:
        return [entry async for entry in source]

    return asyncio.run(gather())


def only(source: AsyncIterator[Candidate | Unfit]) -> Candidate:
    """The one who comes from a source."""
    (found,) = gathered(source)
    assert isinstance(found, Candidate), found
    return found


def counted(source: AsyncIterator[object]) -> tuple[int, int]:
    """How many a source holds, and the most memory that reading them took, in bytes."""

    async def count() -> int:
        number = 0
        async for _ in source:
            number += 1
        return number

    tracemalloc.start()
    try:
        number = asyncio.run(count())
        return number, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def unpadded(text: str) -> bytes:
    """The bytes of base64 as PHC strings have it."""
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def is_pbkdf2(encoded: str, password: str) -> bool:
    """Whether a PHC string of PBKDF2 is this password's, by the standard library."""
    _, name, parameters, salt, key = encoded.split("$")
    given = dict(part.split("=") for part in parameters.split(","))
    expected = unpadded(key)
    assert len(expected) == int(given["l"])
    digest = name.removeprefix("pbkdf2-")
    return hashlib.pbkdf2_hmac(digest, password.encode(), unpadded(salt), int(given["i"]), len(expected)) == expected


def is_scrypt(encoded: str, password: str) -> bool:
    """Whether a PHC string of scrypt is this password's, by the standard library."""
    _, _, parameters, salt, key = encoded.split("$")
    given = {name: int(value) for name, value in (part.split("=") for part in parameters.split(","))}
    expected = unpadded(key)
    n, r, p = 2 ** given["ln"], given["r"], given["p"]
    derived = hashlib.scrypt(password.encode(), salt=unpadded(salt), n=n, r=r, p=p, maxmem=2**28, dklen=len(expected))
    return derived == expected


def is_firebase(encoded: str, password: str) -> bool:
    """Whether a `$fbscrypt$` string is this password's, computed as Firebase publishes it."""
    _, _, parameters, salt, key = encoded.split("$")
    given = dict(part.split("=", 1) for part in parameters.split(","))
    salted = base64.b64decode(salt) + base64.b64decode(given.get("ss", ""))
    n, r, p = 2 ** int(given["n"]), int(given["r"]), int(given["p"])
    derived = hashlib.scrypt(password.encode(), salt=salted, n=n, r=r, p=p, maxmem=2**28, dklen=32)
    encryptor = Cipher(algorithms.AES(derived), modes.CTR(bytes(16))).encryptor()
    return encryptor.update(base64.b64decode(given["sk"])) + encryptor.finalize() == base64.b64decode(key)
