"""The pepper at work: given to who has none, rotated with an overlap, missed when it is gone: docs/keys.md."""

import sqlite3
from contextlib import AbstractAsyncContextManager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from application.admission import SessionWish
from application.sign_up_form import SignUpCommand
from application.use_cases.sign_in import SignInCommand
from application.use_cases.user_creation import CreateUserCommand
from domain.errors import InvalidCredentials
from entrypoints.composition import Ostiary, Replacements, compose
from entrypoints.settings import SettingsError, read_settings
from tests.support.http_requests import run_command
from tests.support.server import CHEAP, NO_LIMITS
from tests.support.store_kinds import fresh_file
from tests.support.world import HERE, PASSWORD, Events

OLD, NEW = "2026-a:kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA", "2026-b:mX3bN8cV5zL1kJ6hG9fD2sA7pQ4wE0rT"
PEOPLE = [f"person{number}@example.com" for number in range(4)]
LOST = """
UPDATE accounts SET password_hash = '!' WHERE password_hash LIKE '$pepper$k=2026-a$%';
DELETE FROM sign_ups WHERE password_hash LIKE '$pepper$k=2026-a$%';
"""


class House:
    """An installation that is started anew with other peppers each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ostiary-data").mkdir()
        self.file = fresh_file(folder / "ostiary-data")
        self.events = Events()

    def variables(self, peppers: str) -> dict[str, str]:
        return {**CHEAP, **NO_LIMITS, "OSTIARY_PEPPERS": peppers}

    async def add(self, *people: str, peppers: str) -> None:
        async with self._composed(peppers) as ostiary:
            for email in people:
                await ostiary.use_cases.create_user(CreateUserCommand(email=email, name="A", password=PASSWORD))

    async def sign_in(self, *people: str, peppers: str, password: str = PASSWORD) -> None:
        async with self._composed(peppers) as ostiary:
            await ostiary.check_peppers()
            for email in people:
                session = SessionWish(client=HERE)
                await ostiary.use_cases.sign_in(SignInCommand(email=email, password=password, session=session))

    async def sign_up(self, email: str, peppers: str) -> None:
        async with self._composed(peppers) as ostiary:
            session = SessionWish(client=HERE)
            await ostiary.use_cases.sign_up(SignUpCommand(email=email, name="A", password=PASSWORD, session=session))

    def _composed(self, peppers: str) -> AbstractAsyncContextManager[Ostiary]:
        settings = read_settings(
            {"OSTIARY_DATA_DIR": str(self.folder / "ostiary-data"), **self.variables(peppers)}, dotenv=None
        )
        return compose(settings, Replacements(events=self.events))

    def makes(self) -> list[str]:
        """What stands before Argon2id in each person's hash, in the order of their joining."""
        rows = self.ask("SELECT password_hash FROM accounts JOIN users ON users.id = user_id ORDER BY email")
        return [encoded.split("$argon2id$")[0] for (encoded,) in rows]

    def ask(self, *statements: str) -> list[tuple[str]]:
        with closing(sqlite3.connect(self.file)) as database, database:
            return [row for statement in statements for row in database.execute(statement).fetchall()]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_whoever_signs_in_gets_the_pepper_and_nobody_has_to_do_anything(house: House) -> None:
    await house.add(*PEOPLE, peppers="")
    await house.sign_in(*PEOPLE[:3], peppers=OLD)
    assert house.makes() == ["$pepper$k=2026-a"] * 3 + [""]
    for right_or_wrong in (PEOPLE[0], PEOPLE[3]):
        with pytest.raises(InvalidCredentials):
            await house.sign_in(right_or_wrong, peppers=OLD, password="another password")
    await house.sign_in(*PEOPLE, peppers=OLD)
    assert house.makes() == ["$pepper$k=2026-a"] * 4


async def test_a_pepper_is_rotated_with_an_overlap_and_everybody_signs_in(house: House) -> None:
    await house.add(*PEOPLE, peppers=OLD)
    await house.sign_in(*PEOPLE, peppers=f"{OLD} {NEW}")
    assert house.makes() == ["$pepper$k=2026-a"] * 4, "published, not used"
    await house.sign_in(*PEOPLE[:2], peppers=f"{NEW},{OLD}")
    assert house.makes() == ["$pepper$k=2026-b"] * 2 + ["$pepper$k=2026-a"] * 2
    await house.sign_in(PEOPLE[0], peppers=f"{OLD} {NEW}")
    assert house.makes()[0] == "$pepper$k=2026-a", "a node that is a step behind makes what all can read"
    await house.sign_in(*PEOPLE, peppers=f"{NEW},{OLD}")
    assert house.makes() == ["$pepper$k=2026-b"] * 4
    await house.sign_in(*PEOPLE, peppers=NEW)


@pytest.mark.parametrize("peppers", ["", NEW], ids=["no key", "another key"])
async def test_a_key_that_somebody_needs_is_missed_by_name(house: House, peppers: str) -> None:
    await house.add(*PEOPLE, peppers=OLD)
    with pytest.raises(SettingsError, match=r"OSTIARY_PEPPERS: there is no key for '2026-a' \(4 hashes\)"):
        await house.sign_in(PEOPLE[0], peppers=peppers)


async def test_a_sign_up_that_waits_needs_its_key_for_as_long_as_it_waits(house: House) -> None:
    await house.sign_up("ada@example.com", peppers=OLD)
    with pytest.raises(SettingsError, match=r"'2026-a' \(1 hashes\)"):
        await house.sign_in(peppers=NEW)
    past = datetime.now(UTC) - timedelta(seconds=1)
    house.ask(f"UPDATE sign_ups SET expires_at = '{past:%Y-%m-%d %H:%M:%S.%f}'")  # noqa: S608
    await house.sign_in(peppers=NEW)


async def test_serve_and_worker_refuse_to_start_without_a_key_and_the_rest_of_the_shell_works(house: House) -> None:
    await house.add(*PEOPLE, peppers=OLD)
    for command in (["serve"], ["serve", "--workers", "2"], ["worker"]):
        done = run_command(*command, folder=house.folder, variables={**house.variables(NEW), "OSTIARY_PORT": "0"})
        assert done.returncode == 2, done.stderr
        assert "OSTIARY_PEPPERS: there is no key for '2026-a' (4 hashes)" in done.stderr
        assert "docs/keys.md" in done.stderr
        assert "Traceback" not in done.stderr
        assert not any(key.split(":")[1] in done.stdout + done.stderr for key in (OLD, NEW))
    done = run_command("users", "list", folder=house.folder, variables=house.variables(NEW))
    assert (done.returncode, done.stdout.count("@example.com")) == (0, 4)
    done = run_command("doctor", folder=house.folder, variables=house.variables(NEW))
    assert done.returncode == 1
    assert "4 argon2id m=8,t=1,p=1 under pepper 2026-a; peppers needed" in done.stdout
    assert "2026-a by 4. OSTIARY_PEPPERS: there is no key" in done.stdout
    done = run_command("settings", folder=house.folder, variables=house.variables(f"{OLD} {NEW}"))
    assert "OSTIARY_PEPPERS = (set, hidden)" in done.stdout
    assert not any(key.split(":")[1] in done.stdout for key in (OLD, NEW))


async def test_after_a_key_was_lost_for_good_there_is_a_way_on(house: House) -> None:
    """Its hashes are given up as the page says; their owners choose a password by letter."""
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text()
    assert LOST in page
    await house.add(*PEOPLE[:2], peppers=OLD)
    await house.add(*PEOPLE[2:], peppers=f"{NEW} {OLD}")
    house.ask(*LOST.strip().splitlines())
    await house.sign_in(*PEOPLE[2:], peppers=NEW)
    with pytest.raises(InvalidCredentials):
        await house.sign_in(PEOPLE[0], peppers=NEW)
