"""SMTP by aiosmtplib: encrypted and verified, or not at all (ASVS 12.3.1); each step has a deadline, and so has all."""

import asyncio
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
from adapters.mail.smtp_answers import SEE_LOG_IN, SmtpAnswer, verdict
from adapters.mail.smtp_connections import Connection, IdleConnections, leave
from adapters.mail.smtp_network import SEE_TLS, no_connection
from adapters.mail.smtp_steps import begin_data, finish_data, greet
from application.ports.letters import MailDelayed, MailRefused
from domain.letters import SENDING_TIME, RenderedLetter


class Encryption(StrEnum):
    """How the connection is secured. `NONE` is for a server on this very machine."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where and how to connect. `ca_file` adds a private authority.

    `seconds` are for each step, `before_letter` for all of them until the server wants the letter, `in_all` with its
    answer to it. For that one `seconds` do not count: who takes a letter slowly would get it again and again.
    """

    host: str
    port: int
    encryption: Encryption
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    seconds: float = 10.0
    before_letter: float = 30.0
    in_all: float = SENDING_TIME.total_seconds() - 3
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
        ends = asyncio.get_running_loop().time() + self._server.in_all
        async with self._deadline():
            connection = await self._announced(letter, len(content), utf8)
            async with _given_up_on_trouble(connection.client):
                with _verdicts("message"):
                    await begin_data(connection.client)
        async with _given_up_on_trouble(connection.client):
            with _verdicts("message", f"no answer to the letter within {self._server.in_all:g} s in all"):
                await finish_data(connection.client, content, ends - asyncio.get_running_loop().time())
        await self._idle.keep(connection)

    async def check(self) -> None:
        """Connect, encrypt, log in and name the sender, and take it back: no letter is sent. Raises as `send`."""
        async with self._deadline():
            client = await self._connect()
            async with _given_up_on_trouble(client):
                with _verdicts("sender"):
                    await client.mail(self._sender.addr_spec)
                    await client.rset()
        await leave(client)

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        seconds = self._server.before_letter
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise MailDelayed(f"the mail server took more than {seconds:g} s in all before the letter") from None

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
            except _NoAnswer:
                raise  # another connection would be waited for as well
            except MailDelayed as delayed:
                raise _OutOfUse(delayed) from None
            try:
                with _verdicts("recipient"):
                    await client.rcpt(letter.recipient.canonical, encoding=encoding)
            except _NoAnswer:
                raise
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
            # A name that exists, in ASCII: machines call themselves `localhost`, which servers turn away.
            local_hostname=self._sender.domain,
            tls_context=self._tls if encrypted else None,
        )
        async with _given_up_on_trouble(client):
            with _delays("connection"):
                await client.connect()
            if server.encryption is Encryption.STARTTLS:
                # Not "if offered": a server that hides STARTTLS gets no letter (no silent downgrade).
                with _delays("STARTTLS", SEE_TLS):
                    await client.starttls()
            with _delays("greeting"):
                await greet(client)
            if server.username is not None:
                if not client.supports_extension("auth"):
                    raise MailDelayed(f"the mail server offers no log-in: {SEE_LOG_IN}, or OSTIARY_SMTP_ENCRYPTION")
                if not client.supported_auth_methods:
                    raise MailDelayed("the mail server offers no log-in by password: see SMTP_HOST")
                with _delays("log-in", SEE_LOG_IN):
                    await client.login(server.username, server.password or "")
        return client


class _NoAnswer(MailDelayed):
    """The server fell silent."""


class _OutOfUse(Exception):
    """A connection took no letter, and another one may; `verdict` if none does."""

    def __init__(self, verdict: MailDelayed) -> None:
        super().__init__(str(verdict))
        self.verdict = verdict


@asynccontextmanager
async def _given_up_on_trouble(client: aiosmtplib.SMTP) -> AsyncIterator[None]:
    """A connection on which something went wrong carries no other letter."""
    try:
        yield
    except _NoAnswer:
        client.close()  # no good-bye either would be heard
        raise
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
        raise MailDelayed(f"{SmtpAnswer(error.code).told(what)}{hint}") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise no_connection(error, what, hint) from None


@contextmanager
def _verdicts(what: str, silence: str = "") -> Iterator[None]:
    """What the server says to sender, recipient or message. Its words stay out: they quote. `silence` says that there
    was no answer."""
    try:
        yield
    except aiosmtplib.SMTPResponseException as error:
        raise verdict(SmtpAnswer.read(error.code, error.message), what) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        trouble = no_connection(error, "connection", "")
        raise (_NoAnswer(silence or str(trouble)) if isinstance(error, TimeoutError) else trouble) from None
