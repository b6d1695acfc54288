"""`ostiary users import | export`: moving in and out from the shell (R36), docs/import.md."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.support import postgresql
from tests.support.hash_vectors import VECTORS
from tests.support.http_requests import sign_in
from tests.support.server import wait_for
from tests.support.shell import Shell
from tests.support.store_kinds import settings_of

FOREIGN = Path(__file__).parents[1] / "support" / "foreign"
BETTER_AUTH = FOREIGN / "better_auth_1_7_postgresql.sql"
"""Written by Better Auth 1.7.25 itself and dumped by pg_dump."""
BETTER_AUTH_PASSWORDS = {
    "ada@example.org": "correct horse battery staple",
    "grace@example.org": "\ufb01ne pass\u0065\u0301 wort",
}
BCRYPT = next(vector for vector in VECTORS if vector.form == "bcrypt 2b")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """On a database that is not there yet."""
    return Shell(tmp_path, {})


def generic(folder: Path, *people: dict[str, object], name: str = "people.ndjson") -> Path:
    """A file of our own form."""
    file = folder / name
    file.write_text("".join(json.dumps(person) + "\n" for person in people))
    return file


def count(shell: Shell, table: str = "users") -> int:
    """Rows in the shell's database; 0 while it is not there."""
    file = shell.folder / "ostiary-data" / "ostiary.sqlite3"
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
        except sqlite3.OperationalError:
            return 0
    return found


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_a_team_moves_over_and_everybody_signs_in_as_before(store: str, tmp_path: Path) -> None:
    with settings_of(store) as variables:
        shell = Shell(tmp_path, variables)
        trial = shell.json("users", "import", "better-auth", str(BETTER_AUTH), "--addresses", "proven")
        assert (trial["written"], trial["read"], trial["come"], trial["with_password"]) == (False, 3, 3, 3)
        assert shell.json("users", "list") == {"users": []}
        told = shell.say("users", "import", "better-auth", str(BETTER_AUTH), "--addresses", "proven", "--write")
        assert "come                             3\n" in told
        with shell.served() as server, server.client() as client:
            for email, password in BETTER_AUTH_PASSWORDS.items():
                assert sign_in(client, email, password + " ").status_code == 401
                for _ in range(2):  # by the hash they brought, and by the one they have now
                    assert sign_in(client, email, password).status_code == 200
            assert sign_in(client, "banned@example.org", "nobody lets me in 42").status_code == 401
        again = shell.json("users", "import", "better-auth", str(BETTER_AUTH), "--write")
        assert (again["here"], again["come"]) == (3, 0)


def test_old_hashes_become_new_ones_as_people_sign_in_and_not_before(shell: Shell) -> None:
    emails = ["ada@example.com", "grace@example.com"]
    known = {"email_verified": True, "password_hash": BCRYPT.encoded}
    people = generic(shell.folder, *({"email": email, **known} for email in emails))
    shell.say("users", "import", "generic", str(people), "--write")
    with shell.served() as server, server.client() as client:
        assert sign_in(client, emails[0], BCRYPT.password).status_code == 200
    kept = {person["email"]: person["password_hash"] for person in export(shell)}
    assert kept[emails[0]].startswith("$argon2id$")
    assert kept[emails[1]] == BCRYPT.encoded


def export(shell: Shell) -> list[dict[str, str]]:
    file = shell.folder / f"{uuid4()}.ndjson"
    shell.say("users", "export", str(file))
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_what_cannot_come_is_named_with_line_and_reason_and_a_file_has_it_all(shell: Shell) -> None:
    hostile = "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
    people = generic(
        shell.folder,
        {"email": "ada@example.com", "password_hash": hostile},
        {"email": "ADA@example.com"},
        {"email": "no address\x1b[2J"},
        {"email": "grace@example.com", "username": "root"},
    )
    report = shell.folder / "report.ndjson"
    told = shell.say("users", "import", "generic", str(people), "--report", str(report))
    assert "line 2  ADA@example.com  Line 1 has the same address." in told
    assert "line 4  grace@example.com  The username stays behind: This name is reserved." in told
    assert "asks for 4194304 KiB of memory" in told
    assert "\x1b" not in told, "a terminal obeys nobody's address"
    assert hostile not in told + report.read_text()
    assert "File exists" in shell.refuse("users", "import", "generic", str(people), "--report", str(people))
    remarks = [json.loads(line) for line in report.read_text().splitlines()]
    assert sorted((remark["line"], remark["stays"]) for remark in remarks) == [
        (1, False),
        (2, True),
        (3, True),
        (4, False),
    ]
    assert "This was a trial: nothing is written." in told
    assert count(shell) == 0


def test_out_and_in_again_elsewhere_everybody_is_as_they_were(shell: Shell, tmp_path: Path) -> None:
    shell.say("users", "import", "better-auth", str(BETTER_AUTH), "--write", "--origin", "old shop")
    out = shell.folder / "out.ndjson"
    shell.say("users", "export", str(out))
    assert out.stat().st_mode & 0o777 == 0o600
    elsewhere = Shell(tmp_path / "elsewhere", {})
    elsewhere.folder.mkdir()
    told = elsewhere.json("users", "import", "generic", str(out), "--write")
    assert (told["come"], told["remarks"]) == (3, 0)
    assert export(elsewhere) == export(shell)
    assert {person["origin_system"] for person in export(elsewhere)} == {"old shop"}


def test_an_export_appears_whole_or_not_at_all(shell: Shell) -> None:
    assert shell.refuse("users", "export", "nowhere/out.ndjson") == "nowhere/out.ndjson: No such file or directory"
    assert shell.run("users", "export", "-").stdout == ""
    assert [file.name for file in shell.folder.iterdir() if "out" in file.name] == []


def crowd(folder: Path, number: int) -> Path:
    """Many people of Supabase's, as CSV."""
    file = folder / "users.csv"
    with file.open("w", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(["id", "email", "encrypted_password", "email_confirmed_at"])
        for one in range(number):
            email = f"person{one}@example.com"
            rows.writerow([UUID(int=one + 1), email, BCRYPT.encoded, "2024-01-01 00:00:00+00"])
    return file


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_an_import_that_is_cut_off_is_whole_as_far_as_it_went_and_goes_on(shell: Shell, end: signal.Signals) -> None:
    file = crowd(shell.folder, 5000)
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("ostiary")), "users", "import", "supabase", str(file), "--write"],
        cwd=shell.folder,
        env={**os.environ, **shell.variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: count(shell) or None, "the first of them to be there")
    process.send_signal(end)
    _, said = process.communicate(timeout=30)
    if end is signal.SIGINT:
        assert process.returncode == 130
        assert "Interrupted." in said
        assert "Repeat the command" in said
    written = count(shell)
    assert 0 < written < 5000
    assert written % 500 == 0, "whole batches"
    assert count(shell, "accounts") == count(shell, "origins") == count(shell, "events") == written
    told = shell.json("users", "import", "supabase", str(file), "--write")
    assert (told["here"], told["come"]) == (written, 5000 - written)
    assert count(shell) == count(shell, "accounts") == 5000


def test_a_live_database_is_read_by_a_url_that_is_in_no_list_of_processes(shell: Shell) -> None:
    stored = BCRYPT.encoded
    with postgresql.empty_database() as url:
        postgresql.run(
            url,
            "CREATE SCHEMA auth",
            "CREATE TABLE auth.users (id uuid, email text, encrypted_password text, email_confirmed_at timestamptz)",
            f"INSERT INTO auth.users VALUES ('{UUID(int=7)}', 'ada@example.com', '{stored}', now())",  # noqa: S608 - ours
        )
        told = shell.say("users", "import", "supabase", "-", "--write", "--json", typed=url + "\n")
        assert json.loads(told)["come"] == 1
        wrong = url.replace("postgres@", "postgres:canary-password@", 1)
        wrong = wrong.replace(url.rpartition("/")[2], "no_such_database")
        refused = shell.refuse("users", "import", "supabase", "-", typed=wrong + "\n")
        assert "canary" not in refused
    [person] = export(shell)
    assert (person["id"], person["email"]) == (str(UUID(int=7)), "ada@example.com")


MISTAKES: dict[str, tuple[Iterable[str], str]] = {
    "no such file": (["supabase", "nowhere.csv"], "nowhere.csv is not there."),
    "no such table": (["better-auth", "people.sqlite"], "there is no table account"),
    "an option of another system": (["supabase", "people.csv", "--trims"], "--trims is for tutorial only."),
    "a second file of another system": (
        ["supabase", "people.csv", "people.csv"],
        "a second source is for better-auth only.",
    ),
    "a column that is misspelt": (["generic", "people.csv"], "emial"),
    "a dump in PostgreSQL's own format": (["supabase", "dump"], "pg_dump --format=plain"),
    "no parameters of firebase": (
        ["firebase", "people.json", "--hash-config", "nowhere"],
        "nowhere could not be read.",
    ),
    "a URL of something else": (["supabase", "mysql://root:canary@db/app"], "The URL: expected"),
    "nothing on standard input": (["supabase", "-"], "There is no URL on standard input."),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_in_a_line_and_nothing_is_written(shell: Shell, case: str) -> None:
    arguments, told = MISTAKES[case]
    (shell.folder / "people.csv").write_text("id,emial\n1,ada@example.com\n")
    (shell.folder / "people.json").write_text('{"users": []}')
    (shell.folder / "dump").write_bytes(b"PGDMP\x01\x0e")
    sqlite3.connect(shell.folder / "people.sqlite").execute("CREATE TABLE people (id TEXT)")
    line = shell.refuse("users", "import", *arguments, "--write")
    assert told in line
    assert "canary" not in line
    assert count(shell) == 0
