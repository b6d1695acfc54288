"""Connections to a mail server that are kept between letters, because greeting, TLS and log-in take longer than one."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import aiosmtplib

_MOST_IDLE = 8
"""As many as there are letters in hand at a time."""

_IDLE_SECONDS = 30.0
"""Well below the five minutes after which a server may hang up (RFC 5321 section 4.5.3.2.7), and most do earlier."""

_MOST_LETTERS = 50
"""Servers commonly take a hundred in one session."""

_GOOD_BYE_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Connection:
    """A connection and the letters it has carried."""

    client: aiosmtplib.SMTP
    letters: int = 0


@dataclass(slots=True)
class IdleConnections:
    """Those that wait for a letter. None is kept before it is opened or after it is closed."""

    _open: bool = False
    _idle: dict[Connection, asyncio.Task[None]] = field(default_factory=dict)
    _leaving: set[asyncio.Task[None]] = field(default_factory=set)

    def open(self) -> None:
        """From now on connections are kept."""
        self._open = True

    def take(self) -> Connection | None:
        """The one used last that is still connected, as far as we know; it is nobody else's now."""
        while self._idle:
            connection, rest = self._idle.popitem()
            rest.cancel()
            if connection.client.is_connected:
                return connection
            connection.client.close()
        return None

    async def keep(self, connection: Connection) -> None:
        """After a letter: for the next one, or to its end."""
        connection.letters += 1
        if not self._open or len(self._idle) >= _MOST_IDLE or connection.letters >= _MOST_LETTERS:
            await leave(connection.client)
            return
        rest = asyncio.create_task(self._rest(connection))
        self._leaving.add(rest)
        rest.add_done_callback(self._leaving.discard)
        self._idle[connection] = rest

    async def _rest(self, connection: Connection) -> None:
        await asyncio.sleep(_IDLE_SECONDS)
        del self._idle[connection]
        await leave(connection.client)

    async def close(self) -> None:
        """Take leave of all of them."""
        self._open = False
        while connection := self.take():
            await leave(connection.client)
        await asyncio.gather(*self._leaving, return_exceptions=True)


async def leave(client: aiosmtplib.SMTP) -> None:
    """Say good-bye, and hang up whatever the server says to it."""
    try:
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=_GOOD_BYE_SECONDS)
    finally:
        client.close()
