"""`ostiary doctor`: what it says of an installation that is well, and of each thing that can be wrong with it (R91)."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from application.ports.examination import DatabaseFacts, FileFacts, ServerFacts
from application.ports.hashing import SAMPLE
from application.ports.monitoring import OutboxState
from domain.password import PasswordHash
from entrypoints.composition.instruments import instruments
from entrypoints.doctor import of_machine
from entrypoints.doctor.finding import Finding, Verdict
from entrypoints.doctor.of_database import check_database
from entrypoints.doctor.of_hashes import make_of
from entrypoints.doctor.of_machine import check_hashing, check_open_files, check_passwords
from entrypoints.settings import Settings, read_settings
from tests.support import postgresql
from tests.support.http_mail import run_mail_server
from tests.support.http_requests import free_port, run_command
from tests.support.server import CHEAP

STRONG = "canaryMaster9vQ2mZ7xL4pR8sW1yB6nD3fG5"
PUBLIC = {
    "OSTIARY_PUBLIC_URL": "https://auth.example.com",
    "OSTIARY_SECRET": STRONG,
    "OSTIARY_TRUSTED_PROXIES": "10.0.0.0/8",
    "OSTIARY_METRICS_TOKEN": "canaryMetrics9vQ2mZ",
    "SMTP_PASS": "canary-smtp-password",
    "SMTP_USER": "canary-smtp-user",
}
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def doctor(folder: Path, *arguments: str, **variables: str) -> tuple[int, dict[str, tuple[str, str]], str]:
    """Its exit status, its findings by check, and all it said."""
    done = run_command("doctor", "--json", *arguments, folder=folder, variables=variables)
    assert "Traceback" not in done.stderr
    said = json.loads(done.stdout)
    found = {each["check"]: (each["verdict"], each["text"]) for each in said["checks"]}
    assert said["ok"] == (done.returncode == 0) == all(verdict != "fail" for verdict, _ in found.values())
    return done.returncode, found, done.stdout + done.stderr


def verdicts(found: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {check: verdict for check, (verdict, _) in found.items()}


# -- The whole of it --


def test_before_the_first_start_there_is_little_to_see_and_nothing_is_made(tmp_path: Path) -> None:
    done = run_command("doctor", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert all(line.startswith(("ok    ", "warn  ")) for line in done.stdout.splitlines())
    assert "warn  database          there is none yet" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_developers_machine_is_well(tmp_path: Path) -> None:
    run_command("migrate", folder=tmp_path)
    status, found, _ = doctor(tmp_path)
    assert status == 0
    assert set(verdicts(found).values()) == {"ok"}, found
    assert {"settings", "public URL", "secret", "proxies", "database", "schema", "rights", "disk"} <= set(found)
    assert {"write-ahead log", "letters", "letters given up", "mail", "hashing"} <= set(found)
    assert {"common passwords", "open files"} <= set(found)


def test_all_that_is_wrong_with_the_settings_is_said_at_once_and_no_value(tmp_path: Path) -> None:
    variables = {"OSTIARY_PORT": "canary", "SMTP_PORT": "canary", "OSTIARY_SECERT": STRONG}
    done = run_command("doctor", folder=tmp_path, variables=variables)
    assert done.returncode == 1
    assert [line.split()[:3] for line in done.stdout.splitlines()] == [
        ["FAIL", "settings", f"{name}:"] for name in ("OSTIARY_PORT", "SMTP_PORT", "OSTIARY_SECERT")
    ]
    assert "canary" not in done.stdout + done.stderr


def test_a_public_installation_on_postgresql_is_well_and_nothing_secret_is_said(tmp_path: Path) -> None:
    with postgresql.fresh_database() as url, run_mail_server() as mail:
        variables = PUBLIC | mail.variables | {"SMTP_USER": "", "SMTP_PASS": "", "DATABASE_URL": url}
        status, found, said = doctor(tmp_path, **variables)
    assert status == 0
    assert set(verdicts(found).values()) == {"ok"}, found
    assert {"clocks", "connections", "pooler"} <= set(found)
    assert found["secret"][1] == "OSTIARY_SECRET from environment"
    assert mail.received == []
    assert "canary" not in said


def test_a_broken_one_is_told_what_to_do_and_nothing_secret(tmp_path: Path) -> None:
    nowhere = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(free_port()), "EMAIL_FROM": "a@example.com"}
    url = f"postgresql://ostiary:canary-database@127.0.0.1:{free_port()}/ostiary"
    status, found, said = doctor(tmp_path, **PUBLIC, **nowhere, DATABASE_URL=url)
    assert status == 1
    assert {check for check, verdict in verdicts(found).items() if verdict == "fail"} == {"database", "mail"}
    assert "DATABASE_URL" in found["database"][1]
    assert "Connect call failed" in found["database"][1]
    assert found["mail"][1] == (
        f"127.0.0.1:{nowhere['SMTP_PORT']} would take no letter: no connection (refused): see SMTP_HOST and SMTP_PORT"
    )
    assert "canary" not in said


@pytest.mark.parametrize("kind", ["a folder", "no database"])
def test_a_file_that_is_no_database(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("this is text, and has been from the start, so it is no database" * 100)
    path = {"a folder": tmp_path, "no database": tmp_path / "file"}[kind]
    status, found, _ = doctor(tmp_path, DATABASE_URL=f"sqlite:///{path}", **CHEAP)
    assert (status, verdicts(found)["database"]) == (1, "fail")


def test_a_test_letter_leaves_only_when_it_is_asked_for(tmp_path: Path) -> None:
    with run_mail_server() as mail:
        _, found, _ = doctor(tmp_path, **mail.variables, **CHEAP)
        assert mail.received == []
        assert "test letter" not in found
        status, found, _ = doctor(tmp_path, "--send-to", "you@example.com", **mail.variables, **CHEAP)
        assert (status, found["test letter"][0]) == (0, "ok")
        (letter,) = mail.letters("you@example.com")
    assert letter["Subject"] == "Test letter from Ostiary"


def test_a_test_letter_that_is_not_taken_and_one_for_nobody(tmp_path: Path) -> None:
    nowhere = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(free_port()), "EMAIL_FROM": "a@example.com"}
    status, found, _ = doctor(tmp_path, "--send-to", "you@example.com", **nowhere, **CHEAP)
    assert (status, found["test letter"][0]) == (1, "fail")
    status, found, _ = doctor(tmp_path, "--send-to", "you@example.com", **CHEAP)  # into the dev inbox, which prints it
    assert status == 0
    assert found
    done = run_command("doctor", "--send-to", "nobody", folder=tmp_path)
    assert done.returncode == 2
    assert "expected an e-mail address" in done.stderr


def test_a_database_that_was_never_migrated(tmp_path: Path) -> None:
    with postgresql.fresh_database(migrated=False) as url:
        status, found, _ = doctor(tmp_path, DATABASE_URL=url, **CHEAP)
    assert (status, found["schema"][0]) == (1, "fail")
    assert "ostiary migrate" in found["schema"][1]
    assert "rights" not in found


def test_letters_that_nobody_delivers(tmp_path: Path) -> None:
    run_command("migrate", folder=tmp_path)
    old = "2026-01-01 00:00:00.000000"
    with closing(sqlite3.connect(tmp_path / "ostiary-data" / "ostiary.sqlite3")) as database, database:
        for number, state in enumerate(("queued", "abandoned")):
            row = (
                bytes([number]).hex() * 16,
                "sign_up",
                "verify_address",
                "canary@example.com",
                state,
                0,
                old,
                old,
                old,
            )
            columns = "id, occasion, purpose, recipient, status, attempts, created_at, due_at, expires_at"
            database.execute(f"INSERT INTO letters ({columns}) VALUES (?,?,?,?,?,?,?,?,?)", row)  # noqa: S608
    status, found, said = doctor(tmp_path, **CHEAP)
    assert (status, found["letters"][0], found["letters given up"][0]) == (0, "warn", "warn")
    status, found, _ = doctor(tmp_path, OSTIARY_WORKER="off", **CHEAP)
    assert (status, found["letters"][0]) == (1, "fail")
    assert "ostiary worker" in found["letters"][1]
    assert "canary" not in said


def test_a_secret_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "ostiary-data").mkdir()
    secret = tmp_path / "ostiary-data" / "secret"
    secret.write_text(STRONG)
    secret.chmod(0o644)
    _, found, said = doctor(tmp_path, **CHEAP)
    assert found["secret"][0] == "warn"
    assert STRONG not in said
    secret.chmod(0o600)
    assert doctor(tmp_path, **CHEAP)[1]["secret"][0] == "ok"


def test_a_public_url_without_tls_or_proxies(tmp_path: Path) -> None:
    insecure = {**PUBLIC, "OSTIARY_PUBLIC_URL": "http://auth.example.com", "OSTIARY_ALLOW_HTTP": "on"}
    insecure |= {"OSTIARY_TRUSTED_PROXIES": "", "SMTP_HOST": "127.0.0.1", "EMAIL_FROM": "a@example.com"}
    _, found, _ = doctor(tmp_path, **insecure)
    assert (found["public URL"][0], found["proxies"][0]) == ("warn", "warn")


# -- Each of what the database tells --


FILE = FileFacts(write_ahead=True, log_bytes=0, free_bytes=2**40)
SERVER = ServerFacts(connections=100, clock_ahead=timedelta(0), shared=False)
OUTBOX = OutboxState(waiting=0, asked_for=None, due=None, abandoned=0)
FACTS = DatabaseFacts(
    version="18",
    answers_in=timedelta(milliseconds=1),
    schema="0002",
    schema_problem=None,
    denied=(),
    outbox=OUTBOX,
    of=SERVER,
)


async def findings(
    of: ServerFacts | FileFacts = SERVER, processes: int = 1, variables: dict[str, str] | None = None, **facts: Any
) -> dict[str, Finding]:
    settings = settings_of({"DATABASE_URL": "postgresql://localhost/x", **(variables or {})})

    async def database() -> DatabaseFacts:
        return replace(FACTS, of=of, **facts)

    async with instruments(settings) as look:
        found = await check_database(settings, replace(look, database=database), processes)
    return {finding.check: finding for finding in found}


def settings_of(variables: dict[str, str]) -> Settings:
    return read_settings(variables, dotenv=None)


async def test_a_database_that_is_well() -> None:
    for of in (SERVER, FILE):
        assert {finding.verdict for finding in (await findings(of)).values()} == {Verdict.OK}


@pytest.mark.parametrize(
    ("check", "verdict", "arguments"),
    [
        ("database", "warn", {"answers_in": timedelta(milliseconds=21)}),
        ("schema", "FAIL", {"schema_problem": "run `ostiary migrate`"}),
        ("rights", "FAIL", {"denied": ("users: permission denied",)}),
        ("disk", "FAIL", {"of": replace(FILE, free_bytes=2**25)}),
        ("disk", "warn", {"of": replace(FILE, free_bytes=2**29)}),
        ("write-ahead log", "warn", {"of": replace(FILE, write_ahead=False)}),
        ("write-ahead log", "warn", {"of": replace(FILE, log_bytes=2**30)}),
        ("clocks", "warn", {"of": replace(SERVER, clock_ahead=timedelta(seconds=6))}),
        ("clocks", "warn", {"of": replace(SERVER, clock_ahead=timedelta(seconds=-6))}),
        ("connections", "ok", {"processes": 8}),
        ("connections", "warn", {"processes": 9}),
        ("connections", "FAIL", {"processes": 11}),
        ("connections", "FAIL", {"variables": {"OSTIARY_DB_POOL_SIZE": "101"}}),
        ("pooler", "FAIL", {"of": replace(SERVER, shared=True)}),
        ("pooler", "ok", {"of": replace(SERVER, shared=True), "variables": {"OSTIARY_DB_POOLER": "transaction"}}),
        ("letters", "ok", {"variables": {"OSTIARY_WORKER": "off"}}),
    ],
)
async def test_what_can_be_wrong_with_it(check: str, verdict: str, arguments: dict[str, Any]) -> None:
    found = await findings(**arguments)
    assert found[check].verdict.value == verdict, found[check]
    assert {other.verdict for name, other in found.items() if name != check} == {Verdict.OK}


# -- This machine --


async def test_hashing_is_measured_with_the_settings_in_force(tmp_path: Path) -> None:
    async with instruments(settings_of({})) as look:
        usual = await check_hashing(settings_of({}), look.hasher, look.slots)
    assert usual.verdict is Verdict.OK
    cheap = settings_of(CHEAP)
    async with instruments(cheap) as look:
        below = await check_hashing(cheap, look.hasher, look.slots)
    assert below.verdict is Verdict.WARN, "a developer may, the public may not"
    assert "OWASP" in below.text


async def test_hashing_by_a_provider_is_measured_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = "acme_doorkeeping.hashes:acme_scrypt"
    settings = settings_of({"OSTIARY_PASSWORD_HASHERS": hasher, "ACME_SCRYPT_LOG_N": "10", **CHEAP})
    async with instruments(settings) as look:
        found = await check_hashing(settings, look.hasher, look.slots)
        assert (found.verdict, found.text.split(", by ")[1]) == (Verdict.OK, hasher)
        monkeypatch.setattr(of_machine, "_SLOW_MILLISECONDS", 0)
        assert (await check_hashing(settings, look.hasher, look.slots)).verdict is Verdict.WARN


async def test_hashing_that_makes_people_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_machine, "_SLOW_MILLISECONDS", 0)
    async with instruments(settings_of({})) as look:
        assert (await check_hashing(settings_of({}), look.hasher, 1)).verdict is Verdict.WARN


@pytest.mark.parametrize("missing", ["1234567890", "password", "everything"])
def test_a_list_of_common_passwords_that_is_not_there(missing: str) -> None:
    class Gone:
        def contains(self, password: str) -> bool:
            if missing == "everything":
                raise FileNotFoundError(password)
            return password != missing

    assert check_passwords(settings_of({}), Gone()).verdict is Verdict.FAIL


def test_few_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.verdict for finding in check_open_files()] == [Verdict.OK]
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, 256))
    assert [finding.verdict for finding in check_open_files()] == [Verdict.WARN]


# -- The hashes --

ARGON2 = "$argon2id$v=19$m=19456,t=2,p=1$Y2FuYXJ5Y2FuYXJ5$Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"


@pytest.mark.parametrize(
    ("encoded", "make"),
    [
        (ARGON2, "argon2id m=19456,t=2,p=1"),
        (f"$pepper$k=2026-a{ARGON2}", "argon2id m=19456,t=2,p=1 under pepper 2026-a"),
        ("$2b$10$canarycanarycanarycanarycanarycanarycanarycanarycanar", "bcrypt cost 10"),
        ("bcrypt_sha256$$2b$12$canarycanarycanarycanarycanarycanarycanarycanarycanar", "bcrypt cost 12"),
        ("pbkdf2_sha256$600000$canary$canarycanarycanarycanary=", "pbkdf2_sha256 600000"),
        ("$scrypt-node$canarycanary:canarycanarycanary", "scrypt-node"),
        ("$scrypt$ln=16,r=8,p=1$canary$canarycanary", "scrypt ln=16,r=8,p=1"),
        ("!", "without a password"),
        ("canary", "of another make"),
        ("$P$Bcanarycanarycanarycanarycanary", "of another make"),
        ("$canarycanary:canary", "of another make"),
    ],
)
def test_a_hash_is_described_by_its_make_and_by_nothing_of_its_own(encoded: str, make: str) -> None:
    assert make_of(PasswordHash(encoded)) == make


async def test_hashes_are_counted_by_their_make() -> None:
    """How far a move or a rotation has come."""
    bcrypt = "$2b$10$canarycanarycanarycanarycanarycanarycanarycanarycanar"
    hashes = [PasswordHash(ARGON2)] * 1203 + [PasswordHash(bcrypt)] * 87
    finding = (await findings(hashes=hashes))["hashes"]
    assert (finding.verdict, finding.text) == (Verdict.OK, "1,203 argon2id m=19456,t=2,p=1; 87 bcrypt cost 10")
    assert (await findings())["hashes"].text == "none yet"
    many = [PasswordHash(bcrypt)] * SAMPLE
    assert (await findings(hashes=many))["hashes"].text == "of 10,000 looked at: 10,000 bcrypt cost 10"


async def test_a_pepper_that_is_missing_is_named() -> None:
    facts: dict[str, Any] = {
        "hashes": [PasswordHash(f"$pepper$k=2026-a{ARGON2}")] * 7,
        "peppers": {"2026-a": 9},
    }
    finding = (await findings(**facts))["hashes"]
    assert finding.verdict is Verdict.FAIL
    assert "there is no key for '2026-a' (9 hashes)" in finding.text
    here = {"OSTIARY_PEPPERS": f"2026-a:{STRONG}"}
    assert (await findings(variables=here, **facts))["hashes"].verdict is Verdict.OK


async def test_who_owns_the_tables_is_told_what_for() -> None:
    finding = (await findings(of=replace(SERVER, owns_tables=True)))["rights"]
    assert finding.verdict is Verdict.OK
    assert "docs/postgresql-rights.md" in finding.text
    assert "owns" not in (await findings())["rights"].text
