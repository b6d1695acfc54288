"""The form of our own, CSV or NDJSON: what `ostiary users export` writes, and what anybody can make out of anything."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path

from adapters.hashing.aspnet_identity import ASPNET_IDENTITY_V3
from adapters.hashing.scrypt import SCRYPT_BETTER_AUTH, SCRYPT_NODE, SCRYPT_NODE_TRIM, salt_first
from adapters.transfer.json_values import plain_object
from adapters.transfer.judging import judged
from adapters.transfer.opening import open_rows
from adapters.transfer.rows import Row, named
from adapters.transfer.values import Misfit, flag, instant, json_object, written
from application.ports.transfer import Candidate, Entry, SourceUnreadable, Unfit
from domain.email_address import EmailAddress
from domain.newcomer import Newcomer
from domain.password import NO_PASSWORD
from domain.role import ORDINARY
from domain.violations import Broken

COLUMNS = (
    *("id", "email", "email_verified", "name", "username", "role", "created_at", "disabled_at"),
    *("first_signed_in_at", "locale", "password_hash", "fields", "origin_system", "origin_id", "metadata"),
)
"""What there may be; only `email` has to be. `fields` and `metadata` are JSON objects."""

_KNOWN = frozenset(COLUMNS)


PREFIXES: Mapping[str, str] = {
    "auto": "",
    "scrypt-node": SCRYPT_NODE,
    "scrypt-node-trim": SCRYPT_NODE_TRIM,
    "scrypt-better-auth": SCRYPT_BETTER_AUTH,
    "aspnet-identity-v3": ASPNET_IDENTITY_V3,
}
"""What to write before hashes that do not say what they are, by the name of their form."""


def read_generic(path: Path, hash_form: str = "auto") -> AsyncIterator[Entry]:
    """Everybody in the file; `hash_form` is one of `PREFIXES`. Raises `SourceUnreadable`, also for a column that has no
    meaning here: it may be one that is misspelt."""
    prefix = PREFIXES[hash_form]
    return judged(path.name, open_rows(path, "users"), (), lambda row: _judge(path, row, prefix))


def generic_line(newcomer: Newcomer) -> dict[str, object]:
    """Somebody in this form, the hash included. What there is not is left out."""
    user, origin = newcomer.user, newcomer.origin
    line: dict[str, object | None] = {
        "id": str(user.id),
        "email": user.email.canonical,
        "email_verified": user.email_verified,
        "name": None if user.name is None else str(user.name),
        "username": None if user.username is None else user.username.name,
        "role": user.role,
        "created_at": _written(user.created_at),
        "disabled_at": _written(user.disabled_at),
        "first_signed_in_at": _written(user.first_signed_in_at),
        "locale": user.locale,
        "password_hash": None if newcomer.password_hash == NO_PASSWORD else newcomer.password_hash.encoded,
        "fields": dict(user.fields) or None,
        "origin_system": origin and origin.system,
        "origin_id": origin and origin.id,
        "metadata": dict(origin.metadata) or None if origin else None,
    }
    return {column: value for column, value in line.items() if value is not None}


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _judge(path: Path, row: Row, prefix: str) -> Candidate | Unfit:
    values = row.values
    if not values.keys() <= _KNOWN:
        unknown = named(values.keys() - _KNOWN)
        raise SourceUnreadable(f"{path}, line {row.line}: unknown columns: {unknown}. Known are {', '.join(COLUMNS)}.")
    if "email" not in values:
        raise SourceUnreadable(f"{path}, line {row.line}: there is no column email; there are {named(values)}.")
    email, stored = written(values, "email"), written(values, "password_hash")
    if not (known := written(values, "id") or _canonical(email)):
        raise Misfit("There is neither an id nor an address.")
    return Candidate(
        line=row.line,
        id=known,
        email=email,
        email_verified=flag(values, "email_verified"),
        name=written(values, "name"),
        username=written(values, "username"),
        role=written(values, "role") or ORDINARY,
        created_at=instant(values, "created_at"),
        disabled_at=instant(values, "disabled_at"),
        first_signed_in_at=instant(values, "first_signed_in_at"),
        locale=written(values, "locale"),
        fields=plain_object(json_object(values, "fields")),
        metadata=plain_object(json_object(values, "metadata")),
        password_hash=_self_describing(stored, prefix) if stored else None,
        origin_system=written(values, "origin_system"),
        origin_id=written(values, "origin_id"),
    )


def _canonical(email: str | None) -> str | None:
    if email is None:
        return None
    try:
        return EmailAddress.parse(email).canonical
    except Broken:
        return email


def _self_describing(stored: str, prefix: str) -> str:
    """With the prefix that says what it is, unless it says so itself."""
    if stored.startswith("$"):
        return stored
    if prefix in (SCRYPT_NODE, SCRYPT_NODE_TRIM):
        stored = salt_first(stored) or stored
    return prefix + stored
