"""A rendered letter as an e-mail message (RFC 5322, RFC 2045)."""

from base64 import b64encode
from email.header import Header
from email.headerregistry import (
    Address,
    BaseHeader,
    HeaderRegistry,
    UniqueSingleAddressHeader,
    UniqueUnstructuredHeader,
)
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, Policy
from email.utils import format_datetime
from typing import Any

from application.ports.letters import MailRefused
from domain.email_address import EmailAddress
from domain.letters import RenderedLetter


class NotCarried(MailRefused):
    """This mail system cannot carry a letter to such an address. Another one may."""


def letter_key(letter: RenderedLetter) -> str:
    """The letter's own part of its Message-ID: a short name that is the same at every attempt."""
    return letter.message_id.strip("<>").partition("@")[0]


class _Subject(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]  # made for each other at run time
    """Folded by ourselves where it is encoded (RFC 2047): Python before 3.13 drops spaces between the encoded words."""

    def fold(self, *, policy: "Policy[Any]") -> str:
        if self.isascii():
            return super().fold(policy=policy)
        return f"{self.name}: {_encoded(self, self.name, policy)}{policy.linesep}"


class _From(UniqueSingleAddressHeader, BaseHeader):  # type: ignore[misc]
    """As `_Subject`."""

    def fold(self, *, policy: "Policy[Any]") -> str:
        if self.isascii():
            return super().fold(policy=policy)
        name = _encoded(self.address.display_name, self.name, policy)
        return f"{self.name}: {name}{policy.linesep} <{self.address.addr_spec}>{policy.linesep}"


def _encoded(text: str, name: str, policy: "Policy[Any]") -> str:
    return Header(text, "utf-8", header_name=name).encode(linesep=policy.linesep)


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("subject", _Subject)
_HEADERS.map_to_type("from", _From)


def own_headers(letter: RenderedLetter) -> dict[str, str]:
    """The headers that a mail system does not add by itself, and must not change."""
    return {
        "Message-ID": letter.message_id,
        "Auto-Submitted": "auto-generated",  # RFC 3834: no vacation replies, please
        "X-Auto-Response-Suppress": "OOF, AutoReply",  # the same for Exchange, which does not read the other
        "Content-Language": letter.language,
    }


def compose_message(letter: RenderedLetter, sender: Address) -> EmailMessage:
    """Text first, HTML as its alternative. The `To` header is built from parts, so nothing in it is decoded (M15)."""
    needs_utf8 = not letter.recipient.local_part.isascii()
    message = EmailMessage(policy=SMTPUTF8 if needs_utf8 else SMTP.clone(header_factory=_HEADERS))
    message["From"] = sender
    message["To"] = header_address(letter.recipient)
    if letter.reply_to is not None:
        message["Reply-To"] = header_address(letter.reply_to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.written_at)
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    if letter.logo is not None:
        kind, _, subtype = letter.logo.media_type.partition("/")
        html = message.get_body(("html",))
        assert html is not None  # noqa: S101 - added above
        html.add_related(letter.logo.content, kind, subtype, cid=f"<{letter.logo.content_id}>", disposition="inline")
    # Last: making a message of several parts moves headers named Content-… into the first of them.
    for name, value in own_headers(letter).items():
        message[name] = value
    return message


def page_of(message: EmailMessage) -> str:
    """Its HTML with the pictures that travel along put into it: mail programs know `cid:`, browsers do not."""
    html = message.get_body(("html",))
    page = str(html.get_content()).replace("\r\n", "\n") if html else ""
    for part in message.walk():
        if content_id := str(part["Content-ID"] or "").strip("<>"):
            picture = b64encode(part.get_content()).decode()
            page = page.replace(f'"cid:{content_id}"', f'"data:{part.get_content_type()};base64,{picture}"')
    return page


def header_address(email: EmailAddress) -> Address:
    """An address for a header, made of its parts."""
    return Address(username=email.local_part, domain=email.domain)
