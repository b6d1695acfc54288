"""Providers: found by their names, taken in, and told of at start when they are broken (R80, docs/extend.md)."""

import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.hashing.argon2 import Argon2id
from domain.password import Password, PasswordHash
from entrypoints.composition import Replacements, choices, compose, memory_store, providers
from entrypoints.composition.mail import mail_sender
from entrypoints.composition.providers import provided
from entrypoints.settings import Settings, SettingsError, read_settings
from tests.support import server
from tests.support.distributions import Installation
from tests.support.hashing import CHEAP
from tests.support.http_requests import run_command

GROUPS = {
    "OSTIARY_MAIL_SENDERS": "ostiary.mail_senders",
    "OSTIARY_PASSWORD_HASHERS": "ostiary.password_hashers",
    "OSTIARY_PASSWORD_BREACH_CHECK": "ostiary.breach_checks",
}
SENDER = """
class Sender:
    async def send(self, letter):
        pass
"""
HASHER = """
from application.ports.stored_hashes import immoderate

class Hash:
    work, memory_kib = 1, 1
    def __init__(self, text): self.text = text
    def matches(self, password): return self.text == password.text

class Hasher:
    salt = 0
    def read(self, encoded):
        return Hash(encoded[6:].partition("$")[2]) if encoded.startswith("$acme$") else None
    def hash(self, password):
        self.salt += 1
        return f"$acme${self.salt}${password.text}"
    def made(self, encoded):
        return encoded.startswith("$acme$")
"""


PASSWORD = Password("engine of difference")
ACMES = PasswordHash("$acme$7$engine of difference")
ARGON2S = PasswordHash(Argon2id(CHEAP).hash(PASSWORD))


SECRET = "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    (tmp_path / "site").mkdir()
    return Installation(tmp_path / "site", monkeypatch)


def settings_of(**variables: str) -> Settings:
    usual = {"EMAIL_FROM": "Acme <no-reply@acme.example>", "OSTIARY_SECRET": SECRET, **server.CHEAP}
    return read_settings({**usual, **variables}, dotenv=None)


async def problems(**variables: str) -> list[str]:
    """Why the service does not start."""
    with pytest.raises(SettingsError) as caught:
        async with compose(settings_of(**variables), Replacements(store=memory_store())):
            pass
    return caught.value.problems


# -- What is broken is told --

BROKEN: dict[str, tuple[str, str, str]] = {
    "a module of its own is missing": (
        "OSTIARY_MAIL_SENDERS",
        "import nowhere_at_all",
        "its module cannot be imported: No module named 'nowhere_at_all'",
    ),
    "its module is no Python": ("OSTIARY_MAIL_SENDERS", "def", "its module cannot be imported: invalid syntax"),
    "its module breaks": (
        "OSTIARY_MAIL_SENDERS",
        "raise RuntimeError('canary')",
        "its module cannot be imported: RuntimeError in doorkeeping.py, line 1",
    ),
    "no factory": ("OSTIARY_MAIL_SENDERS", "", "there is no make in doorkeeping"),
    "a factory that is none": ("OSTIARY_MAIL_SENDERS", "make = 3", "make in doorkeeping is no factory"),
    "a factory without arguments": ("OSTIARY_MAIL_SENDERS", "def make(): ...", "make in doorkeeping must take one arg"),
    "a factory that breaks": (
        "OSTIARY_MAIL_SENDERS",
        "def make(surroundings):\n    raise KeyError('canary')",
        "its factory failed: KeyError in doorkeeping.py, line 2",
    ),
    "a factory that says why": (
        "OSTIARY_MAIL_SENDERS",
        "from application.ports.providers import CannotProvide\n\n"
        "def make(surroundings):\n    raise CannotProvide('ACME_KEY: needed for\\n Acme')",
        "ACME_KEY: needed for Acme",
    ),
    "an asynchronous factory": (
        "OSTIARY_MAIL_SENDERS",
        "async def make(surroundings): ...",
        "its factory must not be asynchronous",
    ),
    "what it makes cannot be entered": (
        "OSTIARY_MAIL_SENDERS",
        "from contextlib import asynccontextmanager\n\n"
        "@asynccontextmanager\nasync def make(surroundings):\n    raise OSError('canary')\n    yield",
        "its factory failed: OSError in doorkeeping.py, line 5",
    ),
    "a sender that cannot send": (
        "OSTIARY_MAIL_SENDERS",
        "class Pigeon: ...\n\ndef make(surroundings):\n    return Pigeon()",
        "its factory made a Pigeon, which has no method send",
    ),
    "a sender that blocks": (
        "OSTIARY_MAIL_SENDERS",
        "class Sender:\n    def send(self, letter): ...\n\ndef make(surroundings):\n    return Sender()",
        "its method send must be asynchronous",
    ),
    "a breach check that blocks": (
        "OSTIARY_PASSWORD_BREACH_CHECK",
        "class Check:\n    def contains(self, password): ...\n\ndef make(surroundings):\n    return Check()",
        "its method contains must be asynchronous",
    ),
    "a hasher that reads nothing": (
        "OSTIARY_PASSWORD_HASHERS",
        "def make(surroundings):\n    return object()",
        "its factory made a object, which has no method read",
    ),
    "an asynchronous hasher": (
        "OSTIARY_PASSWORD_HASHERS",
        "class Hasher:\n    async def read(self, encoded): ...\n\ndef make(surroundings):\n    return Hasher()",
        "its method read must not be asynchronous",
    ),
    "a first hasher that only reads": (
        "OSTIARY_PASSWORD_HASHERS",
        f"{HASHER}\ndef make(surroundings):\n    Hasher.hash = None\n    return Hasher()",
        "its factory made a Hasher, which has no method hash",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_provider_is_told_by_variable_name_and_reason(installed: Installation, case: str) -> None:
    variable, source, reason = BROKEN[case]
    installed.module(source)
    installed.distribution("acme", GROUPS[variable], acme="doorkeeping:make")
    [problem] = await problems(**{variable: "acme"})
    assert problem.startswith(f"{variable}: acme: {reason}")
    assert "canary" not in problem
    installed.module(source)
    assert (await problems(**{variable: "doorkeeping:make"}))[0].startswith(f"{variable}: doorkeeping:make: {reason}")


UNFIT = {
    "no text": ("return b''", "its hash returns a bytes, not a str"),
    "no salt": ("return '$acme$0$' + password.text", "makes the same hash of a password twice; it needs a salt"),
    "a form that it does not read": ("self.salt += 1; return f'acme{self.salt}'", "makes hashes that cannot be read"),
    "too long": (
        "self.salt += 1; return f'$acme${self.salt}$' + 'x' * 512",
        "makes hashes that cannot be read: longer",
    ),
    "of another password": ("self.salt += 1; return f'$acme${self.salt}$x'", "makes hashes that do not match"),
    "an error": ("raise ValueError('canary')", "failed when it was tried out: ValueError in doorkeeping.py, line"),
}
UNFIT_TO_READ = {
    "too much memory": ("Hash.memory_kib = 2**20", "makes hashes that cannot be read: asks for 1048576 KiB"),
    "too much work": ("Hash.work = 1e6", "makes hashes that cannot be read: asks for about 1000 s of work"),
    "anybody": ("Hash.matches = lambda self, password: True", "makes hashes that match another password as well"),
    "almost true": ("Hash.matches = lambda self, password: 1", "makes hashes that do not match"),
    "a stranger to itself": ("Hasher.made = lambda self, encoded: False", "does not know what it made itself"),
}


@pytest.mark.parametrize("case", [*UNFIT, *UNFIT_TO_READ])
async def test_the_hasher_that_makes_new_hashes_is_tried_out(installed: Installation, case: str) -> None:
    """Whatever it made otherwise would let nobody in, or everybody."""
    if case in UNFIT:
        source, reason = UNFIT[case]
        changed = f"def changed(self, password):\n    {source}\nHasher.hash = changed"
    else:
        changed, reason = UNFIT_TO_READ[case]
    installed.module(f"{HASHER}\n{changed}\ndef make(surroundings):\n    return Hasher()")
    [problem] = await problems(OSTIARY_PASSWORD_HASHERS="doorkeeping:make")
    assert problem.startswith(f"OSTIARY_PASSWORD_HASHERS: doorkeeping:make: {reason}")
    assert "canary" not in problem
    if "hash" not in reason:
        return
    async with compose(
        settings_of(OSTIARY_PASSWORD_HASHERS="argon2id,doorkeeping:make"), Replacements(store=memory_store())
    ):
        pass  # behind another one it makes none


async def test_who_is_not_installed_is_told_with_who_is(installed: Installation) -> None:
    installed.distribution("acme", "ostiary.mail_senders", pigeon="doorkeeping:make", post="doorkeeping:make")
    assert await problems(OSTIARY_MAIL_SENDERS="owl") == [
        "OSTIARY_MAIL_SENDERS: owl: is not installed; there are smtp, resend, sendgrid, postmark, file, console, and "
        "registered under ostiary.mail_senders: pigeon, post"
    ]
    assert "registered under ostiary.breach_checks: none" in (await problems(OSTIARY_PASSWORD_BREACH_CHECK="owl"))[0]
    [problem] = await problems(OSTIARY_MAIL_SENDERS="nowhere.at_all:make")
    assert problem.endswith("its module cannot be imported: No module named 'nowhere'")


async def test_a_name_that_two_distributions_register_is_nobodys(installed: Installation) -> None:
    for owner in ("acme", "b-corp"):
        installed.distribution(owner, "ostiary.breach_checks", list="doorkeeping:make")
    [problem] = await problems(OSTIARY_PASSWORD_BREACH_CHECK="list")
    assert "list: is registered twice under ostiary.breach_checks, by acme and b-corp" in problem


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("OSTIARY_MAIL_SENDERS", "console"),
        ("OSTIARY_PASSWORD_HASHERS", "argon2id"),
        ("OSTIARY_PASSWORD_BREACH_CHECK", "on"),
    ],
)
async def test_nobody_takes_the_name_of_what_is_built_in(installed: Installation, variable: str, name: str) -> None:
    """Otherwise a package that is installed for something else would read every new password."""
    installed.distribution("acme", GROUPS[variable], **{name: "doorkeeping:make"})
    [problem] = await problems(**{variable: name})
    assert f"{variable}: {name}: is built in, and acme registers another under {GROUPS[variable]}" in problem


async def test_an_entry_point_that_leads_nowhere(installed: Installation) -> None:
    installed.distribution("acme", "ostiary.mail_senders", acme="doorkeeping")
    assert "is registered by acme as something else" in (await problems(OSTIARY_MAIL_SENDERS="acme"))[0]


async def test_all_that_are_broken_are_told_at_once() -> None:
    found = await problems(**{**dict.fromkeys(GROUPS, "owl"), "OSTIARY_MAIL_SENDERS": "owl,pigeon,console"})
    assert [problem.split(": is ")[0] for problem in found] == [
        "OSTIARY_MAIL_SENDERS: owl",
        "OSTIARY_MAIL_SENDERS: pigeon",
        "OSTIARY_PASSWORD_HASHERS: owl",
        "OSTIARY_PASSWORD_BREACH_CHECK: owl",
    ]


def test_commands_say_so_in_a_line_each_and_the_doctor_as_findings(tmp_path: Path) -> None:
    variables = {"OSTIARY_PASSWORD_HASHERS": "owl"}
    run_command("migrate", folder=tmp_path)
    for command in (["serve"], ["doctor"], ["worker"], ["users", "list"], ["seed"]):
        done = run_command(*command, folder=tmp_path, variables=variables)
        assert done.returncode != 0
        assert "OSTIARY_PASSWORD_HASHERS: owl: is not installed" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


# -- What is whole is taken in --


async def test_nothing_is_imported_that_is_not_chosen(installed: Installation) -> None:
    installed.module("raise RuntimeError")
    for group in GROUPS.values():
        installed.distribution(f"acme-{group[8:]}", group, acme="doorkeeping:make")
    async with compose(settings_of(), Replacements(store=memory_store())):
        pass
    assert "doorkeeping" not in sys.modules


async def test_a_provider_is_made_with_its_surroundings_entered_and_left(installed: Installation) -> None:
    installed.module(
        f"{SENDER}\n"
        "from contextlib import asynccontextmanager\n"
        "told = []\n"
        "@asynccontextmanager\n"
        "async def make(surroundings):\n"
        "    told.append(surroundings)\n"
        "    yield Sender()\n"
        "    told.append('left')\n"
    )
    settings = settings_of(
        OSTIARY_MAIL_SENDERS="doorkeeping:make",
        OSTIARY_BRAND="Acme",
        ACME_KEY="canary",
        SMTP_PASS="p",
        SMTP_USER="u",
        PGPASSWORD="p",
        POSTGRES_PASSWORD="p",
    )
    async with provided(settings) as others, mail_sender(settings, others.mail_senders) as sender:
        told: list[Any] = sys.modules["doorkeeping"].told
        [surroundings] = told
        assert (surroundings.environment, surroundings.brand) == ({"ACME_KEY": "canary"}, "Acme")
        assert str(surroundings.sender) == "Acme <no-reply@acme.example>"
        assert "canary" not in repr(surroundings)
        assert type(sender).__name__ == "Sender"
    assert told[1:] == ["left"]


async def test_a_provider_that_cannot_be_left_spoils_nothing_and_says_no_secret(
    installed: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.module(
        f"{SENDER}\n"
        "from contextlib import asynccontextmanager\n"
        "@asynccontextmanager\n"
        "async def make(surroundings):\n"
        "    yield Sender()\n"
        f"    raise ConnectionError('to {SECRET}@db')\n"
    )
    async with provided(settings_of(OSTIARY_MAIL_SENDERS="doorkeeping:make")) as others:
        assert others.mail_senders
    said = capsys.readouterr().out
    assert "provider_not_left" in said
    assert SECRET not in said


async def test_a_provider_that_does_not_come_up_is_told_of(
    installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "_SECONDS", 0.01)
    installed.module(
        "import asyncio\n"
        "from contextlib import asynccontextmanager\n"
        "@asynccontextmanager\n"
        "async def make(surroundings):\n"
        "    await asyncio.Event().wait()\n"
        "    yield\n"
    )
    with pytest.raises(SettingsError, match="OSTIARY_MAIL_SENDERS: doorkeeping:make: it took more than"):
        async with provided(settings_of(OSTIARY_MAIL_SENDERS="doorkeeping:make")):
            pass


async def test_a_provider_that_is_replaced_is_not_made() -> None:
    class Nobody:
        async def send(self, letter: object) -> None: ...

        async def contains(self, password: object) -> bool:
            return False

    settings = settings_of(**dict.fromkeys(list(GROUPS)[::2], "owl"))
    replacements = Replacements(store=memory_store(), mail_sender=Nobody(), breach_check=Nobody())
    async with compose(settings, replacements):
        pass


async def test_a_providers_hashes_are_read_and_made(installed: Installation) -> None:
    installed.module(f"{HASHER}\ndef make(surroundings):\n    return Hasher()")
    for chosen, own in (("argon2id,doorkeeping:make", "$argon2id$"), ("doorkeeping:make", "$acme$")):
        settings = settings_of(OSTIARY_PASSWORD_HASHERS=chosen)
        async with provided(settings) as others:
            with choices.hashing_slots(settings) as slots:
                keyring = choices.keyring(settings, slots, bytes(32), others.hashers.values(), others.algorithm)
                made = await keyring.hash(PASSWORD)
                assert made.encoded.startswith(own)
                assert await keyring.verify(PASSWORD, made)
                for stored in (ACMES, ARGON2S):
                    assert await keyring.verify(PASSWORD, stored)
                    assert not await keyring.verify(Password("another"), stored)
                    assert keyring.outdated(stored, PASSWORD) == (not stored.encoded.startswith(own))
                assert type(keyring.decoys.draw("nobody")).__name__ == ("Hash" if own == "$acme$" else "Argon2Hash")


BREAKING = {
    "raises": "raise ValueError('canary of ' + password.text)",
    "asynchronous": "return self._later(password)\n    async def _later(self, password): return True",
    "almost true": "return 'yes'",
}


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("case", BREAKING)
async def test_a_hash_that_breaks_lets_nobody_in_and_says_no_secret(
    installed: Installation, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A coroutine is true enough for an `if`: it would be everybody's password."""
    matches = f"class Broken(Hash):\n  def matches(self, password):\n    {BREAKING[case]}\n".replace(
        "    async", "  async"
    )
    installed.module(f"{HASHER}\n{matches}\nHash = Broken\ndef make(surroundings):\n    return Hasher()")
    settings = settings_of(OSTIARY_PASSWORD_HASHERS="argon2id,doorkeeping:make")
    async with provided(settings) as others:
        with choices.hashing_slots(settings) as slots:
            keyring = choices.keyring(settings, slots, bytes(32), others.hashers.values())
            assert await keyring.verify(PASSWORD, ACMES) is False
    said = capsys.readouterr().out
    assert "canary" not in said
    assert ("hasher_broke" in said) == (case == "raises")
