"""Letters into words, by Jinja2."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from typing import assert_never
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from jinja2.filters import do_wordwrap

from adapters.device_names import UNKNOWN, device_in
from adapters.mail.notices import words_for
from adapters.mail.units import duration, moment, network
from adapters.mail.words import words_of
from application.ports.environment import Clock
from application.ports.languages import Languages, Sentences
from domain.email_address import EmailAddress
from domain.letters import (
    AccountExists,
    AddressInUse,
    ConfirmAddress,
    Letter,
    Notice,
    RenderedLetter,
    ResetPassword,
    VerifyAddress,
)
from domain.secret import Secret
from domain.sentence import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Stationery:
    """What every letter shows, and where its links point. Addresses come from settings, never from a request."""

    brand: str
    app_url: str
    verify_url: str
    sign_in_url: str
    reset_url: str
    confirm_email_url: str
    undo_url: str
    message_id_domain: str
    support_address: EmailAddress | None = None
    """Where questions are answered: shown, and where a reply goes."""


class JinjaLetterRenderer:
    """`application.ports.letters.LetterRenderer`."""

    def __init__(self, stationery: Stationery, clock: Clock, languages: Languages) -> None:
        self._stationery = stationery
        self._clock = clock
        self._languages = languages
        self._templates = cache(lambda locale: _templates(languages.of(locale)))

    def render(self, letter: Letter, letter_id: UUID) -> RenderedLetter:
        paper, said = self._stationery, self._languages.of(letter.locale)
        name, link, valid_for = self._purpose(letter)
        figures = {"brand": paper.brand, "validity": duration(valid_for, said) if valid_for else ""}
        words = words_for(letter.occasion) if isinstance(letter, Notice) else words_of(letter)
        subject = _say(said, words.subject, figures)
        context: dict[str, object] = {
            "brand": paper.brand,
            "app_url": paper.app_url,
            "support_address": paper.support_address.canonical if paper.support_address else "",
            "language": said.locale,
            "direction": said.direction,
            "link": link,
            **{field.name: _say(said, getattr(words, field.name), figures) for field in fields(words)},
        }
        if isinstance(letter, Notice):
            context["facts"] = _facts(letter, said)
        templates = self._templates(letter.locale)
        return RenderedLetter(
            message_id=f"<{letter_id}@{paper.message_id_domain}>",
            recipient=letter.recipient,
            subject=subject,
            text=templates.get_template(f"{name}.txt").render(context),
            html=templates.get_template(f"{name}.html").render(context),
            written_at=self._clock.now(),
            language=said.locale,
            reply_to=paper.support_address,
        )

    def _purpose(self, letter: Letter) -> tuple[str, str, timedelta | None]:
        """Its template, where it leads and how long that works."""
        paper = self._stationery
        match letter:
            case VerifyAddress():
                return "letter", _link(paper.verify_url, letter.token, letter.recipient), letter.valid_for
            case ResetPassword():
                return "letter", _link(paper.reset_url, letter.token, letter.recipient), letter.valid_for
            case ConfirmAddress():
                return "letter", _link(paper.confirm_email_url, letter.token, letter.recipient), letter.valid_for
            case AccountExists() | AddressInUse():
                return "letter", paper.sign_in_url, None
            case Notice():
                return "notice", _link(paper.undo_url, letter.token), letter.valid_for
            case _:
                assert_never(letter)


def _templates(said: Sentences) -> Environment:
    templates = Environment(
        loader=PackageLoader("adapters.mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    # The extension adds this method to the environment.
    templates.install_gettext_callables(  # type: ignore[attr-defined]
        said.say, lambda one, many, count: said.say(one if count == 1 else many), newstyle=True
    )
    templates.filters["wrapped"] = lambda text: do_wordwrap(
        templates, text, 72, break_long_words=False, break_on_hyphens=False
    )
    return templates


def _say(said: Sentences, template: str, figures: Mapping[str, str]) -> str:
    return said.say(Sentence(template, **figures)) if template else ""


def _link(place: str, token: Secret, address: EmailAddress | None = None) -> str:
    """With the address where the page behind it shows whose it is, to its reader and to their password manager."""
    fields = {"token": token.text} | ({"email": address.canonical} if address else {})
    return f"{place}?{urlencode(fields)}"


def _facts(notice: Notice, said: Sentences) -> list[str]:
    """When, on what and from where, as far as it is known."""
    facts = [Sentence("When: %(moment)s", moment=moment(notice.happened_at, said))]
    if notice.device != UNKNOWN:
        facts.append(Sentence("Device: %(device)s", device=device_in(said, notice.device)))
    if notice.masked_address:
        facts.append(Sentence("Network: %(network)s", network=network(notice.masked_address, said)))
    return [said.say(fact) for fact in facts]
