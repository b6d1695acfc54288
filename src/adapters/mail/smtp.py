"""SMTP by aiosmtplib: encrypted and verified, or not at all (ASVS 12.3.1); every step has a deadline."""

import errno
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.policy import SMTP, SMTPUTF8
from enum import StrEnum
from types import TracebackType
from typing import Self

import aiosmtplib

from adapters.mail.message import NotCarried, compose_message
from adapters.mail.smtp_connections import Connection, IdleConnections, leave
from application.ports.letters import MailDelayed, MailRefused
from domain.letters import RenderedLetter

_LOG_IN_MISSING = {530, 534, 535, 538}
"""A log-in is missing or too weak (RFC 4954 section 6): the operator's to mend."""

_NETWORK = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ETIMEDOUT: "timed out",
    errno.EHOSTUNREACH: "host not reachable",
    errno.ENETUNREACH: "network not reachable",
    errno.EADDRNOTAVAIL: "network not reachable",
    errno.EACCES: "not permitted",
    errno.EPERM: "not permitted",
}
"""What the operating system says of a connection, in our words."""

_SEE_SERVER = "see SMTP_HOST and SMTP_PORT"
_SEE_LOG_IN = "see SMTP_USER and SMTP_PASS"
_SEE_TLS = "see SMTP_PORT and OSTIARY_SMTP_ENCRYPTION"
_SEE_CERTIFICATE = "see SMTP_HOST and OSTIARY_SMTP_CA_FILE"


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
    """`application.ports.letters.MailSender`.

    Connections are kept between entering and leaving it, each for 50 letters at most and for half a minute without one;
    who does not enter it has a connection for each letter. One that the server has closed meanwhile is replaced, once
    and only before the letter itself is sent: from then on it may have been taken, and another try is the caller's.
    """

    def __init__(self, server: SmtpServer, sender: Address) -> None:
        self._server = server
        self._sender = sender
        self._tls = ssl.create_default_context(cafile=server.ca_file)
        self._idle = IdleConnections()

    async def __aenter__(self) -> Self:
        self._idle.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._idle.close()

    async def send(self, letter: RenderedLetter) -> None:
        utf8 = not (letter.recipient.canonical + self._sender.addr_spec).isascii()
        content = compose_message(letter, self._sender).as_bytes(policy=SMTPUTF8 if utf8 else SMTP)
        connection = await self._announced(letter, len(content), utf8)
        async with _given_up_on_trouble(connection.client):
            with _verdicts("message"):
                await connection.client.data(content)
        await self._idle.keep(connection)

    async def check(self) -> None:
        """Connect, encrypt, log in and name the sender, and take it back: no letter is sent. Raises as `send`."""
        client = await self._connect()
        async with _given_up_on_trouble(client):
            with _verdicts("sender"):
                await client.mail(self._sender.addr_spec)
                await client.rset()
        await leave(client)

    async def _announced(self, letter: RenderedLetter, size: int, utf8: bool) -> Connection:
        """A connection whose server has agreed to sender and recipient."""
        kept = self._idle.take()
        if kept is not None:
            try:
                await self._announce(kept.client, letter, size, utf8)
            except _OutOfUse:
                kept.client.close()
            else:
                return kept
        fresh = Connection(await self._connect())
        try:
            await self._announce(fresh.client, letter, size, utf8)
        except _OutOfUse as trouble:
            raise trouble.verdict from None
        return fresh

    async def _announce(self, client: aiosmtplib.SMTP, letter: RenderedLetter, size: int, utf8: bool) -> None:
        """The envelope says who receives it; headers are for reading (M15). Raises `_OutOfUse` where the connection may
        be to blame."""
        options = [f"SIZE={size}"] if client.supports_extension("size") else []
        options += ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
        encoding = "utf-8" if utf8 else "ascii"
        async with _given_up_on_trouble(client):
            if utf8 and not client.supports_extension("smtputf8"):
                raise NotCarried("the mail server cannot take this address")
            try:
                with _verdicts("sender"):
                    await client.mail(self._sender.addr_spec, options=options, encoding=encoding)
            except MailDelayed as delayed:
                raise _OutOfUse(delayed) from None
            try:
                with _verdicts("recipient"):
                    await client.rcpt(letter.recipient.canonical, encoding=encoding)
            except MailDelayed as delayed:
                if client.is_connected:
                    raise
                raise _OutOfUse(delayed) from None

    async def _connect(self) -> aiosmtplib.SMTP:
        """Connected, encrypted and logged in. Whatever fails is the server's state or the operator's settings."""
        server = self._server
        encrypted = server.encryption is not Encryption.NONE
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.seconds,
            use_tls=server.encryption is Encryption.TLS,
            start_tls=False,
            tls_context=self._tls if encrypted else None,
        )
        async with _given_up_on_trouble(client):
            with _delays("connection"):
                await client.connect()
            if server.encryption is Encryption.STARTTLS:
                # Not "if offered": a server that hides STARTTLS gets no letter (no silent downgrade).
                with _delays("STARTTLS", _SEE_TLS):
                    await client.starttls()
            with _delays("greeting"):
                await _greet(client)
            if server.username is not None:
                if not client.supports_extension("auth"):
                    raise MailDelayed(f"the mail server offers no log-in: {_SEE_LOG_IN}, or OSTIARY_SMTP_ENCRYPTION")
                with _delays("log-in", _SEE_LOG_IN):
                    await client.login(server.username, server.password or "")
        return client


class _OutOfUse(Exception):
    """A connection took no letter, and another one may; `verdict` if none does."""

    def __init__(self, verdict: MailDelayed) -> None:
        super().__init__(str(verdict))
        self.verdict = verdict


async def _greet(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()


@asynccontextmanager
async def _given_up_on_trouble(client: aiosmtplib.SMTP) -> AsyncIterator[None]:
    """A connection on which something went wrong carries no other letter."""
    try:
        yield
    except (MailRefused, MailDelayed, _OutOfUse):
        await leave(client)
        raise
    except BaseException:
        client.close()
        raise


@contextmanager
def _delays(what: str, see: str = "") -> Iterator[None]:
    """Nothing that goes wrong here is a verdict on the letter."""
    hint = f": {see}" if see else ""
    try:
        yield
    except aiosmtplib.SMTPResponseException as error:
        raise MailDelayed(f"{what} {_refused_or_delayed(error.code)}{hint}") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _no_connection(error, what, hint) from None


@contextmanager
def _verdicts(what: str) -> Iterator[None]:
    """What the server says to sender, recipient or message. Its words stay out: they quote."""
    try:
        yield
    except aiosmtplib.SMTPSenderRefused as error:
        missing = error.code in _LOG_IN_MISSING
        see = f"log-in required ({error.code}): {_SEE_LOG_IN}" if missing else ""
        raise MailDelayed(see or f"{what} {_refused_or_delayed(error.code)}: see EMAIL_FROM") from None
    except aiosmtplib.SMTPResponseException as error:
        # 5xx is for good, everything else for now (RFC 5321 section 4.2.1).
        for_good = 500 <= error.code < 600 and error.code not in _LOG_IN_MISSING
        kind = MailRefused if for_good else MailDelayed
        raise kind(f"{what} {_refused_or_delayed(error.code)}") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _no_connection(error, "connection", "") from None


def _refused_or_delayed(code: int) -> str:
    if code < 200:
        return "answered with what is no SMTP"
    return f"refused ({code})" if 500 <= code < 600 else f"delayed ({code})"


def _no_connection(error: Exception, what: str, hint: str) -> MailDelayed:
    for cause in (error, error.__cause__, error.__context__):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return MailDelayed(f"the mail server's certificate is not vouched for: {_SEE_CERTIFICATE}")
        if isinstance(cause, ssl.SSLError):
            return MailDelayed(f"no encrypted connection: {_SEE_TLS}")
    if isinstance(error, aiosmtplib.SMTPConnectError):
        return MailDelayed(f"no connection ({_in_a_word(error)}): {_SEE_SERVER}")
    if isinstance(error, TimeoutError):
        return MailDelayed(f"no answer in time ({what})")
    return MailDelayed(f"connection lost ({what})" if isinstance(error, OSError) else f"{what} not possible{hint}")


def _in_a_word(error: aiosmtplib.SMTPConnectError) -> str:
    """Why nobody was reached. A host with several addresses fails once for each, told in one text: the first counts."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error.__cause__, socket.gaierror):
        return "name not found"
    number = re.search(r"\[Errno (\d+)\]", str(error.__cause__))
    return _NETWORK.get(int(number[1]), "failed") if number else "hung up"
