"""Letters leave by Acme Post, an HTTP API: POST /letters, with a token, takes a letter and answers 202."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.headerregistry import Address
from urllib.parse import urlsplit

import httpx

from application.ports.letters import MailDelayed, MailRefused, MailSender
from application.ports.providers import CannotProvide, Surroundings
from domain.letters import RenderedLetter

SECONDS = 10.0
"""For one letter, from beginning to end. Ostiary itself would wait for 45."""


class AcmePost:
    """Hands letters to Acme Post."""

    def __init__(self, client: httpx.AsyncClient, sender: Address) -> None:
        self._client = client
        self._sender = sender

    async def send(self, letter: RenderedLetter) -> None:
        """Return when Acme Post has taken it. Raises `MailRefused` or `MailDelayed`."""
        headers = {
            "Message-ID": letter.message_id,  # the same for every try, so that a mailbox can tell copies
            "Auto-Submitted": "auto-generated",  # no vacation replies, please (RFC 3834)
            "Content-Language": letter.language,
        }
        if letter.reply_to is not None:
            headers["Reply-To"] = letter.reply_to.canonical
        body: dict[str, object] = {
            "id": letter.message_id,  # Acme Post takes the same id only once: a letter is not sent twice
            "from": str(self._sender),
            "to": letter.recipient.canonical,
            "subject": letter.subject,
            "text": letter.text,
            "html": letter.html,
            "headers": headers,
        }
        if letter.logo is not None:
            body["inline"] = [
                {
                    "cid": letter.logo.content_id,  # the HTML asks for it by `cid:` and this
                    "type": letter.logo.media_type,
                    "content": b64encode(letter.logo.content).decode(),
                }
            ]
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._client.post("/letters", json=body)
        except (TimeoutError, httpx.HTTPError) as trouble:
            # Only its kind: what it says may name the address, and is kept with the letter. And without it as the
            # cause, which may quote what was sent, link and token included, wherever somebody logs both.
            raise MailDelayed(f"Acme Post: {type(trouble).__name__}") from None
        self._judge(answer)

    async def check(self) -> None:
        """For `ostiary doctor`: whether the token is good. Raises as `send`. A sender need not have this."""
        try:
            async with asyncio.timeout(SECONDS):
                self._judge(await self._client.get("/account"))
        except (TimeoutError, httpx.HTTPError) as trouble:
            raise MailDelayed(f"Acme Post: {type(trouble).__name__}") from None

    def _judge(self, answer: httpx.Response) -> None:
        """By the status alone: the words of the other side may quote the letter, and with it a link that lets in."""
        code = answer.status_code
        if answer.is_success or code == 409:  # 409: it has this id already
            return
        if code in (400, 422):  # this letter, whoever sends it and whenever
            raise MailRefused(f"Acme Post refused the letter ({code})")
        # 401 and 403 are the operator's to mend, 429 and 5xx pass: the letter waits.
        raise MailDelayed(f"Acme Post answered {code}", retry_after=_retry_after(answer))


def _retry_after(answer: httpx.Response) -> timedelta | None:
    """How long Acme Post wants to be left alone, if it says so in seconds."""
    seconds = answer.headers.get("Retry-After", "")
    return timedelta(seconds=int(seconds)) if seconds.isascii() and seconds.isdigit() and len(seconds) < 6 else None


@asynccontextmanager
async def acme_post(surroundings: Surroundings) -> AsyncIterator[MailSender]:
    """The factory: connections are kept while the service runs, and closed when it ends."""
    token = surroundings.environment.get("ACME_POST_TOKEN")
    url = surroundings.environment.get("ACME_POST_URL", "https://post.acme.example")
    if not token:
        raise CannotProvide("ACME_POST_TOKEN: needed for Acme Post")
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname != "127.0.0.1":
        raise CannotProvide("ACME_POST_URL: expected https")
    assert surroundings.sender is not None  # Ostiary asks for EMAIL_FROM where letters are sent
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=SECONDS, trust_env=False) as client:
        yield AcmePost(client, surroundings.sender)
