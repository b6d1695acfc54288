"""One connection: uvicorn's, with a deadline at every moment and a limit to everything a client may send (M5)."""

import asyncio
from dataclasses import dataclass, field

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from entrypoints.http.problems import plain_problem

HEAD_BYTES = 32 * 1024
"""The longest request line and headers together."""

_BITE = 16 * 1024
"""Read at a time: a header that does not end is noticed after so much more than it may have."""

_REQUEST_BYTES = 1024 * 1024
"""Whatever a request sends, refused bodies and the framing of chunks included: who sends more is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds that a client has for each step."""

    head: float = 20.0
    """From connecting, or from the first byte, to the end of the headers; to the end of a body that was refused."""

    answer: float = 60.0
    """From the headers to the answer's being taken. A body's own deadline is shorter (`BODY_SECONDS`)."""

    idle: float = 65.0
    """Between two requests."""

    goodbye: float = 2.0
    """From a refusal of the connection itself to its end, so that the refusal can be read."""


@dataclass(frozen=True, slots=True)
class Connections:
    """All there are, and those of them that wait for their clients, in the order in which they began to."""

    all: "set[Connection]" = field(default_factory=set)
    waiting: "dict[Connection, None]" = field(default_factory=dict)


class Connection(HttpToolsProtocol):
    """Never without a deadline; keeps the book of connections."""

    def __init__(self, config: uvicorn.Config, state: ServerState, patience: Patience, book: Connections) -> None:
        super().__init__(config, state, app_state={})
        self._patience = patience
        self._book = book
        self._in_head = False
        self._head_size = 0
        self._request_size = 0
        self._leaving = False
        book.all.add(self)
        self._await_client(begun=False, seconds=patience.head)

    @property
    def answering(self) -> bool:
        """Whether a request is in hand."""
        return self.cycle is not None and not self.cycle.response_complete

    def overdue(self, now: float) -> bool:
        """Whether its deadline has passed."""
        return now >= self._deadline

    def cut(self) -> None:
        """End it, with whatever is still unsent."""
        self.leave()
        if self.transport is not None:
            self.transport.abort()

    def leave(self) -> None:
        """Be in the book no longer."""
        self._book.all.discard(self)
        self._book.waiting.pop(self, None)

    def prepare_to_close(self) -> None:
        """Announce the end in the answer to the request in hand, unless it is on its way."""
        if self.answering and not self.cycle.response_started:
            self.shutdown()

    def close_if_idle(self) -> None:
        """End it unless a request has begun."""
        if not self.begun and not self.answering:
            self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin, unless it has been cut meanwhile."""
        super().connection_made(transport)
        if self not in self._book.all:  # cut before it came in
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what a client sends, and no more of it than a request may have."""
        begins = not self.begun and not self.answering
        for start in range(0, len(data), _BITE):
            if self._leaving:
                return
            bite = data[start : start + _BITE]
            self._request_size += len(bite)
            super().data_received(bite)
            if self._in_head and self._request_size > HEAD_BYTES + _BITE:
                self._refuse("headers_too_large")
            elif self._request_size > _REQUEST_BYTES:
                self.cut()
                return
        if begins and not self.answering and not self._leaving:
            self._await_client(begun=True, seconds=self._patience.head)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True
        self._head_size = self._request_size = 0

    def on_headers_complete(self) -> None:
        """Start to answer, unless there is doubt about what is asked of whom."""
        self._in_head = False
        if self._request_size > HEAD_BYTES - _BITE:  # less cannot be too much
            self._head_size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if self._head_size > HEAD_BYTES:
                raise ValueError("the headers are too large")
        names = [name for name, _ in self.headers]
        # RFC 9112 section 3.2; the parser does not ask.
        if names.count(b"host") != 1 and (b"host" in names or self.parser.get_http_version() == "1.1"):
            raise ValueError("one Host is needed")
        # The parser takes a body behind `Upgrade` for another protocol, and then for the next request.
        if self.parser.should_upgrade() and {b"content-length", b"transfer-encoding"} & {*names}:
            raise ValueError("an upgrade has no body")
        super().on_headers_complete()
        self.headers = []  # what comes after the body (a trailer) is no header
        self._book.waiting.pop(self, None)
        self._set_deadline(self._patience.answer)

    def on_message_complete(self) -> None:
        """The end of a body."""
        refused = self.cycle.response_complete
        super().on_message_complete()
        if refused:  # and here is the end of the body that nobody wanted
            self.cycle.more_body = False
            self._await_client(begun=False, seconds=self._patience.idle)

    def on_response_complete(self) -> None:
        """Wait for the client again, or answer the next of several requests that came at once."""
        super().on_response_complete()
        if self.answering:  # the next of several that came at once
            self._set_deadline(self._patience.answer)
        elif self._in_head or self.cycle.more_body:
            self._await_client(begun=True, seconds=self._patience.head)
        else:
            self._await_client(begun=False, seconds=self._patience.idle)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse("headers_too_large" if self._head_size > HEAD_BYTES else "malformed_request")

    def _await_client(self, *, begun: bool, seconds: float) -> None:
        self.begun = begun
        self.waits_since = self.loop.time()
        self._deadline = self.waits_since + seconds
        self._book.waiting.pop(self, None)
        self._book.waiting[self] = None

    def _set_deadline(self, seconds: float) -> None:
        self._deadline = self.loop.time() + seconds

    def _refuse(self, code: str) -> None:
        """Say why, listen no more, and leave the other side the time to read it; unless an answer has been given or
        is due."""
        if self._leaving:
            return
        self._leaving = True
        if self.cycle is not None and self.cycle.more_body:  # it is the body that is broken
            if self.cycle.response_started or self.pipeline:
                self.cut()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif self.answering:
            self.cycle.keep_alive = False
            return
        status, headers, body = plain_problem(code)
        lines = [b"%s: %s\r\n" % header for header in [*self.server_state.default_headers, *headers]]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"connection: close\r\n\r\n", body]))
        self.transport.write_eof()
        self._set_deadline(self._patience.goodbye)
