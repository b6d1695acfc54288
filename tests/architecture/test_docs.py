"""The docs say what the code does."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from click.testing import CliRunner

from domain.events import EventKind
from entrypoints.cli.main import main
from entrypoints.http.app import API
from entrypoints.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()


def test_the_table_of_settings_is_the_programs_own() -> None:
    printed = CliRunner().invoke(main, ["settings", "--markdown"]).output.strip()
    assert printed in (DOCS / "settings.md").read_text()


def test_every_setting_named_in_readme_and_docs_exists() -> None:
    known = {field.metadata["name"] for field in fields(Settings) if "name" in field.metadata}
    pages = [ROOT / "README.md", *DOCS.rglob("*.md")]
    families = "|".join({name.partition("_")[0] for name in known})
    named = {name for page in pages for name in re.findall(rf"\b(?:{families})_[A-Z_]+\b", page.read_text())}
    assert {"RESEND_API_KEY", "DATABASE_URL", "APP_URL"} <= named
    assert {name for name in named if name not in known and not name.endswith("_")} == set()


def test_every_event_is_explained() -> None:
    text = (DOCS / "events.md").read_text()
    assert [kind.value for kind in EventKind if f"`{kind.value}`" not in text] == []
    assert re.findall(r"^\|.*\|\s*\|$", text, re.MULTILINE) == []


def test_alert_rules_ask_for_metrics_and_events_that_exist() -> None:
    """R95; a rule over a name that nobody writes is silent for ever."""
    operating, metrics = ((DOCS / name).read_text() for name in ("operate.md", "metrics.md"))
    rules = operating[operating.index("    groups:") : operating.index("The thresholds are")]
    alerts = set(re.findall(r"- alert: (\w+)", rules))
    assert {"OstiaryLimitHit", "OstiarySignInsFail", "OstiaryLettersGivenUp", "OstiaryQueueOld"} <= alerts
    assert set(re.findall(r"\bostiary_\w+", rules)) <= set(re.findall(r"^\| `(ostiary_\w+)`", metrics, re.MULTILINE))
    assert set(re.findall(r'kind="(\w+)"', rules)) <= {kind.value for kind in EventKind}


def test_every_endpoint_has_its_page() -> None:
    text = README + "".join(page.read_text() for page in DOCS.glob("*.md"))
    for handler in API:
        for path in handler.paths:
            assert re.sub(r"\{(?:[a-z]+_)?id:str\}", "{id}", path) in text, path


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in (ROOT / "README.md", *DOCS.rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_file_that_a_page_names_is_there() -> None:
    for page in (ROOT / "README.md", *DOCS.rglob("*.md")):
        for named in re.findall(r"`((?:src|tests|docs|deploy|requirements|benchmarks)/[^`\s]*)`", page.read_text()):
            for path in _spelt_out(named):
                assert any(ROOT.glob(path)), f"{page.name}: {path}"


def _spelt_out(path: str) -> Iterator[str]:
    """Each of the paths in `a/{b,c}.py`."""
    before, brace, rest = path.partition("{")
    if not brace:
        yield path
        return
    inside, _, after = rest.partition("}")
    for choice in inside.split(","):
        yield from _spelt_out(before + choice + after)


def test_examples_stand_on_their_page_as_they_are() -> None:
    for folder in (DOCS / "examples").iterdir():
        page = (DOCS / f"{folder.name}.md").read_text()
        for example in folder.rglob("*.*"):
            if not {"__pycache__", "node_modules", "package-lock.json"}.intersection(example.parts):
                assert re.search(rf"^```\w+\n{re.escape(example.read_text())}```$", page, re.MULTILINE), example.name


def test_the_lock_of_the_example_is_of_its_package_and_names_no_registry() -> None:
    """With a registry's address in it, `npm ci` would go there and nowhere else."""
    folder = DOCS / "examples" / "protect-your-api" / "node"
    package, lock = (json.loads((folder / name).read_text()) for name in ("package.json", "package-lock.json"))
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    locked = {name: entry for name, entry in lock["packages"].items() if name}
    assert all("integrity" in entry and "resolved" not in entry for entry in locked.values())


def test_every_dependency_has_its_reason() -> None:
    text = (DOCS / "dependencies.md").read_text()
    project = (ROOT / "pyproject.toml").read_text()
    block = project[project.index("dependencies = [") : project.index("[project.scripts]")]
    names = re.findall(r'^\s+"([a-z0-9-]+)', block, re.MULTILINE)
    assert [name for name in names if name not in text] == []
