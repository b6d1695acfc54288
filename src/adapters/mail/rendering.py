"""Letters into words, by Jinja2."""

from dataclasses import dataclass
from typing import assert_never
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from application.ports.environment import Clock
from domain.letters import AccountExists, Letter, RenderedLetter, VerifyAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Stationery:
    """What every letter shows, and where its links point. Addresses come from settings, never from a request."""

    brand: str
    app_url: str
    verify_url: str
    sign_in_url: str
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
                query = urlencode({"token": letter.token.text, "email": letter.recipient.canonical})
                context["link"] = f"{paper.verify_url}?{query}"
                context["has_account"] = letter.has_account
                context["minutes"] = int(letter.valid_for.total_seconds() // 60)
            case AccountExists():
                template, subject = "account_exists", f"You already have an account at {paper.brand}"
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
