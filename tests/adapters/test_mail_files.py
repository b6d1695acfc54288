"""Letters as files: whole, private and there to stay."""

import asyncio
import errno
import os
import stat
from pathlib import Path
from uuid import UUID

import pytest

from adapters.mail.file import FileSender
from application.ports.letters import MailDelayed
from tests.support.rendered_letters import SENDER, a_letter

LETTER_ID = UUID(int=7)


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "letters"


async def test_each_letter_is_a_file_named_for_it_that_nobody_else_may_read(folder: Path) -> None:
    was = os.umask(0)
    try:
        await FileSender(folder, SENDER).send(a_letter(letter_id=LETTER_ID))
    finally:
        os.umask(was)
    (file,) = files(folder)
    assert file.name == f"{LETTER_ID}.eml"
    assert (mode(folder), mode(file)) == (0o700, 0o600)


async def test_a_retry_replaces_its_first_try(folder: Path) -> None:
    sender = FileSender(folder, SENDER)
    for text in ("first\n", "second\n"):
        await sender.send(a_letter(letter_id=LETTER_ID, text=text))
    (file,) = files(folder)
    assert b"second" in file.read_bytes()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("os.fsync", errno.ENOSPC),
        ("os.fsync", errno.EIO),
        ("tempfile.mkstemp", errno.EROFS),
        ("os.replace", errno.EACCES),
    ],
    ids=["disk full", "broken disk", "read only", "not allowed"],
)
async def test_a_disk_that_cannot_take_it_is_for_now_and_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(code, "No", "/srv/letters/canary")

    with monkeypatch.context() as broken:
        broken.setattr(call, fails)
        with pytest.raises(MailDelayed) as delayed:
            await FileSender(folder, SENDER).send(a_letter())
    assert str(delayed.value) == (
        f"the folder for letters cannot be written to ({errno.errorcode[code]}): see OSTIARY_MAIL_FOLDER"
    )
    assert files(folder) == []


async def test_it_is_on_the_disk_before_it_has_its_name_and_so_is_its_name_before_it_counts_as_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def noted_sync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "letter")
        sync(descriptor)

    def noted_replace(*names: str) -> None:
        done.append("named")
        replace(*names)

    monkeypatch.setattr("os.fsync", noted_sync)
    monkeypatch.setattr("os.replace", noted_replace)
    await FileSender(folder, SENDER).send(a_letter())
    assert done == ["letter", "named", "folder"]


@pytest.fixture
def precious(folder: Path, tmp_path: Path) -> Path:
    """A file elsewhere, with links to it in the folder."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    folder.mkdir()
    for name in (f"{LETTER_ID}.eml", f".{LETTER_ID}"):
        (folder / name).symlink_to(precious)
    return precious


async def test_a_link_that_lies_in_the_folder_is_not_followed(folder: Path, precious: Path) -> None:
    await FileSender(folder, SENDER).send(a_letter(letter_id=LETTER_ID))
    assert await asyncio.to_thread(precious.read_text) == "mine"
