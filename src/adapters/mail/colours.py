"""The brand's colour in letters, where words are to be read: contrast by WCAG 2.2 (relative luminance)."""

from dataclasses import dataclass

_BLACK, _WHITE = "#000000", "#ffffff"
_LIGHT_CARD, _DARK_CARD = "#ffffff", "#1a2122"
_LEGIBLE = 4.5
"""The contrast of words with their ground that level AA asks for."""
_STEPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """Every field is a variable of the templates, such as `#0d625c`."""

    button_colour: str
    button_text_colour: str
    link_colour: str
    dark_button_text_colour: str
    """On a button in `dark_link_colour`."""
    dark_link_colour: str


def colours_of(brand: str) -> Colours:
    """The brand's colour on buttons as it is; for links darker on a light ground, and lighter on a dark one, as far as
    they need it."""
    dark_link = _until_legible(brand, _WHITE, _DARK_CARD)
    return Colours(
        button_colour=brand,
        button_text_colour=_words_on(brand),
        link_colour=_until_legible(brand, _BLACK, _LIGHT_CARD),
        dark_button_text_colour=_words_on(dark_link),
        dark_link_colour=dark_link,
    )


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _words_on(ground: str) -> str:
    return max(_WHITE, _BLACK, key=lambda colour: contrast(colour, ground))


def _until_legible(colour: str, towards: str, ground: str) -> str:
    mixed = (_mixed(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next(colour for colour in mixed if contrast(colour, ground) >= _LEGIBLE)


def _mixed(one: str, other: str, share: float) -> str:
    channels = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in channels)


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _luminance(colour: str) -> float:
    def linear(channel: int) -> float:
        part = channel / 255
        return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)

    red, green, blue = map(linear, _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
