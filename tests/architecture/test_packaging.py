"""The wheel is the whole application: it runs where the source tree is not."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this tree, unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_the_wheel_has_what_is_no_python(installed: Path) -> None:
    for name in (
        "adapters/mail/templates/letter.html",
        "adapters/sql/migrations/script.py.mako",
        "adapters/sql/migrations/versions/0001_first_floor.py",
        "entrypoints/http/pages/assets/ostiary.js",
        "entrypoints/http/pages/templates/signup.html",
        *(f"{package}/py.typed" for package in ("domain", "application", "adapters", "entrypoints")),
    ):
        assert (installed / name).is_file(), name


def test_the_wheel_migrates_a_database_without_the_source_tree(installed: Path, tmp_path: Path) -> None:
    program = (
        "import entrypoints; print(entrypoints.__file__); from entrypoints.cli.main import main; main(['migrate'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "OSTIARY_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(installed) in done.stdout
    assert "schema revision" in done.stdout
    assert (tmp_path / "ostiary.sqlite3").is_file()
