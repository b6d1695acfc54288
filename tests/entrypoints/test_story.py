"""The whole story, as it is lived: a real server, a real database file, a real mail server (R01-R57, R83)."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.http_mail import MailServer, link_in, run_mail_server, token_in
from tests.support.http_requests import PASSWORD, assert_problem, free_port, new_address, sign_in, sign_up
from tests.support.server import Server, run_server, token_of, wait_for


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    """A mail server on loopback."""
    with run_mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def posted(tmp_path_factory: pytest.TempPathFactory, mail: MailServer) -> Iterator[Server]:
    """Ostiary on SQLite, sending by SMTP."""
    with run_server(tmp_path_factory.mktemp("posted"), mail.variables) as running:
        yield running


def test_from_sign_up_to_signing_in_again(posted: Server, mail: MailServer) -> None:
    email = new_address("story")
    with posted.client() as ada:
        asked = sign_up(ada, f"  {email.upper()} ", name=" Ada Lovelace ")
        assert asked.status_code == 202
        assert asked.json() == {"status": "verification_sent", "email": email}
        assert_problem(ada.get("/auth/me"), 401, "unauthenticated")
        assert_problem(sign_in(ada, email), 401, "invalid_credentials")

        verified = ada.post("/auth/verify-email", json={"token": mail.token(email)})
        assert verified.status_code == 200
        user = verified.json()["user"]
        assert (user["email"], user["name"], user["email_verified"], user["role"]) == (
            email,
            "Ada Lovelace",
            True,
            "user",
        )
        assert user.keys() == {"id", "email", "email_verified", "name", "username", "role", "locale", "created_at"}
        assert ada.get("/auth/me").json() == user
        bearer = {"authorization": f"Bearer {verified.json()['access_token']}"}
        assert httpx.get(f"{posted.url}/auth/me", headers=bearer).json() == user

        assert ada.post("/auth/signout", json={}).status_code == 204
        assert_problem(ada.get("/auth/me"), 401, "unauthenticated")
        assert httpx.get(f"{posted.url}/auth/me", headers=bearer).status_code == 401

        assert_problem(sign_in(ada, email, "not the one at all"), 401, "invalid_credentials")
        again = sign_in(ada, email)
        assert again.json()["user"] == user
        assert ada.get(f"/auth/users/{user['id']}").json() == user


def test_the_letter_is_what_a_mail_program_expects(posted: Server, mail: MailServer) -> None:
    """One recipient, the stored spelling; text and HTML; nothing that whoever signed up has written (SECURITY 2.3)."""
    email = new_address("letter")
    with posted.client() as client:
        sign_up(client, email.title(), name="Click http://evil.example <b>now</b>")
    (letter,) = mail.letters(email)
    assert letter["To"] == email
    assert parseaddr(letter["From"]) == ("Ostiary", "no-reply@example.com")
    assert letter["Subject"] == "Confirm your e-mail address for Ostiary"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f-]{36}@example\.com>", letter["Message-ID"])
    assert letter["Date"]
    assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]
    link = link_in(letter)
    assert parse_qs(urlsplit(link).query).keys() == {"token", "email"}
    html = letter.get_body(("html",))
    assert html is not None
    page = str(html.get_content())
    assert link.replace("&", "&amp;") in page
    assert "evil" not in letter.as_string()
    assert not re.findall(r'(?:src|background)="?http', page), "nothing is loaded from anywhere: nobody is counted"


def test_a_letter_never_goes_to_more_or_other_people_than_asked(posted: Server, mail: MailServer) -> None:
    """A 1.3.11."""
    before = len(mail.received)
    with posted.client() as client:
        for trick in (
            "a@example.com,b@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "=?utf-8?q?victim=40corp.com=2C?=@example.com",
            '"a b"@example.com',
            "Ada <a@example.com>",
            "a@example.com b@example.com",
            "a@[127.0.0.1]",
            "a%b.example@example.com",
            "-oQ/tmp@example.com",
        ):
            assert_problem(sign_up(client, trick), 400, "validation_error")
        last = new_address("last")
        assert sign_up(client, last).status_code == 202
    mail.letters(last)
    assert [recipients for _, recipients, _ in mail.received[before:]] == [[last]]


def test_another_browser_needs_the_password(posted: Server, mail: MailServer) -> None:
    """DESIGN section 2: the link alone does not activate a password."""
    email = new_address("elsewhere")
    with posted.client() as here, posted.client() as there:
        sign_up(here, email)
        token = mail.token(email)
        for _ in range(3):
            assert_problem(there.post("/auth/verify-email", json={"token": token}), 403, "password_required")
        wrong = there.post("/auth/verify-email", json={"token": token, "password": "not the one at all"})
        assert_problem(wrong, 403, "password_required")
        right = there.post("/auth/verify-email", json={"token": token, "password": PASSWORD})
        assert right.status_code == 200
        assert there.get("/auth/me").json()["name"] == "Ada"
        again = here.post("/auth/verify-email", json={"token": token})
        assert_problem(again, 409, "already_verified")
        assert "set-cookie" not in again.headers


def test_a_stranger_gains_nothing_by_signing_up_with_my_address(posted: Server, mail: MailServer) -> None:
    """PH: neither before me nor after me, and I am not kept out."""
    email = new_address("mine")
    with posted.client() as stranger, posted.client() as owner:
        sign_up(stranger, email, "a stranger's own choice")
        first = mail.token(email)
        sign_up(owner, email, "the owner's own choice")
        mine = mail.token(email, at_least=2)
        sign_up(stranger, email, "a stranger's own choice")
        mail.letters(email, at_least=3)
        assert_problem(owner.post("/auth/verify-email", json={"token": first}), 403, "password_required")
        assert owner.post("/auth/verify-email", json={"token": mine}).status_code == 200
        assert owner.get("/auth/me").json()["email"] == email
        for letter in mail.letters(email):
            answer = stranger.post("/auth/verify-email", json={"token": token_in(letter)})
            assert_problem(answer, 400, "token_invalid")
        assert sign_in(stranger, email, "a stranger's own choice").status_code == 401
        assert sign_in(owner, email, "the owner's own choice").status_code == 200


def test_the_owner_of_a_taken_address_is_written_to(posted: Server, mail: MailServer) -> None:
    """R85."""
    email = new_address("taken")
    with posted.client() as owner, posted.client() as stranger:
        sign_up(owner, email)
        owner.post("/auth/verify-email", json={"token": mail.token(email)})
        assert sign_up(stranger, email, "a stranger's own choice").status_code == 202
        notice = mail.letters(email, at_least=2)[-1]
        assert notice["Subject"] == "You already have an account at Ostiary"
        assert "token" not in notice.as_string()
        assert sign_in(owner, email).status_code == 200


def test_a_newer_letter_replaces_an_older_one(posted: Server, mail: MailServer) -> None:
    email = new_address("newer")
    with posted.client() as client:
        sign_up(client, email)
        older = mail.token(email)
        assert client.post("/auth/resend-verification", json={"email": email}).status_code == 202
        newer = mail.token(email, at_least=2)
        assert_problem(client.post("/auth/verify-email", json={"token": older}), 400, "token_invalid")
        assert client.post("/auth/verify-email", json={"token": newer}).status_code == 200


def test_a_token_is_good_for_the_address_it_went_to(posted: Server, mail: MailServer) -> None:
    email, other = new_address("one"), new_address("other")
    with posted.client() as client:
        sign_up(client, email)
        token = mail.token(email)
        wrong = client.post("/auth/verify-email", json={"token": token, "email": other})
        assert_problem(wrong, 400, "token_invalid")
        assert client.post("/auth/verify-email", json={"token": token, "email": email.upper()}).status_code == 200


def test_reading_never_changes_anything(posted: Server, mail: MailServer) -> None:
    """A 3.5.3, 7.6.2: the rows of every table are the same before and after."""
    email = new_address("reading")
    with posted.client() as client:
        sign_up(client, email)
        link = urlsplit(link_in(mail.letters(email)[0]))
        wait_for(lambda: True if nothing_waits(posted) else None, "all letters to be marked as sent")
        before = rows(posted)
        for method in ("GET", "HEAD", "OPTIONS"):
            for path in (f"/auth/verify?{link.query}", f"/auth/verify-email?{link.query}", "/auth/signout", "/auth/me"):
                client.request(method, path)
        assert rows(posted) == before
        assert client.post("/auth/verify-email", json={"token": token_of(link.geturl())}).status_code == 200


def rows(server: Server) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the database."""
    with closing(sqlite3.connect(server.folder / "ostiary-data" / "ostiary.sqlite3")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: sorted(database.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}  # noqa: S608


def nothing_waits(server: Server) -> bool:
    """Whether every letter is done."""
    with closing(sqlite3.connect(server.folder / "ostiary-data" / "ostiary.sqlite3")) as database:
        (waiting,) = database.execute("SELECT count(*) FROM letters WHERE status = 'queued'").fetchone()
    return bool(waiting == 0)


def test_a_restart_at_every_step_loses_nothing(tmp_path: Path) -> None:
    """What was answered is kept: the sign-up, its cookie, the token in the letter, the session, the signing key."""
    email = new_address("restart")
    jar = httpx.Cookies()
    with run_mail_server() as mail:
        variables = {**mail.variables, "OSTIARY_PORT": str(free_port())}
        with run_server(tmp_path, variables) as server, server.client(cookies=jar) as ada:
            assert sign_up(ada, email).status_code == 202
            jar = ada.cookies
        with run_server(tmp_path, variables) as server, server.client(cookies=jar) as ada:
            verified = ada.post("/auth/verify-email", json={"token": mail.token(email)})
            assert verified.status_code == 200
            jar = ada.cookies
        with run_server(tmp_path, variables) as server, server.client(cookies=jar) as ada:
            assert ada.get("/auth/me").json()["email"] == email
            bearer = {"authorization": f"Bearer {verified.json()['access_token']}"}
            assert httpx.get(f"{server.url}/auth/me", headers=bearer).status_code == 200
            assert ada.post("/auth/signout", json={}).status_code == 204
        with run_server(tmp_path, variables) as server, server.client(cookies=jar) as ada:
            assert ada.get("/auth/me").status_code == 401
            assert sign_in(ada, email).status_code == 200
        assert len(mail.letters(email)) == 1


def test_while_the_mail_server_is_down_people_sign_up_all_the_same(tmp_path: Path) -> None:
    """R83. The one test that waits for a retry: the first comes after 7.5 to 12.5 seconds."""
    email = new_address("patient")
    mail = MailServer(free_port())
    with run_server(tmp_path, mail.variables) as server, server.client() as ada:
        started = time.monotonic()
        assert sign_up(ada, email).status_code == 202
        assert time.monotonic() - started < 1.5
        wait_for(
            lambda: True if "letter_delayed" in {event["event"] for event in server.events()} else None,
            "the first attempt to fail",
        )
        assert ada.get("/health/ready").status_code == 200
        with run_mail_server(mail):
            assert ada.post("/auth/verify-email", json={"token": mail.token(email)}).status_code == 200
            assert len(mail.letters(email)) == 1
