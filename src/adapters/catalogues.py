"""Catalogues of translations: gettext's `.po` files, read by Babel as they are, so that there is nothing to compile."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO, StringIO
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from domain.sentence import Sentence, filled

if TYPE_CHECKING:
    from babel.messages import Catalog, Message

_OURS = files("adapters") / "languages"
_ENGLISH = "en"
_LINE = re.compile(r'\s*(?:#.*|(?:(?:msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s*)?"(?:[^"\\]|\\.)*+"\s*)?')
_FIGURE = re.compile(r"%\(\w+\)[a-z]")
_MSGID = re.compile(r'^\s*msgid\s*((?:"(?:[^"\\]|\\.)*+"\s*)+)', re.MULTILINE)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_COMPLETE = "de"
"""One of ours that has every sentence."""


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
        names = {file.name for file in _OURS.iterdir() if file.name.endswith(".po")}
        return {_ENGLISH, *(name.removesuffix(".po") for name in names), *filter(_is_language, self._own)}

    @property
    def _own(self) -> list[str]:
        return sorted(file.stem for file in self._operators.glob("*.po")) if self._operators is not None else []

    def faults(self) -> Iterator[str]:
        """What is wrong with the operator's catalogues, each with its file and, where there is one, its line."""
        for tag in self._own:
            file = self._file(tag)
            for line, fault in _faults(file):
                yield f"{file}{f', line {line}' if line else ''}: {fault}"

    def doubts(self, offered: Iterable[str], declared: Collection[str]) -> Iterator[str]:
        """What may be an oversight in the operator's catalogues of these languages, where no fault is: what is not
        translated, and sentences that are neither ours nor `declared`."""
        ours = {str(message.id) for message in _sentences_of(_OURS / f"{_COMPLETE}.po")}
        for tag in [tag for tag in offered if tag in self._own]:
            for message in _sentences_of(file := self._file(tag)):
                if message.id not in ours and message.id not in declared:
                    yield f"{file}, line {message.lineno}: no sentence of ours; misspelt, unless a template has it"
            done = len(ours & self._said(tag).keys())
            if done < len(ours) and tag.partition("-")[0] != _ENGLISH:
                yield f"{tag}: {done} of {len(ours)} sentences translated; the rest is in English"

    def _file(self, tag: str) -> Path:
        return (self._operators or Path()) / f"{tag}.po"

    def _of(self, locale: str | None) -> PoSentences:
        if locale is None or not (said := self._said(locale)):
            return PoSentences(_ENGLISH, "ltr", {})
        from babel import Locale

        return PoSentences(locale, Locale.parse(locale, sep="-").text_direction, said)

    def _said(self, locale: str) -> dict[str, str]:
        catalogues = [
            _read(file)
            for folder in self._folders
            if locale in self.known and (file := folder / f"{locale}.po").is_file()
        ]
        return {
            str(message.id): str(message.string)
            for catalogue in catalogues
            for message in catalogue
            if message.id and message.string and not message.fuzzy
        }


def catalogue_template() -> str:
    """A catalogue (`.pot`) of every sentence there is, with no translation of any."""
    from babel.messages import Catalog
    from babel.messages.pofile import write_po

    empty = Catalog()
    for message in _sentences_of(_OURS / f"{_COMPLETE}.po"):
        empty.add(message.id, locations=message.locations)
    written = BytesIO()
    write_po(written, empty, width=100, include_lineno=False, omit_header=True)
    return 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n' + written.getvalue().decode()


# Babel is imported where it is used because it takes a while, and many have readers of English alone.


def _read(file: Traversable) -> "Catalog":
    from babel.messages.pofile import read_po

    return read_po(StringIO(file.read_text("utf-8")), abort_invalid=True)


def _sentences_of(file: Traversable) -> "list[Message]":
    return [message for message in _read(file) if message.id]


def _is_language(tag: str) -> bool:
    from babel import Locale, UnknownLocaleError

    try:
        Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return False
    return True


def _faults(file: Path) -> Iterator[tuple[int | None, str]]:
    from babel.messages.pofile import PoFileError

    if not _is_language(file.stem):
        yield None, "its name is no language that is known; nl.po or pt-BR.po is one"
    try:
        # Babel reads what is not between quotes as if it were.
        text = file.read_text("utf-8")
        for number, line in enumerate(text.splitlines(), 1):
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
    yield from _repeated(text)
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


def _repeated(text: str) -> Iterator[tuple[int, str]]:
    first: dict[str, int] = {}
    for found in _MSGID.finditer(text):
        line = text.count("\n", 0, found.start(1)) + 1
        before = first.setdefault("".join(_QUOTED.findall(found[1])), line)
        if before != line:
            yield line, f"the same sentence is in line {before}; one translation of it is enough"


class _Anything(dict[str, int]):
    """Has a figure of every name."""

    def __missing__(self, name: str) -> int:
        return 0
