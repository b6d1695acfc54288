"""Rows of other systems: whatever file or server they stand in, they are the rows that the original shows."""

import asyncio
import csv
import gzip
import io
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.transfer.firebase import firebase_json
from adapters.transfer.generic import read_generic
from adapters.transfer.keycloak import keycloak
from adapters.transfer.literals import copied, literal
from adapters.transfer.live import Dsn
from adapters.transfer.opening import open_rows
from adapters.transfer.rows import Misread, Row
from adapters.transfer.seen import SeenOnDisk
from application.ports.transfer import Entry, SourceUnreadable
from tests.support.transfers import counted, gathered

HASH = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
LETTERS = st.characters(exclude_characters="\0", codec="utf-8")


def rows(source: Path | Dsn, table: str = "users") -> list[Row | Misread]:
    async def gather() -> list[Row | Misread]:
        return [row async for row in open_rows(source, table)]

    return asyncio.run(gather())


def file(tmp_path: Path, content: str | bytes, name: str = "people") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_csv_says_where_each_row_begins_and_what_is_in_it(tmp_path: Path, separator: str) -> None:
    written = '\ufeffid,email,note\r\n1,a@x.org,"two\nlines, and ""quotes"""\r\n\r\n2,b@x.org,\r\n'.replace(
        ",", separator
    )
    assert rows(file(tmp_path, written)) == [
        Row(2, {"id": "1", "email": "a@x.org", "note": f'two\nlines{separator} and "quotes"'}),
        Row(5, {"id": "2", "email": "b@x.org", "note": None}),
    ]


def test_a_row_that_is_no_good_is_one_row_and_not_the_end(tmp_path: Path) -> None:
    lines = [b"id,email", b"1,a,b", b"2,\xff", b"3,a\0b", b"4," + b"x" * 1_100_000, b"5,good"]
    found = rows(file(tmp_path, b"\n".join(lines)))
    assert [row.line for row in found if isinstance(row, Misread)] == [2, 3, 4, 5]
    assert found[-1] == Row(6, {"id": "5", "email": "good"})


def test_text_inside_of_a_broken_row_is_never_taken_for_a_row(tmp_path: Path) -> None:
    """Who could write a profile over several lines would make themselves whoever they want."""
    forged = file(tmp_path, f'id,note\n1,"a" b "\n2,{HASH}\n3,"c"\n')
    with pytest.raises(SourceUnreadable, match="people, line 2: no CSV") as refusal:
        rows(forged)
    assert HASH not in str(refusal.value)


@given(table=st.lists(st.lists(st.text(LETTERS), min_size=2, max_size=2), max_size=5))
def test_csv_reads_what_csv_writes(table: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *table])
    found = rows(file(tmp_path_factory.mktemp("csv"), written.getvalue()))
    assert [list(row.values.values()) for row in found if isinstance(row, Row)] == [
        [cell or None for cell in record] for record in table
    ]


def test_ndjson_goes_on_after_a_line_that_is_none(tmp_path: Path) -> None:
    found = rows(file(tmp_path, '\ufeff{"id": 1}\n\n{"id": \n[2]\n{"id": "\\ud800"}\n{"id": 3, "ok": true}'))
    assert [row.line for row in found if isinstance(row, Misread)] == [3, 4, 5]
    assert [row for row in found if isinstance(row, Row)] == [Row(1, {"id": 1}), Row(6, {"id": 3, "ok": True})]


def test_an_array_is_read_element_by_element(tmp_path: Path) -> None:
    people = [{"id": number, "text": "x" * 3000 + "é"} for number in range(300)]
    found = rows(file(tmp_path, json.dumps(people, indent=1)))
    assert [row.values for row in found if isinstance(row, Row)] == people
    assert [row.line for row in found[:3]] == [2, 6, 10]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PGDMP\x01\x0e", "pg_dump --format=plain"),
        (b"PK\x03\x04", "zip archive"),
        (b"\xff\xfe-\0-\0", "UTF-16"),
        (b" \n", "is empty"),
        (b"{\n  'id': 1", "an object over several lines"),
        (b"[1, 2", "line 1: the file ends in the middle"),
        (b"\x1f\x8b\x08\0", "damaged or cut off"),
        (b"SQLite format 3\0 but not really", "cannot be read as an SQLite file"),
        (b"id,id\n1,2\n", "column 2 has the name of another"),
        (b"COPY auth.users (id) FROM stdin;\n1\n2", "the file is cut off"),
        (b"INSERT INTO auth.users (id) VALUES ('1'), ('2", "cut off"),
        (b"INSERT INTO auth.users VALUES ('1');", "the columns are nowhere named"),
        (b"SET client_encoding = 'LATIN1';\nCOPY auth.users (id) FROM stdin;\n", "--encoding=UTF8"),
        (b"COPY public.users (id) FROM stdin;\n\\.\n", "no table auth.users; there are public.users"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(SourceUnreadable, match="people") as refusal:
        rows(file(tmp_path, content), "auth.users")
    assert sentence in str(refusal.value)


def test_a_header_that_is_a_row_is_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable) as refusal:
        gathered(read_generic(file(tmp_path, f"1,a@x.org,{HASH}\n2,b@x.org,{HASH}\n")))
    assert HASH not in str(refusal.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="is not there"):
        rows(tmp_path / "nowhere.csv")
    with pytest.raises(SourceUnreadable, match="is no file"):
        rows(tmp_path)


def test_gzip_is_read_as_what_is_in_it(tmp_path: Path) -> None:
    assert rows(file(tmp_path, gzip.compress(b"id\n1\n"))) == [Row(2, {"id": "1"})]


def test_sqlite_is_opened_for_reading_only(tmp_path: Path) -> None:
    path = tmp_path / "their.db"
    with sqlite3.connect(path) as theirs:
        theirs.executescript("CREATE TABLE users (id, email); INSERT INTO users VALUES (7, 'a@x.org')")
    theirs.close()
    path.chmod(0o444)
    before = path.read_bytes()
    assert rows(path) == [Row(1, {"id": 7, "email": "a@x.org"})]
    with pytest.raises(SourceUnreadable, match="no table people; there are users"):
        rows(path, "people")
    assert (path.read_bytes(), [each.name for each in tmp_path.iterdir()]) == (before, ["their.db"])


@given(st.text(LETTERS))
def test_copy_and_literals_say_any_text(text: str) -> None:
    """By our own inverse; the real server's is in `test_transfer_dumps`."""
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    octal = "".join(f"\\{byte:03o}" for byte in text.encode())
    hexadecimal = "".join(f"\\x{byte:02x}" for byte in text.encode())
    quoted = text.replace("'", "''")
    assert [copied(escaped), copied(octal), copied(hexadecimal)] == [text] * 3
    assert literal(f"'{quoted}'") == literal(f"'{quoted}'::character varying(9)") == text
    assert literal("E'" + quoted.replace("\\", "\\\\") + "'") == literal(f"e'{octal}'") == text
    assert copied("\\N") is None is literal("NULL")


def test_a_file_of_many_mebibytes_takes_less_than_three(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    with path.open("w") as many:
        many.write("id,email,note\n")
        many.writelines(f"{number},u{number}@x.org,{'x' * 900}\n" for number in range(15_000))
    number, peak = counted(open_rows(path, "users"))
    assert (number, peak < 3 * 1024 * 1024) == (15_000, True)


def test_what_was_seen_is_remembered_with_its_line_and_by_its_kind() -> None:
    with SeenOnDisk() as seen:
        assert seen.first("email", "a@x.org", 3) is None
        assert seen.first("id", "a@x.org", 4) is None
        assert seen.first("email", "a@x.org", 5) == 3
        assert seen.first("email", "A@x.org", 6) is None


def _firebase(path: Path) -> AsyncIterator[Entry]:
    return firebase_json(path, None, datetime.now(UTC))


def _keycloak(path: Path) -> AsyncIterator[Entry]:
    return keycloak(path, datetime.now(UTC))


@pytest.mark.parametrize("people_of", [_firebase, _keycloak], ids=["Firebase", "Keycloak"])
def test_reading_a_document_takes_a_part_of_what_it_is_long(
    people_of: Callable[[Path], AsyncIterator[Entry]], tmp_path: Path
) -> None:
    path = tmp_path / "users.json"
    user = {"id": "1", "localId": "1", "email": "a@example.org", "about": "a" * 2000}
    path.write_text('{"users": [' + ", ".join([json.dumps(user)] * 3_000) + "]}")
    number, peak = counted(people_of(path))
    assert (number, peak < path.stat().st_size / 4) == (3_000, True)
