"""Every endpoint against cases made from its own description, good and bad (SECURITY section 3): docs/testing.md."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.http_requests import sign_up
from tests.support.schemathesis_hooks import MEMBER
from tests.support.server import Server, run_server
from tests.support.store_kinds import settings_of

ROOT = Path(__file__).parents[2]

NOT_ASKED = {
    # What JSON Schema cannot say: which passwords and addresses are allowed, which tokens exist, "one of the two".
    # A body that fits the schema is therefore often refused, by the documented 400.
    "positive_data_acceptance",
    # The hooks give cases a living session, which is not the made-up one that this check takes it for.
    # Who is let in without one: tests/entrypoints/test_openapi.py.
    "ignored_auth",
}
"""The checks of Schemathesis that are wrong about Ostiary."""

OPERATIONS = 8
"""Those that read anything of the request, among which the cases are divided."""

ENOUGH_FOR_SEQUENCES = 1_000
"""Cases that follow on each other take longer, and are left to the long form."""


def run_cases(server: Server, count: int) -> int:
    """Let Schemathesis find what is wrong; how many cases it tried."""
    phases = "examples,coverage,fuzzing" + (",stateful" if count >= ENOUGH_FOR_SEQUENCES else "")
    arguments = [
        *("--phases", phases, "--mode", "all", "--max-examples", str(count // OPERATIONS)),
        *("--checks", "all", "--exclude-checks", ",".join(sorted(NOT_ASKED)), "--continue-on-failure"),
        *("--seed", "1", "--generation-database", "none", "--no-color", "--suppress-health-check", "all"),
    ]
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("st")), "run", f"{server.url}/openapi.json", *arguments],
        cwd=server.folder,  # it keeps what it found where it is started
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
            "SERVER_URL": server.url,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    tried = re.search(r"(\d+) generated", ended.stdout)
    assert tried, ended.stdout
    return int(tried[1])


@pytest.mark.parametrize(("store", "verification"), [("sqlite", "required"), ("postgresql", "optional")])
def test_no_case_ends_in_a_fault_or_in_an_answer_that_is_not_described(
    store: str, verification: str, cases: int, tmp_path: Path
) -> None:
    # Without the built-in pages, which stand at some of the API's paths: a GET beside a documented POST is theirs.
    variables = {"OSTIARY_VERIFICATION": verification, "OSTIARY_PAGES": "off"}
    with settings_of(store) as of_store, run_server(tmp_path, {**of_store, **variables}) as it:
        with it.client() as client:
            assert sign_up(client, MEMBER).is_success
            assert client.post("/auth/verify-email", json={"token": it.token(MEMBER)}).status_code == 200
        assert run_cases(it, cases) > cases / 2, "the same request is not tried twice"
        assert [event for event in it.events() if event["event"] == "fault"] == []
