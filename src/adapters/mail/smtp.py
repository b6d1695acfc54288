"""SMTP by aiosmtplib: encrypted and verified, or not at all (ASVS 12.3.1); every step has a deadline."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address
from enum import StrEnum

import aiosmtplib

from adapters.mail.message import compose_message
from application.ports.letters import MailDelayed, MailRefused
from domain.letters import RenderedLetter

_OPERATORS_TO_MEND = {530, 534, 535, 538}
"""A log-in is missing or too weak (RFC 4954 section 6)."""


class Encryption(StrEnum):
    """How the connection is secured. `NONE` is for a server on this very machine."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where and how to connect. `seconds` is the deadline of each step; `ca_file` adds a private authority."""

    host: str
    port: int
    encryption: Encryption
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    seconds: float = 10.0
    ca_file: str | None = None


class SmtpSender:
    """`application.ports.letters.MailSender`."""

    def __init__(self, server: SmtpServer, sender: Address) -> None:
        self._server = server
        self._sender = sender
        self._tls = ssl.create_default_context(cafile=server.ca_file)

    async def send(self, letter: RenderedLetter) -> None:
        with _verdicts():
            async with self._connection() as client:
                # The envelope says who receives it; headers are for reading (M15).
                await client.send_message(
                    compose_message(letter, self._sender),
                    sender=self._sender.addr_spec,
                    recipients=[letter.recipient.canonical],
                )

    async def check(self) -> None:
        """Connect, encrypt, log in and name the sender, and take it back: no letter is sent. Raises as `send`."""
        with _verdicts():
            async with self._connection() as client:
                await client.mail(self._sender.addr_spec)
                await client.rset()

    def _connection(self) -> aiosmtplib.SMTP:
        server = self._server
        encrypted = server.encryption is not Encryption.NONE
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            timeout=server.seconds,
            use_tls=server.encryption is Encryption.TLS,
            # True, not "if offered": a server that hides STARTTLS gets no letter (no silent downgrade).
            start_tls=server.encryption is Encryption.STARTTLS,
            tls_context=self._tls if encrypted else None,
        )


@contextmanager
def _verdicts() -> Iterator[None]:
    """What went wrong, as the port says it."""
    try:
        yield
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _verdict(error.recipients[0].code, "recipient") from error
    except aiosmtplib.SMTPNotSupported as error:
        raise MailRefused("the mail server cannot take this address") from error
    except (
        aiosmtplib.SMTPConnectResponseError,
        aiosmtplib.SMTPHeloError,
        aiosmtplib.SMTPAuthenticationError,
        aiosmtplib.SMTPSenderRefused,
    ) as error:
        # The server's state or the operator's settings, not this letter: it waits until that is mended.
        raise MailDelayed(f"{type(error).__name__} ({error.code})") from error
    except aiosmtplib.SMTPResponseException as error:
        raise _verdict(error.code, "message") from error
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise MailDelayed(type(error).__name__) from error


def _verdict(code: int, what: str) -> MailRefused | MailDelayed:
    """5xx is for good, everything else for now (RFC 5321 section 4.2.1). The server's words stay out: they quote."""
    for_good = 500 <= code < 600 and code not in _OPERATORS_TO_MEND
    return MailRefused(f"{what} refused ({code})") if for_good else MailDelayed(f"{what} delayed ({code})")
