"""The outer wall, around the whole application: who may change things, how long a body may take, what every answer
carries, and the last resort when all else fails."""

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from application.ports.monitoring import Metrics
from entrypoints.http.problems import EdgeRefusal, plain_problem
from entrypoints.setting_values import is_loopback

BODY_SECONDS = 10.0
"""A body that has not arrived by then will not (M5)."""

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_API_POLICY = b"default-src 'none'; frame-ancestors 'none'; sandbox"
_HSTS = b"max-age=31536000; includeSubDomains"

_log = structlog.get_logger("ostiary.http")


class Perimeter:
    """An ASGI application around another."""

    def __init__(
        self, app: ASGIApp, *, origins: frozenset[str], https: bool, loopback_only: bool, metrics: Metrics | None
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._origins = origins
        self._loopback_only = loopback_only
        self._headers = [
            (b"cache-control", b"no-store"),
            (b"content-security-policy", _API_POLICY),
            (b"referrer-policy", b"no-referrer"),
            (b"vary", b"Origin"),
            (b"x-content-type-options", b"nosniff"),
            *([(b"strict-transport-security", _HSTS)] if https else []),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.monotonic()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name.lower() for name, _ in message["headers"]}
                ours = [(name, value) for name, value in self._headers if name not in given]
                message["headers"] = [*message["headers"], *ours, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            changes = scope["method"] not in _SAFE_METHODS or _asks_to_change(scope)
            if not _names_one_host(scope):
                await _answer("malformed_request", send_with_headers)
            elif self._loopback_only and not _meant_for_loopback(scope):
                await _answer("not_found", send_with_headers)
            elif changes and not self._may_change(scope):
                await _answer("foreign_origin", send_with_headers)
            else:
                await self._app(scope, _with_deadline(receive), send_with_headers)
        except Exception as fault:
            _log.error("fault", exc_info=fault)
            if status:
                raise
            await _answer("server_error", send_with_headers)
        finally:
            seconds = time.monotonic() - started
            if self._metrics is not None:
                self._metrics.request(scope.get("path_template"), scope["method"], status, seconds)
            # The path without its query, which may carry what somebody should not have put there.
            _log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 1),
            )

    def _may_change(self, scope: HTTPScope) -> bool:
        """Whether the page that sent this may change things: its origin is listed, or no browser says otherwise."""
        origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        sites = [value for name, value in scope["headers"] if name == b"sec-fetch-site"]
        if origins:
            return len(origins) == 1 and origins[0] in self._origins
        return b"cross-site" not in sites


def _names_one_host(scope: HTTPScope) -> bool:
    """RFC 9112 section 3.2: whoever stands before us may have gone by another of two; only HTTP/1.0 may have none."""
    hosts = _hosts(scope)
    if not hosts:
        return scope["http_version"] == "1.0"
    try:
        return len(hosts) == 1 and urlsplit(f"//{hosts[0]}").port != 0
    except ValueError:  # what is no host, or no port
        return False


def _meant_for_loopback(scope: HTTPScope) -> bool:
    """On a developer's machine no page of another host may read the dev inbox through a name that leads here."""
    return all(is_loopback(urlsplit(f"//{host}").hostname or "") for host in _hosts(scope))


def _hosts(scope: HTTPScope) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]


def _asks_to_change(scope: HTTPScope) -> bool:
    """A browser's question before a change from another origin (CORS preflight) is refused like the change itself."""
    return scope["method"] == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in scope["headers"]
    )


def _with_deadline(receive: Receive) -> Receive:
    deadline = asyncio.get_running_loop().time() + BODY_SECONDS
    body_complete = False

    async def receive_in_time() -> Any:
        nonlocal body_complete
        if body_complete:
            return await receive()  # what comes now is the disconnect, which may take its time
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise EdgeRefusal("request_timeout") from None
        body_complete = not message.get("more_body", False)
        return message

    return receive_in_time


async def _answer(code: str, send: Send) -> None:
    status, headers, body = plain_problem(code)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
