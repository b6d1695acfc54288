"""How letters are written: by the operator's brand, templates and languages."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from adapters.catalogues import catalogue_template
from adapters.environment import SystemClock
from adapters.mail.message import compose_message, page_of
from adapters.mail.rendering import JinjaLetterRenderer, Stationery
from adapters.mail.samples import sample_letters
from adapters.mail.templating import Overrides
from adapters.mail.trying import template_problems
from application.ports.environment import Clock
from application.ports.languages import Languages
from domain.letters import InlineImage, RenderedLetter
from domain.locale import Locales
from entrypoints.brand_values import MEDIA_TYPES
from entrypoints.composition import choices
from entrypoints.settings import Settings, SettingsError


def letter_renderer(settings: Settings, clock: Clock, languages: Languages) -> JinjaLetterRenderer:
    """Templates of the operator are tried first. Raises `SettingsError` with whatever is wrong with them."""
    try:
        overrides = Overrides(settings.templates / "letters" if settings.templates is not None else None)
    except (OSError, UnicodeDecodeError):
        raise SettingsError(["OSTIARY_TEMPLATES: a file in letters cannot be read as text in UTF-8"]) from None
    renderer = JinjaLetterRenderer(stationery(settings), clock, languages, Locales(settings.locales), overrides)
    if problems := template_problems(overrides, renderer, settings.locales[0]):
        raise SettingsError([f"OSTIARY_TEMPLATES: {problem}" for problem in problems])
    return renderer


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A sample of a letter in one language."""

    name: str
    """Of its kind, such as `verify_address`."""
    id: UUID
    """The same for the same sample each time."""
    letter: RenderedLetter
    message: bytes
    """As it would leave."""
    page: str
    """Its HTML for a browser."""


def previews(settings: Settings) -> Iterator[Preview]:
    """Every letter in every language offered, of samples whose links open nothing. Raises as `letter_renderer`."""
    renderer = letter_renderer(settings, SystemClock(), choices.languages(settings))
    for locale in settings.locales:
        for name, sample in sample_letters(locale, settings.token_lifetime).items():
            letter_id = uuid5(NAMESPACE_URL, f"{locale}/{name}")
            letter = renderer.render(sample, letter_id)
            message = compose_message(letter, choices.sender(settings))
            yield Preview(name=name, id=letter_id, letter=letter, message=message.as_bytes(), page=page_of(message))


def doubts(settings: Settings) -> list[str]:
    """What may be an oversight in the operator's catalogues, in words."""
    fields = settings.declared.all
    declared = {field.label for field in fields} | {choice for field in fields for choice in field.choices}
    return list(choices.languages(settings).doubts(settings.locales, declared))


def starting_points() -> dict[str, str]:
    """What a folder of an operator's own may begin with, by its place there: our templates of letters, and a catalogue
    in which everything is to be translated."""
    ours = (file for file in (files("adapters.mail") / "templates").iterdir() if file.is_file())
    letters = {f"letters/{file.name}": file.read_text("utf-8") for file in ours}
    return dict(sorted(letters.items())) | {"languages/messages.pot": catalogue_template()}


def stationery(settings: Settings) -> Stationery:
    """What letters show and where they link."""
    return Stationery(
        brand=settings.brand,
        app_url=settings.app_url,
        verify_url=settings.app_url + settings.verify_path,
        sign_in_url=settings.app_url + settings.sign_in_path,
        reset_url=settings.app_url + settings.reset_path,
        confirm_email_url=settings.app_url + settings.confirm_email_path,
        undo_url=settings.app_url + settings.undo_path,
        message_id_domain=choices.sender(settings).domain or urlsplit(settings.public_url).hostname or "localhost",
        support_address=settings.support_address,
        brand_colour=settings.brand_colour,
        logo=_logo(settings.brand_logo) if settings.brand_logo is not None else None,
    )


def _logo(file: Path) -> InlineImage:
    content = file.read_bytes()
    [media_type] = (kind for start, kind in MEDIA_TYPES.items() if content.startswith(start))
    return InlineImage(content_id="logo", media_type=media_type, content=content)
