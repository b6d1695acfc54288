"""A transaction pooler in miniature: many clients, one connection to the server, lent for a transaction at a time."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

_SSL_REQUEST = 80877103


@dataclass
class _Pooler:
    socket: str
    """Where the server is."""
    lent: asyncio.Lock = field(default_factory=asyncio.Lock)
    server: asyncio.StreamWriter | None = None
    answers: "asyncio.Task[None] | None" = None
    welcome: bytes = b""
    borrower: asyncio.StreamWriter | None = None
    states: "asyncio.Queue[bytes]" = field(default_factory=asyncio.Queue)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its first word to its last."""
        try:
            await self._greet(await self._startup(reader, writer), writer)
            while await self._transaction(reader, writer):
                pass
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def _startup(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        while True:
            head = await reader.readexactly(4)
            packet = head + await reader.readexactly(struct.unpack("!i", head)[0] - 4)
            if struct.unpack("!i", packet[4:8])[0] != _SSL_REQUEST:
                return packet
            writer.write(b"N")

    async def _greet(self, startup: bytes, writer: asyncio.StreamWriter) -> None:
        async with self.lent:
            if self.server is None:
                reader, self.server = await asyncio.open_unix_connection(self.socket)
                self.server.write(startup)
                self.answers = asyncio.create_task(self._pass_on(reader))
                await self.states.get()
        writer.write(self.welcome)

    async def _transaction(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Lend the connection until the server says that no transaction is open. False when the client says goodbye."""
        message = await _message(reader)
        if message[:1] == b"X":
            return False
        assert self.server is not None
        async with self.lent:
            self.borrower = writer
            while True:
                self.server.write(message)
                if message[:1] in (b"Q", b"S") and await self.states.get() == b"I":
                    return True
                message = await _message(reader)

    async def _pass_on(self, reader: asyncio.StreamReader) -> None:
        while True:
            message = await _message(reader)
            if self.borrower is None:
                self.welcome += message
            else:
                self.borrower.write(message)
            if message[:1] == b"Z":
                self.states.put_nowait(message[-1:])


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


@asynccontextmanager
async def transaction_pooler(url: str) -> AsyncIterator[str]:
    """A pooler in front of a server on a Unix socket, while the block runs; its URL."""
    parts = urlsplit(url)
    pooler = _Pooler(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432")
    server = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
    finally:
        server.close()
        if pooler.server is not None and pooler.answers is not None:
            pooler.answers.cancel()
            pooler.server.close()
        await server.wait_closed()
