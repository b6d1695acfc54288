"""Writes the pages in docs/reference, and the table in docs/settings.md."""

from tests.reference.pages import PAGES

for path, text in PAGES.items():
    path.parent.mkdir(exist_ok=True)
    path.write_text(text())
