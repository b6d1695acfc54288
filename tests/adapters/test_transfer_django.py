"""Django's users, from their table and from `dumpdata`.

The table and the dump in `tests/support/foreign` were written by Django 5.2: ten people with passwords by each of its
hashers at low cost, and one without. All have the same password."""

import base64
import csv
import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.transfer.django import django_dump, django_table, from_django
from adapters.transfer.opening import open_tables
from adapters.transfer.rows import Misread, Row
from application.ports.transfer import Candidate, Entry, SourceUnreadable, Unfit
from tests.support.transfers import gathered, judged_alone, lets_in

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FOREIGN = Path(__file__).parents[1] / "support" / "foreign"
DUMP = FOREIGN / "django-5.2-dumpdata.json"
PASSWORD = "lamp post 7 ünder"


class Held:
    """Rows that are there already."""

    def __init__(self, *rows: Row | Misread) -> None:
        self._rows = rows

    async def rows(self, table: str) -> AsyncIterator[Row | Misread]:
        for row in self._rows:
            yield row


def written_by_django() -> list[dict[str, Any]]:
    """The rows of the table."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript((FOREIGN / "django-5.2-auth-user.sql").read_text())
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM auth_user ORDER BY id")]


def as_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript((FOREIGN / "django-5.2-auth-user.sql").read_text())


def as_csv(path: Path) -> None:
    rows = written_by_django()
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def as_ndjson(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in written_by_django()))


def as_dump(path: Path) -> None:
    """Written here as pg_dump writes."""
    rows = written_by_django()
    lines = ["\t".join("\\N" if value is None else str(value) for value in row.values()) for row in rows]
    head = f"--\n-- PostgreSQL database dump\n--\n\nCOPY public.auth_user ({', '.join(rows[0])}) FROM stdin;"
    path.write_text("\n".join([head, *lines, "\\.", ""]))


WRITERS = {"SQLite": as_sqlite, "CSV": as_csv, "NDJSON": as_ndjson, "dump": as_dump}
SOURCES = ["dumpdata", *WRITERS]


async def table_of(path: Path) -> AsyncIterator[Entry]:
    async with open_tables(path) as tables:
        async for entry in django_table(tables, NOW):
            yield entry


def people(source: str, tmp_path: Path) -> dict[str, Candidate]:
    """Everybody who comes, by what stands before the @ of their address."""
    path = tmp_path / "users"
    if source in WRITERS:
        WRITERS[source](path)
    found = gathered(table_of(path) if source in WRITERS else django_dump(DUMP, NOW))
    return {str(one.email).split("@")[0]: one for one in found if isinstance(one, Candidate)}


USER: dict[str, Any] = {
    "id": 7,
    "password": "!",
    "last_login": None,
    "is_superuser": False,
    "username": "ada",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.org",
    "is_staff": True,
    "is_active": True,
    "date_joined": "2019-05-04T13:14:15Z",
}


def read(values: dict[str, Any]) -> Candidate | Unfit:
    return judged_alone(values, lambda row: from_django(row, NOW))


@pytest.mark.parametrize("source", SOURCES)
def test_everything_about_a_user_comes_along(source: str, tmp_path: Path) -> None:
    ada = people(source, tmp_path)["ada"]

    assert (ada.id, ada.line > 0, ada.email, ada.username) == ("1", True, "ada@example.org", "ada")
    assert ada.name == "Ada Lovelace"
    assert ada.created_at is not None
    assert ada.created_at.replace(microsecond=0) == datetime(2019, 5, 4, 13, 14, 15, tzinfo=UTC)
    assert ada.disabled_at is None
    assert not ada.email_verified
    assert (ada.metadata["is_staff"], ada.metadata["is_superuser"]) == (True, True)
    assert str(ada.metadata["last_login"]).startswith("2024-01-02")
    assert "password" not in ada.metadata
    assert ada.role == "user"


@pytest.mark.parametrize("source", SOURCES)
def test_who_is_not_active_stays_disabled(source: str, tmp_path: Path) -> None:
    assert people(source, tmp_path)["ina"].disabled_at == NOW


@pytest.mark.parametrize("source", SOURCES)
def test_an_address_is_no_username(source: str, tmp_path: Path) -> None:
    assert people(source, tmp_path)["Kim.Möller"].username is None


def test_who_has_no_address_does_not_come() -> None:
    assert [entry for entry in gathered(django_dump(DUMP, NOW)) if isinstance(entry, Unfit)] == [
        Unfit(line=164, whom="10", reason="There is no e-mail address.")
    ]


@pytest.mark.parametrize("name", ["ada", "bea", "cy", "dora", "eve", "fay"])
def test_hashes_stay_as_django_wrote_them(name: str, tmp_path: Path) -> None:
    as_written = {row["username"]: row["password"] for row in written_by_django()}

    assert people("SQLite", tmp_path)[name].password_hash == as_written[name]


def test_hashes_of_django_let_their_owners_in(tmp_path: Path) -> None:
    for name, found in people("SQLite", tmp_path).items():
        assert found.password_hash is None or lets_in(found, PASSWORD), name


def test_scrypt_with_a_short_salt_of_a_projects_own_is_let_in_too() -> None:
    key = hashlib.scrypt(PASSWORD.encode(), salt=b"short", n=16384, r=8, p=1, maxmem=2**26, dklen=64)
    found = read({**USER, "password": f"scrypt$16384$short$8$1${base64.b64encode(key).decode()}"})

    assert isinstance(found, Candidate)
    assert lets_in(found, PASSWORD)


def test_who_has_an_unusable_password_has_none(tmp_path: Path) -> None:
    gus = people("SQLite", tmp_path)["gus"]

    assert (gus.password_hash, gus.password_problem) == (None, None)


@pytest.mark.parametrize(
    "stored",
    [
        "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
        "sha1$salt$5f4dcc3b5aa765d61d8327deb882cf99",
        "unsalted_md5$$5f4dcc3b5aa765d61d8327deb882cf99",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "crypt$$ab1234",
        "pbkdf2_sha256",
    ],
    ids=lambda stored: stored.split("$")[0],
)
def test_weak_hashes_do_not_come_along(stored: str) -> None:
    found = read({**USER, "password": stored})

    assert isinstance(found, Candidate)
    assert found.password_hash is None
    assert found.password_problem
    assert stored not in found.password_problem


@pytest.mark.parametrize(
    ("written", "active"),
    [(True, True), (1, True), ("t", True), ("True", True), (0, False), ("f", False), (None, True)],
)
def test_flags_are_read_as_every_database_writes_them(written: object, active: bool) -> None:
    found = read({**USER, "is_active": written})

    assert isinstance(found, Candidate)
    assert (found.disabled_at is None) is active


@pytest.mark.parametrize(
    "written",
    [
        "2019-05-04 13:14:15+00",
        "2019-05-04 15:14:15+02:00",
        "2019-05-04T13:14:15Z",
        "2019-05-04 13:14:15",
        datetime(2019, 5, 4, 13, 14, 15, tzinfo=UTC),
    ],
    ids=str,
)
def test_instants_are_read_as_every_database_writes_them(written: object) -> None:
    found = read({**USER, "date_joined": written})

    assert isinstance(found, Candidate)
    assert found.created_at == datetime(2019, 5, 4, 13, 14, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"email": ""}, "There is no e-mail address."),
        ({"email": 1}, "email is no text."),
        ({"id": None, "username": None}, "There is no id."),
        ({"is_active": "maybe"}, "is_active is neither true nor false."),
        ({"date_joined": "yesterday"}, "date_joined is no moment."),
        ({"password": 3}, "password is no text."),
    ],
    ids=str,
)
def test_who_is_not_as_promised_is_named_with_the_reason(change: dict[str, Any], reason: str) -> None:
    found = read(USER | change)

    assert isinstance(found, Unfit)
    assert found.reason == reason


def test_a_user_model_of_a_projects_own_brings_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    fields = {"email": "ada@example.org", "password": "!x", "is_active": True, "phone": "+49301234"}
    dump = [
        {"model": "shop.order", "pk": 1, "fields": {}},
        {"model": "accounts.user", "pk": "0b3f8a8e-52a9-4d0b-9ad0-5b7c3f1f2a11", "fields": fields},
    ]
    path.write_text(json.dumps(dump))

    (found,) = gathered(django_dump(path, NOW, model="accounts.User"))

    assert isinstance(found, Candidate)
    assert found.id == "0b3f8a8e-52a9-4d0b-9ad0-5b7c3f1f2a11"
    assert found.metadata == {"phone": "+49301234"}


def test_a_table_may_have_a_key_of_another_name() -> None:
    values = {"uid": UUID(int=5), "email": "ada@example.org", "password": "!", "is_active": True}

    (found,) = gathered(django_table(Held(Row(1, values)), NOW, table="accounts_user", key="uid"))

    assert isinstance(found, Candidate)
    assert found.id == str(UUID(int=5))


def test_rows_that_are_no_users_end_the_reading() -> None:
    with pytest.raises(SourceUnreadable, match="auth_user has no column email, password"):
        gathered(django_table(Held(Row(1, {"id": 1, "title": "x"})), NOW))


def test_a_dump_without_users_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_text('[{"model": "shop.order", "pk": 1, "fields": {}}]')

    with pytest.raises(SourceUnreadable, match=r"holds no auth\.user"):
        gathered(django_dump(path, NOW))


def test_a_dump_that_is_cut_off_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_text(DUMP.read_text()[:-30])

    with pytest.raises(SourceUnreadable, match=r"dump\.json"):
        gathered(django_dump(path, NOW))


def test_a_row_that_could_not_be_read_is_nobody() -> None:
    assert gathered(django_table(Held(Misread(3, "It is no JSON.")), NOW)) == [
        Unfit(line=3, whom="?", reason="It is no JSON.")
    ]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=4)
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from([*sorted(USER), "extra"]), value=ANYTHING)
@settings(max_examples=100, deadline=None)
def test_whatever_stands_in_a_column_somebody_or_nobody_comes_of_it(name: str, value: object) -> None:
    found = read({**USER, name: value})

    assert isinstance(found, Candidate | Unfit)
    if isinstance(found, Candidate):
        json.dumps(found.metadata, allow_nan=False).encode()
