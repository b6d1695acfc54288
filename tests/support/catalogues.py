"""Brings the catalogues of languages up to date with the sentences in the sources: `python3 dev.py languages`."""

import sys
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

SOURCES = Path(__file__).resolve().parents[2] / "src"
CATALOGUES = SOURCES / "adapters" / "languages"

_KINDS = (
    ("**/*.py", "python", "Sentence"),
    ("adapters/mail/templates/*", "jinja2", "_"),
    ("entrypoints/http/pages/templates/*.html", "jinja2", "_"),
    ("entrypoints/http/pages/assets/*.js", "javascript", "t"),
)
_HEADER = """msgid ""
msgstr ""
"Project-Id-Version: Ostiary\\n"
"Language: {}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


@cache
def sentences() -> tuple[tuple[str, str, int], ...]:
    """Each sentence that somebody may read in another language: itself, the file it stands in, the line."""
    return tuple(_extracted())


def _extracted() -> Iterator[tuple[str, str, int]]:
    for pattern, method, keyword in _KINDS:
        for file in sorted(SOURCES.glob(pattern)):
            options = {"silent": "false", "trimmed": "true"} if method == "jinja2" else None
            for line, message, _, _ in extract_from_file(method, file, {keyword: None}, options=options):
                yield str(message), f"src/{file.relative_to(SOURCES).as_posix()}", line


def read(tag: str) -> Catalog:
    """The catalogue of one language."""
    with (CATALOGUES / f"{tag}.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def updated(old: Catalog) -> str:
    """The catalogue with what the sources say now: what is new has no translation yet, what is gone is dropped."""
    new = Catalog()
    for sentence, file, line in sentences():
        known = old.get(sentence)
        said, remarks = (str(known.string), known.user_comments) if known is not None else ("", ())
        new.add(sentence, said, locations=[(file, line)], user_comments=remarks)
    written = BytesIO()
    write_po(written, new, width=100, sort_by_file=True, include_lineno=False, omit_header=True)
    return written.getvalue().decode()


def main() -> None:
    """Rewrite every catalogue of ours, and say how much of it is still to be translated."""
    for file in sorted(CATALOGUES.glob("*.po")):
        old = read(file.stem)
        file.write_text(_HEADER.format(file.stem) + updated(old), encoding="utf-8", newline="\n")
        messages = [message for message in read(file.stem) if message.id]
        missing = sum(not message.string for message in messages)
        sys.stdout.write(f"{file.stem}: {len(messages)} sentences, {missing} not translated yet\n")


if __name__ == "__main__":
    main()
