"""From the first version to this one: whatever form its database has, all of it is there afterwards, and the first
version goes on working on it meanwhile (docs/operate.md: expand, migrate, contract)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, delete, select, update

from adapters.sql.database import Database
from adapters.sql.migrations import HEAD, SchemaMismatch, check_schema, current_revision, migrate
from adapters.sql.tables import metadata
from domain.client import Client
from domain.events import Event, EventKind
from domain.letters import Occasion, QueuedLetter
from domain.one_time_token import OneTimeToken, Purpose
from domain.retention import Retention
from domain.session import Session
from domain.sign_up import SignUpRequest
from domain.user import Credential, User
from domain.username import Username
from tests.support.first_version import FIRST, first_version, tables_of, write_rows
from tests.support.next_version import Installation, new_installation
from tests.support.store_kinds import over
from tests.support.store_samples import (
    HASH,
    HOUR,
    NOW,
    TICK,
    a_letter,
    a_session,
    a_sign_up,
    a_token,
    a_user,
    digest,
    keep_session,
    mint,
    queue,
    settle_in,
    wait_in_line,
)

pytestmark = pytest.mark.usefixtures("no_threads_left")

each_form = pytest.mark.parametrize("purposeful", [False, True], ids=["letters without purpose", "letters with one"])


@pytest.fixture(params=["sqlite", "postgresql"])
def first(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    with new_installation(request.param, tmp_path) as installation:
        yield installation


@dataclass(frozen=True, kw_only=True)
class Life:
    """A row of every kind that the first version writes, and what it stands for."""

    user: User = field(default_factory=lambda: a_user(username=Username(f"u{uuid4().hex[:20]}"), locale=None))
    sign_up: SignUpRequest = field(default_factory=lambda: a_sign_up(fields={}, locale=None))
    token: OneTimeToken = field(default_factory=a_token)
    letter: QueuedLetter = field(default_factory=lambda: a_letter(locale=None))
    unit_key: bytes = field(default_factory=digest)

    @property
    def credential(self) -> Credential:
        return Credential(user_id=self.user.id, password_hash=HASH, version=3)

    @property
    def session(self) -> Session:
        return replace(a_session(self.user.id, id=self.user.id, seed=b"s" * 16, credential_version=3), counter=7)

    def rows(self) -> dict[str, dict[str, Any]]:
        """As the first version writes them."""
        user, sign_up, token, letter, session = self.user, self.sign_up, self.token, self.letter, self.session
        assert sign_up.name is not None
        assert sign_up.username is not None
        assert sign_up.client_unit is not None
        assert user.name is not None
        assert user.username is not None
        plain = {column.name: getattr(session, column.name) for column in metadata.tables["sessions"].c}
        return {
            "installation": {"name": user.id.hex, "value": self.unit_key},
            "users": {
                "id": user.id,
                "email": user.email.canonical,
                "email_verified": True,
                "name": user.name.text,
                "username": user.username.name,
                "role": user.role,
                "created_at": user.created_at,
                "disabled_at": None,
            },
            "accounts": {
                "id": uuid4(),
                "user_id": user.id,
                "provider_id": "credential",
                "password_hash": HASH.encoded,
                "credential_version": 3,
                "created_at": NOW,
                "updated_at": NOW,
            },
            "sign_ups": {
                "id": sign_up.id,
                "email": sign_up.email.canonical,
                "name": sign_up.name.text,
                "username": sign_up.username.name,
                "password_hash": HASH.encoded,
                "cookie_digest": sign_up.cookie_digest,
                "client_unit_key": sign_up.client_unit.key,
                "client_unit_stamp": sign_up.client_unit.stamp,
                "created_at": sign_up.created_at,
                "expires_at": sign_up.expires_at,
                "proven_at": None,
            },
            "username_claims": {"username": user.username.name, "holder_id": user.id, "expires_at": None},
            "one_time_tokens": {
                "digest": token.digest,
                "purpose": token.purpose.value,
                "subject_id": token.subject_id,
                "requested_at": token.requested_at,
                "expires_at": token.expires_at,
                "used_at": None,
            },
            "letters": {
                "id": letter.id,
                "occasion": letter.occasion.value,
                "purpose": "verify_address",  # of those that know the column
                "recipient": letter.recipient.canonical,
                "subject_id": letter.subject_id,
                "status": "queued",
                "outcome": None,
                "attempts": 0,
                "reason": None,
                "lease_id": None,
                "lease_until": None,
                "created_at": letter.created_at,
                "due_at": letter.due_at,
                "expires_at": letter.expires_at,
                "done_at": None,
            },
            "sessions": plain | {"transport": session.transport.value},
            "limits": {
                "key": self.unit_key,
                "quota": 5,
                "stamps": "1767268800123456abcde",
                "cutoff": "0",
                "due": 2**40,
                "pace": 2**33,
                "expires_at": NOW + HOUR,
            },
        }


async def at_first(database: Database, folder: Path, *, purposeful: bool) -> Life:
    """A database of the first version with a life in it."""
    with first_version(folder, purposeful=purposeful):
        assert await migrate(database) == FIRST
    tables = await tables_of(database)
    assert ("purpose" in tables["letters"].c) == purposeful
    life = Life()
    await write_rows(database, tables, life.rows())
    return life


async def read_back(database: Database, life: Life) -> None:
    """By the ports of this version."""
    units = over(database).units
    async with units.credential_reading() as logins:
        assert await logins.logins.by_email(life.user.email) == (life.user, life.credential)
        assert life.user.username is not None
        assert await logins.logins.by_username(life.user.username) == (life.user, life.credential)
    async with units.proof_reading() as unit:
        assert await unit.sign_ups.get(life.sign_up.id) == life.sign_up
        assert await unit.tokens.find(life.token.digest, life.token.purpose) == life.token
    async with units.session_reading() as reading:
        assert await reading.sessions.find(life.session.id) == (life.session, life.user)
    async with units.delivery() as delivery:
        leased = await delivery.letters.lease(uuid4(), NOW, 100)
    assert replace(life.letter, attempts=1) in leased
    async with units.intake() as intake:
        assert not await intake.usernames.claim(
            life.user.username, holder=uuid4(), now=NOW + timedelta(days=3650), expires_at=None
        )


@each_form
async def test_every_row_of_the_first_version_is_there_afterwards_as_it_was(
    first: Installation, purposeful: bool
) -> None:
    async with first.opened() as database:
        life = await at_first(database, first.folder, purposeful=purposeful)
        before, known = await everything(database), await tables_of(database)
        with pytest.raises(SchemaMismatch, match=f"schema {FIRST}, behind {HEAD}"):
            await check_schema(database)
        assert await migrate(database) == HEAD
        after = await everything(database)
        for name, rows in before.items():
            kept = [{column.name: row[column.name] for column in known[name].c} for row in after[name]]
            assert kept == rows, name
        assert after["events"] == after["reversals"] == []
        await read_back(database, life)


async def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    tables = await tables_of(database)
    async with database.reading() as connection:
        return {
            name: [dict(row) for row in (await connection.execute(select(table))).mappings()]
            for name, table in tables.items()
        }


@each_form
async def test_the_schema_is_the_same_whatever_form_it_came_from(first: Installation, purposeful: bool) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with first.opened() as database:
        await at_first(database, first.folder, purposeful=purposeful)
        await migrate(database)
        async with database.migrating() as transaction:
            assert await transaction.connection.run_sync(differences) == []


@each_form
async def test_the_first_version_goes_on_writing_and_reading_on_the_newer_schema(
    first: Installation, purposeful: bool
) -> None:
    """Between `ostiary migrate` and the end of the rolling restart: its statements name no new column."""
    async with first.opened() as database:
        before = await at_first(database, first.folder, purposeful=purposeful)
        known = await tables_of(database)
        await migrate(database)
        life = Life()
        await write_rows(database, known, life.rows())
        letters, sign_ups = known["letters"], known["sign_ups"]
        async with database.writing() as transaction:
            run = transaction.connection.execute
            leasing = update(letters).where(letters.c.status == "queued").values(attempts=letters.c.attempts + 1)
            assert len((await run(leasing.returning(letters))).all()) == 2
            settling = update(sign_ups).values(proven_at=NOW, password_hash=None, name=None, username=None)
            assert (await run(settling)).rowcount == 2
            for name in ("one_time_tokens", "limits"):
                assert (await run(delete(known[name]))).rowcount == 2
            await transaction.connection.rollback()
        for each in (before, life):
            await read_back(database, each)
        async with over(database).units.delivery() as unit:
            assert await unit.letters.is_newest(life.letter)
        newer = a_letter(subject_id=life.letter.subject_id, created_at=NOW + TICK, locale=None)
        await queue(over(database).units, newer)
        async with over(database).units.delivery() as unit:
            assert not await unit.letters.is_newest(life.letter), "letters of both versions have one purpose"


@each_form
async def test_what_this_version_writes_is_read_by_the_first_one_and_whatever_it_changes_stays_whole(
    first: Installation, purposeful: bool
) -> None:
    async with first.opened() as database:
        await at_first(database, first.folder, purposeful=purposeful)
        known = await tables_of(database)
        await migrate(database)
        units = over(database).units
        user = await settle_in(units, a_user(fields={"company": "Söhne"}, first_signed_in_at=NOW))
        session, sign_up = a_session(user.id), a_sign_up()
        token = a_token(
            user_id=user.id, credential_version=1, email=user.email, purpose=Purpose.CHANGE_EMAIL, subject_id=user.id
        )
        await keep_session(units, session)
        await wait_in_line(units, sign_up)
        await mint(units, token)
        await queue(units, a_letter(occasion=Occasion.CHANGE_EMAIL, credential_version=1))
        users = known["users"]
        async with database.writing() as transaction:
            run = transaction.connection.execute
            for name in ("users", "sessions", "sign_ups", "one_time_tokens", "letters"):
                assert len((await run(select(known[name]))).all()) == 2, name
            await run(update(users).where(users.c.id == user.id).values(email_verified=False))
            await transaction.commit()
        async with units.proof_reading() as unit:
            assert await unit.users.get(user.id) == replace(user, email_verified=False)
            assert await unit.tokens.find(token.digest, token.purpose) == token


@each_form
async def test_a_migrated_database_is_one_to_go_on_living_with(first: Installation, purposeful: bool) -> None:
    async with first.opened() as database:
        life = await at_first(database, first.folder, purposeful=purposeful)
        await migrate(database)
        assert await migrate(database) == HEAD
        assert await current_revision(database) == HEAD
        store = over(database)
        async with store.units.account_keeping() as unit:
            credential, user = await unit.accounts.hold(life.user.id), await unit.users.hold(life.user.id)
            assert credential is not None
            assert user is not None
            assert await unit.users.save(replace(user, fields={"seats": 3}))
            assert await unit.accounts.replace(credential, HASH, NOW)
            await unit.sessions.move(life.session.id, 4)
            await unit.events.add(
                Event(kind=EventKind.PASSWORD_CHANGED, client=Client("192.0.2.1"), user_id=user.id), NOW
            )
            await unit.commit()
        async with store.units.session_reading() as reading:
            found = await reading.sessions.find(life.session.id)
        assert found == (replace(life.session, credential_version=4), replace(life.user, fields={"seats": 3}))
        counts = await store.purge(NOW + timedelta(days=400), 100, Retention())
        assert {kind: count for kind, count in counts.items() if count} == {
            "sign_ups": 1,
            "one_time_tokens": 1,
            "sessions": 1,
            "limits": 1,
            "events": 1,
        }
