"""A database of mixed origin: people of several systems, brought in by `ostiary users import` with their hashes."""

import base64
import hashlib
import json
import random
import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from adapters.hashing.argon2 import Argon2id, Argon2Parameters
from adapters.hashing.decoys import Decoys
from adapters.sql.hash_sample import SqlHashSample
from adapters.sql.installation import installation_key
from application.ports.stored_hashes import StoredHash
from benchmarks.servers import PASSWORD, ostiary_command
from domain.password import NO_PASSWORD, Password, PasswordHash
from tests.support import postgresql
from tests.support.hashing import read

_OF_EACH_MAKE = 10
"""Hashes that are really computed; so many people share one. What verifying costs does not depend on the salt."""


def _bcrypt() -> str:
    """As Supabase Auth makes it."""
    return bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10, b"2a")).decode()


def _better_auth() -> str:
    salt = secrets.token_hex(16)
    key = hashlib.scrypt(PASSWORD.encode(), salt=salt.encode(), n=16384, r=16, p=1, maxmem=2**27, dklen=64)
    return f"$scrypt-better-auth${salt}:{key.hex()}"


def _django() -> str:
    """Django's PBKDF2."""
    salt = secrets.token_hex(11)
    digest = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt.encode(), 600_000)
    return f"pbkdf2_sha256$600000${salt}${base64.b64encode(digest).decode()}"


def _own() -> str:
    return Argon2id(Argon2Parameters()).hash(Password(PASSWORD))


@dataclass(frozen=True, slots=True)
class Make:
    """Hashes of one algorithm with the same parameters."""

    name: str
    percent: int
    hash: Callable[[], str]


MAKES = (
    Make("bcrypt", 40, _bcrypt),
    Make("scrypt", 25, _better_auth),
    Make("PBKDF2", 10, _django),
    Make("Argon2id", 25, _own),
)


@dataclass(frozen=True, slots=True)
class People:
    """Addresses, in random order: all alike to look at, whoever has them."""

    with_password: Sequence[str]
    without_password: Sequence[str]
    absent: Sequence[str]


def bring_in(url: str, *, with_password: int, without_password: int, absent: int) -> People:
    """So many people, who all type `PASSWORD`, and so many addresses that nobody has."""
    numbers = random.sample(range(10**6, 10**7), with_password + without_password + absent)
    addresses = [f"person{number}@example.com" for number in numbers]
    there, none = addresses[:with_password], addresses[with_password : with_password + without_password]
    makes = [make for make in MAKES for _ in range(round(with_password * make.percent / 100))]
    pools = {make.name: [make.hash() for _ in range(_OF_EACH_MAKE)] for make in MAKES}
    lines: list[dict[str, object]] = [
        {"email": email, "email_verified": True, "password_hash": random.choice(pools[make.name])}
        for email, make in zip(there, makes, strict=True)
    ]
    lines += [{"email": email, "email_verified": True} for email in none]
    random.shuffle(lines)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "people.ndjson")
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        print(ostiary_command(url, "users", "import", "generic", str(file), "--write"))
    random.shuffle(there)
    return People(there, none, addresses[with_password + without_password :])


async def makes(url: str) -> Callable[[str], str]:
    """The make of what a server that starts now verifies for an address: of the hash there is, or of its decoy."""
    rows = postgresql.run(
        url, "SELECT email, password_hash FROM ostiary.users JOIN ostiary.accounts ON user_id = users.id"
    )
    names = {_read(PasswordHash(make.hash())).work: make.name for make in MAKES}
    hashes = {email: _read(PasswordHash(text)) for email, text in rows if text != NO_PASSWORD.encoded}
    async with postgresql.open_database(url) as database:
        decoys = Decoys(await installation_key(database, b""), PasswordHash(_own()), _read)
        await decoys.count(SqlHashSample(database))
    return lambda email: names[(hashes.get(email) or decoys.draw(email)).work]


def _read(stored: PasswordHash) -> StoredHash:
    return read(stored.encoded)
