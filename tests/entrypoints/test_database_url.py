"""`DATABASE_URL` as vendors print it, and as people break it (R90)."""

import asyncio
import string
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import asyncpg
import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from entrypoints.database_url import for_driver, leads_to_a_pooler, url_problem
from entrypoints.settings import SettingsError, read_settings
from tests.support.postgresql import run, server

NEON = "ep-cool-darkness-123456.us-east-2.aws.neon.tech"
NEON_POOLER = "ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech"
PRINTED = {
    "Neon": (f"postgresql://alex:canary@{NEON}/dbname?sslmode=require&channel_binding=require", NEON, 5432, False),
    "Neon, pooled": (
        f"postgresql://alex:canary@{NEON_POOLER}/dbname?sslmode=require&channel_binding=require",
        NEON_POOLER,
        5432,
        True,
    ),
    "Neon, for old clients": (
        f"postgres://alex:canary@{NEON}/dbname?options=endpoint%3Dep-cool-darkness-123456&sslmode=require",
        NEON,
        5432,
        False,
    ),
    "Supabase": (
        "postgresql://postgres:canary@db.abcdefghijkl.supabase.co:5432/postgres",
        "db.abcdefghijkl.supabase.co",
        5432,
        False,
    ),
    "Supabase, session pooler": (
        "postgres://postgres.abcdefghijkl:canary@aws-0-us-east-1.pooler.supabase.com:5432/postgres",
        "aws-0-us-east-1.pooler.supabase.com",
        5432,
        False,
    ),
    "Supabase, transaction pooler": (
        "postgres://postgres.abcdefghijkl:canary@aws-0-us-east-1.pooler.supabase.com:6543/postgres",
        "aws-0-us-east-1.pooler.supabase.com",
        6543,
        True,
    ),
    "Supabase, dedicated pooler": (
        "postgresql://postgres:canary@db.abcdefghijkl.supabase.co:6543/postgres",
        "db.abcdefghijkl.supabase.co",
        6543,
        True,
    ),
    "Prisma's mark": (
        "postgresql://ada:canary@pool.example.com:6432/app?pgbouncer=true&connection_limit=1&connect_timeout=10",
        "pool.example.com",
        6432,
        True,
    ),
    "Heroku": (
        "postgres://u8qnv:canary@ec2-34-200-101-236.compute-1.amazonaws.com:5432/d7fbq",
        "ec2-34-200-101-236.compute-1.amazonaws.com",
        5432,
        False,
    ),
    "Render": ("postgres://ada:canary@dpg-abc123-a/app_db", "dpg-abc123-a", 5432, False),
    "RDS": (
        "postgresql://ada:canary@app.c9akciq32.eu-central-1.rds.amazonaws.com:5432/app?sslmode=verify-full"
        "&sslrootcert=%2Fetc%2Frds%2Fglobal-bundle.pem",
        "app.c9akciq32.eu-central-1.rds.amazonaws.com",
        5432,
        False,
    ),
    "Fly": ("postgres://ada:canary@app-db.flycast:5432/app?sslmode=disable", "app-db.flycast", 5432, False),
    "DigitalOcean": (
        "postgresql://doadmin:canary@db-1-do-user-1.ondigitalocean.com:25060/defaultdb?sslmode=require",
        "db-1-do-user-1.ondigitalocean.com",
        25060,
        False,
    ),
    "SQLAlchemy": ("postgresql+asyncpg://ada:canary@localhost/app", "localhost", 5432, False),
    "IPv6": ("postgresql://ada:canary@[2001:db8::7]:6432/app", "2001:db8::7", 6432, False),
    "IPv6 without a port": ("postgresql://ada:canary@[::1]/app", "::1", 5432, False),
    "in capitals": ("POSTGRES://ada:canary@localhost/app", "localhost", 5432, False),
}


def read_by_driver(url: str) -> tuple[list[Any], Any]:
    """What asyncpg, asked without connecting, makes of what we hand it: places, and who is calling."""
    nothing = dict.fromkeys(
        [
            *("host", "port", "user", "password", "passfile", "database", "ssl", "service", "servicefile"),
            *("direct_tls", "server_settings", "target_session_attrs", "krbsrvname", "gsslib"),
        ]
    )
    places, parameters, *_ = _parse_connect_dsn_and_args(dsn=for_driver(url), **nothing)
    return places, parameters


@pytest.mark.parametrize("vendor", PRINTED)
def test_what_vendors_print_is_taken_as_it_is(vendor: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    url, host, port, pooled = PRINTED[vendor]
    assert url_problem(url) is None
    read = read_settings({"DATABASE_URL": url}, dotenv=None)
    assert read.pooled is pooled
    assert "canary" not in repr(read)
    if "sslrootcert" in url:
        return  # asyncpg reads the file at once
    (place, *others), parameters = read_by_driver(url)
    assert (place, others) == ((host, port), [])
    assert parameters.password == "canary"
    assert parameters.database in ("dbname", "postgres", "app", "app_db", "d7fbq", "defaultdb")


def test_what_is_said_about_tls_reaches_the_driver() -> None:
    assert read_by_driver(PRINTED["Neon"][0])[1].ssl is not None
    assert read_by_driver(PRINTED["Neon"][0])[1].sslmode.name == "require"
    assert read_by_driver(PRINTED["Fly"][0])[1].sslmode.name == "disable"


def test_the_pooler_can_be_named_and_denied_where_no_mark_tells() -> None:
    def pooled(url: str, word: str) -> bool:
        return read_settings({"DATABASE_URL": url, "OSTIARY_DB_POOLER": word}, dotenv=None).pooled

    assert pooled(PRINTED["DigitalOcean"][0], "transaction")
    assert not pooled(PRINTED["Neon, pooled"][0], "none")


@pytest.mark.parametrize(
    ("options", "setting"),
    [
        ("-c%20search_path%3Dapp", "-c search_path=app"),
        ("endpoint%3Dep-1", "endpoint=ep-1"),
        ("-c+jit%3Doff", "-c jit=off"),
    ],
)
def test_options_reach_the_driver_as_they_were_meant(options: str, setting: str) -> None:
    _, parameters = read_by_driver(f"postgresql://ada@localhost/app?options={options}")
    assert parameters.server_settings == {"options": setting}


def test_several_hosts_are_all_kept_in_order() -> None:
    url = "postgresql://ada:canary@one.example:5432,two.example:6432,[::1]:5433/app?target_session_attrs=read-write"
    assert url_problem(url) is None
    assert not leads_to_a_pooler(url)
    assert read_by_driver(url)[0] == [("one.example", 5432), ("two.example", 6432), ("::1", 5433)]
    assert leads_to_a_pooler(url.replace("two.example", "two-pooler.example"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada@/app?host=/var/run/postgresql",
        "postgresql:///app?host=/var/run/postgresql&user=ada",
        "postgresql://ada@%2Fvar%2Frun%2Fpostgresql/app",
        "postgresql:///?host=/var/run/postgresql&user=ada&dbname=app",
    ],
)
def test_a_unix_socket_is_a_place_too(url: str) -> None:
    assert url_problem(url) is None
    places, parameters = read_by_driver(url)
    assert places == ["/var/run/postgresql/.s.PGSQL.5432"]
    assert (parameters.user, parameters.database) == ("ada", "app")


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)


@given(user=ANY_TEXT, password=ANY_TEXT, database=ANY_TEXT)
@example(user="a:@/?#[]%", password=string.punctuation + " +%41", database="a/b c")
def test_whatever_is_percent_encoded_comes_back_as_it_was(user: str, password: str, database: str) -> None:
    url = f"postgresql://{quote(user, '')}:{quote(password, '')}@db.example/{quote(database, '')}?sslmode=require"
    assert url_problem(url) is None
    places, parameters = read_by_driver(url)
    assert places == [("db.example", 5432)]
    assert (parameters.user, parameters.password, parameters.database) == (user, password, database)


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The URL of a real server, for somebody who has to show a password."""
    rules = server().pgdata / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all bearer scram-sha-256\n" + before)
    run(server().url(), "CREATE ROLE bearer LOGIN", "SELECT pg_reload_conf()")
    yield server().url()
    rules.write_text(before)
    run(server().url(), "DROP ROLE bearer", "SELECT pg_reload_conf()")


@given(password=st.text(string.printable, min_size=1, max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(password="".join(map(chr, range(1, 128))))
@example(password="pässwörd ключ 🗝")
def test_a_real_server_takes_every_password(guarded: str, password: str) -> None:
    literal = password.replace("'", "''")
    run(guarded, f"ALTER ROLE bearer PASSWORD '{literal}'")
    url = guarded.replace("postgres@", f"bearer:{quote(password, '')}@").replace("postgresql:", "postgresql+asyncpg:")
    assert url_problem(url) is None
    assert run(for_driver(f"{url}&channel_binding=prefer"), "SELECT current_user") == [("bearer",)]


CUT_IN_TWO = [
    "postgresql://ada:can#ary@db.example/app",
    "postgresql://ada:12#canary@db.example/app",
    "postgresql://ada:can/ary@db.example/app",
    "postgresql://ada:12/canary@db.example/app",
    "postgresql://ada:can?ary@db.example/app",
    "postgresql://ada:12?canary=1@db.example/app",
    "postgresql://ada:can@ary@db.example/app",
    "postgresql://ada:canary@db.example/app#canary",
]
GARBAGE = [
    "postgresql://ada:canary@db.example:canary/app",
    "postgresql://ada:canary@db.example:99999/app",
    "postgresql://ada:canary@db.example:0/app",
    "postgresql://ada:canary@one.example:5432,two.example:canary/app",
    "postgresql://ada:canary@/app?host=db.example&port=canary",
    "postgresql://ada:canary@/app?host=db.example&port=70000",
    "postgresql://ada:canary@/app?host=db.example:canary",
    "postgresql://ada:canary@one.example,,two.example/app",
    "postgresql://ada:canary@[::1/app",
    "postgresql://ada:canary@db.example/app?canary",
    "postgresql://ada:canary@db.example/app?sslrootcert=system",
    "postgresql:canary",
    "mysql://ada:canary@db.example/app",
    "postgresq://ada:canary@db.example/app",
    "jdbc:postgresql://db.example/app?user=ada&password=canary",
    "psql 'postgresql://ada:canary@db.example/app'",
    "host=db.example user=ada password=canary",
    "sqlite:canary",
    "sqlite:///",
    "canary",
    "://canary",
]


@pytest.mark.parametrize("url", [*CUT_IN_TWO, *GARBAGE])
def test_what_cannot_be_meant_is_refused_in_a_sentence_that_does_not_quote_it(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({"DATABASE_URL": url}, dotenv=None)
    (problem,) = refused.value.problems
    assert problem.startswith("DATABASE_URL: ")
    assert "canary" not in problem
    assert url == "sqlite:///" or url not in problem


@pytest.mark.parametrize("url", CUT_IN_TWO)
def test_a_mark_in_a_password_that_was_not_encoded_is_named_as_the_likely_fault(url: str) -> None:
    assert "must be percent-encoded" in str(url_problem(url))


def test_a_vendors_placeholder_is_recognised() -> None:
    url = "postgresql://postgres.abc:[YOUR-PASSWORD]@aws-0-us-east-1.pooler.supabase.com:6543/postgres"
    assert "placeholder" in str(url_problem(url))


def test_parameters_that_nobody_knows_are_named() -> None:
    problem = str(url_problem("postgresql://ada:canary@db.example/app?sslmode=require&schema=public&sslmod=x"))
    assert "schema, sslmod" in problem


@given(st.one_of(st.text(max_size=80), st.from_regex(r"postgres(ql)?://[!-~]{0,60}", fullmatch=True)))
@settings(max_examples=500)
def test_whatever_is_not_refused_can_be_read_by_the_driver(url: str) -> None:
    """Or is refused by it in its own words: at no point is there anything but a sentence."""
    problem = url_problem(url)
    if problem is not None or url.startswith("sqlite:"):
        assert problem is None or len(url) < 20 or url not in problem
        return
    assert leads_to_a_pooler(url) in (True, False)
    try:
        read_by_driver(url)
    except (asyncpg.InterfaceError, OSError):
        return


def test_what_is_kept_for_the_driver_is_accepted_by_a_real_server() -> None:
    kept = "&sslmode=prefer&application_name=ostiary&target_session_attrs=any&options=-c%20jit%3Doff"
    dropped = "&channel_binding=require&gssencmode=disable&keepalives=1&connect_timeout=10&pgbouncer=true"
    url = server().url().replace("postgresql", "postgres") + kept + dropped
    assert url_problem(url) is None

    async def ask() -> Any:
        connection = await asyncpg.connect(for_driver(url))
        try:
            return await connection.fetchval("SELECT current_setting('jit') || current_setting('application_name')")
        finally:
            await connection.close()

    assert asyncio.run(ask()) == "offostiary"
    assert urlsplit(url).scheme == "postgres"
