"""The docs say what the code does."""

import re
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
    named = {name for page in pages for name in re.findall(r"\b(?:OSTIARY|SMTP|EMAIL)_[A-Z_]+\b", page.read_text())}
    assert {name for name in named if name not in known and not name.endswith("_")} == set()


def test_every_event_is_explained() -> None:
    text = (DOCS / "events.md").read_text()
    assert [kind.value for kind in EventKind if f"`{kind.value}`" not in text] == []


def test_every_endpoint_has_its_page() -> None:
    text = README + "".join(page.read_text() for page in DOCS.glob("*.md"))
    for handler in API:
        for path in handler.paths:
            assert re.sub(r"\{(?:user_)?id:str\}", "{id}", path) in text, path


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in (ROOT / "README.md", *DOCS.rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_dependency_has_its_reason() -> None:
    text = (DOCS / "dependencies.md").read_text()
    project = (ROOT / "pyproject.toml").read_text()
    block = project[project.index("dependencies = [") : project.index("[project.scripts]")]
    names = re.findall(r'^\s+"([a-z0-9-]+)', block, re.MULTILINE)
    assert [name for name in names if name not in text] == []
