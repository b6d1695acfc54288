"""An HTTP server on loopback that keeps what is posted to it and answers as told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Posted:
    """One request."""

    path: str
    headers: dict[str, str]
    """By their names in small letters."""
    body: Any


@dataclass
class PostOffice:
    """Where it is, what came, and what is answered: the same to everybody."""

    url: str = ""
    posted: list[Posted] = field(default_factory=list)
    status: int = 202
    answer: dict[str, object] = field(default_factory=dict)


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """Open until the block ends."""
    office = PostOffice()

    class Counter(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            office.posted.append(Posted(self.path, headers, json.loads(content)))
            self._respond()

        def do_GET(self) -> None:
            self._respond()

        def _respond(self) -> None:
            content = json.dumps(office.answer).encode()
            self.send_response(office.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Counter) as server:
        server.daemon_threads = True
        office.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=lambda: server.serve_forever(0.01))
        thread.start()
        try:
            yield office
        finally:
            server.shutdown()
            thread.join()
