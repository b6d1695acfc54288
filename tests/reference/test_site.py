"""The documentation builds as a site without a warning, and loads nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FROM_ELSEWHERE = re.compile(
    r"""<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//[^>]*|url\(["']?(?:https?:)?//[^)]*"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `python3 dev.py docs` does it: a page that `nav` forgets, a dead link or a dead anchor is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    pages = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md") if "examples" not in page.parts]
    for page in pages:
        folder = page.parent if page.name == "index.md" else page.with_suffix("")
        assert (site / folder / "index.html").is_file(), page


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    """Fonts, scripts or pictures from elsewhere would tell others who reads what."""
    found = {
        (loaded.group(), file.name)
        for file in site.rglob("*")
        if file.suffix in (".html", ".css")
        for loaded in FROM_ELSEWHERE.finditer(file.read_text())
    }
    assert found == set()
