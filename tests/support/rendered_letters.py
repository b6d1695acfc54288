"""Letters as senders get them."""

from base64 import b64decode
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Any
from uuid import UUID, uuid4

from domain.email_address import EmailAddress
from domain.letters import InlineImage, RenderedLetter

SENDER = Address("Ostiary", "no-reply", "ostiary.example")
ADA = EmailAddress("ada@example.com")
TOKEN = "token-canary-9z8y7x6w"
WRITTEN_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LOGO = InlineImage(
    content_id="logo",
    media_type="image/png",
    content=b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    ),
)


def a_letter(recipient: EmailAddress = ADA, *, letter_id: UUID | None = None, **fields: Any) -> RenderedLetter:
    """One with a link, and with what mail has trouble with: dots alone, letters beyond ASCII, long lines."""
    link = f"https://app.example/auth/verify?token={TOKEN}&email=ada%40example.com"
    defaults: dict[str, Any] = {
        "message_id": f"<{letter_id or uuid4()}@ostiary.example>",
        "recipient": recipient,
        "subject": "Confirm your e-mail address – ünïcødé",
        "text": f"Confirm.\n\n{link}\n\n.\n..dots 🦊\n{'long ' * 300}\n",
        "html": f'<p>Confirm &amp; enjoy: ünïcødé</p><p><a href="{link}">{"long " * 300}</a></p>\n',
        "written_at": WRITTEN_AT,
    }
    return RenderedLetter(**(defaults | fields))
