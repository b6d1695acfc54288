"""The wheel is the whole application: it runs in an environment of its own, where the source tree is not."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from sysconfig import get_path

import pytest

from tests.support.http_requests import new_address, sign_in, sign_up
from tests.support.server import CHEAP, NO_LIMITS, PATIENCE, Server, wait_for
from tests.support.smtp_server import closed_port

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "application", "adapters", "entrypoints")


def _build(kind: str, tree: Path, into: Path) -> Path:
    """The one file that the build makes of a source tree."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(into)]
    subprocess.run(build, cwd=tree, check=True, capture_output=True)
    (made,) = into.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this tree."""
    return _build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution of this tree, unpacked."""
    made = _build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))
    with tarfile.open(made) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # since 3.11.4
        archive.extractall(folder := tmp_path_factory.mktemp("unpacked"))  # noqa: S202 - made above
    (tree,) = folder.iterdir()
    return tree


@dataclass(frozen=True)
class Installation:
    """An environment with Ostiary from the wheel, and an empty folder to stand in."""

    environment: Path
    folder: Path

    @property
    def site(self) -> Path:
        """Where its packages lie."""
        return Path(get_path("purelib", "venv", {"base": str(self.environment)}))

    def start(self, *arguments: str, variables: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """`ostiary …`, the script that the installer made."""
        program = self.environment / "bin" / "ostiary"
        own = {**CHEAP, **NO_LIMITS, "OSTIARY_PORT": "0", "OSTIARY_DELIVERY_JITTER": "0s", **(variables or {})}
        environ = {"PATH": os.environ["PATH"], **own}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [program, *arguments], cwd=self.folder, env=environ, stdout=pipe, stderr=pipe, text=True
        )

    def say(self, *arguments: str, status: int = 0, variables: Mapping[str, str] | None = None) -> str:
        """All that it says until it ends."""
        with self.start(*arguments, variables=variables) as process:
            output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == status, output + errors
        return output + errors


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel, installed as a user would, but for the libraries, which are borrowed from the running environment."""
    installation = Installation(tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("empty"))
    venv.create(installation.environment, with_pip=False)
    # Not every environment has a pip of its own: then the Python it was made from is asked.
    python = sys.executable if find_spec("pip") else str(Path(sys.base_prefix) / "bin" / "python3")
    pip = [python, "-m", "pip", "--python", str(installation.environment), "--disable-pip-version-check", "--quiet"]
    offline = ["--no-index", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "install", *offline, str(wheel)], check=True, capture_output=True)
    # The files .pth *there*, of which one leads to src/, are not read from here.
    (installation.site / "libraries.pth").write_text(get_path("purelib") + "\n")
    return installation


@pytest.fixture(scope="module")
def server(installed: Installation) -> Iterator[Server]:
    """`ostiary serve` from the wheel."""
    log = installed.folder / "log"
    with installed.start("serve") as process:
        assert process.stderr is not None
        url = None
        for line in process.stderr:
            if found := re.search(r"listens on (\S+) and", line):
                url = found[1]
                break
        assert url is not None, process.wait(PATIENCE)
        yield Server(process, url, log, installed.folder)
        process.terminate()
        process.communicate(timeout=PATIENCE)


def test_the_wheel_has_every_file_of_the_source_tree_and_no_other(wheel: Path) -> None:
    there = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()}
    ours = {name for name in there if "__pycache__" not in name}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == ours
    # What is no Python, as an example each, in case that the tree itself is not what it should be.
    assert packed >= {
        "adapters/mail/templates/layout.html",
        "adapters/sql/migrations/script.py.mako",
        "adapters/sql/migrations/versions/0001_first_floor.py",
        "entrypoints/http/pages/assets/ostiary.js",
        "entrypoints/http/pages/templates/signup.html",
        *(f"{package}/py.typed" for package in PACKAGES),
    }


def test_a_wheel_built_from_the_source_distribution_is_the_same(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    again = zipfile.ZipFile(_build("wheel", sdist, tmp_path))
    assert _contents(again) == _contents(zipfile.ZipFile(wheel))


def _contents(archive: zipfile.ZipFile) -> dict[str, int]:
    return {entry.filename: entry.CRC for entry in archive.infolist()}


def test_what_the_image_is_built_from_is_enough_for_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    sources = [name for line in copied for name in line.split()]
    assert set(sources) == set(let_in)
    for name in sources:
        target = tmp_path / "tree" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, target)
    again = zipfile.ZipFile(_build("wheel", tmp_path / "tree", tmp_path / "again"))
    assert _contents(again) == _contents(zipfile.ZipFile(wheel))


def test_the_source_distribution_can_be_tested_and_deployed(sdist: Path) -> None:
    for name in ("tests/conftest.py", "dev.py", "requirements/test.txt", "docs/deploy.md", "deploy/ostiary.service"):
        assert (sdist / name).is_file(), name
    for name in ("Dockerfile", ".dockerignore", "compose.yaml", "CHANGELOG.md", ".ci/run"):
        assert (sdist / name).is_file(), name


def test_somebody_signs_up_and_in_where_there_is_nothing_but_the_wheel(server: Server) -> None:
    email = new_address()
    with server.client() as browser:
        assert sign_up(browser, email).status_code == 202
        [letter] = wait_for(lambda: server.inbox(email), "the letter")
        page = browser.get(letter["link"])
        assert page.status_code == 200
        assert "/auth/assets/ostiary.js" in page.text
        assert browser.get("/auth/assets/ostiary.js").status_code == 200
        token = server.token(email)
        assert browser.post("/auth/verify-email", json={"token": token}).status_code == 200
    with server.client() as browser:
        assert sign_in(browser, email).status_code == 200
        assert browser.get("/auth/me").json()["email"] == email
    assert (server.folder / "ostiary-data" / "ostiary.sqlite3").is_file()


def test_the_wheels_commands_work(installed: Installation, server: Server) -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert installed.say("--version") == f"ostiary, version {version[1]}\n"
    text = installed.say("--help")
    assert [command for command in ("serve", "worker", "migrate", "doctor") if f"\n  {command} " not in text] == []
    text = installed.say("settings", variables={"OSTIARY_BRAND": "Doorkeeper"})
    assert "OSTIARY_BRAND = Doorkeeper  (environment)" in text
    text = installed.say("doctor", variables={"OSTIARY_PORT": server.url.rpartition(":")[2]})
    assert re.search(r"^ok +schema ", text, re.MULTILINE), text


def test_the_images_health_check_tells_a_living_process_from_none(server: Server) -> None:
    (words,) = re.findall(r"^HEALTHCHECK .*\\\n +CMD (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    _, option, program = json.loads(words)
    for port, well in ((server.url.rpartition(":")[2], True), (str(closed_port()), False)):
        check = [sys.executable, option, program.replace("8000", port)]
        assert (subprocess.run(check, capture_output=True, check=False).returncode == 0) is well


def test_other_owners_of_our_names_are_refused(installed: Installation, tmp_path: Path) -> None:
    record = tmp_path / "bystander-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: bystander\nVersion: 1.0\n")
    (record / "RECORD").write_text("".join(f"{name}/__init__.py,,\n" for name in PACKAGES))
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / "__init__.py").touch()  # and this one stands before ours
    said = installed.say("settings", status=2, variables={"PYTHONPATH": str(tmp_path)})
    assert "needs an environment of its own" in said
    assert f"adapters is taken from {tmp_path / 'adapters'}" in said
    assert [name for name in PACKAGES if f"{name} is owned by bystander" not in said] == []
