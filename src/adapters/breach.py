"""Passwords known from breaches, asked for by a range query (R09): whoever is asked learns five digits of a hash."""

import asyncio
import re
from hashlib import sha1
from types import TracebackType
from typing import Self

import httpx

from adapters.bounded_reading import read_bounded
from application.ports.hashing import BreachCheckFailed
from domain.password import Password

_PREFIX = 5
_MOST_BYTES = 256 * 1024
"""Four times what a range with its padding has today."""

_RANGE = re.compile(rb"(?:[0-9A-F]{35}:[0-9]{1,12}(?:\r?\n|\Z))+", re.IGNORECASE)
_HEADERS = {"Add-Padding": "true", "Accept": "text/plain", "User-Agent": "Ostiary"}


class PwnedPasswords:
    """`application.ports.hashing.BreachCheck` by the range API of Have I Been Pwned, or a mirror of it at `url`.

    Sends the first five hexadecimal digits of the SHA-1 of the password (UTF-8, NFC), asks for padding, so that the
    size of the answer tells nothing either, and passes over the padding. `seconds` are for everything, the wait for a
    free connection included. Connections are kept until it is left.
    """

    def __init__(self, url: str, *, seconds: float = 1.0) -> None:
        self._url = url.rstrip("/")
        self._seconds = seconds
        # Not a whole client: that logs every URL, and with it the digits. This follows no redirect and decodes nothing.
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=20, keepalive_expiry=60))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def contains(self, password: Password) -> bool:
        digest = sha1(password.text.encode(), usedforsecurity=False).hexdigest().upper()
        try:
            async with asyncio.timeout(self._seconds):
                hashes = await self._range(digest[:_PREFIX])
        # Without their causes, which name the address that was asked for.
        except TimeoutError:
            raise BreachCheckFailed("timed_out") from None
        except (httpx.HTTPError, OSError):
            raise BreachCheckFailed("unreachable") from None
        # A number of zero is padding.
        return re.search(rb"^%b:0*[1-9]" % digest[_PREFIX:].encode(), hashes, re.IGNORECASE | re.MULTILINE) is not None

    async def _range(self, prefix: str) -> bytes:
        """The rest of every breached hash that begins like this, each with how often it was seen."""
        response = await self._transport.handle_async_request(
            httpx.Request("GET", f"{self._url}/{prefix}", headers=_HEADERS)
        )
        good = response.status_code == httpx.codes.OK
        body = await read_bounded(response, _MOST_BYTES if good else 0)
        if not good or len(body) > _MOST_BYTES or not _RANGE.fullmatch(body):
            raise BreachCheckFailed("unexpected_answer")
        return body
