"""GET /metrics: for who holds the token, or may reach a private address. For others there is no such path."""

import hashlib
import hmac

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from application.ports.monitoring import Metrics
from entrypoints.http.problems import plain_problem

PATH = "/metrics"


class MetricsGate:
    """An ASGI application around another, which answers whatever is not a scrape: without the token `/metrics` is as
    unknown as any other path, to the byte."""

    def __init__(self, app: ASGIApp, metrics: Metrics, token: str | None) -> None:
        self._app = app
        self._metrics = metrics
        self._digest = _digest(token.encode()) if token is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not self._is_scrape(scope):
            await self._app(scope, receive, send)
            return
        scope["path_template"] = PATH
        page = await self._metrics.page()
        headers = [
            (b"content-type", self._metrics.content_type.encode()),
            (b"content-length", str(len(page)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(
            {
                "type": "http.response.body",
                "body": page if scope["method"] == "GET" else b"",
                "more_body": False,
            }
        )

    def _is_scrape(self, scope: HTTPScope) -> bool:
        if scope["path"] != PATH or scope["method"] not in ("GET", "HEAD"):
            return False
        if self._digest is None:
            return True
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, token = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
        # Digests are of one length, so the comparison takes one time.
        return hmac.compare_digest(_digest(token), self._digest) and scheme.lower() == b"bearer"


async def nothing_else(scope: Scope, _receive: Receive, send: Send) -> None:
    """The application of a listener that serves metrics alone."""
    if scope["type"] != ScopeType.HTTP:
        return
    status, headers, body = plain_problem("not_found")
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body, "more_body": False})


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
