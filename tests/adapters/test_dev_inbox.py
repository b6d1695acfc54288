"""The contracts of `application.ports.letters.MailSender` and `Inbox`, held by `DevInbox`."""

import asyncio
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.mail.dev_inbox import DevInbox
from domain.email_address import EmailAddress
from domain.letters import InlineImage, RenderedLetter

SENDER = Address("Ostiary", "ostiary", "localhost.localdomain")
LINK = "http://127.0.0.1:8000/auth/verify?token=abc&email=ada%40example.com"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "inbox"


@pytest.fixture
def inbox(folder: Path) -> DevInbox:
    return DevInbox(folder, SENDER)


@pytest.fixture
def loose_umask() -> Iterator[None]:
    """A machine whose owner shares everything."""
    was = os.umask(0)
    yield
    os.umask(was)


def a_letter(**fields: Any) -> RenderedLetter:
    defaults: dict[str, Any] = {
        "message_id": f"<{uuid4()}@ostiary.example>",
        "recipient": EmailAddress("ada@example.com"),
        "subject": "Confirm – ünïcødé",
        "text": f"Open\n\n{LINK}\n",
        "html": f'<p>Open <a href="{LINK}">this</a> – ünïcødé</p>\n',
        "written_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    return RenderedLetter(**(defaults | fields))


def in_order(folder: Path, *letters: RenderedLetter) -> None:
    """Spread their times of arrival, which may be within one tick of the file system's clock."""
    for age, letter in enumerate(letters):
        os.utime(folder / f"{name_of(letter)}.eml", (1_700_000_000 + age, 1_700_000_000 + age))


def name_of(letter: RenderedLetter) -> str:
    return letter.message_id.strip("<>").partition("@")[0]


async def test_a_file_that_is_no_letter_keeps_nobody_from_the_others(inbox: DevInbox, folder: Path) -> None:
    letter = a_letter()
    await inbox.send(letter)
    (folder / "no-date.eml").write_text("To: ada@example.com\n\nhello\n")
    (folder / "odd-date.eml").write_text("Date: the day before yesterday\n\nhello\n")
    assert [each.id for each in inbox.letters()] == [name_of(letter)]
    assert (inbox.letter("no-date"), inbox.source("odd-date")) == (None, None)


def test_an_inbox_nobody_wrote_to_is_empty(inbox: DevInbox) -> None:
    assert list(inbox.letters()) == []
    assert inbox.letter("nothing") is None


async def test_a_letter_is_read_as_it_was_written_with_its_link(inbox: DevInbox) -> None:
    letter = a_letter()
    await inbox.send(letter)
    (delivered,) = inbox.letters()
    assert delivered.id == name_of(letter)
    assert (delivered.to, delivered.subject) == ("ada@example.com", "Confirm – ünïcødé")
    assert [part.replace("\r\n", "\n") for part in (delivered.text, delivered.html)] == [letter.text, letter.html]
    assert delivered.date == letter.written_at
    assert delivered.link == LINK
    assert inbox.letter(delivered.id) == delivered


async def test_a_logo_that_travels_along_is_seen_by_a_browser(inbox: DevInbox) -> None:
    logo = InlineImage(content_id="logo", media_type="image/png", content=b"\x89PNG picture")
    await inbox.send(a_letter(html='<img src="cid:logo"><img src="cid:other">', logo=logo))
    (delivered,) = inbox.letters()
    assert delivered.html.strip() == '<img src="data:image/png;base64,iVBORyBwaWN0dXJl"><img src="cid:other">'


async def test_a_letter_is_shown_as_it_went_out(inbox: DevInbox) -> None:
    letter = a_letter()
    await inbox.send(letter)
    source = inbox.source(name_of(letter))
    assert source is not None
    assert f"Message-ID: {letter.message_id}\n" in source.replace("\r\n", "\n")
    assert "Content-Type: multipart/alternative" in source
    assert inbox.source("../secret") is None


async def test_a_letter_without_a_token_has_no_link(inbox: DevInbox) -> None:
    await inbox.send(a_letter(text="Sign in: http://127.0.0.1:8000/auth/signin\n"))
    assert [letter.link for letter in inbox.letters()] == [None]


async def test_a_long_link_is_found_whole(inbox: DevInbox) -> None:
    link = f"{LINK}{'x' * 300}"
    await inbox.send(a_letter(text=f"Open\n\n{link}\n"))
    assert [letter.link for letter in inbox.letters()] == [link]


async def test_the_letters_survive_a_restart(inbox: DevInbox, folder: Path) -> None:
    await inbox.send(a_letter())
    assert list(DevInbox(folder, SENDER).letters()) == list(inbox.letters())
    assert len(inbox.letters()) == 1


async def test_the_newest_come_first_and_no_more_than_can_be_looked_at(
    inbox: DevInbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mail.dev_inbox._MOST", 3)
    letters = [a_letter() for _ in range(5)]
    for letter in letters:
        await inbox.send(letter)
    in_order(folder, *letters)
    assert [letter.id for letter in inbox.letters()] == [name_of(letter) for letter in reversed(letters)][:3]


async def test_a_retry_replaces_its_first_try(inbox: DevInbox) -> None:
    first = a_letter()
    await inbox.send(first)
    await inbox.send(a_letter(message_id=first.message_id, subject="again"))
    assert [letter.subject for letter in inbox.letters()] == ["again"]


def modes_below(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


@pytest.mark.usefixtures("loose_umask")
async def test_nobody_but_their_owner_can_read_the_letters(inbox: DevInbox, folder: Path) -> None:
    letter = a_letter()
    await inbox.send(letter)
    assert modes_below(folder.parent) == {folder.name: 0o700, f"{folder.name}/{name_of(letter)}.eml": 0o600}


async def test_nobody_reads_half_a_letter(inbox: DevInbox, folder: Path) -> None:
    await asyncio.gather(*(inbox.send(a_letter()) for _ in range(10)))
    (folder / ".unfinished").write_bytes(b"From: half a let")
    assert len(inbox.letters()) == 10
    assert inbox.letter(".unfinished") is None
    assert all(letter.link == LINK for letter in inbox.letters())


@pytest.mark.parametrize("letter_id", ["../secret", "/etc/passwd", "..", "", "*", "\x00", "%2e%2e/secret"])
async def test_no_id_leads_out_of_the_folder(inbox: DevInbox, folder: Path, letter_id: str) -> None:
    await inbox.send(a_letter())
    (folder.parent / "secret.eml").write_text("To: a\n\nsecret")
    assert inbox.letter(letter_id) is None
    assert inbox.source(letter_id) is None


async def test_a_note_of_the_letter_is_printed_for_who_watches_the_console(
    inbox: DevInbox, capsys: pytest.CaptureFixture[str]
) -> None:
    await inbox.send(a_letter())
    printed = capsys.readouterr().out
    assert "ada@example.com" in printed
    assert LINK in printed
