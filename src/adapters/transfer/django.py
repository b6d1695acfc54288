"""Django: the users of `django.contrib.auth`, from their table or from `manage.py dumpdata`.

Columns are those of django.contrib.auth.models.AbstractUser, hashes those of django.contrib.auth.hashers; a user model
of the project's own may leave columns out and add others."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from adapters.transfer.files import unpacked
from adapters.transfer.json_rows import read_array
from adapters.transfer.json_values import rest, string
from adapters.transfer.judging import judged
from adapters.transfer.rows import Misread, Row, Tables, in_turn
from adapters.transfer.values import Misfit, flag, instant
from application.ports.transfer import Candidate, Entry, SourceUnreadable

_TAKEN = frozenset({"id", "password", "email", "username", "first_name", "last_name", "is_active", "date_joined"})
_HEAD = 4096

_KEPT = ("pbkdf2_sha256", "pbkdf2_sha1", "bcrypt_sha256", "bcrypt", "argon2", "scrypt")


def django_table(tables: Tables, now: datetime, table: str = "auth_user", key: str = "id") -> AsyncIterator[Entry]:
    """The rows of a user table whose primary key is `key`. Whoever is not active there is disabled here from `now` on.
    Raises `SourceUnreadable`, also when the rows are no user's."""
    needed = sorted({key, "password", "email"})
    return judged(table, tables.rows(table), needed, lambda row: from_django(row, now, key))


def is_dumpdata(path: Path) -> bool:
    """Whether a file is what `manage.py dumpdata` writes, rather than rows. Raises `SourceUnreadable`."""
    with unpacked(path) as file:
        head = file.read(_HEAD).lstrip()
    return head.startswith(b"[") and b'"model":' in head.replace(b" ", b"")


def django_dump(path: Path, now: datetime, model: str = "auth.user") -> AsyncIterator[Entry]:
    """The users in the JSON of `manage.py dumpdata`, among whatever else it holds; as above."""
    return judged(path.name, in_turn(_users(path, model)), (), lambda row: from_django(row, now))


def _users(path: Path, model: str) -> Iterator[Row | Misread]:
    others, somebody = False, False
    for row in read_array(path):
        if isinstance(row, Row):
            if str(row.values.get("model")).lower() != model.lower():
                others = True
                continue
            fields = row.values.get("fields")
            row = Row(row.line, {"id": row.values.get("pk"), **(fields if isinstance(fields, dict) else {})})
        somebody = True
        yield row
    if others and not somebody:
        raise SourceUnreadable(f"{path} holds no {model}.")


def from_django(row: Row, now: datetime, key: str = "id") -> Candidate:
    """One user, whose primary key is `key`. Django proves no address, so none counts as proven; staff and superusers
    are metadata, and no role. Raises `Misfit`."""
    values = row.values
    if key != "id":
        values = {("id" if name == key else name): value for name, value in values.items() if name != "id"}
    username, email = string(values, "username"), string(values, "email")
    # Dumps by natural keys have no numbers; usernames are unique.
    who = _id(values.get("id")) or username
    if who is None or email is None:
        raise Misfit(f"There is no {'id' if who is None else 'e-mail address'}.")
    names = (string(values, "first_name"), string(values, "last_name"))
    password_hash, problem = _password(string(values, "password"))
    return Candidate(
        line=row.line,
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
