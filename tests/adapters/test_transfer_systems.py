"""People as each system has them become candidates, with the reason where somebody cannot come."""

import asyncio
import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hashing.argon2 import as_typed
from adapters.transfer import staging
from adapters.transfer.better_auth import BetterAuthTables, read_better_auth
from adapters.transfer.generic import PREFIXES, generic_line, read_generic
from adapters.transfer.live import Dsn
from adapters.transfer.opening import open_rows
from adapters.transfer.rows import Row
from adapters.transfer.supabase import read_supabase
from adapters.transfer.tutorial import read_tutorial
from application.ports.transfer import Candidate, SourceUnreadable, Unfit
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.newcomer import Newcomer, Origin
from domain.password import NO_PASSWORD, PasswordHash
from domain.user import User
from domain.username import Username
from entrypoints.composition.sources import exported_line
from entrypoints.import_options import HASH_FORMS
from tests.support.hash_vectors import BY_FORM, TYPED, VECTORS
from tests.support.postgresql import fresh_database
from tests.support.transfers import gathered, lets_in, lets_nobody_in, noticed, only

FOREIGN = Path(__file__).parents[1] / "support" / "foreign"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
BCRYPT = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
ENCRYPTED = '{"key_id":"k","alg":"aes-gcm-hkdf","data":"c2VjcmV0","nonce":"bm9uY2U"}'
SALT, KEY = "0f" * 16, "ab" * 64

# Better Auth 1.7.25 made these, by its own migrations and sign-ups over SQLite and over PostgreSQL 18.
PASSWORDS = {
    "ada@example.org": "correct horse battery staple",
    "grace@example.org": "ﬁne passe\u0301 wort",
    "banned@example.org": "nobody lets me in 42",
}


def unprefixed(form: str) -> str:
    """A hash as its original writes it, of `TYPED`."""
    return BY_FORM[form].encoded.removeprefix(f"${form}$")


def only_if_they_come(entry: Candidate | Unfit) -> Candidate:
    assert isinstance(entry, Candidate), entry
    return entry


def lines(tmp_path: Path, *entries: dict[str, object], name: str = "people.ndjson") -> Path:
    path = tmp_path / name
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def supabase(tmp_path: Path, **columns: object) -> Candidate | Unfit:
    """How somebody with these columns in `auth.users` comes."""
    row: dict[str, object] = {"id": "11111111-1111-4111-8111-111111111111", "email": "ada@example.org"}
    (found,) = gathered(read_supabase(lines(tmp_path, row | columns), NOW))
    return found


def test_supabase_brings_all_that_belongs_to_somebody(tmp_path: Path) -> None:
    told = {"full_name": "Ada Lovelace", "name": "Ada", "username": "ada", "company": "Engines"}
    assert supabase(
        tmp_path,
        encrypted_password=BCRYPT,
        email_confirmed_at="2023-05-01 10:00:00.123456+00",
        created_at="2023-05-01T09:00:00+02:00",
        raw_user_meta_data=told,
        raw_app_meta_data='{"provider": "email"}',
        phone="4912345",
        role="service_role",
        is_super_admin=True,
    ) == Candidate(
        line=1,
        id="11111111-1111-4111-8111-111111111111",
        email="ada@example.org",
        email_verified=True,
        name="Ada Lovelace",
        username="ada",
        created_at=datetime(2023, 5, 1, 7, tzinfo=UTC),
        fields={"provider": "email"},
        own_fields=told,
        metadata={"user": told, "app": {"provider": "email"}, "phone": "4912345"},
        password_hash=BCRYPT,
    )


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"deleted_at": "2024-01-01"}, "Deleted"),
        ({"is_anonymous": "t"}, "Anonymous"),
        ({"is_sso_user": True}, "single sign-on"),
        ({"email": "", "phone": "4912345"}, "telephone number"),
        ({"email": None}, "no address"),
        ({"created_at": "yesterday"}, "created_at is no moment"),
        ({"raw_user_meta_data": "{"}, "raw_user_meta_data is no JSON"),
        ({"is_sso_user": "perhaps"}, "neither true nor false"),
    ],
)
def test_supabase_leaves_behind_whoever_cannot_sign_in(tmp_path: Path, columns: dict[str, object], reason: str) -> None:
    found = supabase(tmp_path, **columns)
    assert isinstance(found, Unfit)
    assert (found.line, reason in found.reason) == (1, True)


@pytest.mark.parametrize(
    ("until", "banned"),
    [("infinity", True), ("2126-01-01 00:00:00+00", True), ("2025-01-01 00:00:00+00", False), (None, False)],
)
def test_whoever_is_banned_at_supabase_is_disabled(tmp_path: Path, until: str | None, banned: bool) -> None:
    found = supabase(tmp_path, banned_until=until)
    assert isinstance(found, Candidate)
    assert found.disabled_at == (NOW if banned else None)


@pytest.mark.parametrize(
    ("stored", "comes", "problem"),
    [
        (BCRYPT, True, False),
        ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA", True, False),
        ("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=c2s=$c2FsdA==$aGFzaA==", True, False),
        (None, False, False),
        ("", False, False),
        (ENCRYPTED, False, True),
        ("$argon2d$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA", False, True),
        ("5f4dcc3b5aa765d61d8327deb882cf99", False, True),
    ],
)
def test_a_hash_of_supabase_comes_as_it_is_or_says_why_not(
    tmp_path: Path, stored: str | None, comes: bool, problem: bool
) -> None:
    found = supabase(tmp_path, encrypted_password=stored)
    assert isinstance(found, Candidate)
    assert found.password_hash == (as_typed(stored) if stored and comes else None)
    assert (found.password_problem is not None) == problem
    assert not stored or stored not in repr(found)


def test_a_table_that_is_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match=r"auth\.users has no column email; there are id, mail"):
        gathered(read_supabase(lines(tmp_path, {"id": 1, "mail": "a@x.org"}), NOW))


@pytest.fixture(params=["sqlite", "postgresql", "dump", "sqlite-dump", "csv", "snake-case-ndjson"])
def better_auth(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BetterAuthTables]:
    """The same people in every place where Better Auth's data may be."""
    dump, script = FOREIGN / "better_auth_1_7_postgresql.sql", FOREIGN / "better_auth_1_7_sqlite.sql"
    if request.param == "dump":
        yield BetterAuthTables(users=dump)
    elif request.param == "sqlite-dump":
        yield BetterAuthTables(users=script)
    elif request.param == "sqlite":
        with sqlite3.connect(tmp_path / "auth.db") as database:
            database.executescript(script.read_text())
        database.close()
        yield BetterAuthTables(users=tmp_path / "auth.db")
    elif request.param == "postgresql":
        with fresh_database(migrated=False) as url:
            asyncio.run(restore(url, dump))
            yield BetterAuthTables(users=Dsn(url))
    else:
        users, accounts = (asyncio.run(table_of(dump, name)) for name in ("user", "account"))
        write = as_csv if request.param == "csv" else as_snake_case
        yield BetterAuthTables(users=write(tmp_path / "u", users), accounts=write(tmp_path / "a", accounts))


async def table_of(source: Path, table: str) -> list[dict[str, object]]:
    return [dict(row.values) async for row in open_rows(source, table) if isinstance(row, Row)]


def as_csv(path: Path, rows: list[dict[str, object]]) -> Path:
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(written.getvalue())
    return path


def as_snake_case(path: Path, rows: list[dict[str, object]]) -> Path:
    def spelt(name: str) -> str:
        return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)

    path.write_text("".join(json.dumps({spelt(name): row[name] for name in row}) + "\n" for row in rows))
    return path


async def restore(url: str, dump: Path) -> None:
    """The two tables of a dump, by statements."""
    connection = await asyncpg.connect(url)
    for table in ("user", "account"):
        rows = await table_of(dump, table)
        columns = ", ".join(f'"{name}" text' for name in rows[0])
        await connection.execute(f'CREATE TABLE "{table}" ({columns})')
        await connection.copy_records_to_table(table, records=[tuple(row.values()) for row in rows])
    await connection.close()


def test_better_auth_brings_everybody_with_their_password(better_auth: BetterAuthTables) -> None:
    found = {
        entry.email: entry for entry in gathered(read_better_auth(better_auth, NOW)) if isinstance(entry, Candidate)
    }
    assert found.keys() == PASSWORDS.keys()
    for email, password in PASSWORDS.items():
        assert lets_in(found[email], password)
    ada, banned = found["ada@example.org"], found["banned@example.org"]
    assert (ada.name, ada.username, ada.email_verified, ada.disabled_at) == ("Ada Lovelace", "ada.l", True, None)
    assert (len(ada.id), ada.role, ada.fields) == (32, "user", {"company": "Analytical Engines"})
    assert ada.created_at is not None
    assert ada.created_at.date().isoformat() == "2026-11-21"
    assert (banned.email_verified, banned.disabled_at, banned.metadata["banReason"]) == (False, NOW, "spam")


def better_auth_user(tmp_path: Path, accounts: list[dict[str, object]], **columns: object) -> Candidate | Unfit:
    """How somebody with these columns and accounts comes."""
    user: dict[str, object] = {"id": "u1", "email": "ada@example.org"}
    account: dict[str, object] = {"userId": "u1", "accountId": "u1", "providerId": "credential", "password": None}
    where = BetterAuthTables(
        users=lines(tmp_path, user | columns),
        accounts=lines(tmp_path, *(account | each for each in accounts), name="a"),
    )
    (found,) = gathered(read_better_auth(where, NOW))
    return found


@pytest.mark.parametrize(
    ("accounts", "comes"),
    [
        ([{"providerId": "google", "password": f"{SALT}:{KEY}"}], None),
        ([{"password": f"{SALT}:{KEY}"}], f"$scrypt-better-auth${SALT}:{KEY}"),
        ([{"accountId": "old", "password": f"{SALT}:{KEY}"}], f"$scrypt-better-auth${SALT}:{KEY}"),
        (
            [{"accountId": "old", "password": BCRYPT}, {"password": f"{SALT}:{KEY}"}],
            f"$scrypt-better-auth${SALT}:{KEY}",
        ),
        (
            [{"password": f"{SALT}:{KEY}"}, {"accountId": "old", "password": BCRYPT}],
            f"$scrypt-better-auth${SALT}:{KEY}",
        ),
        ([{"password": BCRYPT}], BCRYPT),
    ],
    ids=["of google", "own", "of another name", "own after other", "own before other", "custom bcrypt"],
)
def test_the_password_is_the_credential_accounts(
    tmp_path: Path, accounts: list[dict[str, object]], comes: str | None
) -> None:
    found = better_auth_user(tmp_path, accounts)
    assert isinstance(found, Candidate)
    assert (found.password_hash, found.password_problem) == (comes, None)


def test_a_hash_of_a_function_of_their_own_is_told(tmp_path: Path) -> None:
    found = better_auth_user(tmp_path, [{"password": "sha1:1234"}])
    assert isinstance(found, Candidate)
    assert found.password_hash is None
    assert "function of its own" in str(found.password_problem)
    assert "1234" not in repr(found)


def test_a_ban_of_better_auths_that_is_over_is_none(tmp_path: Path) -> None:
    ends = int((NOW - timedelta(days=1)).timestamp() * 1000)
    over = better_auth_user(tmp_path, [{}], banned=1, banExpires=ends)
    lasting = better_auth_user(tmp_path, [{}], banned=1, ban_expires="2126-01-01T00:00:00.000Z", role="admin")
    assert isinstance(over, Candidate)
    assert isinstance(lasting, Candidate)
    assert (over.disabled_at, lasting.disabled_at, lasting.role) == (None, NOW, "user")


@pytest.mark.parametrize("trims", [False, True], ids=["as typed", "trims"])
def test_the_tutorials_hash_is_read_in_either_order(tmp_path: Path, trims: bool) -> None:
    with sqlite3.connect(tmp_path / "training.db") as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, password TEXT)")
        stored = [f"{SALT}:{KEY}", f"{KEY}:{SALT}", BCRYPT, "secret123", None]
        people = [(f"u{number}@x.org", each) for number, each in enumerate(stored)]
        database.executemany("INSERT INTO users (email, password) VALUES (?, ?)", people)
    database.close()
    found = [
        each for each in gathered(read_tutorial(tmp_path / "training.db", trims=trims)) if isinstance(each, Candidate)
    ]
    node = f"$scrypt-node{'-trim' if trims else ''}${SALT}:{KEY}"
    assert [each.password_hash for each in found] == [node, node, BCRYPT, None, None]
    assert [each.password_problem is None for each in found] == [True, True, True, False, True]
    assert (found[0].id, found[0].email, found[0].email_verified) == ("1", "u0@x.org", False)


def tutorial(tmp_path: Path, stored: str, *, trims: bool = False) -> Candidate:
    """How somebody with this hash comes."""
    people = lines(tmp_path, {"id": 1, "email": "ada@example.org", "password": stored})
    return only(read_tutorial(people, trims=trims))


def test_where_the_tutorials_trimmed_people_get_in_as_before(tmp_path: Path) -> None:
    trimmed = tutorial(tmp_path, unprefixed("scrypt-node-trim"), trims=True)
    assert lets_in(trimmed, TYPED)
    assert lets_in(trimmed, f" {TYPED}\u00a0\ufeff\n")
    assert not lets_in(tutorial(tmp_path, unprefixed("scrypt-node")), f" {TYPED}")


def test_better_auths_are_told_apart_from_the_tutorials_by_who_brings_them(tmp_path: Path) -> None:
    for form, node in (("scrypt-node", True), ("scrypt-better-auth", False)):
        better = better_auth_user(tmp_path, [{"password": unprefixed(form)}])
        assert isinstance(better, Candidate)
        assert lets_in(tutorial(tmp_path, unprefixed(form)), TYPED) is node
        assert lets_in(better, TYPED) is not node


@pytest.mark.parametrize("turn", range(10))
def test_what_is_no_salt_and_key_lets_nobody_in(tmp_path: Path, turn: int) -> None:
    node = unprefixed("scrypt-node")
    stored = (
        *(":", node[:-1], node + "0", node.replace(":", ""), node.replace(":", "$"), "x" + node[1:]),
        *(node + "\n", " " + node, node + ":", "$scrypt-node$" + node),
    )[turn]
    better = better_auth_user(tmp_path, [{"password": stored}])
    assert isinstance(better, Candidate)
    for found in (tutorial(tmp_path, stored), tutorial(tmp_path, stored, trims=True), better):
        assert lets_nobody_in(found)


def test_the_generic_form_needs_an_address_only(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email\n Ada@Example.ORG\n")
    found = only(read_generic(path))
    assert (found.id, found.email, found.role, found.password_hash) == (
        "ada@example.org",
        " Ada@Example.ORG",
        "user",
        None,
    )


def test_a_misspelt_column_is_seen_before_anybody_comes(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="line 1: unknown columns: password_hsah"):
        gathered(read_generic(lines(tmp_path, {"email": "a@x.org", "password_hsah": BCRYPT})))


def test_every_form_of_the_command_line_is_known() -> None:
    assert tuple(PREFIXES) == HASH_FORMS


@pytest.mark.parametrize("form", HASH_FORMS)
def test_hashes_that_do_not_say_what_they_are_let_their_owners_in_when_the_form_is_told(
    tmp_path: Path, form: str
) -> None:
    of_form = [each for each in VECTORS if form != "auto" and each.encoded.startswith(f"${form}$")]
    stored = [each.encoded.removeprefix(f"${form}$") for each in of_form]
    people: list[dict[str, object]] = [
        {"email": f"u{number}@x.org", "password_hash": each} for number, each in enumerate([*stored, BCRYPT])
    ]
    *found, other = (only_if_they_come(each) for each in gathered(read_generic(lines(tmp_path, *people), form)))
    assert form == "auto" or of_form
    for each, vector in zip(found, of_form, strict=True):
        assert lets_in(each, vector.password)
        assert not lets_in(each, f"{vector.password}x")
    assert other.password_hash == BCRYPT


@pytest.mark.parametrize("form", ["scrypt-node", "scrypt-node-trim"])
def test_the_generic_form_takes_salt_and_key_in_either_order(tmp_path: Path, form: str) -> None:
    people = lines(tmp_path, {"email": "a@x.org", "password_hash": f"{KEY}:{SALT}"})
    assert only(read_generic(people, form)).password_hash == f"${form}${SALT}:{KEY}"


@pytest.mark.parametrize("stored", ["AQAAAA", "ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A=="])
def test_what_is_no_hash_of_the_form_that_is_told_lets_nobody_in(tmp_path: Path, stored: str) -> None:
    people = lines(tmp_path, {"email": "a@x.org", "password_hash": stored})
    assert lets_nobody_in(only(read_generic(people, "aspnet-identity-v3")))


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis's
NAMES = st.text("abcdé 漢😀'\"\\,\n", min_size=1, max_size=9).map(str.strip).filter(bool)
JSON = st.dictionaries(
    NAMES, NAMES | st.integers(-(2**53), 2**53) | st.booleans() | st.lists(NAMES, max_size=2), max_size=3
)


@given(
    user=st.builds(
        User,
        id=st.uuids(version=4),
        email=st.just(EmailAddress.parse("ada@example.org")),
        email_verified=st.booleans(),
        name=st.none() | st.just(DisplayName.parse("Ada 漢 O'Neil")),
        username=st.none() | st.just(Username.parse("ada.l")),
        created_at=MOMENTS,
        role=st.sampled_from(["user", "admin", "editor"]),
        fields=st.dictionaries(st.sampled_from(["company", "age"]), NAMES | st.integers(0, 99), max_size=2),
        disabled_at=st.none() | MOMENTS,
        first_signed_in_at=st.none() | MOMENTS,
        locale=st.none() | st.sampled_from(["de", "pt-BR"]),
    ),
    password_hash=st.sampled_from([NO_PASSWORD, PasswordHash(BCRYPT)]),
    origin=st.none() | st.builds(Origin, system=st.just("supabase"), id=NAMES, metadata=JSON),
    as_table=st.booleans(),
)
def test_whoever_is_carried_out_can_be_brought_in(
    user: User,
    password_hash: PasswordHash,
    origin: Origin | None,
    as_table: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    newcomer = Newcomer(user=user, password_hash=password_hash, origin=origin)
    path = tmp_path_factory.mktemp("out") / "people"
    if as_table:
        line = generic_line(newcomer)
        as_csv(path, [{name: json.dumps(v) if isinstance(v, dict) else str(v) for name, v in line.items()}])
    else:
        path.write_text(exported_line(newcomer) + "\n")
    found = only(read_generic(path))
    assert found == Candidate(
        line=2 if as_table else 1,
        id=str(user.id),
        email=user.email.canonical,
        email_verified=user.email_verified,
        name=None if user.name is None else str(user.name),
        username=None if user.username is None else user.username.name,
        role=user.role,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
        first_signed_in_at=user.first_signed_in_at,
        locale=user.locale,
        fields=user.fields,
        metadata={} if origin is None else origin.metadata,
        password_hash=None if password_hash == NO_PASSWORD else password_hash.encoded,
        origin_system=None if origin is None else origin.system,
        origin_id=None if origin is None else origin.id,
    )
    assert UUID(found.id) == user.id


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no list of open files")
def test_what_is_staged_is_in_no_file_that_anybody_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes on disk beside the database would outlive a killed import."""
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    monkeypatch.setattr(staging, "_CACHE_KIB", 64)
    accounts = tmp_path / "accounts"
    head = "userId,accountId,providerId,password\n"
    accounts.write_text(head + "".join(f"{n:032},{n:032},credential,{SALT}:{KEY}\n" for n in range(1_000)))
    users = tmp_path / "users"
    users.write_text("id,email\n" + f"{7:032},a@x.org\n")

    def look() -> tuple[list[str], list[bool]]:
        opened = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
        unlinked = [each.endswith("(deleted)") for each in opened if "etilqs" in each]
        return sorted(each.name for each in tmp_path.iterdir()), unlinked

    async def in_the_middle() -> tuple[list[str], list[bool]]:
        entries = read_better_auth(BetterAuthTables(users=users, accounts=accounts), NOW)
        await anext(entries)
        return look()

    assert asyncio.run(in_the_middle()) == (["accounts", "users"], [True])


def test_a_column_that_is_not_there_is_told_because_it_may_be_misspelt(tmp_path: Path) -> None:
    row: dict[str, object] = {"id": "1", "email": "a@example.org", "deleted_atx": None}
    [words] = noticed(read_supabase(lines(tmp_path, row), NOW))
    assert "auth.users has no " in words
    assert {"deleted_at", "banned_until", "encrypted_password"} <= set(words.replace(":", ",").replace(",", "").split())
