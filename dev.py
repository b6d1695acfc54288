#!/usr/bin/env python3
"""Sets Ostiary up in `.venv` and runs it or its tests. Needs Python 3.11 or newer with pip, and nothing else.

python3 dev.py serve      start the service, ready to sign somebody up
python3 dev.py test       run the whole test suite; further arguments go to pytest
python3 dev.py check      ruff, mypy --strict and the architecture contracts
python3 dev.py languages  bring the catalogues of languages up to date with the sentences in the sources
python3 dev.py reference  write the pages of the documentation that come from the code
python3 dev.py docs       build the documentation into `site`, strictly; with --serve, show it while you write
python3 dev.py run ...    any other `ostiary` command, such as `settings`
"""

import hashlib
import os
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
BIN = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")


def prepare(lock: str) -> None:
    """Install what the lock file pins, hashes checked, and Ostiary itself; once for each state of the files."""
    wanted = b"".join((HERE / name).read_bytes() for name in (f"requirements/{lock}.txt", "pyproject.toml"))
    stamp, digest = ENVIRONMENT / f".{lock}", hashlib.sha256(wanted).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    print(f"Setting up {ENVIRONMENT} …", file=sys.stderr, flush=True)
    if not (BIN / "python").exists() and not (BIN / "python.exe").exists():
        # Without a pip of its own: some systems package Python without ensurepip.
        venv.create(ENVIRONMENT, with_pip=False)
    # Started from inside .venv, which has no pip of its own, the Python it was made from is asked.
    python = sys.executable if find_spec("pip") else str(Path(sys.base_prefix) / "bin" / "python3")
    into = ["--python", str(ENVIRONMENT), "--disable-pip-version-check", "--quiet", "install"]
    pip = [python, "-m", "pip", *into]
    subprocess.run([*pip, "--require-hashes", "--requirement", f"requirements/{lock}.txt"], cwd=HERE, check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--editable", "."], cwd=HERE, check=True)
    stamp.write_text(digest)


def main(command: str, *arguments: str) -> int:
    """Run one command; its exit status is ours."""
    if sys.version_info < (3, 11):  # noqa: UP036 - told to whoever tries, before pip does it less kindly
        print("Ostiary needs Python 3.11 or newer.", file=sys.stderr)
        return 2
    if command in ("serve", "run"):
        prepare("serve")
        return _replace_by(["ostiary", *(["serve"] if command == "serve" else []), *arguments], cwd=Path.cwd())
    if command in ("test", "check", "languages", "reference", "docs"):
        prepare("test")
    if command == "test":
        return _replace_by(["pytest", *arguments], cwd=HERE)
    if command == "languages":
        return _replace_by(["python", "-m", "tests.support.catalogues"], cwd=HERE)
    if command == "reference":
        return _replace_by(["python", "-m", "tests.reference"], cwd=HERE)
    if command == "docs":
        serving = arguments == ("--serve",)
        return _replace_by(["mkdocs", *(["serve"] if serving else ["build", "--strict", *arguments])], cwd=HERE)
    if command == "check":
        for tool in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["lint-imports"]):
            status = subprocess.run([str(BIN / tool[0]), *tool[1:]], cwd=HERE, check=False).returncode
            if status:
                return status
        return 0
    print(f"There is no command {command!r}.\n" if command else "", __doc__, sep="\n", file=sys.stderr)
    return 2


def _replace_by(command: list[str], cwd: Path) -> int:
    """Become the command, so that signals reach it."""
    os.chdir(cwd)
    program = str(BIN / command[0])
    if os.name == "nt":
        return subprocess.run([program, *command[1:]], check=False).returncode
    return os.execv(program, [program, *command[1:]])  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or [""])))
