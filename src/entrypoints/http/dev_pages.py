"""What is there on a developer's machine only: the dev inbox (R82) and the documentation page."""

import asyncio
from importlib.resources import files
from typing import Any

from litestar import MediaType, Response, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from application.ports.letters import DeliveredLetter, Inbox
from entrypoints.composition import Ostiary
from entrypoints.http.edge import READING
from entrypoints.http.pages.controller import common_context, html

_INBOX_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Its links open in tabs of their own when somebody clicks on one; nothing in a letter runs.
_LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_ASSETS = {"inbox.css": "text/css", "inbox.js": "text/javascript"}
_DOCS_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"


def inbox_handlers(inbox: Inbox, ostiary: Ostiary) -> list[HTTPRouteHandler]:
    """The dev inbox: each letter as sent."""

    @route("/dev/inbox", http_method=READING)
    async def page() -> Response[str]:
        letters = await asyncio.to_thread(inbox.letters)
        context = {**common_context(ostiary), "letters": [_shown(letter) for letter in letters]}
        return html("dev_inbox.html", context, policy=_INBOX_POLICY)

    @route("/dev/inbox.json", http_method=READING)
    async def listing() -> Response[Any]:
        letters = await asyncio.to_thread(inbox.letters)
        return Response([_shown(letter) for letter in letters])

    @route("/dev/inbox/{letter_id:str}", http_method=READING)
    async def letter(letter_id: FromPath[str]) -> Response[str]:
        found = await asyncio.to_thread(inbox.letter, letter_id)
        if found is None:
            raise NotFoundException
        return Response(
            found.html.replace("<head>", '<head><base target="_blank">', 1),
            media_type=MediaType.HTML,
            headers={"Content-Security-Policy": _LETTER_POLICY},
        )

    @route("/dev/inbox/{letter_id:str}/source", http_method=READING)
    async def source(letter_id: FromPath[str]) -> Response[str]:
        found = await asyncio.to_thread(inbox.source, letter_id)
        if found is None:
            raise NotFoundException
        return Response(found, media_type=MediaType.TEXT)

    return [page, listing, letter, source, *(_asset(name) for name in _ASSETS)]


def _asset(name: str) -> HTTPRouteHandler:
    @route(f"/dev/{name}", http_method=READING, sync_to_thread=False)
    def asset() -> Response[bytes]:
        content = files("entrypoints.http.pages").joinpath("assets", name).read_bytes()
        return Response(content, media_type=f"{_ASSETS[name]}; charset=utf-8")

    return asset


def docs_handlers(document: dict[str, Any], ostiary: Ostiary) -> list[HTTPRouteHandler]:
    """The OpenAPI document, and a page made from it."""

    @route("/openapi.json", http_method=READING, sync_to_thread=False)
    def openapi() -> Response[Any]:
        return Response(document)

    @route("/docs", http_method=READING, sync_to_thread=False)
    def docs() -> Response[str]:
        return html("api_docs.html", {**common_context(ostiary), "spec": document}, policy=_DOCS_POLICY)

    return [openapi, docs]


def _shown(letter: DeliveredLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "to": letter.to,
        "subject": letter.subject,
        "date": letter.date.isoformat(),
        "text": letter.text,
        "link": letter.link,
        "html_url": f"/dev/inbox/{letter.id}",
        "source_url": f"/dev/inbox/{letter.id}/source",
    }
