"""R37: under the rights of docs/postgresql-rights.md the service works, and an application cannot read a hash."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from adapters.sql.tables import metadata
from domain.email_address import EmailAddress
from tests.support import postgresql
from tests.support.http_requests import run_command
from tests.support.postgresql import Ask, onlooker, run_script
from tests.support.server import CHEAP
from tests.support.world import ADA, OTHER_PASSWORD, make_world

PAGE = (Path(__file__).parents[2] / "docs" / "postgresql-rights.md").read_text()
BEFORE, AFTER, SOME_COLUMNS, TAKE_OVER = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
OWNER, SERVICE, APPLICATION = "ostiary_owner", "ostiary_service", "ostiary_application"
TABLES = {*metadata.tables, "alembic_version"}
DENIED = asyncpg.InsufficientPrivilegeError


@dataclass(frozen=True)
class Installation:
    """A database whose rights are those of the page, and whoever asks it for something."""

    url: str
    schema: str
    administrator: Ask
    owner: Ask
    service: Ask
    application: Ask

    def variables(self, role: str) -> dict[str, str]:
        """The settings under one of the roles."""
        return {"DATABASE_URL": as_role(self.url, role), "OSTIARY_DB_SCHEMA": self.schema}

    def relations(self) -> set[str]:
        """Everything in the schema that holds rows."""
        rows = self.administrator(
            f"SELECT relname FROM pg_class WHERE relnamespace = '{self.schema}'::regnamespace AND relkind <> 'i'"  # noqa: S608
        )
        return {row[0] for row in rows}


def as_role(url: str, role: str) -> str:
    return url.replace("//postgres@", f"//{role}@")


def in_schema(statements: str, schema: str) -> str:
    """As the page says: the name wherever it stands alone."""
    return re.sub(r"\bostiary\b", schema, statements)


@contextmanager
def roles_gone_afterwards(url: str) -> Iterator[None]:
    """They belong to the server, which other tests share."""
    try:
        yield
    finally:
        for role in (SERVICE, APPLICATION, OWNER):
            postgresql.run(url, f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


@contextmanager
def installed(schema: str) -> Iterator[Installation]:
    """By the steps of the page."""
    with postgresql.fresh_database(migrated=False) as url, roles_gone_afterwards(url):
        run_script(url, in_schema(BEFORE, schema))
        variables = {"DATABASE_URL": as_role(url, OWNER), "OSTIARY_DB_SCHEMA": schema}
        done = run_command("migrate", folder=Path("/"), variables=variables)
        assert done.returncode == 0, done.stderr
        run_script(url, in_schema(AFTER, schema))
        with asked(url, schema) as installation:
            yield installation


@contextmanager
def taken_over() -> Iterator[Installation]:
    """One that was there already, by the steps of the page."""
    with postgresql.fresh_database() as url, roles_gone_afterwards(url):
        run_script(url, "GRANT SELECT ON ALL TABLES IN SCHEMA ostiary TO PUBLIC")
        run_script(url, "".join(line for line in BEFORE.splitlines(keepends=True) if "CREATE SCHEMA" not in line))
        run_script(url, TAKE_OVER + AFTER)
        with asked(url, "ostiary") as installation:
            yield installation


@contextmanager
def asked(url: str, schema: str) -> Iterator[Installation]:
    with ExitStack() as stack:
        asks = [stack.enter_context(onlooker(as_role(url, role))) for role in ("postgres", OWNER, SERVICE, APPLICATION)]
        yield Installation(url, schema, *asks)


@pytest.fixture(scope="module", params=["ostiary", "people", "taken over"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """In the schema by default, in another one, and one that was there before."""
    with taken_over() if request.param == "taken over" else installed(request.param) as made:
        yield made


async def test_the_service_works_under_its_role(installation: Installation, tmp_path: Path) -> None:
    """From sign-up by letter to sign-in, and housekeeping."""
    async with make_world("sqlite", tmp_path, installation.variables(SERVICE)) as world:
        signed_in = await world.member()
        assert (await world.identify(signed_in)).user.email == EmailAddress(ADA)
        await world.sign_in()
        await world.sign_up("bob@example.com", OTHER_PASSWORD)
        await world.deliver()
        world.clock.advance(days=400)
        await world.use_cases.keep_house()
    assert [tuple(row) for row in people(installation, "email")] == [(ADA,)]


def test_the_application_reads_people_and_nothing_else(installation: Installation) -> None:
    """Every table there is, whichever of these lists it is on."""
    assert installation.relations() == TABLES
    for table in TABLES - {"users"}:
        with pytest.raises(DENIED):
            installation.application(f"SELECT FROM {installation.schema}.{table}")
        question = f"SELECT has_any_column_privilege('{installation.schema}.{table}', 'SELECT, INSERT, UPDATE')"
        assert installation.application(question)[0][0] is False, table
    people(installation, "*")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {}.users SET role = 'admin'",
        "DELETE FROM {}.users",
        "INSERT INTO {}.users (id) VALUES (gen_random_uuid())",
        "TRUNCATE {}.users",
        "SELECT FROM {}.users FOR UPDATE",
        "COPY {}.accounts TO STDOUT",
        "COPY (SELECT password_hash FROM {}.accounts) TO STDOUT",
        "TABLE {}.accounts",
        "SELECT users.email, password_hash FROM {0}.users JOIN {0}.accounts ON user_id = users.id",
        "CREATE TABLE {}.mine (id int)",
        "CREATE VIEW {}.mine AS SELECT 1",
        "CREATE TRIGGER mine AFTER UPDATE ON {}.users EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "ALTER TABLE {}.users OWNER TO ostiary_application",
        "GRANT SELECT ON {}.accounts TO ostiary_application",
        "SET ROLE ostiary_owner",
        "SET ROLE ostiary_service",
        "ALTER DEFAULT PRIVILEGES FOR ROLE ostiary_owner GRANT SELECT ON TABLES TO ostiary_application",
    ],
)
def test_the_application_finds_no_way_around(installation: Installation, statement: str) -> None:
    with pytest.raises(DENIED):
        installation.application(statement.format(installation.schema))


def test_the_servers_statistics_tell_the_application_nothing_either(installation: Installation) -> None:
    """`pg_stats` holds the most common values of a column, and the bounds of its histogram."""
    schema = installation.schema
    installation.administrator(
        f"INSERT INTO {schema}.users (id, email, email_verified, role, created_at) "  # noqa: S608
        "SELECT gen_random_uuid(), n || '@example.com', true, 'user', now() FROM generate_series(1, 50) n",
        f"INSERT INTO {schema}.accounts SELECT gen_random_uuid(), id, 'credential', 'canary', 1, now(), now() "  # noqa: S608
        f"FROM {schema}.users WHERE email <> '{ADA}'",
        f"ANALYZE {schema}.accounts",
    )
    question = f"SELECT 1 FROM pg_stats WHERE schemaname = '{schema}' AND tablename = 'accounts'"  # noqa: S608
    assert installation.administrator(question), "there is something to be told"
    assert installation.application(question) == []
    assert installation.application("SELECT FROM pg_stats WHERE most_common_vals::text LIKE '%canary%'") == []
    for catalogue in ("pg_statistic", "pg_authid"):
        with pytest.raises(DENIED):
            installation.application(f"SELECT FROM {catalogue}")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE {}.users",
        "DROP SCHEMA {} CASCADE",
        "ALTER TABLE {}.users ADD COLUMN mine int",
        "ALTER TABLE {}.accounts DROP COLUMN password_hash",
        "CREATE TABLE {}.mine (id int)",
        "CREATE INDEX ON {}.users (name)",
        "TRUNCATE {}.users",
        "UPDATE {}.alembic_version SET version_num = '9999'",
        "CREATE TRIGGER mine AFTER UPDATE ON {}.users EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "SET ROLE ostiary_owner",
    ],
)
def test_the_service_changes_no_table(installation: Installation, statement: str) -> None:
    with pytest.raises(DENIED):
        installation.service(statement.format(installation.schema))


def test_the_doctor_is_content_and_tells_the_owner_from_the_service(installation: Installation, tmp_path: Path) -> None:
    said = {}
    for role in (SERVICE, OWNER):
        done = run_command("doctor", "--json", folder=tmp_path, variables={**CHEAP, **installation.variables(role)})
        assert done.returncode == 0, done.stdout
        said[role] = {check["check"]: check["text"] for check in json.loads(done.stdout)["checks"]}
    assert said[SERVICE]["rights"] == "every table can be written"
    assert "owns them" in said[OWNER]["rights"]
    assert said[SERVICE]["hashes"] == said[OWNER]["hashes"]
    assert "argon2id m=8,t=1,p=1" in said[SERVICE]["hashes"]


def test_the_service_gives_no_rights_away(installation: Installation) -> None:
    accounts = f"{installation.schema}.accounts"
    installation.service(f"GRANT SELECT ON {accounts} TO {APPLICATION}")  # a warning, and nothing more
    with pytest.raises(DENIED):
        installation.application(f"TABLE {accounts}")


def test_a_table_of_a_later_version_is_the_services_and_hidden_from_the_application(installation: Installation) -> None:
    later = f"{installation.schema}.later"
    installation.owner(f"CREATE TABLE {later} (id serial PRIMARY KEY, password_hash text)")
    try:
        for statement in ("INSERT INTO {} DEFAULT VALUES", "UPDATE {} SET id = 2", "DELETE FROM {}"):
            installation.service(statement.format(later))
        with pytest.raises(DENIED):
            installation.application(f"SELECT FROM {later}")
    finally:
        installation.owner(f"DROP TABLE {later}")


def test_some_columns_only(installation: Installation) -> None:
    run_script(installation.url, in_schema(SOME_COLUMNS, installation.schema))
    try:
        people(installation, "id, name, username, role")
        for columns in ("email", "*"):
            with pytest.raises(DENIED):
                people(installation, columns)
    finally:
        run_script(installation.url, in_schema(AFTER, installation.schema))


def people(installation: Installation, columns: str) -> list[Any]:
    """What the application reads of them."""
    return installation.application(f"SELECT {columns} FROM {installation.schema}.users")  # noqa: S608
