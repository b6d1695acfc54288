"""A shell where Ostiary runs."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from click.testing import CliRunner

from entrypoints.cli.main import main
from tests.support.http_requests import NOT_HANDED_ON, run_command
from tests.support.server import CHEAP, NO_LIMITS, Server, run_server

Done: TypeAlias = "subprocess.CompletedProcess[str]"


class Shell:
    """A shell where Ostiary runs, with a database of its own."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.variables = {**CHEAP, **NO_LIMITS, "OSTIARY_USERNAME": "optional", **variables}

    def run(self, *arguments: str, typed: str | None = None) -> Done:
        """`ostiary …`, whatever comes of it."""
        done = run_command(*arguments, folder=self.folder, variables=self.variables, typed=typed)
        assert "Traceback" not in done.stderr, done.stderr
        assert "argon2" not in done.stdout + done.stderr
        return done

    def say(self, *arguments: str, typed: str | None = None) -> str:
        """What is printed when it goes well."""
        done = self.run(*arguments, typed=typed)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """The same for programs."""
        return json.loads(self.say(*arguments, "--json"))

    def refuse(self, *arguments: str, typed: str | None = None) -> str:
        """The one line that is said when it does not."""
        done = self.run(*arguments, typed=typed)
        assert done.returncode == 2, (done.stdout, done.stderr)
        assert done.stdout == ""
        [line] = done.stderr.splitlines()
        return line

    @contextmanager
    def served(self) -> Iterator[Server]:
        """The service beside it."""
        with run_server(self.folder, self.variables) as server:
            yield server


class Inside(Shell):
    """The same commands in this very process, several times as fast; what they print and answer is the same."""

    def run(self, *arguments: str, typed: str | None = None) -> Done:
        unset = dict.fromkeys(name for name in os.environ if name.startswith(NOT_HANDED_ON))
        umask = os.umask(0o077)
        try:
            with chdir(self.folder):
                done = CliRunner().invoke(main, arguments, input=typed, env=unset | self.variables)
        finally:
            os.umask(umask)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)
