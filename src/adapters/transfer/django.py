"""Django: the users of `django.contrib.auth`, from their table or from `manage.py dumpdata`.

Columns are those of django.contrib.auth.models.AbstractUser, hashes those of django.contrib.auth.hashers; a user model
of the project's own may leave columns out and add others."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path

from adapters.transfer.files import unpacked
from adapters.transfer.json_rows import read_array
from adapters.transfer.json_values import rest, string, unfit
from adapters.transfer.rows import Misread, Row, Tables, in_turn, let_go
from adapters.transfer.values import Misfit, flag, instant
from application.ports.transfer import Candidate, SourceUnreadable, Unfit

_TAKEN = frozenset({"id", "password", "email", "username", "first_name", "last_name", "is_active", "date_joined"})
_HEAD = 4096
_WHO = ("id", "email", "username")

_KEPT = ("pbkdf2_sha256", "pbkdf2_sha1", "bcrypt_sha256", "bcrypt", "argon2", "scrypt")


async def django_table(
    tables: Tables, now: datetime, table: str = "auth_user", key: str = "id"
) -> AsyncIterator[Candidate | Unfit]:
    """The rows of a user table whose primary key is `key`. Whoever is not active there is disabled here from `now` on.
    Raises `SourceUnreadable`, also when the rows are no user's."""
    seen = False
    async with let_go(tables.rows(table)) as them:
        async for row in them:
            if isinstance(row, Row) and not seen:
                seen = True
                if missing := {key, "password", "email"} - row.values.keys():
                    raise SourceUnreadable(f"{table} has no column {', '.join(sorted(missing))}.")
            yield _read(row, key, now)


def is_dumpdata(path: Path) -> bool:
    """Whether a file is what `manage.py dumpdata` writes, rather than rows. Raises `SourceUnreadable`."""
    with unpacked(path) as file:
        head = file.read(_HEAD).lstrip()
    return head.startswith(b"[") and b'"model":' in head.replace(b" ", b"")


async def django_dump(path: Path, now: datetime, model: str = "auth.user") -> AsyncIterator[Candidate | Unfit]:
    """The users in the JSON of `manage.py dumpdata`, among whatever else it holds; as above."""
    others, somebody = False, False
    async with let_go(in_turn(read_array(path))) as them:
        async for row in them:
            if isinstance(row, Row):
                if str(row.values.get("model")).lower() != model.lower():
                    others = True
                    continue
                fields = row.values.get("fields")
                row = Row(row.line, {"id": row.values.get("pk"), **(fields if isinstance(fields, dict) else {})})
            somebody = True
            yield _read(row, "id", now)
    if others and not somebody:
        raise SourceUnreadable(f"{path} holds no {model}.")


def _read(row: Row | Misread, key: str, now: datetime) -> Candidate | Unfit:
    if isinstance(row, Misread):
        return Unfit(line=row.line, whom="", reason=row.reason)
    values = row.values
    if key != "id":
        values = {("id" if name == key else name): value for name, value in values.items() if name != "id"}
    return from_django(row.line, values, now)


def from_django(line: int, values: Mapping[str, object], now: datetime) -> Candidate | Unfit:
    """One user. Django proves no address, so none counts as proven; staff and superusers are metadata, and no role."""
    try:
        username, email = string(values, "username"), string(values, "email")
        # Dumps by natural keys have no numbers; usernames are unique.
        who = _id(values.get("id")) or username
        if who is None or email is None:
            return unfit(line, values, _WHO, f"There is no {'id' if who is None else 'e-mail address'}.")
        names = (string(values, "first_name"), string(values, "last_name"))
        password_hash, problem = _password(string(values, "password"))
        return Candidate(
            line=line,
            id=who,
            email=email,
            name=" ".join(name for name in names if name) or None,
            username=username if username and username.casefold() != email.casefold() else None,
            created_at=instant(values, "date_joined"),
            disabled_at=None if values.get("is_active") is None or flag(values, "is_active") else now,
            metadata=_metadata(values),
            password_hash=password_hash,
            password_problem=problem,
        )
    except Misfit as fault:
        return unfit(line, values, _WHO, str(fault))


def _id(value: object) -> str | None:
    if isinstance(value, bool | float | list | dict) or value is None:
        return None
    return string({"id": str(value)}, "id")  # a number, a UUID, or text


def _metadata(values: Mapping[str, object]) -> dict[str, object]:
    flags = {name: flag(values, name) for name in ("is_staff", "is_superuser") if name in values}
    return rest({**values, **flags}, _TAKEN)


def _password(stored: str | None) -> tuple[str | None, str | None]:
    if stored is None or stored.startswith("!"):  # set_unusable_password()
        return None, None
    algorithm = stored.partition("$")[0]
    if algorithm in _KEPT and "$" in stored:
        return stored, None
    return None, "The password is hashed in a way that is too weak to bring along, or not Django's own."
