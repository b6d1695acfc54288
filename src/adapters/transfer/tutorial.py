"""The SQLite file of tutorials: `users(id, email, password)`, by Node's `crypto.scrypt` with its defaults.

Source: Node's documentation of `crypto.scryptSync`; the salt is 16 random bytes as hexadecimal text, the key 64 bytes.
"""

from collections.abc import AsyncIterator
from pathlib import Path

from adapters.hashing.scrypt import SCRYPT_NODE, SCRYPT_NODE_TRIM, salt_first
from adapters.transfer.judging import demand, judged, self_told
from adapters.transfer.live import Dsn
from adapters.transfer.opening import open_rows
from adapters.transfer.rows import Row
from adapters.transfer.values import instant, written
from application.ports.transfer import Candidate, Entry, Unfit

TABLE = "users"

_PASSWORDS = ("password", "password_hash")


def read_tutorial(source: Path | Dsn, table: str = TABLE, *, trims: bool = False) -> AsyncIterator[Entry]:
    """Everybody in `users`; nobody's address is verified. `trims`: that system cuts white space off both ends of a
    password before it hashes it. Raises `SourceUnreadable`."""
    prefix = SCRYPT_NODE_TRIM if trims else SCRYPT_NODE

    def judge(row: Row) -> Candidate | Unfit:
        column = next((name for name in _PASSWORDS if name in row.values), None)
        if column is None:
            demand(table, row.values, _PASSWORDS[:1])
        password_hash, problem = _password(written(row.values, column or ""), prefix)
        email = written(row.values, "email")
        return Candidate(
            line=row.line,
            id=written(row.values, "id") or email or "",
            email=email,
            name=written(row.values, "name"),
            username=written(row.values, "username"),
            created_at=instant(row.values, "created_at") or instant(row.values, "createdAt"),
            password_hash=password_hash,
            password_problem=problem,
        )

    return judged(table, open_rows(source, table), ("id", "email"), judge)


def _password(stored: str | None, prefix: str) -> tuple[str | None, str | None]:
    """What comes along, and why it does not."""
    if not stored:
        return None, None
    if found := salt_first(stored):
        return prefix + found, None
    if custom := self_told(stored):
        return custom, None
    return None, "The hash is not 32 and 128 hexadecimal digits with a colon between."
