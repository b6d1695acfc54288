"""What `adapters.sql.database` promises on SQLite: durable, never half done, and `Unavailable` for any trouble."""

import asyncio
import os
import sqlite3
import tempfile
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from adapters.sql import sqlite as module
from adapters.sql.installation import installation_key
from adapters.sql.sqlite import SqliteDatabase
from application.ports.units_of_work import Units
from domain.email_address import EmailAddress
from domain.errors import Unavailable
from domain.retention import Retention
from tests.support.store_kinds import fresh_file, open_database, over
from tests.support.store_samples import ADA, NOW, a_sign_up, a_user, charge, wait_in_line

pytestmark = pytest.mark.usefixtures("no_threads_left")

NOBODY = 65534
CANARY = EmailAddress("canary-3f9a@example.com")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return fresh_file(tmp_path)


@pytest.fixture
async def database(file: Path) -> AsyncIterator[SqliteDatabase]:
    async with open_database(file) as opened:
        yield opened


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a lock after a twentieth of a second, so that nobody waits for the test."""
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.05)


@contextmanager
def locked(file: Path) -> Iterator[sqlite3.Connection]:
    """Another program holds the write lock."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
        other.execute("ROLLBACK")


@contextmanager
def somebody_without_privileges() -> Iterator[Path]:
    """A folder, and the rights of somebody whom file permissions stop (root is stopped by none)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        was = os.geteuid()
        if was == 0:
            os.chown(folder, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            folder.chmod(0o755)
            os.seteuid(was)


async def sign_up(database: SqliteDatabase) -> None:
    await wait_in_line(over(database).units, a_sign_up(email=CANARY))


async def spend(database: SqliteDatabase) -> None:
    await over(database).limits.spend([charge(CANARY.canonical, 5)], NOW)


async def purge(database: SqliteDatabase) -> None:
    await over(database).purge(NOW, 10, Retention())


async def key(database: SqliteDatabase) -> None:
    await installation_key(database, bytes(32))


each_write = pytest.mark.parametrize("write", [sign_up, spend, purge, key], ids=lambda write: write.__name__)
Write = Callable[[SqliteDatabase], Awaitable[None]]


async def pragma(connection: object, name: str) -> object:
    return await connection.scalar(text(f"PRAGMA {name}"))  # type: ignore[attr-defined]


async def test_the_pragmas_that_make_it_durable_are_in_force_on_every_connection(database: SqliteDatabase) -> None:
    async with database.writing() as transaction, database.reading() as one, database.reading() as other:
        for connection in (transaction.connection, one, other):
            assert await pragma(connection, "journal_mode") == "wal"
            assert await pragma(connection, "synchronous") == 2, "FULL: a commit survives a power cut"
            assert await pragma(connection, "foreign_keys") == 1


async def test_a_writing_transaction_takes_the_write_lock_at_once(database: SqliteDatabase, file: Path) -> None:
    async with database.writing():
        with (
            closing(sqlite3.connect(file, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")


async def test_reading_takes_no_lock(database: SqliteDatabase, file: Path) -> None:
    async with database.reading() as connection:
        await connection.execute(text("SELECT * FROM users"))
        with locked(file):
            await connection.execute(text("SELECT * FROM users"))


async def test_two_databases_on_one_file_that_write_at_once_lose_nothing(file: Path) -> None:
    sign_ups = [a_sign_up() for _ in range(60)]
    async with open_database(file) as one, open_database(file) as other:

        async def write(number: int) -> None:
            async with over((one, other)[number % 2]).units.intake() as unit:
                await unit.sign_ups.get(sign_ups[number].id)
                await unit.sign_ups.add(sign_ups[number])
                await unit.commit()

        await asyncio.gather(*map(write, range(60)))
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM sign_ups").fetchone() == (60,)


@each_write
@pytest.mark.usefixtures("impatient")
async def test_a_locked_database_is_unavailable_and_then_available_again(file: Path, write: Write) -> None:
    async with open_database(file) as database:
        with locked(file):
            with pytest.raises(Unavailable):
                await write(database)
            assert await database.answers(), "who is signed in can still be read"
        await write(database)


@pytest.mark.usefixtures("impatient")
async def test_who_waits_too_long_for_the_writer_is_told_unavailable(file: Path) -> None:
    async with open_database(file) as database:
        async with database.writing():
            with pytest.raises(Unavailable):
                await sign_up(database)
        await sign_up(database)


@asynccontextmanager
async def full_disk(database: SqliteDatabase) -> AsyncIterator[None]:
    """The file may not grow by a page more."""
    await limit_pages(database, 1)  # SQLite takes this as "no more than there are"
    yield
    await limit_pages(database, 2**30)


async def limit_pages(database: SqliteDatabase, pages: int) -> None:
    def set_limit(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={pages}")
        cursor.close()

    event.listen(database.writer.sync_engine, "connect", set_limit)  # and on any connection that takes its place
    async with database.writer.connect() as connection:
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


async def fill_up(units: Units) -> int:
    """How many sign-ups find room."""
    for kept in range(0, 100_000, 20):
        try:
            await wait_in_line(units, *(a_sign_up() for _ in range(20)))
        except Unavailable:
            return kept
    raise AssertionError("the disk does not fill up")


async def test_a_full_disk_is_unavailable_loses_nothing_and_needs_no_restart(
    database: SqliteDatabase, file: Path
) -> None:
    units = over(database).units
    async with full_disk(database):
        kept = await fill_up(units)
        for _ in range(5):
            with pytest.raises(Unavailable):
                await wait_in_line(units, *(a_sign_up() for _ in range(100)))
        assert await database.answers()
    await wait_in_line(units, a_sign_up())
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM sign_ups").fetchone() == (kept + 1,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@each_write
async def test_a_file_that_may_not_be_written_is_unavailable_and_can_still_be_read(write: Write) -> None:
    with somebody_without_privileges() as folder:
        file = fresh_file(folder)
        file.chmod(0o444)
        async with open_database(file) as database:
            with pytest.raises(Unavailable):
                await write(database)
        for part in folder.iterdir():
            part.chmod(0o600)
        async with open_database(file) as database:
            await write(database)


@each_write
async def test_a_folder_that_may_not_be_written_is_unavailable(write: Write) -> None:
    with somebody_without_privileges() as folder:
        file = fresh_file(folder)
        folder.chmod(0o555)
        async with open_database(file) as database:
            with pytest.raises(Unavailable):
                await write(database)
        folder.chmod(0o755)
        async with open_database(file) as database:
            await write(database)


@each_write
@pytest.mark.parametrize("content", [b"this is no database", b"SQLite format 3\x00" + b"\xff" * 5000, bytes(8192)])
async def test_a_file_of_garbage_is_unavailable_and_is_left_as_it_is(
    tmp_path: Path, content: bytes, write: Write
) -> None:
    file = tmp_path / "garbage"
    file.write_bytes(content)
    async with open_database(file) as database:
        with pytest.raises(Unavailable):
            await write(database)
        assert not await database.answers()
    assert file.read_bytes() == content


def tear(file: Path) -> None:
    """Keep the first page, and nothing that it speaks of."""
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


async def test_a_torn_file_is_unavailable(file: Path) -> None:
    tear(file)
    async with open_database(file) as database:
        with pytest.raises(Unavailable):
            await sign_up(database)


@pytest.mark.parametrize("place", ["missing/folder/file", "."], ids=["no such folder", "a folder"])
async def test_a_place_that_cannot_hold_a_file_is_unavailable(tmp_path: Path, place: str) -> None:
    async with open_database(tmp_path / place) as database:
        with pytest.raises(Unavailable):
            await sign_up(database)
        assert not await database.answers()


async def test_a_transaction_that_fails_is_not_in_the_way_of_the_next(database: SqliteDatabase) -> None:
    units, sign_up = over(database).units, a_sign_up()
    await wait_in_line(units, sign_up)
    for _ in range(3):
        with pytest.raises(IntegrityError):
            await wait_in_line(units, a_sign_up(), sign_up)
    await wait_in_line(units, a_sign_up())


async def test_a_commit_that_fails_is_not_in_the_way_of_the_next(database: SqliteDatabase) -> None:
    async def break_a_promise_at_commit() -> None:
        async with database.writing() as transaction:
            await transaction.connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            await transaction.connection.execute(
                text("INSERT INTO accounts VALUES ('a', 'nobody', 'credential', 'x', 1, '2026', '2026')")
            )
            await transaction.commit()

    with pytest.raises(IntegrityError):
        await break_a_promise_at_commit()
    await sign_up(database)


async def test_a_foreign_key_is_kept(database: SqliteDatabase) -> None:
    async with database.writing() as transaction:
        with pytest.raises(IntegrityError):
            await transaction.connection.execute(
                text("INSERT INTO accounts VALUES ('a', 'nobody', 'credential', 'x', 1, '2026', '2026')")
            )


def everything_said_about(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__cause__) + str(error.__cause__)


@pytest.mark.usefixtures("impatient")
async def test_an_error_message_carries_no_parameters(file: Path) -> None:
    async with open_database(file) as database:
        with locked(file), pytest.raises(Unavailable) as unavailable:
            await sign_up(database)
        twice = a_sign_up(email=CANARY)
        with pytest.raises(IntegrityError) as mistake:
            await wait_in_line(over(database).units, twice, twice)
        async with database.writing() as transaction:
            await transaction.connection.execute(text("DROP TABLE users"))
            await transaction.commit()
        with pytest.raises(Unavailable) as gone:
            async with over(database).units.proving() as unit:
                await unit.users.add(a_user(email=CANARY))
    for caught in (unavailable, mistake, gone):
        assert CANARY.local_part not in everything_said_about(caught.value)


async def test_the_installation_key_is_whoevers_came_first_and_stays(file: Path) -> None:
    async with open_database(file) as one, open_database(file) as other:
        fresh = [bytes([number]) * 32 for number in range(8)]
        keys = await asyncio.gather(
            *(installation_key((one, other)[number % 2], each) for number, each in enumerate(fresh))
        )
        assert len(set(keys)) == 1
        assert keys[0] in fresh
    async with open_database(file) as later:
        assert await installation_key(later, b"x" * 32) == keys[0]


async def test_a_commit_is_in_the_file_for_a_program_that_opens_it_after_the_process_died(file: Path) -> None:
    async with open_database(file) as database:
        await wait_in_line(over(database).units, a_sign_up())
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("SELECT email FROM sign_ups").fetchone() == (ADA.canonical,)
