"""A range API of breached passwords on loopback that behaves, or misbehaves, as told."""

import asyncio
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha1


class Answer(StrEnum):
    """What it does when it is asked."""

    RANGE = "range"
    NOTHING = "nothing"
    HALF = "half"
    CLOSED = "closed"
    FAULT = "fault"
    REDIRECT = "redirect"
    ENDLESS = "endless"
    GARBAGE = "garbage"
    EMPTY = "empty"
    COMPRESSED = "compressed"


def digest_of(password: str) -> str:
    """SHA-1 in hexadecimal digits."""
    return sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@dataclass
class Breaches:
    """What it knows and does. `asked` are the request heads, whole; `connections` counts who came."""

    known: dict[str, int]
    """Breached passwords with how often they were seen; 0 is padding."""
    answer: Answer = Answer.RANGE
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.asked.append(head)
                if self.answer is Answer.CLOSED:
                    return
                await self._respond(head, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _respond(self, head: str, writer: asyncio.StreamWriter) -> None:
        status, more, body = "200 OK", "", self._range(head)
        match self.answer:
            case Answer.NOTHING:
                await self.over.wait()
            case Answer.FAULT:
                status = "500 Internal Server Error"
            case Answer.REDIRECT:
                status, more = "302 Found", f"location: {self.url}/elsewhere\r\n"
            case Answer.GARBAGE:
                body = b"<html>" + body
            case Answer.EMPTY:
                body = b""
            case Answer.COMPRESSED:
                more = "content-encoding: br\r\n"
                body = b"\x1b\x03\x00" + body
            case Answer.ENDLESS:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    writer.write(body * 100)
                    await writer.drain()
        length = len(body) + (1 if self.answer is Answer.HALF else 0)
        writer.write(f"HTTP/1.1 {status}\r\n{more}content-length: {length}\r\n\r\n".encode() + body)
        await writer.drain()
        if self.answer is Answer.HALF:
            await self.over.wait()

    def _range(self, head: str) -> bytes:
        """What the real one answers, padding included, to whoever asks as it wants to be asked."""
        asked = re.match(r"GET /range/([0-9A-F]{5}) HTTP/1\.1\r\n", head)
        assert asked, head
        assert "\r\nadd-padding: true\r\n" in head.lower()
        mine = {digest_of(password): times for password, times in self.known.items()}
        lines = [f"{digest[5:]}:{times}" for digest, times in mine.items() if digest.startswith(asked[1])]
        return "\r\n".join([f"{'0' * 34}1:3", *lines, f"{'F' * 34}0:0"]).encode()


@contextmanager
def run_breaches(known: dict[str, int], tls: ssl.SSLContext | None = None) -> Iterator[Breaches]:
    """The double at a free port, until the block ends; whoever asks it has to be gone by then."""
    breaches = Breaches(known)
    started = threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(breaches.serve, "127.0.0.1", 0, ssl=tls)
        breaches.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/range"
        started.set()
        await breaches.over.wait()
        server.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=5)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(10)
    try:
        yield breaches
    finally:
        loop.call_soon_threadsafe(breaches.over.set)
        thread.join(10)
        loop.close()
