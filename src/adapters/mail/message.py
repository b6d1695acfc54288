"""A rendered letter as an e-mail message (RFC 5322, RFC 2045)."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from domain.letters import RenderedLetter


def compose_message(letter: RenderedLetter, sender: Address) -> EmailMessage:
    """Text first, HTML as its alternative. The `To` header is built from parts, so nothing in it is decoded (M15)."""
    recipient = letter.recipient
    needs_utf8 = not recipient.local_part.isascii()
    message = EmailMessage(policy=SMTPUTF8 if needs_utf8 else SMTP)
    message["From"] = sender
    message["To"] = Address(username=recipient.local_part, domain=recipient.domain)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation replies, please
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message
