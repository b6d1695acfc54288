"""`ostiary seed`: people and their histories (R91): docs/administration.md."""

import json
from pathlib import Path
from typing import Any

import pytest

from entrypoints.seeding.people import PASSWORD
from tests.support.http_requests import assert_problem, run_command, sign_in
from tests.support.server import CHEAP, run_server
from tests.support.store_kinds import settings_of

ADMINISTRATOR = "ada.lovelace@example.com"


def seed(folder: Path, *arguments: str, **variables: str) -> Any:
    """Make people; who they are."""
    done = run_command("seed", "--json", *arguments, folder=folder, variables={**CHEAP, **variables})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ask(folder: Path, *arguments: str, **variables: str) -> Any:
    """What another command says for programs."""
    done = run_command(*arguments, "--json", folder=folder, variables={**CHEAP, **variables})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_everybody_is_there_with_their_history_and_signs_in_as_is_said(store: str, tmp_path: Path) -> None:
    with settings_of(store) as variables:
        made = seed(tmp_path, "--people", "12", OSTIARY_USERNAME="optional", **variables)
        stories = {person["story"]: person["email"] for person in made["people"]}
        assert len(made["people"]) == 12
        users = {user["email"]: user for user in ask(tmp_path, "users", "list", **variables)["users"]}
        assert len(users) == 11, "one has yet to open the letter"
        assert [email for email, user in users.items() if user["role"] == "admin"] == [ADMINISTRATOR]
        assert [email for email, user in users.items() if user["disabled_at"]] == [stories["disabled"]]
        assert stories["signed up and has not opened the letter yet"] not in users
        assert sum(user["username"] is not None for user in users.values()) == 6
        assert len({user["created_at"][:10] for user in users.values()}) > 5, "over several weeks"
        everywhere = ask(tmp_path, "users", "show", stories["signed in on several devices"], **variables)
        assert len({session["device"] for session in everywhere["sessions"]}) == 3

        def kinds(story: str) -> set[str]:
            events = ask(tmp_path, "events", "list", "--user", stories[story], **variables)["events"]
            return {event["kind"] for event in events}

        assert {"sign_in_failed", "signed_in"} <= kinds("somebody guessed at the password")
        assert "password_changed" in kinds("changed the password")
        assert "email_changed" in kinds("changed the address")
        assert {"refresh_reused", "change_undone", "password_reset"} <= kinds("was robbed of a session, and undid it")
        with run_server(tmp_path, variables) as server:
            for person in made["people"]:
                with server.client() as client:
                    answer = sign_in(client, person["email"], made["password"])
                    if person["signs_in"]:
                        assert answer.status_code == 200, person
                    else:
                        assert_problem(answer, 401, "invalid_credentials")
            waiting = stories["signed up and has not opened the letter yet"]
            assert server.inbox(waiting), "the letter that is waited for comes when the service runs"


def test_it_makes_the_same_people_every_time_with_one_printed_password(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert seed(tmp_path / "one", "--people", "9") == seed(tmp_path / "two", "--people", "9")
    done = run_command("seed", "--people", "2", "--more", folder=tmp_path / "one", variables=CHEAP)
    assert f"All have the password: {PASSWORD}" in done.stdout
    assert "Sign in as" in done.stdout
    assert "2 of 2: " in done.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"OSTIARY_VERIFICATION": "optional"},
        {"OSTIARY_DISCLOSURE": "friendly"},
        {"OSTIARY_USERNAME": "required", "OSTIARY_PASSWORD_REQUIRE": "upper,lower,digit,special"},
        {"OSTIARY_NEW_DEVICE_LETTERS": "off"},
    ],
    ids=lambda variables: " ".join(variables),
)
def test_it_works_whatever_a_developer_has_set(tmp_path: Path, variables: dict[str, str]) -> None:
    made = seed(tmp_path, "--people", "8", **variables)
    assert len(made["people"]) == 8
    assert ask(tmp_path, "users", "show", ADMINISTRATOR, **variables)["user"]["role"] == "admin"


def test_it_works_beside_a_service_that_takes_letters_away(tmp_path: Path) -> None:
    with run_server(tmp_path):
        made = seed(tmp_path, "--people", "12")
    assert len(made["people"]) == 12


def test_it_refuses_a_database_with_users_unless_told_otherwise(tmp_path: Path) -> None:
    first = seed(tmp_path, "--people", "3")
    done = run_command("seed", "--people", "3", folder=tmp_path, variables=CHEAP)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "There are users already: --more adds people to them.\n"
    second = seed(tmp_path, "--people", "3", "--more")
    known = [user["email"] for user in ask(tmp_path, "users", "list")["users"]]
    signing_in = [person["email"] for person in (*first["people"], *second["people"]) if person["signs_in"]]
    assert sorted(known) == sorted(signing_in)
    assert len(set(known)) == 4


@pytest.mark.parametrize(
    "variables",
    [
        {"OSTIARY_PUBLIC_URL": "http://auth.example.com", "OSTIARY_ALLOW_HTTP": "on"},
        {"OSTIARY_PUBLIC_URL": "https://auth.example.com"},
        {"OSTIARY_HOST": "0.0.0.0"},
    ],
    ids=["public http", "public https", "every interface"],
)
def test_it_refuses_a_service_that_others_reach(tmp_path: Path, variables: dict[str, str]) -> None:
    needed = {
        "OSTIARY_SECRET": "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA",
        "SMTP_HOST": "smtp.example.com",
        "EMAIL_FROM": "a@example.com",
    }
    done = run_command("seed", folder=tmp_path, variables={**CHEAP, **needed, **variables})
    assert (done.returncode, done.stdout) == (2, "")
    assert "seed" in done.stderr or "OSTIARY_" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "ostiary-data").exists()
