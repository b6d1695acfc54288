"""A mailbox on a developer's machine (R82): each letter as a file, and a note on the console."""

import asyncio
import re
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path

from adapters.mail.message import compose_message, page_of
from application.ports.letters import DeliveredLetter
from domain.letters import RenderedLetter

_LINK = re.compile(r"https?://\S+\?token=\S+")
_MOST = 200


class DevInbox:
    """`application.ports.letters.MailSender` and `Inbox`. Survives a restart."""

    def __init__(self, folder: Path, sender: Address) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, letter: RenderedLetter) -> None:
        name = letter.message_id.strip("<>").partition("@")[0]
        content = compose_message(letter, self._sender).as_bytes()
        await asyncio.to_thread(self._store, name, content)
        print(f"\n-- A letter to {letter.recipient}: {letter.subject}\n{letter.text}\n--", flush=True)  # noqa: T201

    def _store(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Renamed into place, so that nobody reads half a letter; a retry replaces its first try.
        unfinished = self._folder / f".{name}"
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(content)
        unfinished.replace(self._folder / f"{name}.eml")

    def letters(self) -> list[DeliveredLetter]:
        """The newest letters, newest first."""
        times = {file: file.stat().st_mtime_ns for file in self._folder.glob("*.eml")}
        files = sorted(times, key=lambda file: times[file], reverse=True)
        return [_read(file, times[file]) for file in files[:_MOST]]

    def letter(self, letter_id: str) -> DeliveredLetter | None:
        """One of them."""
        return next((letter for letter in self.letters() if letter.id == letter_id), None)

    def source(self, letter_id: str) -> str | None:
        if self.letter(letter_id) is None:
            return None
        return (self._folder / f"{letter_id}.eml").read_text("utf-8", "replace")


@lru_cache(maxsize=_MOST)  # a page that stays open asks for all of them every other second
def _read(file: Path, _written: int) -> DeliveredLetter:
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    text = str(body.get_content()).replace("\r\n", "\n") if body else ""
    link = _LINK.search(text)
    return DeliveredLetter(
        id=file.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        date=parsedate_to_datetime(str(message["Date"])),
        text=text,
        html=page_of(message),
        link=link.group() if link else None,
    )
