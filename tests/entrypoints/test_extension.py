"""Extended by a package of one's own, as docs/extend.md tells it: installed beside Ostiary, and at work (R80)."""

import hashlib
import hmac
import json
import os
import re
import sqlite3
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from tests.support.http_requests import assert_problem, sign_in, sign_up
from tests.support.post_office import PostOffice, post_office
from tests.support.server import CHEAP, PATIENCE, wait_for

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests" / "support" / "acme-doorkeeping"
PASSWORD = "engine of difference"


def test_the_package_stands_on_its_page_as_it_is() -> None:
    page = (ROOT / "docs" / "extend.md").read_text()
    blocks = re.findall(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    files = {
        str(file.relative_to(PACKAGE.parent)): file.read_text()
        for file in PACKAGE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.name != "py.typed"
    }
    assert dict(blocks) == files


@dataclass
class Environment:
    """A clean one, with Ostiary's wheel and Acme's in it, and what they need from where the tests run."""

    python: Path
    folder: Path
    variables: dict[str, str]

    def run(self, *command: str) -> str:
        """What a command of this environment prints when it goes well."""
        done = subprocess.run(
            [str(self.python.with_name(command[0])), *command[1:]],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def served(self) -> Iterator[str]:
        """The service as a process; where it is."""
        log = self.folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(self.python.with_name("ostiary")), "serve"],
                cwd=self.folder,
                env=self.variables,
                stdout=output,
                stderr=output,
            )
        try:

            def listening() -> str | None:
                assert process.poll() is None, log.read_text()
                found = re.search(r"listens on (\S+) and", log.read_text())
                return found[1] if found else None

            yield wait_for(listening, "the server to listen")
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0, log.read_text()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a clean environment into which both were installed."""
    folder = tmp_path_factory.mktemp("clean")
    builds = [
        subprocess.Popen(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
            cwd=source,
            stdout=subprocess.DEVNULL,
        )
        for source in (ROOT, PACKAGE)
    ]
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    # Libraries come from here, so that no network is needed. Of the files that lead further, such as the one that leads
    # to the source tree, none is read there.
    [site] = (folder / "venv").glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    assert [build.wait(PATIENCE) for build in builds] == [0, 0]
    pip = sys.executable if find_spec("pip") else str(Path(sys.base_prefix) / "bin" / "python3")
    command = [pip, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install", "--quiet"]
    offline = ["--no-index", "--no-deps", "--no-compile", "--ignore-installed"]
    subprocess.run([*command, *offline, *map(str, folder.glob("*.whl"))], check=True)
    return python


@pytest.fixture
def environment(python: Path, tmp_path: Path) -> Iterator[tuple[Environment, PostOffice]]:
    breached = sorted(hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest().upper() for word in BREACHED)
    (tmp_path / "breached").write_text("".join(f"{digest}\n" for digest in breached))
    with post_office() as office:
        # As somebody would write it: Ostiary's settings and the providers' side by side.
        (tmp_path / ".env").write_text(
            "OSTIARY_MAIL_SENDERS=acme-post\n"
            "OSTIARY_PASSWORD_HASHERS=argon2id,acme-cart\n"
            "OSTIARY_PASSWORD_BREACH_CHECK=acme-list\n"
            "OSTIARY_DELIVERY_JITTER=0s\n"
            "OSTIARY_PORT=0\n"
            'EMAIL_FROM="Acme <no-reply@acme.example>"\n'
            f"ACME_POST_URL={office.url}\n"
            "ACME_POST_TOKEN=canary-token\n"
            "ACME_CART_KEY=canary-key\n"
            f"ACME_BREACH_LIST={tmp_path / 'breached'}\n"
        )
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        yield Environment(python, tmp_path, kept | CHEAP), office


BREACHED = ["correct horse battery", "engine of breaches", "staple of horses"]


def acme_cart_hash(password: str) -> str:
    """As Acme Cart made it."""
    salt = bytes(range(16))
    seasoned = hmac.digest(b"canary-key", password.encode(), "sha256")
    return f"acme$1000${salt.hex()}${hashlib.pbkdf2_hmac('sha256', seasoned, salt, 1000).hex()}"


def test_a_package_of_ones_own_is_installed_beside_ostiary_and_works(
    environment: tuple[Environment, PostOffice],
) -> None:
    here, office = environment
    source = here.run(
        "python", "-c", "import entrypoints, acme_doorkeeping as a; print(entrypoints.__file__, a.__file__)"
    )
    assert all(str(here.python.parents[1]) in place for place in source.split()), "the wheels, not the source tree"

    person = {
        "email": "ada@example.com",
        "email_verified": True,
        "name": "Ada",
        "password_hash": acme_cart_hash(PASSWORD),
    }
    (here.folder / "people.ndjson").write_text(json.dumps(person) + "\n")
    report = json.loads(here.run("ostiary", "users", "import", "generic", "people.ndjson", "--write", "--json"))
    assert (report["come"], report["with_password"]) == (1, 1), report

    with here.served() as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        assert_problem(sign_in(client, "ada@example.com", "engine of differences"), 401, "invalid_credentials")
        assert sign_in(client, "ada@example.com", PASSWORD).status_code == 200
        refused = assert_problem(sign_up(client, "bob@example.com", "engine of breaches"), 400, "validation_error")
        assert [error["code"] for error in refused["errors"]] == ["breached"]
        assert sign_up(client, "bob@example.com", PASSWORD).status_code == 202

        def letter() -> object:
            return next((each for each in office.posted if each.body["to"] == "bob@example.com"), None)

        found = wait_for(letter, "the letter at Acme's post office")
    assert found.headers["authorization"] == "Bearer canary-token"
    assert "?token=" in found.body["text"]

    with closing(sqlite3.connect(here.folder / "ostiary-data" / "ostiary.sqlite3")) as database:
        [(stored,)] = database.execute("SELECT password_hash FROM accounts").fetchall()
    assert stored.startswith("$argon2id$"), "made anew at the first sign-in"
    assert "canary" not in (here.folder / "log").read_text()
