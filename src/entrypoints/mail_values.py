"""How the text of a variable about mail becomes a value. Each parser raises ValueError with what it expected."""

import re
import ssl
from email.headerregistry import Address
from pathlib import Path

from domain.email_address import EmailAddress
from entrypoints.setting_values import existing_file


def sender(text: str) -> Address | None:
    """`Name <address>` or a bare address."""
    if not text:
        return None
    match = re.fullmatch(r'\s*(?:"?(?P<name>[^"<>]*?)"?\s*<(?P<inner>[^<>]+)>|(?P<bare>[^<>]+))\s*', text)
    if match is None or not text.isprintable():
        raise ValueError("expected an address such as Ostiary <no-reply@example.com>")
    address = EmailAddress.parse(match["inner"] or match["bare"])
    return Address(display_name=match["name"] or "", username=address.local_part, domain=address.domain)


def api_key(text: str) -> str | None:
    """A key that a mail system gave out; none when empty."""
    if not re.fullmatch(r"[!-~]*", text):
        raise ValueError("expected a key: printable ASCII without spaces")
    return text or None


def stream(text: str) -> str:
    """The id of one of Postmark's message streams."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,29}", text, re.ASCII):
        raise ValueError("expected the id of a message stream, such as outbound")
    return text


def authorities(text: str) -> Path | None:
    """A file of certificates in PEM; none when empty."""
    if (file := existing_file(text)) is None:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        raise ValueError("expected certificates in PEM") from None
    except OSError:
        raise ValueError("cannot be read") from None
    return file
