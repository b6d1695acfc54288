"""Templates of letters: ours, and those of the operator before them, in a sandbox.

A template sees the words of its letter and nothing else: no attribute of anything, no function but translation, no file
but templates. Those of the operator are read once: a service that runs does not change with a file that is edited.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    FunctionLoader,
    PackageLoader,
    StrictUndefined,
    Template,
    pass_eval_context,
    select_autoescape,
)
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.filters import do_wordwrap
from jinja2.nodes import EvalContext
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from application.ports.languages import Sentences
from domain.sentence import filled

_WIDTH = 72
_LONGEST = 90_000
"""Characters of a part: some mail programs cut off what is longer than 102 kB."""
_FILTERS = (
    *("capitalize", "default", "e", "escape", "first", "join", "last", "length", "lower", "replace", "striptags"),
    *("title", "trim", "truncate", "upper", "urlencode", "wordwrap"),
)


class Overrides:
    """The operator's templates. Raises `OSError` and `UnicodeDecodeError` for a file that cannot be read."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        files = folder.iterdir() if folder is not None and folder.is_dir() else ()
        self.texts = {file.name: file.read_text("utf-8") for file in files if file.suffix in (".html", ".txt")}

    def source(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        """As `jinja2.FunctionLoader` wants it."""
        return (self.texts[name], self.place(name), lambda: True) if name in self.texts else None

    def place(self, name: str) -> str:
        """Where one of them was read."""
        return str(self.folder / name) if self.folder is not None else name


class LetterTemplates(ImmutableSandboxedEnvironment):
    """The templates in one language."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(self, overrides: Overrides, said: Sentences) -> None:
        super().__init__(
            loader=ChoiceLoader([FunctionLoader(overrides.source), PackageLoader("adapters.mail")]),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
        )
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.filters["wrapped"] = self._wrapped
        self.globals["_"] = _speaker(said)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Words have none that a letter needs: a method may lead anywhere."""
        return isinstance(obj, LoopContext | TemplateModule) and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """A slip of the hand must not make much out of little. Who means to can all the same: these templates are the
        operator's own."""
        raise SecurityError(f"a letter cannot calculate with {operator}")

    def filled(self, names: list[str], words: Mapping[str, object]) -> str:
        """The first template there is of these, with the words in it."""
        parts: list[str] = []
        length = 0
        for part in self.first_of(names).generate(words):
            parts.append(part)
            length += len(part)
            if length > _LONGEST:
                raise SecurityError(f"a letter can have {_LONGEST} characters")
        return "".join(parts)

    def first_of(self, names: list[str]) -> Template:
        """The first template there is of these."""
        return self.select_template(names)

    def _wrapped(self, text: str) -> str:
        """In lines as plain text has them; a link stays whole."""
        return do_wordwrap(self, text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _speaker(said: Sentences) -> Callable[..., str]:
    @pass_eval_context
    def say(context: EvalContext, sentence: str, **figures: object) -> str:
        """In the letter's language. A translation is text: only figures may be markup."""
        words = said.say(sentence)
        return filled(escape(words) if context.autoescape else words, figures)

    return say
