"""Secrets are planted in every flow, then everything that is written down is searched for them (R30, A 16.2.5)."""

import base64
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.http_mail import MailServer, link_in, run_mail_server
from tests.support.http_requests import cookies_set, sign_in, sign_up
from tests.support.server import Server, run_server, token_of, wait_for

PASSWORDS = {
    name: f"canary-{name}-61c9 of difference"
    for name in (
        "chosen",
        "wrong",
        "waiting",
        "new",
        "stranger",
        "malformed",
        "misplaced",
        "faulty",
        "reset",
        "changed",
    )
}
MASTER = "canaryMaster9vQ2mZ7xL4pR8sW1yB6nD3fG5"
ACCEPTED = "canaryAccepted7xL4pR8sW1yB6nD3fG5hJ0c"
PEPPER, OLD_PEPPER = "canaryPepper4xT7wM2kS9vH6rJ1dZ8bN5qL3", "canaryOldPepper8bN5qL3yV6tC1mW4hR9kX2"
CARA, MOVED = "canary-mailbox-cara@example.com", "canary-mailbox-moved@example.com"
ADA, BOB, EVE = "canary-mailbox-ada@example.com", "canary-mailbox-bob@example.com", "canary-mailbox-eve@example.com"


@dataclass
class Searched:
    """All that was written down, and the secrets to look for."""

    log: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)
    letters: list[tuple[str, bytes]] = field(default_factory=list)
    answers: list[httpx.Response] = field(default_factory=list)
    mailed_tokens: list[str] = field(default_factory=list)

    @property
    def cookies(self) -> list[str]:
        """Every cookie that was handed out."""
        return [cookie[""] for answer in self.answers for cookie in cookies_set(answer).values() if cookie[""]]

    def bodies(self, key: str) -> list[str]:
        """Every value of that name in a body."""
        found = []
        for answer in self.answers:
            if answer.headers.get("content-type") == "application/json" and isinstance(answer.json(), dict):
                found += [answer.json()[key]] if key in answer.json() else []
        return found

    @property
    def secrets(self) -> list[str]:
        """Everything that nobody but its holder may read."""
        return [
            *PASSWORDS.values(),
            *self.cookies,
            *self.mailed_tokens,
            *self.bodies("access_token"),
            *self.bodies("refresh_token"),
            *self.bodies("device_token"),
            MASTER,
            ACCEPTED,
            PEPPER,
            OLD_PEPPER,
        ]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """A server that has seen everything there is to see, and has stopped."""
    folder = tmp_path_factory.mktemp("canary")
    found = Searched()
    with run_mail_server() as mail:
        variables = {**mail.variables, "OSTIARY_SECRET": MASTER, "OSTIARY_ACCEPTED_SECRETS": ACCEPTED}
        variables["OSTIARY_PEPPERS"] = f"new:{PEPPER} old:{OLD_PEPPER}"
        with run_server(folder, variables) as server:
            with server.client(event_hooks={"response": [lambda answer: keep(found, answer)]}) as client:
                live_through_everything(client, server, mail, found)
            found.files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        found.log = server.log.read_bytes()
        found.files |= {f"{path} at the end": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        found.letters = [(recipients[0], content) for _, recipients, content in mail.received]
    return found


def keep(found: Searched, answer: httpx.Response) -> None:
    """Note an answer."""
    answer.read()
    found.answers.append(answer)


def live_through_everything(client: httpx.Client, server: Server, mail: MailServer, found: Searched) -> None:
    """Every flow, with what goes wrong in it."""
    sign_up(client, ADA, PASSWORDS["chosen"])
    found.mailed_tokens.append(mail.token(ADA))
    client.post("/auth/resend-verification", json={"email": ADA})
    found.mailed_tokens.append(mail.token(ADA, at_least=2))
    client.post("/auth/resend-verification", json={"token": found.mailed_tokens[0]})
    found.mailed_tokens += [mail.token(ADA, at_least=3)]
    verify(client, found.mailed_tokens[0], password=PASSWORDS["chosen"])
    assert verify(client, found.mailed_tokens[-1]).status_code == 200
    verify(client, found.mailed_tokens[-1], password=PASSWORDS["chosen"])
    client.get("/auth/me")

    client.cookies.clear()
    sign_up(client, BOB, PASSWORDS["waiting"])
    client.cookies.clear()
    token = mail.token(BOB)
    found.mailed_tokens.append(token)
    verify(client, token)
    verify(client, token, password=PASSWORDS["wrong"])
    verify(client, token, new_password=BOB)
    verify(client, token, password=PASSWORDS["wrong"], new_password=PASSWORDS["new"])
    assert verify(client, token, new_password=PASSWORDS["new"]).status_code == 200
    sign_up(client, BOB, PASSWORDS["stranger"])
    mail.letters(BOB, at_least=2)

    assert sign_in(client, ADA, PASSWORDS["chosen"]).status_code == 200
    assert sign_in(client, ADA, PASSWORDS["chosen"], transport="token", remember=False).status_code == 200
    bearer = {"authorization": f"Bearer {found.bodies('access_token')[-1]}"}
    assert client.get("/auth/me", headers=bearer).status_code == 200
    client.post("/auth/signout", json={}, headers=bearer)
    client.get("/auth/me", headers=bearer)
    client.get("/auth/me", headers={"authorization": f"Bearer {found.bodies('refresh_token')[-1]}"})
    refresh_and_replay(client, server, found)
    for password in (PASSWORDS["wrong"], PASSWORDS["stranger"]):
        sign_in(client, ADA, password)
        sign_in(client, "canary-mailbox-nobody@example.com", password)

    live_an_account(server, mail, found)

    misplaced, malformed = PASSWORDS["misplaced"], PASSWORDS["malformed"]
    json = {"content-type": "application/json"}
    for path in ("/auth/signup", "/auth/signin", "/auth/verify-email", "/auth/reset-password", "/auth/undo"):
        for body in (f'{{"password":"{malformed}"', f'"{malformed}"', f'{{"password":"{malformed}\\u0000"}}'):
            client.post(path, content=body, headers=json)
        client.post(path, content=f"password={malformed}")
        client.post(path, content=f'{{"x":"{malformed * 600}"}}', headers=json)
        client.post(path, json={"password": [malformed], "passwort": malformed, "email": malformed, "name": malformed})
        client.post(path, json={"password": malformed}, headers={"origin": "https://evil.example"})
        client.post(path, params={"password": misplaced, "token": found.mailed_tokens[0]}, json={})
    sign_up(client, misplaced, "short")
    sign_up(client, f"{misplaced}@example.com", misplaced)
    sign_in(client, misplaced, "x")
    client.get("/auth/verify", params={"token": found.mailed_tokens[0], "email": ADA})
    client.get("/auth/me", headers={"authorization": f"Bearer {misplaced}"})
    client.get("/auth/me", headers={"cookie": f"ostiary={misplaced}"})
    client.get("/nowhere", params={"email": ADA, "password": misplaced})
    client.post("/auth/signout", json={"scope": misplaced})

    break_the_store(client, server, found)


def live_an_account(server: Server, mail: MailServer, found: Searched) -> None:
    """Forgotten and reset, changed, moved and undone, deleted and back again."""

    def link(email: str, path: str, earlier: int = 0) -> str:
        def look() -> str | None:
            links = [link_in(letter) for letter in mail.letters(email, at_least=0)]
            fitting = [token_of(each) for each in links if f"{path}?token=" in each]
            return fitting[-1] if len(fitting) > earlier else None

        token: str = wait_for(look, f"a letter to {email} with a link to {path}")
        found.mailed_tokens.append(token)
        return token

    with server.client(event_hooks={"response": [lambda answer: keep(found, answer)]}) as client:
        sign_up(client, CARA, PASSWORDS["chosen"])
        verify(client, link(CARA, "/auth/verify"))
        client.post("/auth/forgot-password", json={"email": CARA})
        body = {"token": link(CARA, "/auth/reset"), "password": PASSWORDS["reset"]}
        assert client.post("/auth/reset-password", json={**body, "password": CARA}).status_code == 400
        assert client.post("/auth/reset-password", json=body).status_code == 204
        assert sign_in(client, CARA, PASSWORDS["reset"]).status_code == 200
        for current in (PASSWORDS["wrong"], PASSWORDS["reset"]):
            client.post("/auth/change-password", json={"current_password": current, "password": PASSWORDS["changed"]})
        assert client.post("/auth/change-email", json={"email": MOVED}).status_code == 202
        confirm = {"token": link(MOVED, "/auth/confirm-email-change")}
        assert client.post("/auth/confirm-email-change", json=confirm).status_code == 200
        client.get("/auth/sessions")
        client.get("/auth/events")
        assert client.request("DELETE", "/auth/me", json={"password": PASSWORDS["changed"]}).status_code == 204
        for _ in range(2):
            client.post("/auth/undo", json={"token": link(MOVED, "/auth/undo")})
        body = {"token": link(MOVED, "/auth/reset"), "password": PASSWORDS["new"]}
        assert client.post("/auth/reset-password", json=body).status_code == 204


def refresh_and_replay(client: httpx.Client, server: Server, found: Searched) -> None:
    """By cookie and by token; then the old token is shown again."""
    assert sign_in(client, ADA, PASSWORDS["chosen"], transport="token").status_code == 200
    old = {"refresh_token": found.bodies("refresh_token")[-1]}
    server.let_sessions_age(31)
    assert client.post("/auth/refresh").status_code == 200
    assert client.post("/auth/refresh", json=old).status_code == 200
    server.let_sessions_age(31)
    assert client.post("/auth/refresh", json=old).status_code == 401


def break_the_store(client: httpx.Client, server: Server, found: Searched) -> None:
    """A table that is gone (503), and a row that cannot be understood (500)."""
    assert sign_in(client, ADA, PASSWORDS["chosen"]).status_code == 200
    for table in ("sessions", "sign_ups", "accounts", "letters", "one_time_tokens"):
        change(server, f"ALTER TABLE {table} RENAME TO gone")
        outcomes = {answer.status_code for answer in faulty_attempts(client, found)}
        if table == "letters":
            wait_for(lambda: True if stumbled(server) else None, "the worker to stumble as well")
        change(server, f"ALTER TABLE gone RENAME TO {table}")
        assert outcomes & {500, 503}, table
    change(server, "UPDATE users SET created_at = 'canary-row'")
    assert client.get("/auth/me").status_code == 500
    assert sign_in(client, ADA, PASSWORDS["chosen"]).status_code == 500
    assert b"canary-row" not in server.log.read_bytes()


def stumbled(server: Server) -> bool:
    """Whether the worker has met trouble."""
    return "background_trouble" in {event["event"] for event in server.events()}


def faulty_attempts(client: httpx.Client, found: Searched) -> list[httpx.Response]:
    """Something of everything."""
    return [
        sign_up(client, EVE, PASSWORDS["faulty"]),
        sign_in(client, ADA, PASSWORDS["chosen"]),
        sign_in(client, EVE, PASSWORDS["faulty"]),
        verify(client, found.mailed_tokens[-1], password=PASSWORDS["faulty"]),
        client.get("/auth/me"),
    ]


def change(server: Server, statement: str) -> None:
    """Behind the server's back."""
    with closing(sqlite3.connect(server.folder / "ostiary-data" / "ostiary.sqlite3", timeout=10)) as database:
        database.execute(statement)
        database.commit()


def verify(client: httpx.Client, token: str, **facts: Any) -> httpx.Response:
    """Post a token."""
    return client.post("/auth/verify-email", json={"token": token, **facts})


def spellings(secret: str) -> set[bytes]:
    """A secret as it might be kept: as it is, and as the bytes it stands for."""
    found = {secret.encode(), secret.encode().hex().encode(), base64.b64encode(secret.encode()).rstrip(b"=")}
    if len(secret) == 43:
        packed = base64.urlsafe_b64decode(secret + "=")
        found |= {packed, packed.hex().encode()}
    return found


def test_the_canaries_were_planted_everywhere(searched: Searched) -> None:
    """Or else the searches below would prove nothing."""
    statuses = {answer.status_code for answer in searched.answers}
    assert {200, 202, 204, 400, 401, 403, 404, 409, 413, 415, 500, 503} <= statuses
    assert len(searched.cookies) >= 8
    assert len(searched.mailed_tokens) >= 3
    assert len(searched.bodies("access_token")) >= 4
    assert len(searched.bodies("refresh_token")) == 3
    assert any(name.endswith("ostiary.sqlite3") for name in searched.files)
    assert any(name.endswith("-wal") for name in searched.files)
    assert any(b"$pepper$k=new$argon2id$" in content for content in searched.files.values())
    assert len(searched.letters) >= 5


def test_the_log_knows_no_secret(searched: Searched) -> None:
    for secret in searched.secrets:
        for spelling in spellings(secret):
            assert spelling not in searched.log, secret


def test_the_log_knows_nobodys_address(searched: Searched) -> None:
    """R65, R66: only pseudonyms."""
    assert b"canary" not in searched.log
    assert b"who" in searched.log


def test_the_log_knows_no_statement_and_no_parameter(searched: Searched) -> None:
    for inside in (b"INSERT INTO", b"UPDATE ", b"parameters", b"argon2id", b"$pepper", b"created_at"):
        assert inside not in searched.log


def test_every_line_of_the_log_is_one_event(searched: Searched) -> None:
    lines = searched.log.decode("ascii").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("{"))
    assert [line for line in lines[start:] if not (line.startswith("{") and line.endswith("}"))] == []


def test_no_file_knows_a_secret(searched: Searched) -> None:
    """Digests and hashes only; the database with its write-ahead log, while it runs and afterwards."""
    for name, content in searched.files.items():
        for secret in searched.secrets:
            for spelling in spellings(secret):
                assert spelling not in content, (name, secret)


def test_a_letter_knows_its_own_token_and_no_other_secret(searched: Searched) -> None:
    tokens = set(searched.mailed_tokens)
    for recipient, content in searched.letters:
        unwrapped = content.replace(b"=\r\n", b"")
        for secret in searched.secrets:
            assert secret in tokens or secret.encode() not in unwrapped, (recipient, secret)
        for other in {ADA, BOB, EVE} - {recipient}:
            assert other.encode() not in unwrapped


def test_no_answer_repeats_what_was_typed_or_mailed(searched: Searched) -> None:
    for answer in searched.answers:
        everything = repr(answer.headers.raw) + answer.text
        for secret in (*PASSWORDS.values(), *searched.mailed_tokens, MASTER, ACCEPTED, PEPPER, OLD_PEPPER):
            assert secret not in everything, (answer.request.url, secret)
        assert "argon2" not in everything
        assert "$pepper" not in everything


def test_tokens_are_only_where_they_belong(searched: Searched) -> None:
    """A session in a cookie or in a body, never in both; an access token in the body of its own answer."""
    cookies = searched.cookies
    handed = [*searched.bodies("access_token"), *searched.bodies("refresh_token"), *searched.bodies("device_token")]
    marks = {cookies_set(answer).get("ostiary-device", {}).get("") for answer in searched.answers}
    marks |= set(searched.bodies("device_token"))
    tokens = [each for each in (*cookies, *handed) if each not in marks]
    assert len(set(tokens)) == len(tokens), "each is handed out once; a mark made anew within a second is the same"
    for answer in searched.answers:
        for cookie in cookies:
            assert cookie not in answer.text
        for token in handed:
            assert token not in repr(answer.headers.raw)
        assert "Authorization" not in answer.headers


def test_a_data_folder_is_for_its_owner(searched: Searched) -> None:
    """A 14: what is kept is kept from others on the same machine."""
    for name in searched.files:
        path = Path(name.removesuffix(" at the end"))
        if "ostiary-data" in path.parts and path.exists():
            assert path.stat().st_mode & 0o077 == 0, name
            assert path.parent.stat().st_mode & 0o077 == 0, name
