"""Supabase Auth: the table `auth.users` of GoTrue.

Source: the migrations of https://github.com/supabase/auth, and its `internal/crypto/password.go` for the hashes.
"""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from adapters.hashing.argon2 import as_typed
from adapters.transfer.json_values import plain_object
from adapters.transfer.judging import judged, unfit
from adapters.transfer.live import Dsn
from adapters.transfer.opening import open_rows
from adapters.transfer.rows import Row
from adapters.transfer.values import flag, instant, json_object, written
from application.ports.transfer import Candidate, Entry, Unfit

TABLE = "auth.users"

_EXPECTED = (
    *("encrypted_password", "email_confirmed_at", "banned_until", "deleted_at", "is_sso_user", "is_anonymous"),
    *("created_at", "raw_user_meta_data", "raw_app_meta_data"),
)

_NAMES = ("full_name", "name", "display_name")
_COMES_ALONG = re.compile(r"\$(?:2[aby]?|argon2(?:i|id)|fbscrypt)\$")


def read_supabase(source: Path | Dsn, now: datetime, table: str = TABLE) -> AsyncIterator[Entry]:
    """Everybody in `auth.users`. Whoever is banned at `now` comes disabled since then. Raises `SourceUnreadable`.

    `role` and `is_super_admin` are roles in that database and not in the product: nobody is given one by them.
    """
    rows = open_rows(source, table)
    return judged(table, rows, ("id", "email"), lambda row: _judge(row, now), expected=_EXPECTED)


def _judge(row: Row, now: datetime) -> Candidate | Unfit:
    values = row.values
    email, phone = written(values, "email"), written(values, "phone")
    if instant(values, "deleted_at") is not None:
        return unfit(row, "Deleted there.")
    if flag(values, "is_anonymous"):
        return unfit(row, "Anonymous there: nobody who could sign in.")
    if flag(values, "is_sso_user"):
        return unfit(row, "Signs in by single sign-on, which does not come along.")
    if not email:
        return unfit(row, "Has a telephone number and no address." if phone else "Has no address.")
    of_user = plain_object(json_object(values, "raw_user_meta_data"))
    of_app = plain_object(json_object(values, "raw_app_meta_data"))
    banned_until = instant(values, "banned_until")
    confirmed = instant(values, "email_confirmed_at") or instant(values, "confirmed_at")
    name = next((found for key in _NAMES if isinstance(found := of_user.get(key), str) and found.strip()), None)
    username = of_user.get("username")
    password_hash, problem = _password(written(values, "encrypted_password"))
    return Candidate(
        line=row.line,
        id=written(values, "id") or email,
        email=email,
        email_verified=confirmed is not None,
        name=name,
        username=username if isinstance(username, str) and username.strip() else None,
        created_at=instant(values, "created_at"),
        disabled_at=now if banned_until is not None and banned_until > now else None,
        fields=of_app,
        own_fields=of_user,
        metadata={"user": of_user, "app": of_app} | ({"phone": phone} if phone else {}),
        password_hash=password_hash,
        password_problem=problem,
    )


def _password(stored: str | None) -> tuple[str | None, str | None]:
    """What comes along, and why it does not."""
    if not stored:
        return None, None
    if _COMES_ALONG.match(stored):
        return as_typed(stored), None
    if stored.startswith("{"):
        return None, "The hash is encrypted with a key of the deployment; decrypt it there before."
    return None, "The hash has a form that Supabase Auth itself does not read."
