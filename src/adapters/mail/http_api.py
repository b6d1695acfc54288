"""What the HTTP APIs of mail providers have in common: a letter is a POST, and its answer a verdict."""

import asyncio
import json
import re
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import httpx

from adapters.bounded_reading import read_bounded
from adapters.mail.message import NotCarried
from application.ports.letters import MailDelayed, MailRefused
from domain.letters import LONGEST_RETRY, InlineImage, RenderedLetter

_MOST_BYTES = 64 * 1024
"""Of an answer. Those that are documented have less than one."""

_IDLE_SECONDS = 5
"""Less than after what the other side or something between hangs up."""

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # an answer is read as it comes
    "Content-Type": "application/json",
    "User-Agent": "Ostiary",
}
_PLAIN_ADDRESS = re.compile(r"(?!.*=\?)[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9.-]+")
_SECONDS = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?")
_AGES = re.compile(r"[0-9]{11,}(?:\.[0-9]*)?")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an API answered, whatever it was."""

    status: int
    headers: httpx.Headers = field(repr=False)
    content: bytes = field(repr=False)
    """Cut off where no answer is so long."""

    @property
    def fields(self) -> dict[str, object]:
        """The JSON object in it; none in anything else."""
        try:
            read = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return read if isinstance(read, dict) else {}

    def waiting_time(self, now: datetime) -> timedelta | None:
        """How long it asks to be left alone: `Retry-After` (RFC 9110), or where there were too many requests the end of
        the window, in seconds from now (`ratelimit-reset`) or as Unix time (`x-ratelimit-reset`). Moments are held
        against the answer's own `Date`; `now` is for one without. Ages are as long as we ever wait."""
        now = _moment(self.headers.get("date", "")) or now
        asked = self.headers.get("retry-after", "")
        wait = LONGEST_RETRY if _AGES.fullmatch(asked) else _seconds(asked)
        if wait is None and (moment := _moment(asked)) is not None:
            wait = moment - now
        if wait is None and self.status == httpx.codes.TOO_MANY_REQUESTS:
            wait = _seconds(self.headers.get("ratelimit-reset", ""))
            reset = _seconds(self.headers.get("x-ratelimit-reset", ""))
            if wait is None and reset is not None:
                wait = datetime(1970, 1, 1, tzinfo=UTC) + reset - now
        return wait if wait is not None and wait > timedelta() else None


class HttpApi:
    """A provider's API at `url`, over connections that are kept until it is closed.

    `authorization` are the headers with the key; they are in no error, log or repr. `seconds` are for a whole request,
    the wait for a free connection included. `key_setting` and `url_setting` are the names by which operators know both.
    """

    def __init__(
        self, url: str, authorization: dict[str, str], *, seconds: float, key_setting: str, url_setting: str
    ) -> None:
        if not all(value.isascii() and value.isprintable() for value in authorization.values()):
            # Found out here, because an HTTP library would quote it.
            raise ValueError(f"{key_setting} has characters that no key has")
        self._url = url.rstrip("/")
        self._headers = _HEADERS | authorization
        self._seconds = seconds
        self.key_setting, self.url_setting = key_setting, url_setting
        # Not a whole client: this follows no redirect, keeps no cookie and decodes nothing.
        tls = httpx.create_ssl_context()
        limits = httpx.Limits(max_connections=20, keepalive_expiry=_IDLE_SECONDS)
        self._keeping = httpx.AsyncHTTPTransport(verify=tls, limits=limits)
        self._fresh = httpx.AsyncHTTPTransport(verify=tls, limits=httpx.Limits(max_keepalive_connections=0))

    async def close(self) -> None:
        """Hang up."""
        await self._keeping.aclose()
        await self._fresh.aclose()

    async def post(self, path: str, payload: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Send JSON. Raises `MailDelayed` where there is no whole answer. A kept connection that breaks without one has
        most likely been closed meanwhile: then it is sent once more, at once, on a new one, and may so arrive twice."""
        request = httpx.Request("POST", self._url + path, content=payload, headers=self._headers | dict(headers or {}))
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(request)
        # Without their causes, which may name what was sent.
        except TimeoutError:
            raise MailDelayed("no answer in time") from None
        except httpx.ConnectError as error:
            what = "certificate not vouched for" if _is_of_tls(error) else "no connection"
            raise MailDelayed(f"{what}: see {self.url_setting}") from None
        except (httpx.HTTPError, OSError):
            raise MailDelayed("connection lost") from None

    async def _exchange(self, request: httpx.Request) -> Answer:
        response = await self._response(request)
        body = await read_bounded(response, _MOST_BYTES)
        return Answer(response.status_code, response.headers, body[:_MOST_BYTES])

    async def _response(self, request: httpx.Request) -> httpx.Response:
        connected = False

        async def trace(event: str, _info: object) -> None:
            nonlocal connected
            connected = connected or event == "connection.connect_tcp.started"

        request.extensions["trace"] = trace
        try:
            return await self._keeping.handle_async_request(request)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if connected:
                raise
        return await self._fresh.handle_async_request(request)

    def delayed(self, answer: Answer, letter: RenderedLetter, what: str, code: str = "") -> MailDelayed:
        """A delay in our words, with the status and, where the provider has a closed list of them, its own code."""
        status = f"{answer.status} {code}".rstrip()
        before, colon, see = what.partition(":")
        return MailDelayed(f"{before} ({status}){colon}{see}", retry_after=answer.waiting_time(letter.written_at))

    def judged(self, answer: Answer, letter: RenderedLetter, code: str = "") -> MailRefused | MailDelayed:
        """What a status means wherever the answer says no more. Only the size is the letter's own fault."""
        match answer.status:
            case 413:
                return MailRefused("the letter is too large (413)")
            case 401 | 403:
                what = f"key or sender not accepted: see {self.key_setting} and EMAIL_FROM"
            case 408 | 504:
                what = "no answer in time"
            case 404 | 405 | 410:
                what = f"no mail API there: see {self.url_setting}"
            case 425 | 429:
                what = "too many requests"
            case status if status >= 500:
                what = "trouble at the provider"
            case status if 300 <= status < 400:
                what = f"redirected, which is not followed: see {self.url_setting}"
            case status if status >= 400:
                what = "request not accepted"
            case _:
                what = f"an answer that none of theirs looks like: see {self.url_setting}"
        return self.delayed(answer, letter, what, code)


class ApiSender:
    """A sender over an API, whose connections are kept until it is left."""

    _api: HttpApi

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._api.close()


def plain_address(letter: RenderedLetter) -> str:
    """The recipient, for an API that has one field for it. Raises `NotCarried` for what it could misread, such as two
    addresses, and for letters beyond ASCII before the @, which none of these APIs takes."""
    address = letter.recipient.canonical
    if not address.isascii():
        raise NotCarried("this provider takes no address with letters beyond ASCII before the @")
    if not _PLAIN_ADDRESS.fullmatch(address):
        raise NotCarried("this provider may misread the address")
    return address


def picture_name(picture: InlineImage) -> str:
    """A file name, which these APIs want. It has the ending of its kind: some tell the kind by it."""
    return f"{picture.content_id}.{picture.media_type.partition('/')[2]}"


def base64_of(picture: InlineImage) -> str:
    """The picture as JSON can carry it."""
    return b64encode(picture.content).decode()


def json_bytes(payload: Mapping[str, object]) -> bytes:
    """The same bytes for the same letter."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _is_of_tls(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


def _seconds(text: str) -> timedelta | None:
    return timedelta(seconds=float(text)) if _SECONDS.fullmatch(text) else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
