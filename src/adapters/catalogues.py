"""Catalogues of translations: gettext's `.po` files, read by Babel as they are, so that there is nothing to compile."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from domain.sentence import Sentence, filled

if TYPE_CHECKING:
    from babel.messages import Catalog

_OURS = files("adapters") / "languages"
_ENGLISH = "en"
_LINE = re.compile(r'\s*(?:#.*|(?:(?:msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s*)?"(?:[^"\\]|\\.)*+"\s*)?')
_FIGURE = re.compile(r"%\(\w+\)[a-z]")


def cldr_name(locale: str) -> str:
    """What Babel calls a language. English without a country is ours, which has the day before the month."""
    return "en_GB" if locale == _ENGLISH else locale.replace("-", "_")


class PoSentences:
    """`application.ports.languages.Sentences`."""

    def __init__(self, locale: str, direction: str, said: Mapping[str, str]) -> None:
        self.locale = locale
        self.direction = direction
        self._said = said

    def duration(self, time: timedelta) -> str:
        from babel.dates import format_timedelta

        unit: Literal["day", "hour", "minute"] = "minute"
        if time >= timedelta(hours=2) and not time % timedelta(hours=1):
            unit = "hour"
        if time >= timedelta(days=2) and not time % timedelta(days=1):
            unit = "day"
        return format_timedelta(time, unit, threshold=inf, locale=cldr_name(self.locale))

    def say(self, sentence: str) -> str:
        sentence = Sentence.of(sentence)
        said = self._said.get(sentence.template, sentence.template)
        figures = {
            name: self.say(figure) if isinstance(figure, Sentence) else figure
            for name, figure in sentence.figures.items()
        }
        return filled(said, figures)


class PoLanguages:
    """`application.ports.languages.Languages`: ours, and in a folder those of the operator, which come before ours
    sentence by sentence. Each file is `<tag>.po`, read when its language is first wanted."""

    def __init__(self, folder: Path | None = None) -> None:
        self._operators = folder
        self._folders = [folder for folder in (_OURS, folder) if folder is not None and folder.is_dir()]
        self.of = cache(self._of)

    @cached_property
    def known(self) -> Collection[str]:
        names = {file.name for folder in self._folders for file in folder.iterdir()}
        return {_ENGLISH, *(name.removesuffix(".po") for name in names if name.endswith(".po"))}

    def faults(self) -> Iterator[str]:
        """What is wrong with the operator's catalogues, each with its file and, where there is one, its line."""
        folder = self._operators
        for file in sorted(folder.glob("*.po")) if folder is not None else ():
            for line, fault in _faults(file):
                yield f"{file}{f', line {line}' if line else ''}: {fault}"

    def _of(self, locale: str | None) -> PoSentences:
        catalogues = [
            _read(file)
            for folder in self._folders
            if locale in self.known and (file := folder / f"{locale}.po").is_file()
        ]
        if locale is None or not catalogues:
            return PoSentences(_ENGLISH, "ltr", {})
        from babel import Locale

        said = {
            str(message.id): str(message.string)
            for catalogue in catalogues
            for message in catalogue
            if message.id and message.string and not message.fuzzy
        }
        return PoSentences(locale, Locale.parse(locale, sep="-").text_direction, said)


# Babel is imported where it is used because it takes a while, and many have readers of English alone.


def _read(file: Traversable) -> "Catalog":
    from babel.messages.pofile import read_po

    return read_po(StringIO(file.read_text("utf-8")), abort_invalid=True)


def _faults(file: Path) -> Iterator[tuple[int | None, str]]:
    from babel import Locale, UnknownLocaleError
    from babel.messages.pofile import PoFileError

    try:
        Locale.parse(file.stem, sep="-")
    except (ValueError, UnknownLocaleError):
        yield None, "its name is no language that is known; nl.po or pt-BR.po is one"
    try:
        # Babel reads what is not between quotes as if it were.
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if not _LINE.fullmatch(line):
                yield number, "this is no line of a catalogue; is a quotation mark missing?"
                return
        messages = list(_read(file))
    except UnicodeDecodeError:
        yield None, "it is not in UTF-8"
        return
    except PoFileError as error:
        yield error.lineno + 1, str(error).rpartition(" on ")[0]
        return
    for message in messages:
        figures, said = set(_FIGURE.findall(str(message.id))), str(message.string)
        if not said or not (figures or "%(" in said):
            continue
        try:
            said % _Anything()
            fits = set(_FIGURE.findall(said)) == figures
        except (KeyError, TypeError, ValueError):
            fits = False
        if not fits:
            yield (
                message.lineno,
                f"the translation is to have the same figures as the English: {', '.join(sorted(figures)) or 'none'}",
            )


class _Anything(dict[str, int]):
    """Has a figure of every name."""

    def __missing__(self, name: str) -> int:
        return 0
