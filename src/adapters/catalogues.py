"""Catalogues of translations: gettext's `.po` files, read by Babel as they are, so that there is nothing to compile."""

from collections.abc import Collection, Mapping
from functools import cache, cached_property
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from domain.sentence import Sentence

_OURS = files("adapters") / "languages"
_ENGLISH = "en"


class PoSentences:
    """`application.ports.languages.Sentences`."""

    def __init__(self, locale: str, direction: str, said: Mapping[str, str]) -> None:
        self.locale = locale
        self.direction = direction
        self._said = said

    def say(self, sentence: str) -> str:
        template = sentence.template if isinstance(sentence, Sentence) else sentence
        said = self._said.get(template, template)
        return said % sentence.figures if isinstance(sentence, Sentence) and sentence.figures else said


class PoLanguages:
    """`application.ports.languages.Languages`: ours, and in a folder those of the operator, which come before ours
    sentence by sentence. Each file is `<tag>.po`, read when its language is first wanted."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folders = [folder for folder in (_OURS, folder) if folder is not None and folder.is_dir()]
        self.of = cache(self._of)

    @cached_property
    def known(self) -> Collection[str]:
        names = {file.name for folder in self._folders for file in folder.iterdir()}
        return {_ENGLISH, *(name.removesuffix(".po") for name in names if name.endswith(".po"))}

    def _of(self, locale: str | None) -> PoSentences:
        if locale is None or locale not in self.known:
            return PoSentences(_ENGLISH, "ltr", {})
        # Imported here because it takes a while, and many have readers of English alone.
        from babel import Locale
        from babel.messages.pofile import read_po

        catalogues = [
            read_po(BytesIO(file.read_bytes()))
            for folder in self._folders
            if (file := folder / f"{locale}.po").is_file()
        ]
        said = {
            str(message.id): str(message.string)
            for catalogue in catalogues
            for message in catalogue
            if message.id and message.string and not message.fuzzy
        }
        return PoSentences(locale, Locale.parse(locale, sep="-").text_direction, said)
