"""The little Markdown that the pages need, the same on the site and where the repository is read."""

from collections.abc import Iterable, Iterator, Sequence

NOTICE = (
    "<!-- Written by `python3 dev.py reference`, and compared with the code by a test: change the code instead. -->"
)


def cell(text: str) -> str:
    """Text for a cell of a table: one line, and no bar that would end it."""
    return " ".join(text.split()).replace("|", "&#124;")


def codes(names: Iterable[str]) -> str:
    """`a`, `b`."""
    return ", ".join(f"`{name}`" for name in names)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table, or nothing where there are no rows."""
    lines = [f"| {' | '.join(cell(entry) for entry in row)} |".replace("|  |", "| |") for row in rows]
    if lines:
        yield "\n".join((f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *lines))


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page."""
    return "\n\n".join((f"# {title}", NOTICE, *parts)) + "\n"
