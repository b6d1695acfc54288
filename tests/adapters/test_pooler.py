"""Behind a pooler that hands each transaction to another connection: the same contracts, and the whole story (R90)."""

import inspect
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.adapters import test_letters, test_limits, test_sessions
from tests.support.http_mail import MailServer, run_mail_server
from tests.support.http_requests import new_address, run_command, sign_in, sign_up
from tests.support.pgbouncer import SERVER_CONNECTIONS, Bouncer, needs_pgbouncer, run_pgbouncer
from tests.support.postgresql import empty_database, fresh_database, open_database, run
from tests.support.server import NO_LIMITS, Server, run_server
from tests.support.store_kinds import StoreUnderTest, over

pytestmark = needs_pgbouncer


@pytest.fixture(scope="module")
def bouncer() -> Iterator[Bouncer]:
    with run_pgbouncer() as running:
        yield running


@pytest.fixture
async def store(bouncer: Bouncer) -> AsyncIterator[StoreUnderTest]:
    """An empty store by way of the pooler."""
    with empty_database() as direct:
        async with open_database(bouncer.url(direct), pooled=True) as database:
            yield over(database)


# The contracts of sessions, limits and the outbox, held against that store: their tests are collected here once more.
for _suite in (test_sessions, test_limits, test_letters):
    for _name, _test in vars(_suite).items():
        if _name.startswith("test_") and {"store", "units", "limits"} & inspect.signature(_test).parameters.keys():
            globals()[f"{_name}__pooled"] = _test


def test_the_contracts_were_found() -> None:
    assert sum(name.endswith("__pooled") for name in globals()) > 40


def test_the_whole_story_of_many_at_once(bouncer: Bouncer, tmp_path: Path) -> None:
    with fresh_database(migrated=False) as direct, run_mail_server() as mail:
        variables = {"DATABASE_URL": bouncer.url(direct), "OSTIARY_DB_POOLER": "transaction", **mail.variables}
        migrated = run_command("migrate", folder=tmp_path, variables=variables)
        assert migrated.returncode == 0, migrated.stderr
        assert run_command("migrate", folder=tmp_path, variables=variables).stdout == migrated.stdout
        with run_server(tmp_path, variables) as server, ThreadPoolExecutor(12) as crowd:
            lives = [crowd.submit(live, server, mail, new_address("pooled")) for _ in range(36)]
            for life in lives:
                life.result()
        log = server.log.read_text()
        assert "unavailable" not in log
        assert "trouble" not in log
        ours = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert run(direct, ours)[0][0] <= SERVER_CONNECTIONS, "it was the pooler all the time"


def live(server: Server, mail: MailServer, email: str) -> None:
    """From sign-up to signing in again."""
    with server.client() as client:
        assert sign_up(client, email).status_code == 202
        assert client.post("/auth/verify-email", json={"token": mail.token(email)}).status_code == 200
        assert sign_in(client, email).status_code == 200
        for _ in range(5):
            assert client.get("/auth/me").json()["email"] == email
        assert client.post("/auth/signout", json={}).status_code == 204
        assert client.get("/auth/me").status_code == 401


def test_a_pooler_that_nobody_was_told_of_is_said_in_a_sentence(bouncer: Bouncer, tmp_path: Path) -> None:
    """It does not take the settings that a connection of our own is given."""
    with fresh_database() as direct:
        variables = {"DATABASE_URL": bouncer.url(direct), "OSTIARY_DB_POOLER": "none", "OSTIARY_PORT": "0", **NO_LIMITS}
        refused = run_command("serve", folder=tmp_path, variables=variables)
    assert refused.returncode == 2
    assert refused.stderr.startswith("The database cannot be used: ")
    assert "OSTIARY_DB_POOLER=transaction" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
