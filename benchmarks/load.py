"""A load generator that costs little itself: prepared requests over kept connections, each sent when its predecessor
is answered."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast


@dataclass
class Load:
    """What a load came to. Latencies are in seconds, of the answers that came."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    """Requests whose connection ended without an answer."""

    @property
    def per_second(self) -> float:
        """Answers of success."""
        return sum(count for status, count in self.statuses.items() if status < 400) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds within which that share of the answers came."""
        return sorted(self.latencies)[min(int(len(self.latencies) * share), len(self.latencies) - 1)] * 1000


def request(method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def run(port: int, clients: int, seconds: float, next_request: Callable[[], bytes]) -> Load:
    """Keep `clients` connections busy for a time; requests in hand at its end are still answered and counted."""
    load = Load()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    until = started + seconds
    ended = [loop.create_future() for _ in range(clients)]
    for future in ended:
        await loop.create_connection(lambda f=future: _Client(load, next_request, until, f), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.wait(ended)
    load.seconds = time.perf_counter() - started
    return load


class _Client(asyncio.Protocol):
    def __init__(
        self, load: Load, next_request: Callable[[], bytes], until: float, ended: "asyncio.Future[None]"
    ) -> None:
        self._load = load
        self._next = next_request
        self._until = until
        self._ended = ended
        self._seen = b""
        self._missing = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._seen, self._missing = b"", -1
        self._sent = time.perf_counter()
        self._transport.write(self._next())

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if self._missing < 0:
            end = self._seen.find(b"\r\n\r\n")
            if end < 0:
                return
            self._missing = end + 4 + _length(self._seen[:end].lower())
        if len(self._seen) < self._missing:
            return
        now = time.perf_counter()
        self._load.latencies.append(now - self._sent)
        self._load.statuses[int(self._seen[9:12])] += 1
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._transport.is_closing() or exc is not None:
            self._load.lost += 1
        if not self._ended.done():
            self._ended.set_result(None)


def _length(head: bytes) -> int:
    at = head.find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
