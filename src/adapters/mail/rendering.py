"""Letters into words, by Jinja2."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import assert_never
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from adapters.device_names import UNKNOWN
from adapters.mail.notices import words_for
from application.ports.environment import Clock
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


class JinjaLetterRenderer:
    """`application.ports.letters.LetterRenderer`."""

    def __init__(self, stationery: Stationery, clock: Clock) -> None:
        self._stationery = stationery
        self._clock = clock
        self._templates = Environment(
            loader=PackageLoader("adapters.mail"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
        )

    def render(self, letter: Letter, letter_id: UUID) -> RenderedLetter:
        paper = self._stationery
        context: dict[str, object] = {
            "brand": paper.brand,
            "app_url": paper.app_url,
            "sign_in_url": paper.sign_in_url,
        }
        match letter:
            case VerifyAddress():
                template, subject = "verify_address", f"Confirm your e-mail address for {paper.brand}"
                context["link"] = _link(paper.verify_url, letter.token, letter.recipient)
                context["has_account"] = letter.has_account
                context["validity"] = _duration(letter.valid_for)
            case AccountExists():
                template, subject = "account_exists", f"You already have an account at {paper.brand}"
            case ResetPassword():
                template, subject = "reset_password", f"Choose a new password for {paper.brand}"
                context["link"] = _link(paper.reset_url, letter.token, letter.recipient)
                context["validity"] = _duration(letter.valid_for)
            case ConfirmAddress():
                template, subject = "confirm_address", f"Confirm your new e-mail address for {paper.brand}"
                context["link"] = _link(paper.confirm_email_url, letter.token, letter.recipient)
                context["validity"] = _duration(letter.valid_for)
            case AddressInUse():
                template, subject = "address_in_use", f"You already have an account at {paper.brand}"
            case Notice():
                words = words_for(letter.occasion)
                template, subject = "notice", f"{words.subject} {paper.brand}"
                context["link"] = _link(paper.undo_url, letter.token)
                context["validity"] = _duration(letter.valid_for)
                context["subject"] = subject
                context["words"] = words
                context["facts"] = _facts(letter)
            case _:
                assert_never(letter)
        return RenderedLetter(
            message_id=f"<{letter_id}@{paper.message_id_domain}>",
            recipient=letter.recipient,
            subject=subject,
            text=self._templates.get_template(f"{template}.txt").render(context),
            html=self._templates.get_template(f"{template}.html").render(context),
            written_at=self._clock.now(),
        )


def _link(place: str, token: Secret, address: EmailAddress | None = None) -> str:
    """With the address where the page behind it shows whose it is, to its reader and to their password manager."""
    fields = {"token": token.text} | ({"email": address.canonical} if address else {})
    return f"{place}?{urlencode(fields)}"


def _facts(notice: Notice) -> list[tuple[str, str]]:
    """When, on what and from where, as far as it is known."""
    facts = [("When", _moment(notice.happened_at))]
    if notice.device != UNKNOWN:
        facts.append(("Device", notice.device))
    if notice.masked_address:
        facts.append(("Network", _shortened(notice.masked_address)))
    return facts


def _shortened(masked_address: str) -> str:
    """192.0.2.* for 192.0.2.0/24: as people write it, and nothing that a mail program makes a link of."""
    network = ip_network(masked_address)
    if network.version == 6:
        return f"{str(network.network_address).rstrip(':')}:*"
    return f"{str(network.network_address).rpartition('.')[0]}.*"


def _moment(when: datetime) -> str:
    when = when.astimezone(UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def _duration(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    for unit, size in (("days", 24 * 60), ("hours", 60)):
        if minutes >= 2 * size and minutes % size == 0:
            return f"{minutes // size} {unit}"
    return f"{minutes} minutes"
