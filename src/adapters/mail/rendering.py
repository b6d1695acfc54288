"""Letters into words, by Jinja2."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import assert_never
from urllib.parse import urlencode
from uuid import UUID

from adapters.device_names import UNKNOWN
from adapters.mail.colours import colours_of
from adapters.mail.notices import words_for
from adapters.mail.templating import LetterTemplates, Overrides
from adapters.mail.units import moment, network
from adapters.mail.words import words_of
from application.ports.environment import Clock
from application.ports.languages import Languages, Sentences
from domain.email_address import EmailAddress
from domain.letters import (
    AccountExists,
    AddressInUse,
    ConfirmAddress,
    InlineImage,
    Letter,
    Notice,
    RenderedLetter,
    ResetPassword,
    VerifyAddress,
)
from domain.locale import Locales
from domain.secret import Secret
from domain.sentence import Sentence, isolated


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
    brand_colour: str = "#0d625c"
    logo: InlineImage | None = None


class JinjaLetterRenderer:
    """`application.ports.letters.LetterRenderer`."""

    def __init__(
        self,
        stationery: Stationery,
        clock: Clock,
        languages: Languages,
        locales: Locales,
        overrides: Overrides | None = None,
    ) -> None:
        self._stationery = stationery
        self._clock = clock
        self._languages = languages
        self._locales = locales
        own = overrides or Overrides()
        self._templates = cache(lambda locale: LetterTemplates(own, languages.of(locale)))
        support, logo = stationery.support_address, stationery.logo
        self._letterhead = {
            **asdict(colours_of(stationery.brand_colour)),
            "brand": stationery.brand,
            "app_url": stationery.app_url,
            "sign_in_url": stationery.sign_in_url,
            "support_address": support.canonical if support else "",
            "logo": f"cid:{logo.content_id}" if logo else "",
        }

    def render(self, letter: Letter, letter_id: UUID) -> RenderedLetter:
        # What was offered when somebody chose it may not be any more.
        locale = self._locales.best([letter.locale] if letter.locale is not None else [])
        paper, said = self._stationery, self._languages.of(locale)
        valid_for = None if isinstance(letter, AccountExists | AddressInUse) else letter.valid_for
        figures = {
            "brand": isolated(paper.brand, said.direction),
            "validity": said.duration(valid_for) if valid_for else "",
        }
        words = words_for(letter.occasion) if isinstance(letter, Notice) else words_of(letter)
        # A header has one line, whatever a translation has.
        subject = " ".join(_say(said, words.subject, figures).split())
        context: dict[str, object] = {
            **self._letterhead,
            **{field.name: _say(said, getattr(words, field.name), figures) for field in fields(words)},
            "subject": subject,
            "language": said.locale,
            "direction": said.direction,
            "link": self.link_of(letter),
            "facts": _facts(letter, said) if isinstance(letter, Notice) else [],
        }
        templates, names = self._templates(locale), template_names(letter)
        return RenderedLetter(
            message_id=f"<{letter_id}@{paper.message_id_domain}>",
            recipient=letter.recipient,
            subject=subject,
            text=templates.filled([f"{name}.txt" for name in names], context),
            html=templates.filled([f"{name}.html" for name in names], context),
            written_at=self._clock.now(),
            language=said.locale,
            reply_to=paper.support_address,
            logo=paper.logo,
        )

    def link_of(self, letter: Letter) -> str:
        """Where it leads."""
        paper = self._stationery
        match letter:
            case VerifyAddress():
                return _link(paper.verify_url, letter.token, letter.recipient)
            case ResetPassword():
                return _link(paper.reset_url, letter.token, letter.recipient)
            case ConfirmAddress():
                return _link(paper.confirm_email_url, letter.token, letter.recipient)
            case Notice():
                return _link(paper.undo_url, letter.token)
            case AccountExists() | AddressInUse():
                return paper.sign_in_url
            case _:
                assert_never(letter)


def template_names(letter: Letter) -> list[str]:
    """Its templates without their endings: its own, which an operator may write, and ours for several letters."""
    match letter:
        case VerifyAddress():
            return ["verify_address", "letter"]
        case AccountExists():
            return ["account_exists", "letter"]
        case ResetPassword():
            return ["reset_password", "letter"]
        case ConfirmAddress():
            return ["confirm_address", "letter"]
        case AddressInUse():
            return ["address_in_use", "letter"]
        case Notice():
            return [f"notice_{letter.occasion}", "notice"]
        case _:
            assert_never(letter)


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
        facts.append(Sentence("Device: %(device)s", device=notice.device))
    if notice.masked_address:
        facts.append(Sentence("Network: %(network)s", network=network(notice.masked_address, said)))
    return [said.say(fact) for fact in facts]
