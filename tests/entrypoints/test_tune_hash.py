"""`ostiary tune-hash`: what it prints can be pasted, and is accepted in public (docs/operate.md)."""

import json
from pathlib import Path

import pytest

from entrypoints.settings import read_settings
from tests.support.http_requests import run_command
from tests.support.server import CHEAP

QUICK = ("--target", "10ms", "--memory", "12MiB", "--slots", "1")


def test_what_it_proposes_can_be_pasted_and_starts_in_public(tmp_path: Path) -> None:
    done = run_command("tune-hash", *QUICK, folder=tmp_path, variables=CHEAP)
    assert done.returncode == 0, done.stderr
    (tmp_path / ".env").write_text(done.stdout)
    public = {
        "OSTIARY_PUBLIC_URL": "https://auth.example.com",
        "OSTIARY_SECRET": "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA",
        "SMTP_HOST": "smtp.example.com",
        "EMAIL_FROM": "no-reply@example.com",
    }
    settings = read_settings(public, dotenv=tmp_path / ".env")
    assert (settings.argon2_memory_kib, settings.argon2_time, settings.argon2_parallelism) == (12288, 3, 1)
    assert "# In force:  8 KiB, passes 1, lanes 1: " in done.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / ".env"]


def test_for_programs(tmp_path: Path) -> None:
    done = run_command("tune-hash", *QUICK, "--json", folder=tmp_path, variables=CHEAP)
    said = json.loads(done.stdout)
    assert said["at_once"] == 1
    assert said["current"]["memory_kib"] == 8
    proposed = said["proposal"]
    assert proposed["memory_kib_in_all"] == proposed["memory_kib"] == 12288
    assert proposed["in_time"] == (proposed["milliseconds"] <= 10)
    assert proposed["sign_ins_per_second"] == pytest.approx(1000 / proposed["milliseconds"], rel=0.05)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--target", "9ms"),
        ("--target", "3s"),
        ("--target", "100"),
        ("--memory", "11MiB"),
        ("--memory", "1GiB"),
        ("--slots", "0"),
    ],
)
def test_what_makes_no_sense_is_told(tmp_path: Path, option: str, value: str) -> None:
    done = run_command("tune-hash", option, value, folder=tmp_path)
    assert done.returncode == 2
    assert option in done.stderr
