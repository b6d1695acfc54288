"""Letters as files, for another program to pick up, or for a developer to read."""

import asyncio
import errno
import os
import tempfile
from contextlib import suppress
from email.headerregistry import Address
from pathlib import Path

from adapters.mail.message import compose_message, letter_key
from application.ports.letters import MailDelayed
from domain.letters import RenderedLetter


class FileSender:
    """`application.ports.letters.MailSender` that puts each letter into `folder`, as one `.eml` (RFC 5322) that only
    its owner may read. It is there whole or not at all, and a retry replaces it. With `lasting` it is on the disk when
    `send` returns, whatever happens to the power then."""

    def __init__(self, folder: Path, sender: Address, *, lasting: bool = True) -> None:
        self._folder = folder
        self._sender = sender
        self._lasting = lasting

    async def send(self, letter: RenderedLetter) -> None:
        content = compose_message(letter, self._sender).as_bytes()
        try:
            await asyncio.to_thread(self._store, f"{letter_key(letter)}.eml", content)
        except OSError as error:
            code = errno.errorcode.get(error.errno or 0, type(error).__name__)
            see = "OSTIARY_MAIL_FOLDER" if self._lasting else "OSTIARY_DATA_DIR"
            raise MailDelayed(f"the folder for letters cannot be written to ({code}): see {see}") from None

    def _store(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A name of its own until it is whole: nobody else writes to it, and nothing that lies there is followed.
        descriptor, unfinished = tempfile.mkstemp(prefix=".", dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                if self._lasting:
                    file.flush()
                    os.fsync(file.fileno())
            Path(unfinished).replace(self._folder / name)
        except BaseException:
            with suppress(OSError):
                Path(unfinished).unlink()
            raise
        if self._lasting:
            _make_names_last(self._folder)


def _make_names_last(folder: Path) -> None:
    """A new name survives a power cut once its folder is on the disk as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
