"""A real SMTP server on loopback that keeps what it is given."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.http_requests import free_port
from tests.support.server import token_of, wait_for


class MailServer:
    """What arrived, oldest first: the message, the envelope's recipients, and the bytes."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received: list[tuple[EmailMessage, list[str], bytes]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self.received.append((message_from_bytes(content, policy=policy.default), envelope.rcpt_tos, content))
        return "250 OK"

    @property
    def variables(self) -> dict[str, str]:
        """The settings that make Ostiary use this server."""
        return {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self.port),
            "EMAIL_FROM": "Ostiary <no-reply@example.com>",
        }

    def letters(self, address: str, *, at_least: int = 1) -> list[EmailMessage]:
        """The letters whose envelope names an address, oldest first, once there are so many."""

        def look() -> list[EmailMessage] | None:
            found = [message for message, recipients, _ in list(self.received) if recipients == [address]]
            return found if len(found) >= at_least else None

        found: list[EmailMessage] = wait_for(look, f"{at_least} letters to {address}")
        return found

    def token(self, address: str, *, at_least: int = 1) -> str:
        """The token in the newest letter to an address."""
        return token_in(self.letters(address, at_least=at_least)[-1])


class SlowMailServer(MailServer):
    """Takes its time over each letter, until it is told to go on."""

    def __init__(self) -> None:
        super().__init__(free_port())
        self.reading, self.may_answer = threading.Event(), threading.Event()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.reading.set()
        await asyncio.to_thread(self.may_answer.wait, 20)
        return await super().handle_DATA(server, session, envelope)


def link_in(message: EmailMessage) -> str:
    """The link in a letter's plain text."""
    text = message.get_body(("plain",))
    assert text is not None
    return next(word for word in str(text.get_content()).split() if "?token=" in word)


def token_in(message: EmailMessage) -> str:
    """The token in a letter's link."""
    return token_of(link_in(message))


@contextmanager
def run_mail_server(mail: MailServer | None = None) -> Iterator[MailServer]:
    """A mail server until the block ends; an earlier one starts again with what it has."""
    mail = mail or MailServer(free_port())
    controller = Controller(mail, hostname="127.0.0.1", port=mail.port)
    controller.start()
    try:
        yield mail
    finally:
        controller.stop(no_assert=True)
