"""Mail servers on loopback that behave, or misbehave, as told."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Received:
    """A letter as it arrived."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    options: tuple[str, ...]
    encrypted: bool


@dataclass
class Behaviour:
    """What the server answers; None is its ordinary answer. `drop_after` closes the connection at that command."""

    at_mail: str | None = None
    at_recipient: str | None = None
    at_data: str | None = None
    drop_after: str | None = None
    password: str | None = None
    """With a password, log-in as `ostiary` is required."""
    received: list[Received] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    """The names that callers gave themselves."""

    # What aiosmtpd calls.

    async def handle_EHLO(  # noqa: N802
        self, _server: Any, session: Session, _envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        self.greetings.append(name)
        session.host_name = name
        return answers

    async def handle_MAIL(  # noqa: N802
        self, server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append("MAIL")
        if self.at_mail:
            return self.at_mail
        envelope.mail_from, envelope.mail_options = address, options
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.commands.append("RCPT")
        if self.drop_after == "RCPT":
            server.transport.close()
        if self.at_recipient:
            return self.at_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.commands.append("DATA")
        if self.drop_after == "DATA":
            server.transport.close()
            return "250 OK"
        if self.at_data:
            return self.at_data
        assert isinstance(envelope.content, bytes)
        self.received.append(
            Received(
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                content=envelope.content,
                options=tuple(envelope.mail_options),
                encrypted=session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None,
            )
        )
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Judge a log-in."""
        self.commands.append("AUTH")
        wanted = LoginPassword(b"ostiary", (self.password or "").encode())
        return AuthResult(success=data == wanted, handled=False)


class _AnyPort(Controller):
    """On a port that the system picks, because a guessed one may be taken; or where a server was before."""

    def __init__(self, handler: Behaviour, port: int, **options: Any) -> None:
        super().__init__(handler, hostname=HOST, port=port, **options)

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd has no types


@contextmanager
def mail_server(
    behaviour: Behaviour, *, tls: Any = None, implicit: bool = False, utf8: bool = True, port: int = 0, **options: Any
) -> Iterator[int]:
    """A server that runs while the block does; its port."""
    if behaviour.password is not None:
        options |= {"authenticator": behaviour.authenticate, "auth_required": True}
        options |= {"auth_require_tls": False} if implicit or tls is None else {}
    if tls is not None and not implicit:
        options |= {"tls_context": tls}
    controller = _AnyPort(behaviour, port, ssl_context=tls if implicit else None, enable_SMTPUTF8=utf8, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        # A connection that was dropped is let go of in the loop's next round, which has to come.
        for _ in range(2):
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), controller.loop).result(timeout=10)
        controller.stop(no_assert=True)


@contextmanager
def scripted_server(*answers: bytes | None) -> Iterator[int]:
    """A server that says these lines, one for the greeting and one for each line it hears; None: it falls silent."""
    listening = socket.create_server((HOST, 0))
    done = threading.Event()
    accepted: list[socket.socket] = []

    def serve() -> None:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        accepted.append(connection)
        with connection, connection.makefile("rb") as heard:
            connection.settimeout(10)
            for answer in answers:
                if answer is None:
                    done.wait(10)
                    return
                try:
                    connection.sendall(answer)
                    if not heard.readline():
                        return
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        done.set()
        for each in (listening, *accepted):
            with suppress(OSError):  # its thread may have closed it already
                each.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
