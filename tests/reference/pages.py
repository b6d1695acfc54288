"""Which pages there are, and what each has to say."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from click.testing import CliRunner

from entrypoints.cli.main import main
from tests.reference.commands import commands_page
from tests.reference.endpoints import endpoints_page
from tests.reference.errors import errors_page

DOCS = Path(__file__).parents[2] / "docs"
SETTINGS = DOCS / "settings.md"
_TABLE = re.compile(r"^\| variable \|.*?(?=\n\n|\n?\Z)", re.DOTALL | re.MULTILINE)


def settings_page() -> str:
    """docs/settings.md with its table as the program prints it; the rest is written by hand."""
    printed = CliRunner().invoke(main, ["settings", "--markdown"]).output.strip()
    return _TABLE.sub(lambda _: printed, SETTINGS.read_text(), count=1)


PAGES: Mapping[Path, Callable[[], str]] = {
    DOCS / "reference" / "endpoints.md": endpoints_page,
    DOCS / "reference" / "errors.md": errors_page,
    DOCS / "reference" / "commands.md": commands_page,
    SETTINGS: settings_page,
}
"""Each page that is written from the code, whole or in part."""
