"""A mailbox on a developer's machine (R82): each letter as a file, and a note on the console."""

import re
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path

from adapters.mail.console import ConsoleSender
from adapters.mail.file import FileSender
from adapters.mail.message import page_of
from application.ports.letters import DeliveredLetter
from domain.letters import RenderedLetter

_LINK = re.compile(r"https?://\S+\?token=\S+")
_MOST = 200


class DevInbox:
    """`application.ports.letters.MailSender` and `Inbox`. Survives a restart."""

    def __init__(self, folder: Path, sender: Address) -> None:
        self._folder = folder
        self._file = FileSender(folder, sender, lasting=False)
        self._console = ConsoleSender(sender)

    async def send(self, letter: RenderedLetter) -> None:
        await self._file.send(letter)
        await self._console.send(letter)

    def letters(self) -> list[DeliveredLetter]:
        """The newest letters, newest first."""
        files = sorted(((file.stat().st_mtime_ns, file) for file in self._folder.glob("*.eml")), reverse=True)
        letters = (_read(file, written_at) for written_at, file in files[:_MOST])
        return [letter for letter in letters if letter is not None]

    def letter(self, letter_id: str) -> DeliveredLetter | None:
        """One of them."""
        return next((letter for letter in self.letters() if letter.id == letter_id), None)

    def source(self, letter_id: str) -> str | None:
        if self.letter(letter_id) is None:
            return None
        return (self._folder / f"{letter_id}.eml").read_text("utf-8", "replace")


@lru_cache(2 * _MOST)
def _read(file: Path, _written_at: int) -> DeliveredLetter | None:
    """None for a file that is no letter. Taken apart once, and again when a retry has replaced it: all are asked for at
    every look, mostly by pollers."""
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    try:
        date = parsedate_to_datetime(str(message["Date"]))
    except ValueError:
        return None
    body = message.get_body(("plain",))
    text = str(body.get_content()).replace("\r\n", "\n") if body else ""
    link = _LINK.search(text)
    return DeliveredLetter(
        id=file.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        date=date,
        text=text,
        html=page_of(message),
        link=link.group() if link else None,
    )
