"""Dumps by the real pg_dump, in each of the forms that people have, show what the server itself shows."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from adapters.transfer.live import Dsn
from adapters.transfer.opening import open_rows
from adapters.transfer.rows import Row
from application.ports.transfer import SourceUnreadable
from tests.support.postgresql import fresh_database, server

FORMS = {
    "copy": [],
    "data-only": ["--data-only"],
    "supabase-cli": ["--data-only", "--quote-all-identifiers", "--column-inserts", "--rows-per-insert=100000"],
    "column-inserts": ["--column-inserts", "--on-conflict-do-nothing"],
    "inserts": ["--inserts"],
}
TEXTS = [
    "plain",
    "",
    "it's; -- no comment",
    "tab\t, feed\n, return\r, slash \\ and \\N",
    "\\.",
    "\n\\.\n",
    "),\n\t('forged', 'row');\nINSERT INTO auth.users (id) VALUES ('x');",
    "$$ not a quote $body$ /* neither",
    "é, ﬁ, 漢字, 😀, \x0b\x0c\x1c\x85\u2028",
    "\x01\x07\x1b\x7f",
]
SCHEMA = """
CREATE SCHEMA auth;
CREATE TABLE auth.users (
    id integer PRIMARY KEY, email varchar(255), raw_user_meta_data jsonb, note text DEFAULT E'it''s (a, \\\\''b)',
    created_at timestamptz DEFAULT now(), confirmed_at timestamptz GENERATED ALWAYS AS (created_at) STORED,
    is_sso_user boolean NOT NULL DEFAULT false, score numeric(10, 2) DEFAULT -1.5, CONSTRAINT short CHECK (id < 1000)
);
COMMENT ON TABLE auth.users IS E'Auth: ''stores''; user \\\\ data';
CREATE TABLE public.users (id integer, note text);
CREATE TABLE auth.identities (id integer);
INSERT INTO public.users VALUES (1, 'of the product');
CREATE FUNCTION public.on_new_user() RETURNS trigger LANGUAGE plpgsql AS $body$ begin
INSERT INTO auth.users (id) VALUES ('no row; but''t code');
return new; end $body$;
CREATE FUNCTION public.parsed() RETURNS void LANGUAGE sql BEGIN ATOMIC
INSERT INTO auth.users (id) VALUES (1001); SELECT 1; END;
"""


@dataclass(frozen=True)
class Original:
    dsn: Dsn
    folder: Path
    shown: list[tuple[object, ...]]


def essence(found: list[Row]) -> list[tuple[object, ...]]:
    """What a dump and a server write in the same way, or nearly."""
    essential: list[tuple[object, ...]] = []
    for row in found:
        metadata = row.values["raw_user_meta_data"]
        parsed = json.loads(metadata) if isinstance(metadata, str) else metadata
        essential.append((str(row.values["id"]), row.values["email"], row.values["note"], parsed))
    return essential


async def gather(source: Path | Dsn, table: str) -> list[Row]:
    found = [row async for row in open_rows(source, table)]
    return [row for row in found if isinstance(row, Row)] if all(isinstance(row, Row) for row in found) else []


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    """A database of the kind that Supabase has, and its dumps."""

    async def fill() -> list[Row]:
        connection = await asyncpg.connect(url)
        await connection.execute(SCHEMA)
        await connection.executemany(
            "INSERT INTO auth.users (id, email, note, raw_user_meta_data) VALUES ($1, $2, $3, $4)",
            [(number, f"u{number}@x.org", text, json.dumps({"name": text})) for number, text in enumerate(TEXTS)],
        )
        await connection.execute("INSERT INTO auth.users (id) SELECT generate_series(100, 900)")
        await connection.close()
        return await gather(Dsn(url), "auth.users")

    folder = tmp_path_factory.mktemp("dumps")
    with fresh_database(migrated=False) as url:
        shown = asyncio.run(fill())
        for name, options in FORMS.items():
            pg_dump = str(server().programs / "pg_dump")
            subprocess.run([pg_dump, "--file", folder / f"{name}.sql", *options, url], check=True)
        yield Original(Dsn(url), folder, essence(shown))


def test_the_server_shows_what_was_written(original: Original) -> None:
    assert original.shown[: len(TEXTS)] == [
        (str(number), f"u{number}@x.org", text, {"name": text}) for number, text in enumerate(TEXTS)
    ]
    assert len(original.shown) == len(TEXTS) + 801


@pytest.mark.parametrize("form", FORMS)
def test_a_dump_shows_the_same_as_the_server(original: Original, form: str) -> None:
    dump = original.folder / f"{form}.sql"
    found = asyncio.run(gather(dump, "auth.users"))
    assert essence(found) == original.shown
    lines = dump.read_bytes().decode().split("\n")
    for row in (row for row in found if row.values["email"]):
        assert str(row.values["email"]) in lines[row.line - 1]


@pytest.mark.parametrize("form", FORMS)
def test_a_table_is_told_from_its_namesake(original: Original, form: str) -> None:
    dump = original.folder / f"{form}.sql"
    assert [row.values["note"] for row in asyncio.run(gather(dump, "public.users"))] == ["of the product"]
    assert asyncio.run(gather(dump, "identities")) == []
    with pytest.raises(SourceUnreadable, match="name the table together with its schema"):
        asyncio.run(gather(dump, "users"))
    with pytest.raises(SourceUnreadable, match=r"no table auth\.people; there are auth\.identities, auth\.users"):
        asyncio.run(gather(dump, "auth.people"))


def test_a_server_says_what_is_wrong_and_never_the_password(original: Original) -> None:
    async def refused(dsn: str, table: str) -> str:
        with pytest.raises(SourceUnreadable) as refusal:
            await gather(Dsn(dsn), table)
        assert "hunter2" not in f"{refusal.value!r} {refusal.value.__cause__!r} {Dsn(dsn)!r}"
        return str(refusal.value)

    async def all_of_it() -> None:
        owner = await asyncpg.connect(original.dsn.text)
        await owner.execute("CREATE ROLE reader LOGIN PASSWORD 'hunter2'; GRANT USAGE ON SCHEMA auth TO reader")
        try:
            url = original.dsn.text.replace("://postgres@", "://reader:hunter2@")
            assert "no table auth.people; there are auth.identities" in await refused(url, "auth.people")
            assert "permission denied for table users" in await refused(url, "auth.users")
            await owner.execute(
                "GRANT SELECT ON auth.users TO reader; ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY"
            )
            assert "row-level security" in await refused(url, "auth.users")
            await owner.execute("ALTER TABLE auth.users DISABLE ROW LEVEL SECURITY")
            assert len(await gather(Dsn(url), "auth.users")) == len(original.shown)
            assert "no such database" in await refused(url.replace("?", "_not_there?"), "auth.users")
        finally:
            await owner.execute("DROP OWNED BY reader; DROP ROLE reader")
            await owner.close()
        assert "does not answer" in await refused("postgresql://reader:hunter2@127.0.0.1:1/x", "auth.users")
        assert "none that the driver understands" in await refused("postgresql://r:hunter2@h:port/x", "auth.users")

    asyncio.run(all_of_it())
