"""`ostiary users`, `sessions`, `events`, `purge`: administering from the shell (ASVS 6.3.2), docs/administration.md."""

import json
import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.http_requests import assert_problem, sign_in
from tests.support.server import PATIENCE, token_of
from tests.support.shell import Shell
from tests.support.store_kinds import settings_of

ADA = "ada@example.com"
PASSWORD = "engine of difference"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """On a database that is not there yet."""
    return Shell(tmp_path, {})


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_the_first_administrator_comes_from_the_shell_and_administers(store: str, tmp_path: Path) -> None:
    """ASVS 6.3.2: a fresh database has no users, and nobody becomes an administrator over HTTP."""
    with settings_of(store) as variables:
        shell = Shell(tmp_path, variables)
        assert shell.json("users", "list") == {"users": []}
        said = shell.say("users", "create", "--email", ADA, "--role", "admin", "--password-stdin", typed=PASSWORD)
        assert "ada@example.com is here, as admin: " in said
        assert "letter" not in said
        with shell.served() as server, server.client() as client:
            assert sign_in(client, ADA, PASSWORD).json()["user"]["role"] == "admin"
            assert [user["email"] for user in client.get("/admin/users").json()["users"]] == [ADA]


def test_without_a_password_a_letter_lets_them_choose_one(shell: Shell) -> None:
    said = shell.say("users", "create", "--email", ADA, "--name", "Ada")
    assert "A letter to choose a password is on its way" in said
    with shell.served() as server, server.client() as client:
        reset = {"token": token_of(server.inbox(ADA)[0]["link"]), "password": PASSWORD}
        assert client.post("/auth/reset-password", json=reset).status_code == 204
        assert sign_in(client, ADA, PASSWORD).status_code == 200


@pytest.mark.parametrize(
    ("typed", "outcome"),
    [
        ([PASSWORD, PASSWORD], "is here, as user"),
        (["", None], "A letter to choose a password is on its way"),
        ([PASSWORD, "something else entirely"], "The two passwords differ"),
    ],
    ids=["twice the same", "nothing", "two that differ"],
)
def test_on_a_terminal_the_password_is_asked_for_and_not_shown(
    shell: Shell, typed: list[str | None], outcome: str
) -> None:
    ours, theirs = pty.openpty()
    with closing(os.fdopen(ours, "r+b", buffering=0)) as terminal:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("ostiary")), "users", "create", "--email", ADA],
            cwd=shell.folder,
            env={**os.environ, **shell.variables},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,  # no terminal but the one that it is given
        )
        os.close(theirs)
        seen = b""
        for prompt, line in zip((b"letter lets them choose one): ", b"Once more: "), typed, strict=True):
            if line is not None:
                while not seen.endswith(prompt):
                    seen += terminal.read(1)
                terminal.write(line.encode() + b"\n")
        try:
            while more := terminal.read(1024):
                seen += more
        except OSError:
            pass  # Linux says so when the other side has gone
    assert process.wait(PATIENCE) == (2 if "differ" in outcome else 0)
    assert outcome in seen.decode()
    assert PASSWORD not in seen.decode()


def test_everything_wrong_is_said_in_one_line_and_the_password_is_not(shell: Shell) -> None:
    line = shell.refuse(
        *("users", "create", "--email", "nowhere", "--role", "Boss", "--username", "a", "--password-stdin"),
        typed="too short\n",
    )
    for field in ("email: ", "role: ", "username: ", "password: "):
        assert field in line
    assert "too short" not in line
    assert shell.refuse("users", "create", "--email", ADA, "--password-stdin", typed="").startswith("password: ")
    assert shell.json("users", "list") == {"users": []}


def test_a_taken_address_or_username_is_said(shell: Shell) -> None:
    shell.say("users", "create", "--email", ADA, "--username", "ada")
    assert shell.refuse("users", "create", "--email", "ADA@Example.com") == (
        "email: This address has an account already."
    )
    line = shell.refuse("users", "create", "--email", "b@example.com", "--username", "ADA")
    assert line == "username: This username is taken."


def test_a_password_cannot_be_an_argument(shell: Shell) -> None:
    """Everybody on a machine can read everybody's arguments."""
    assert shell.run("users", "create", "--email", ADA, "--password", PASSWORD).returncode == 2
    assert shell.json("users", "list") == {"users": []}


def test_users_are_listed_as_a_table_and_as_the_api_lists_them(shell: Shell) -> None:
    for name in ("ada", "grace", "alan"):
        arguments = ("--email", f"{name}@example.com", "--name", name.title(), "--username", f"{name}.1")
        shell.say("users", "create", *arguments, "--role", "admin" if name == "grace" else "user")
    heading, _, *rows = shell.say("users", "list").splitlines()
    assert heading.split() == ["address", "name", "username", "role", "state", "since", "id"]
    assert [row.split()[:5] for row in rows] == [
        ["alan@example.com", "Alan", "alan.1", "user", "active"],
        ["grace@example.com", "Grace", "grace.1", "admin", "active"],
        ["ada@example.com", "Ada", "ada.1", "user", "active"],
    ]
    assert [user["username"] for user in shell.json("users", "list", "--search", "A@EXA")["users"]] == ["ada.1"]
    assert [user["name"] for user in shell.json("users", "list", "--role", "admin")["users"]] == ["Grace"]
    limited = shell.run("users", "list", "--most", "2")
    assert len(limited.stdout.splitlines()) == 4
    assert "There are more" in limited.stderr
    assert "There are more" not in shell.run("users", "list", "--most", "3").stderr
    assert shell.json("users", "list", "--disabled") == {"users": []}
    assert shell.refuse("users", "list", "--search", "a\x1b[2J").startswith("search: ")


def test_a_user_is_called_by_address_username_or_id(shell: Shell) -> None:
    shell.say("users", "create", "--email", ADA, "--username", "ada")
    [user] = shell.json("users", "list")["users"]
    for who in (ADA, "ADA@EXAMPLE.COM", "ada", "Ada", user["id"]):
        assert shell.json("users", "show", who) == {"user": user, "sessions": []}
    printed = shell.say("users", "show", "ada")
    assert f"id             {user['id']}" in printed
    assert "Signed in nowhere." in printed


NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("command", "who"),
    [
        *(("show", who) for who in ("grace", "grace@example.com", NOBODY, "@", "", "a b", "a\x1b[2J")),
        *((command, "grace") for command in ("disable", "enable", "role", "end-sessions", "reset")),
    ],
)
def test_who_is_not_there_is_said(shell: Shell, command: str, who: str) -> None:
    further = ["admin"] if command == "role" else []
    assert shell.refuse("users", command, who, *further) == f"There is no user {who!r}."


def test_what_is_done_in_the_shell_is_true_at_once_for_the_service(shell: Shell) -> None:
    shell.say("users", "create", "--email", ADA, "--password-stdin", typed=PASSWORD)
    with shell.served() as server, server.client() as client:
        assert sign_in(client, ADA, PASSWORD).status_code == 200
        assert_problem(client.get("/admin/users"), 403)
        assert shell.say("users", "role", ADA, "admin") == "ada@example.com has the role admin now.\n"
        assert client.get("/admin/users").status_code == 200
        [session] = shell.json("users", "show", ADA)["sessions"]
        assert session["device"]
        assert "signed in with" in shell.say("users", "show", ADA)
        assert "is disabled" in shell.say("users", "disable", ADA)
        assert_problem(client.get("/auth/me"), 401)
        assert_problem(sign_in(client, ADA, PASSWORD), 401)
        assert shell.json("users", "list", "--disabled")["users"][0]["disabled_at"] is not None
        assert "can sign in again" in shell.say("users", "enable", ADA)
        assert_problem(client.get("/auth/me"), 401)
        assert sign_in(client, ADA, PASSWORD).status_code == 200
        assert "nowhere any more" in shell.say("users", "end-sessions", ADA)
        assert_problem(client.get("/auth/me"), 401)
        said = shell.say("users", "reset", ADA, "--expire-password")
        assert "A letter to ada@example.com is on its way" in said
        assert_problem(sign_in(client, ADA, PASSWORD), 401)
        subjects = {letter["subject"].split(" for ")[0] for letter in server.inbox(ADA, at_least=2)}
        assert "Choose a new password" in subjects
    kinds = [(event["kind"], event["reason"]) for event in shell.json("events", "list", "--user", ADA)["events"]]
    assert [kind for kind, reason in kinds if reason == "cli"][::-1] == [
        "user_created",
        "user_changed",
        "user_disabled",
        "user_enabled",
        "sessions_ended",
        *sorted(["password_expired", "password_reset_requested"], key=[kind for kind, _ in kinds][::-1].index),
    ]


def test_everybodys_sessions_end_when_that_is_meant(shell: Shell) -> None:
    shell.say("users", "create", "--email", ADA, "--password-stdin", typed=PASSWORD)
    with shell.served() as server, server.client() as client:
        assert sign_in(client, ADA, PASSWORD).status_code == 200
        assert "--all" in shell.refuse("sessions", "end")
        for answer in ("n\n", "\n", ""):
            done = shell.run("sessions", "end", "--all", typed=answer)
            assert (done.returncode, done.stdout) == (2, "")
            assert "Nothing was done." in done.stderr
        assert client.get("/auth/me").status_code == 200
        assert shell.say("sessions", "end", "--all", typed="y\n") == "1 session has ended.\n"
        assert_problem(client.get("/auth/me"), 401)
    assert json.loads(shell.say("sessions", "end", "--all", "--yes", "--json")) == {"ended": 0}


def test_events_are_listed_as_a_table_and_as_the_api_lists_them(shell: Shell) -> None:
    shell.say("users", "create", "--email", ADA)
    shell.say("users", "create", "--email", "grace@example.com")
    shell.say("users", "disable", ADA)
    heading, _, *rows = shell.say("events", "list").splitlines()
    assert heading.split() == ["when", "(UTC)", "what", "user", "by", "reason", "from"]
    assert [row.split()[2] for row in rows] == ["user_disabled", "user_created", "user_created"]
    listed = shell.json("events", "list", "--user", ADA)["events"]
    assert [(event["kind"], event["reason"]) for event in listed] == [("user_disabled", "cli"), ("user_created", "cli")]
    assert len(shell.json("events", "list", "--kind", "user_created")["events"]) == 2
    assert len(shell.json("events", "list", "--most", "1")["events"]) == 1
    assert shell.json("events", "list", "--since", "2999-01-01")["events"] == []
    assert shell.json("events", "list", "--failed")["events"] == []
    assert "--kind" in shell.refuse("events", "list", "--kind", "x\x1b[2J")
    for moment in ("yesterday", "0001-01-01T00:00+14:00"):
        assert "--since" in shell.refuse("events", "list", "--since", moment)
    assert "There is no user" in shell.refuse("events", "list", "--user", "nobody@example.com")


def test_purging_says_how_many_of_each(shell: Shell) -> None:
    assert shell.say("purge") == "Nothing has served its time.\n"
    with shell.served() as server, server.client() as client:
        sign_up = {"email": ADA, "password": PASSWORD, "name": "Ada", "username": "ada"}
        assert client.post("/auth/signup", json=sign_up).status_code == 202
        server.inbox(ADA)
    with closing(sqlite3.connect(shell.folder / "ostiary-data" / "ostiary.sqlite3")) as database:
        database.execute("UPDATE sign_ups SET expires_at = '2000-01-01 00:00:00.000000'")
        database.execute("UPDATE username_claims SET expires_at = '2000-01-01 00:00:00.000000'")
        database.commit()
    assert [line.split() for line in shell.say("purge").splitlines()[2:]] == [
        ["sign", "ups", "1"],
        ["username", "claims", "1"],
    ]
    assert shell.json("purge") == {}


@pytest.mark.parametrize(
    "arguments",
    [("users", "list"), ("users", "show", ADA), ("events", "list"), ("sessions", "end", "--all", "--yes"), ("purge",)],
    ids=" ".join,
)
def test_trouble_is_said_in_a_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("this is text, and has been from the start, so it is no database" * 100)
    broken = Shell(tmp_path, {"DATABASE_URL": f"sqlite:///{tmp_path / 'file'}"})
    assert broken.refuse(*arguments).startswith("The database cannot be used: ")
    unset = Shell(tmp_path, {"OSTIARY_PORT": "canary"}).run(*arguments)
    assert unset.returncode == 2
    assert "OSTIARY_PORT" in unset.stderr
    assert "canary" not in unset.stderr


def test_serving_does_without_what_only_the_shell_needs() -> None:
    """Memory: DESIGN section 9."""
    program = (
        "import sys; import entrypoints.cli.main, entrypoints.server; "
        "print(*(name for name in sys.modules if name.startswith('entrypoints')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "entrypoints.http.admin.users" in loaded
    assert not {name for name in loaded if "seeding" in name or "printing" in name or "composition.past" in name}
