"""The files for systemd and containers go together with the code and the docs. No container engine runs here."""

import ipaddress
import re
import shlex
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from entrypoints.cli.main import main
from entrypoints.settings import Settings
from tests.support import postgresql
from tests.support.http_requests import run_command

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = {name: (DEPLOY / name).read_text() for name in ("ostiary.service", "ostiary-worker.service")}
EXAMPLE = (DEPLOY / "ostiary.env.example").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SECRET = "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"
KNOWN = {field.metadata["name"] for field in fields(Settings) if "name" in field.metadata}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze (apt-get install systemd)"
)


def lines(text: str) -> list[str]:
    """What says something."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def exists(command: list[str]) -> bool:
    """Whether `ostiary` understands it."""
    name, *options = command
    return set(options[::2]) <= {option for each in main.commands[name].params for option in each.opts}


def image_variables() -> dict[str, str]:
    """What the image sets."""
    (text,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
    return dict(pair.split("=", 1) for pair in text.replace("\\\n", " ").split() if not pair.startswith("PATH="))


def compose_variables() -> dict[str, str]:
    """What the compose file sets for Ostiary."""
    given: dict[str, str] = COMPOSE["services"]["ostiary"]["environment"]
    return {name: re.sub(r"\$\{POSTGRES_SERVICE_PASSWORD:\?.*?\}", "a5f1", value) for name, value in given.items()}


def filled_in(example: str) -> str:
    """The example, as somebody fills it in."""
    return re.sub(r"^OSTIARY_SECRET=$", f"OSTIARY_SECRET={SECRET}", example, flags=re.MULTILINE).replace(
        "SMTP_HOST=\n", "SMTP_HOST=smtp.example.com\n"
    )


def test_what_the_docs_quote_of_the_unit_is_in_it() -> None:
    pages = [page.read_text() for page in (ROOT / "docs").glob("*.md")]
    (quoted,) = [
        block for page in pages for block in re.findall(r"^    \[Service\]\n(?:    .+\n)+", page, re.MULTILINE)
    ]
    assert set(lines(quoted)) <= set(lines(UNITS["ostiary.service"]))


def test_the_worker_runs_under_the_same_rules_as_the_service() -> None:
    service, worker = (set(lines(unit)) for unit in UNITS.values())
    kept = {"Description", "ExecStart", "ExecReload"}
    assert {line.partition("=")[0] for line in service ^ worker} == kept
    assert not any(line.startswith("ExecReload") for line in worker), "SIGHUP would end it"


@pytest.mark.parametrize("name", UNITS)
def test_a_units_command_exists(name: str) -> None:
    (start,) = re.findall(r"^ExecStart=/opt/ostiary/bin/ostiary (.+)$", UNITS[name], re.MULTILINE)
    assert exists(shlex.split(start))


@needs_systemd
@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_every_line_of_a_unit(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(UNITS[name].replace("/opt/ostiary/bin/ostiary", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", tmp_path / name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_variable_that_these_files_set_is_a_setting() -> None:
    example = re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, re.MULTILINE)
    named = {*example, *image_variables(), *compose_variables()}
    assert named - KNOWN == {"POSTGRES_PASSWORD", "POSTGRES_SERVICE_PASSWORD"}, "which are for compose.yaml itself"
    units = re.findall(r"OSTIARY_[A-Z_]+", "".join(UNITS.values()))
    assert set(units) <= KNOWN


def test_the_example_starts_nothing_before_it_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(EXAMPLE)
    done = run_command("serve", folder=tmp_path)
    assert done.returncode == 2
    assert {"OSTIARY_SECRET", "SMTP_HOST"} <= set(re.findall(r"[A-Z_]{4,}", done.stderr))
    (tmp_path / ".env").write_text(filled_in(EXAMPLE))
    done = run_command("settings", folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_database_that_the_example_names_can_be_taken_out_of_its_comment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(filled_in(EXAMPLE).replace("# DATABASE_URL=", "DATABASE_URL="))
    done = run_command("settings", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "DATABASE_URL = (set, hidden)  (.env)" in done.stdout


def test_the_image_alone_starts_nothing(tmp_path: Path) -> None:
    done = run_command("serve", folder=tmp_path, variables={**image_variables(), "OSTIARY_DATA_DIR": str(tmp_path)})
    assert done.returncode == 2
    assert {"OSTIARY_PUBLIC_URL", "OSTIARY_SECRET", "SMTP_HOST"} <= set(re.findall(r"[A-Z_]{4,}", done.stderr))


def test_in_the_image_a_user_without_rights_runs_a_command_that_exists() -> None:
    (user,) = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)
    assert int(user) > 0
    assert f"--uid {user} " in DOCKERFILE
    assert re.findall(r"^(?:ENTRYPOINT|CMD|STOPSIGNAL) (.+)$", DOCKERFILE, re.MULTILINE) == [
        "SIGTERM",
        '["ostiary"]',
        '["serve"]',
    ]


def test_the_compose_files_services_go_together(tmp_path: Path) -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        assert [port for port in service.get("ports", ()) if not port.startswith("127.0.0.1:")] == []
        assert "build" not in service or exists(service["command"])
        mounted = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert {volume for volume in mounted if not volume.startswith("./")} <= set(COMPOSE["volumes"])
        assert all((ROOT / volume).is_file() for volume in mounted if volume.startswith("./"))
    assert services["ostiary"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    assert ipaddress.ip_address(network["gateway"]) in ipaddress.ip_network(network["subnet"])
    assert compose_variables()["OSTIARY_TRUSTED_PROXIES"] == f"{network['gateway']}/32"
    (tmp_path / ".env").write_text(filled_in(EXAMPLE))
    done = run_command("settings", folder=tmp_path, variables={**image_variables(), **compose_variables()})
    assert done.returncode == 0, done.stderr


def test_the_compose_file_holds_no_password_of_its_own_and_keeps_the_superusers_from_the_service() -> None:
    database, ostiary = (dict(COMPOSE["services"][name]["environment"]) for name in ("database", "ostiary"))
    for name in ("POSTGRES_PASSWORD", "POSTGRES_SERVICE_PASSWORD"):
        assert database.pop(name) == f"${{{name}:?is missing in .env}}"
    assert ostiary.pop("POSTGRES_PASSWORD") == "", "which env_file would hand over"
    assert ":${POSTGRES_SERVICE_PASSWORD:?is missing in .env}@" in ostiary["DATABASE_URL"]
    assert not re.search("secret|pass", " ".join({*database, *ostiary}), re.IGNORECASE)


def test_in_the_compose_files_database_the_service_owns_its_own_and_is_no_superuser(tmp_path: Path) -> None:
    database = COMPOSE["services"]["database"]
    assert "POSTGRES_USER" not in database["environment"]
    [script] = [volume.split(":")[0] for volume in database["volumes"] if ":/docker-entrypoint-initdb.d/" in volume]
    url = postgresql.server().url()
    # As the image runs it.
    psql = [
        postgresql.server().programs / "psql",
        "--set",
        "ON_ERROR_STOP=1",
        "--no-psqlrc",
        "--file",
        ROOT / script,
        url,
    ]
    assert subprocess.run(psql, capture_output=True, env={}, check=False).returncode != 0, "without a password"
    subprocess.run(psql, capture_output=True, env={"POSTGRES_SERVICE_PASSWORD": "it's a5f1"}, check=True)
    try:
        role = "SELECT rolcanlogin, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
        [found] = postgresql.run(url, f"{role}, rolpassword LIKE 'SCRAM-%' FROM pg_authid WHERE rolname = 'ostiary'")
        assert tuple(found) == (True, False, True)
        own = postgresql.server().url("ostiary").replace("//postgres@", "//ostiary@")
        done = run_command("migrate", folder=tmp_path, variables={"DATABASE_URL": own})
        assert done.returncode == 0, done.stderr
    finally:
        postgresql.run(url, "DROP DATABASE ostiary")
        postgresql.run(url, "DROP ROLE ostiary")
