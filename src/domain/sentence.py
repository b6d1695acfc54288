"""Words for people: in English here, and in other languages where somebody reads them."""


class Sentence(str):
    """A sentence in English that knows what it was made of, so that it can be said in another language.

    `template` is what translators see; its figures stand in it as `%(name)s`. Without figures, a `%` is a `%`.
    """

    __slots__ = ("figures", "template")

    template: str
    figures: dict[str, object]

    def __new__(cls, template: str, /, **figures: object) -> "Sentence":
        made = super().__new__(cls, template % figures if figures else template)
        made.template = template
        made.figures = figures
        return made
