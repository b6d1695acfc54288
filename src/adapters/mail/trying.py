"""Trying an operator's templates before anybody waits for a letter."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from traceback import extract_tb
from types import FrameType
from typing import Any
from uuid import UUID

from jinja2 import TemplateSyntaxError
from markupsafe import escape

from adapters.mail.rendering import JinjaLetterRenderer, template_names
from adapters.mail.samples import sample_letters
from adapters.mail.templating import Overrides

_SECONDS = 3.0
_NOBODYS_ID = UUID(int=0)
_SHARED = {f"{name}.{kind}" for name in ("layout", "letter", "notice") for kind in ("html", "txt")} | {"parts.html"}


def template_problems(overrides: Overrides, renderer: JinjaLetterRenderer, locale: str) -> list[str]:
    """What is wrong with the operator's templates, each with its file and line; nothing to do where there are none."""
    if not overrides.texts:
        return []
    letters = sample_letters(locale)
    known = _SHARED | {
        f"{name}.{kind}" for letter in letters.values() for name in template_names(letter) for kind in ("html", "txt")
    }
    problems = [
        f"letters/{name}: no letter uses a template of this name; those for your own use begin with _"
        for name in sorted(overrides.texts)
        if name not in known and not name.startswith("_")
    ]
    for name, letter in letters.items():
        try:
            with _deadline():
                rendered = renderer.render(letter, _NOBODYS_ID)
        except Exception as error:  # whatever a template does wrong is its author's to mend
            problems.append(f"{_place(error, overrides)}: {error or type(error).__name__}")
            if isinstance(error, TimeoutError):
                break
            continue
        link = renderer.link_of(letter)
        if link not in rendered.text:
            problems.append(f"letters/*.txt: {name} comes out without its link")
        if f'href="{escape(link)}"' not in rendered.html:
            problems.append(f"letters/*.html: {name} comes out without its link")
    return list(dict.fromkeys(problems))


def _place(error: Exception, overrides: Overrides) -> str:
    """The line of the operator's that it happened in."""
    frames = [(frame.filename, frame.lineno) for frame in extract_tb(error.__traceback__)]
    if isinstance(error, TemplateSyntaxError):
        frames.append((error.filename or "", error.lineno))
    files = {overrides.place(name): name for name in overrides.texts}
    places = [f"letters/{files[file]}:{line}" for file, line in frames if file in files]
    return places[-1] if places else "letters"


@contextmanager
def _deadline() -> Iterator[None]:
    """A template that does not come to its end is stopped, wherever it is."""
    ends, before = monotonic() + _SECONDS, sys.gettrace()

    def look_at_the_clock(_frame: FrameType, _event: str, _argument: Any) -> Any:
        if monotonic() > ends:
            raise TimeoutError(f"takes longer than {_SECONDS:.0f} seconds")
        return look_at_the_clock

    sys.settrace(look_at_the_clock)
    try:
        yield
    finally:
        sys.settrace(before)
