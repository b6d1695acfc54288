"""Better Auth: the tables `user` and `account`, with camelCase columns or snake_case ones.

Sources: https://www.better-auth.com/docs/concepts/database for the tables, `better-auth/crypto` for the hash, the
documentation of the plugins *username*, *admin* and *anonymous* for their columns.
"""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.hashing.scrypt import SCRYPT_BETTER_AUTH
from adapters.transfer.json_values import rest
from adapters.transfer.judging import judged, self_told, unfit
from adapters.transfer.live import Dsn
from adapters.transfer.opening import open_tables
from adapters.transfer.rows import Misread, Row, let_go
from adapters.transfer.staging import scratch
from adapters.transfer.values import Misfit, Values, flag, instant, written
from application.ports.transfer import Candidate, Entry, Unfit

_OWN = re.compile(r"[0-9a-f]{32}:[0-9a-f]{128}")
_OUR_OWN_FIELDS = frozenset({"id", "name", "email", "emailVerified", "createdAt", "updatedAt", "username"})
_NO_FIELDS = frozenset(
    {"image", "displayUsername", "role", "banned", "banReason", "banExpires", "isAnonymous", "twoFactorEnabled"}
)
_OF_ACCOUNT = frozenset({"userId", "accountId", "providerId", "password"})
_PLAIN = {name.lower(): name for name in _OUR_OWN_FIELDS | _NO_FIELDS | _OF_ACCOUNT}


@dataclass(frozen=True, slots=True, kw_only=True)
class BetterAuthTables:
    """Where the two tables are."""

    users: Path | Dsn
    accounts: Path | Dsn | None = None
    """None where they are in the same place: one dump, one SQLite file, one server."""
    user_table: str = "user"
    account_table: str = "account"


async def read_better_auth(where: BetterAuthTables, now: datetime) -> AsyncIterator[Entry]:
    """Everybody in `user`, with the password of their account `credential`. Whoever is banned at `now` comes disabled
    since then; nobody is given their role. Raises `SourceUnreadable`."""
    async with AsyncExitStack() as stack:
        users = await stack.enter_async_context(open_tables(where.users))
        other = where.accounts
        accounts = users if other is None else await stack.enter_async_context(open_tables(other))
        passwords = stack.enter_context(closing(_Passwords()))
        rows = _plainly(accounts.rows(where.account_table))
        async with let_go(
            judged(where.account_table, rows, ("userId", "providerId", "password"), passwords.stage)
        ) as entries:
            async for entry in entries:
                if not isinstance(entry, Candidate):
                    yield entry
        rows = _plainly(users.rows(where.user_table))
        async with let_go(
            judged(
                where.user_table,
                rows,
                ("id", "email"),
                lambda row: _judge(row, now, passwords),
                expected=("emailVerified", "name", "createdAt"),
            )
        ) as entries:
            async for entry in entries:
                yield entry


class _Passwords:
    """Credential accounts' passwords by user, beside memory."""

    def __init__(self) -> None:
        self._database: sqlite3.Connection = scratch()
        self._database.execute("CREATE TABLE staged (user TEXT PRIMARY KEY, password TEXT, own INTEGER) WITHOUT ROWID")

    def stage(self, row: Row) -> Candidate | Unfit:
        """Keep it if it is one. Where a user has several, the one that is named after the user counts."""
        user, password = written(row.values, "userId"), written(row.values, "password")
        if written(row.values, "providerId") == "credential" and password and user:
            self._database.execute(
                "INSERT INTO staged VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
                " SET password = excluded.password, own = excluded.own WHERE excluded.own > own",
                (user, password, written(row.values, "accountId") == user),
            )
        return Candidate(line=row.line, id=user or "", email=None)

    def of(self, user: str) -> str | None:
        """Theirs, if they have one."""
        found = self._database.execute("SELECT password FROM staged WHERE user = ?", (user,)).fetchone()
        return None if found is None else str(found[0])

    def close(self) -> None:
        """Forget them."""
        self._database.close()


def _judge(row: Row, now: datetime, passwords: _Passwords) -> Candidate | Unfit:
    values = row.values
    user, email = written(values, "id"), written(values, "email")
    if not user:
        raise Misfit("There is no id.")
    if flag(values, "isAnonymous"):
        return unfit(row, "Anonymous there: nobody who could sign in.")
    expires = instant(values, "banExpires")
    banned = flag(values, "banned") and (expires is None or expires > now)
    password_hash, problem = _password(passwords.of(user))
    return Candidate(
        line=row.line,
        id=user,
        email=email,
        email_verified=flag(values, "emailVerified"),
        name=written(values, "name"),
        username=written(values, "username") or written(values, "displayUsername"),
        created_at=instant(values, "createdAt"),
        disabled_at=now if banned else None,
        fields=rest(values, _OUR_OWN_FIELDS | _NO_FIELDS),
        metadata=rest(values, _OUR_OWN_FIELDS),
        password_hash=password_hash,
        password_problem=problem,
    )


def _password(stored: str | None) -> tuple[str | None, str | None]:
    """What comes along, and why it does not."""
    if stored is None:
        return None, None
    if _OWN.fullmatch(stored):
        return SCRYPT_BETTER_AUTH + stored, None
    if custom := self_told(stored):
        return custom, None
    return None, "The hash is neither Better Auth's own nor bcrypt nor Argon2: the product had a function of its own."


async def _plainly(rows: AsyncIterator[Row | Misread]) -> AsyncIterator[Row | Misread]:
    """The same with the columns in Better Auth's own spelling, however adapters spell them (`email_verified`)."""
    spelt: dict[tuple[str, ...], list[str]] = {}
    async with let_go(rows) as them:
        async for row in them:
            if isinstance(row, Misread):
                yield row
                continue
            written = tuple(row.values)
            plain = spelt.get(written)
            if plain is None:
                spelt.clear()  # one table has one set of columns; JSON may have many
                plain = spelt[written] = [_PLAIN.get(name.replace("_", "").lower(), name) for name in written]
            values: Values = dict(zip(plain, row.values.values(), strict=True))
            yield Row(row.line, values)
