"""Words for people: in English here, and in other languages where somebody reads them."""

from collections.abc import Mapping


class Sentence(str):
    """A sentence in English that knows what it was made of, so that it can be said in another language.

    `template` is what translators see; its figures stand in it as `%(name)s`, and may be sentences themselves. In one
    that has no figures, a `%` is a `%`.
    """

    __slots__ = ("figures", "template")

    template: str
    figures: Mapping[str, object]

    def __new__(cls, template: str, /, **figures: object) -> "Sentence":
        made = super().__new__(cls, filled(template, figures))
        made.template = template
        made.figures = figures
        return made

    @classmethod
    def of(cls, text: str) -> "Sentence":
        """The same text as a sentence; one that is a sentence already, as it is."""
        return text if isinstance(text, Sentence) else cls(text)


def isolated(text: str, direction: str) -> str:
    """A text that may be in either direction, for a sentence in `direction`: from right to left (`rtl`), dots and
    brackets at its ends would otherwise wander to the other end."""
    return f"\u2068{text}\u2069" if direction == "rtl" else text


def filled(template: str, figures: Mapping[str, object]) -> str:
    """The template with its figures in it. One that has none is said as it stands, whatever figures there are."""
    return template % figures if "%(" in template and figures else template
