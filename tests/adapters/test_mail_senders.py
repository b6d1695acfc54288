"""The contract of `application.ports.letters.MailSender`, held by every sender there is."""

import asyncio
import email.policy
import logging
import re
import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from adapters.mail.console import ConsoleSender
from adapters.mail.fail_over import FailOver
from adapters.mail.file import FileSender
from adapters.mail.postmark import PostmarkSender
from adapters.mail.resend import ResendSender
from adapters.mail.sendgrid import SendGridSender
from adapters.mail.smtp import Encryption, SmtpSender, SmtpServer
from application.ports.letters import MailDelayed, MailRefused, MailSender
from domain.email_address import EmailAddress
from domain.letters import RenderedLetter
from domain.violations import Broken
from tests.support.mail_apis import (
    KEY,
    Arrived,
    MailApi,
    PostmarkDouble,
    Reply,
    ResendDouble,
    SendGridDouble,
    run_mail_api,
)
from tests.support.rendered_letters import ADA, LOGO, SENDER, TOKEN, a_letter
from tests.support.smtp_server import HOST, Behaviour, mail_server

pytestmark = [
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning"),
    pytest.mark.usefixtures("one_authority"),
]

BOB = EmailAddress("bob@example.com")
PATIENT = 20.0
"""Seconds: so many that no slow machine runs out of them."""


class Way(ABC):
    """A sender, and where its letters arrive."""

    sender: MailSender

    @abstractmethod
    def arrived(self) -> list[Arrived]:
        """What has arrived so far, oldest first."""

    @abstractmethod
    def break_down(self) -> None:
        """From now on nothing works there."""

    @abstractmethod
    def come_back(self) -> None:
        """It does again."""


class JudgingWay(Way):
    """One whose other end has a say: files and consoles take whatever comes."""

    @abstractmethod
    def refuse(self, address: EmailAddress) -> None:
        """It takes no letter for this address any more."""


def parsed(content: bytes, recipient: str | None = None) -> Arrived:
    """A letter out of its bytes, read strictly: a defect is an exception."""
    message = message_from_bytes(content, policy=email.policy.strict)
    assert isinstance(message, EmailMessage)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    pictures = [part for part in message.walk() if part.get_content_maintype() == "image"]
    (sender,) = message["From"].addresses
    return Arrived(
        sender=sender,
        to=recipient or str(message["To"]),
        subject=message["Subject"],
        text=plain.get_content().replace("\r\n", "\n"),
        html=html.get_content().replace("\r\n", "\n"),
        headers={name: str(value) for name, value in message.items()},
        reply_to=message["Reply-To"],
        logo=next(
            ((str(one["Content-ID"])[1:-1], one.get_content_type(), one.get_content()) for one in pictures),
            None,
        ),
    )


class SmtpWay(JudgingWay):
    def __init__(self, behaviour: Behaviour, sender: SmtpSender) -> None:
        self.behaviour, self.sender = behaviour, sender

    def arrived(self) -> list[Arrived]:
        assert all(len(received.recipients) == 1 for received in self.behaviour.received)
        return [parsed(received.content, received.recipients[0]) for received in self.behaviour.received]

    def break_down(self) -> None:
        self.behaviour.at_mail = "451 out of order"

    def come_back(self) -> None:
        self.behaviour.at_mail = None

    def refuse(self, address: EmailAddress) -> None:
        self.behaviour.at_recipient = f"550 {address} is unknown here"


class ApiWay(JudgingWay):
    def __init__(self, sender: MailSender, *apis: MailApi) -> None:
        self.sender, self.apis = sender, apis

    def arrived(self) -> list[Arrived]:
        return [letter for api in self.apis for letter in api.arrived]

    def break_down(self) -> None:
        for api in self.apis:
            api.always = Reply(503, b"<html>out of order</html>")

    def come_back(self) -> None:
        for api in self.apis:
            api.always = None

    def refuse(self, address: EmailAddress) -> None:
        for api in self.apis:
            api.refused.add(address.canonical)


class FileWay(Way):
    def __init__(self, folder: Path, sender: Address) -> None:
        self.folder, self.sender = folder, FileSender(folder, sender)
        self.moved = folder.with_name("moved")

    def arrived(self) -> list[Arrived]:
        files = sorted(self.folder.glob("*"), key=lambda file: file.stat().st_mtime_ns)
        assert {file.suffix for file in files} <= {".eml"}
        return [parsed(file.read_bytes()) for file in files]

    def break_down(self) -> None:
        if self.folder.exists():
            self.folder.rename(self.moved)
        self.folder.write_text("no folder")

    def come_back(self) -> None:
        self.folder.unlink()
        if self.moved.exists():
            self.moved.rename(self.folder)


class ConsoleWay(Way):
    """What it prints is the letter, as far as one can see it there."""

    def __init__(self, screen: "Screen", sender: Address) -> None:
        self.screen, self.sender = screen, ConsoleSender(sender)

    def arrived(self) -> list[Arrived]:
        found = re.finditer(r"\n-- A letter from (\S+) to (\S+): (.*)\n((?:.*\n)*?)\n--\n", self.screen.text)
        return [
            Arrived(sender=Address(addr_spec=one[1]), to=one[2], subject=one[3], text=one[4], html="", headers={})
            for one in found
        ]

    def break_down(self) -> None:
        self.screen.closed_by_reader = True

    def come_back(self) -> None:
        self.screen.closed_by_reader = False


class Screen:
    """Standard output as the console sender finds it."""

    def __init__(self) -> None:
        self.text = ""
        self.closed_by_reader = False

    def write(self, text: str) -> int:
        if self.closed_by_reader:
            raise BrokenPipeError
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


@asynccontextmanager
async def by_smtp(folder: Path, sender: Address) -> AsyncIterator[Way]:
    behaviour = Behaviour(password=KEY)
    with mail_server(behaviour) as port:
        server = SmtpServer(
            host=HOST, port=port, encryption=Encryption.NONE, username="ostiary", password=KEY, seconds=PATIENT
        )
        async with SmtpSender(server, sender) as smtp:
            yield SmtpWay(behaviour, smtp)


@asynccontextmanager
async def by_resend(folder: Path, sender: Address) -> AsyncIterator[Way]:
    with run_mail_api(ResendDouble()) as api:
        async with ResendSender(KEY, sender, url=api.url, seconds=PATIENT) as resend:
            yield ApiWay(resend, api)


@asynccontextmanager
async def by_sendgrid(folder: Path, sender: Address) -> AsyncIterator[Way]:
    with run_mail_api(SendGridDouble()) as api:
        async with SendGridSender(KEY, sender, url=api.url, seconds=PATIENT) as sendgrid:
            yield ApiWay(sendgrid, api)


@asynccontextmanager
async def by_postmark(folder: Path, sender: Address) -> AsyncIterator[Way]:
    with run_mail_api(PostmarkDouble()) as api:
        async with PostmarkSender(KEY, sender, url=api.url, seconds=PATIENT) as postmark:
            yield ApiWay(postmark, api)


@asynccontextmanager
async def by_fail_over(folder: Path, sender: Address) -> AsyncIterator[Way]:
    """The first of three is dead."""
    with run_mail_api(PostmarkDouble()) as postmark_api, run_mail_api(ResendDouble()) as resend_api:
        async with (
            PostmarkSender(KEY, sender, url="http://127.0.0.1:1") as dead,
            PostmarkSender(KEY, sender, url=postmark_api.url, seconds=PATIENT) as postmark,
            ResendSender(KEY, sender, url=resend_api.url, seconds=PATIENT) as resend,
        ):
            named: list[tuple[str, MailSender]] = [("dead", dead), ("postmark", postmark), ("resend", resend)]
            yield ApiWay(FailOver(named), postmark_api, resend_api)


@asynccontextmanager
async def by_file(folder: Path, sender: Address) -> AsyncIterator[Way]:
    yield FileWay(folder / "letters", sender)


@asynccontextmanager
async def by_console(folder: Path, sender: Address) -> AsyncIterator[Way]:
    screen, was = Screen(), sys.stdout
    sys.stdout = screen
    try:
        yield ConsoleWay(screen, sender)
    finally:
        sys.stdout = was


Opens = Callable[[Path, Address], AbstractAsyncContextManager[Way]]
REMOTE: dict[str, Opens] = {
    "smtp": by_smtp,
    "resend": by_resend,
    "sendgrid": by_sendgrid,
    "postmark": by_postmark,
    "fail_over": by_fail_over,
}
WHOLE: dict[str, Opens] = {**REMOTE, "file": by_file}
ALL: dict[str, Opens] = {**WHOLE, "console": by_console}

every_sender = pytest.mark.parametrize("opens", ALL.values(), ids=ALL)
every_sender_of_whole_letters = pytest.mark.parametrize("opens", WHOLE.values(), ids=WHOLE)
every_sender_that_is_told = pytest.mark.parametrize("opens", REMOTE.values(), ids=REMOTE)


@every_sender
async def test_a_letter_arrives_once_at_its_recipient_unharmed(opens: Opens, tmp_path: Path) -> None:
    letter = a_letter()
    async with opens(tmp_path, SENDER) as way:
        await way.sender.send(letter)
        (arrived,) = way.arrived()
    assert (arrived.to, arrived.subject, arrived.text) == ("ada@example.com", letter.subject, letter.text)
    assert arrived.sender.addr_spec == "no-reply@ostiary.example"


@every_sender_of_whole_letters
async def test_it_has_both_its_forms_its_headers_its_logo_and_where_to_answer(opens: Opens, tmp_path: Path) -> None:
    letter = a_letter(logo=LOGO, reply_to=EmailAddress("help@ostiary.example"), language="de")
    async with opens(tmp_path, SENDER) as way:
        await way.sender.send(letter)
        (arrived,) = way.arrived()
    assert (arrived.text, arrived.html) == (letter.text, letter.html)
    assert arrived.headers["Message-ID"] == letter.message_id
    assert arrived.headers["Auto-Submitted"] == "auto-generated"
    assert arrived.headers["Content-Language"] == "de"
    assert arrived.reply_to == "help@ostiary.example"
    assert arrived.logo == ("logo", "image/png", LOGO.content)
    assert arrived.sender.display_name == "Ostiary"


@every_sender_of_whole_letters
async def test_nobody_watches_whether_it_is_read_or_where_its_links_lead(opens: Opens, tmp_path: Path) -> None:
    """A link carries a one-time token."""
    async with opens(tmp_path, SENDER) as way:
        await way.sender.send(a_letter())
        assert [arrived.tracked for arrived in way.arrived()] == [False]
        assert TOKEN in way.arrived()[0].html


@every_sender
async def test_many_at_once_each_arrive_once(opens: Opens, tmp_path: Path) -> None:
    letters = [a_letter(EmailAddress(f"person{number}@example.com")) for number in range(12)]
    async with opens(tmp_path, SENDER) as way:
        await asyncio.gather(*(way.sender.send(letter) for letter in letters))
        assert sorted(arrived.to for arrived in way.arrived()) == sorted(str(letter.recipient) for letter in letters)


@every_sender
async def test_a_retry_with_a_new_token_arrives(opens: Opens, tmp_path: Path) -> None:
    letter_id = uuid4()
    async with opens(tmp_path, SENDER) as way:
        await way.sender.send(a_letter(letter_id=letter_id, text="https://app.example/?token=first\n"))
        await way.sender.send(a_letter(letter_id=letter_id, text="https://app.example/?token=second\n"))
        assert "token=second" in way.arrived()[-1].text


@every_sender
async def test_what_is_out_of_order_is_a_delay_and_then_works_again(opens: Opens, tmp_path: Path) -> None:
    async with opens(tmp_path, SENDER) as way:
        way.break_down()
        for _ in range(2):
            with pytest.raises(MailDelayed):
                await way.sender.send(a_letter())
        way.come_back()
        await way.sender.send(a_letter())
        assert len(way.arrived()) == 1


@every_sender_that_is_told
async def test_a_recipient_that_is_refused_is_refused_for_good_and_the_next_is_not(
    opens: Opens, tmp_path: Path
) -> None:
    async with opens(tmp_path, SENDER) as way:
        assert isinstance(way, JudgingWay)
        way.refuse(ADA)
        with pytest.raises(MailRefused) as refused:
            await way.sender.send(a_letter(ADA))
        assert ADA.canonical not in str(refused.value)
        assert way.arrived() == []
        if isinstance(way, ApiWay):
            await way.sender.send(a_letter(BOB))
            assert [arrived.to for arrived in way.arrived()] == ["bob@example.com"]


@every_sender
async def test_letters_beyond_ascii_before_the_at_arrive_as_they_are_or_are_refused(
    opens: Opens, tmp_path: Path
) -> None:
    address = EmailAddress("jürgen@xn--bcher-kva.example")
    async with opens(tmp_path, SENDER) as way:
        if isinstance(way, ApiWay):
            with pytest.raises(MailRefused, match="ASCII"):
                await way.sender.send(a_letter(address))
            assert way.arrived() == []
        elif isinstance(way, SmtpWay):
            await way.sender.send(a_letter(address))
            assert [received.recipients for received in way.behaviour.received] == [(address.canonical,)]
        else:
            await way.sender.send(a_letter(address))


@every_sender_that_is_told
async def test_every_address_that_is_let_in_is_the_one_it_arrives_at(opens: Opens, tmp_path: Path) -> None:
    locals_ = ("a.b+c", "#$&'*/^_`{|}~", "o'neill", "a=b", "?x?", "0", "x" * 64)
    addresses = [EmailAddress.parse(f"{local}@example.com") for local in locals_]
    async with opens(tmp_path, SENDER) as way:
        for address in addresses:
            await way.sender.send(a_letter(address))
        assert [arrived.to for arrived in way.arrived()] == [address.canonical for address in addresses]


TRICKY = (
    "a@example.com, b@example.com",
    "x <victim@corp.com>@example.com",
    "group:victim@corp.com;@example.com",
    "ada(victim@corp.com)@example.com",
    "=?utf-8?q?victim=40corp.com=2c?=@example.com",
    "ada@example.com\r\nBcc: victim@corp.com",
    '"victim@corp.com,"@example.com',
)


@every_sender_that_is_told
async def test_a_tricky_address_is_not_let_in_and_would_even_so_reach_nobody_else(opens: Opens, tmp_path: Path) -> None:
    async with opens(tmp_path, SENDER) as way:
        for address in TRICKY:
            with pytest.raises(Broken):
                EmailAddress.parse(address)
            with suppress(MailRefused, MailDelayed, ValueError):
                await way.sender.send(a_letter(EmailAddress(address)))
        if isinstance(way, SmtpWay):
            assert {len(received.recipients) for received in way.behaviour.received} <= {1}
        else:
            assert way.arrived() == []


@every_sender_of_whole_letters
@pytest.mark.parametrize("name", ["Ärzte ohne Grenzen", 'Acme "The Best", Inc.', "Søren & Co", ""])
async def test_the_senders_name_arrives_with_one_address(opens: Opens, name: str, tmp_path: Path) -> None:
    async with opens(tmp_path, Address(name, "no-reply", "ostiary.example")) as way:
        await way.sender.send(a_letter())
        (arrived,) = way.arrived()
    assert arrived.sender.addr_spec == "no-reply@ostiary.example"
    # Resend takes no quotation marks in it, and nothing that needs them.
    assert arrived.sender.display_name in (name, "Acme The Best Inc.")


@every_sender
async def test_no_key_password_or_token_is_in_an_error_a_log_or_a_repr(
    opens: Opens, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        async with opens(tmp_path, SENDER) as way:
            told.append(repr(way.sender) + repr(vars(way.sender)))
            await way.sender.send(a_letter())
            way.break_down()
            told.append(await what_is_told(way.sender, a_letter()))
            way.come_back()
            if isinstance(way, JudgingWay):
                way.refuse(ADA)
                told.append(await what_is_told(way.sender, a_letter()))
    if isinstance(way, ApiWay):
        assert "httpcore" in caplog.text, "logged at all, so that the rest means something"
    # What the test's own mail server writes down is its own affair.
    told += [repr(logs), *(record.getMessage() for record in caplog.records if record.name != "mail.log")]
    assert [secret for secret in (KEY, TOKEN) if secret in "".join(told)] == []


async def what_is_told(sender: MailSender, letter: RenderedLetter) -> str:
    """Everything there is to read about a letter that was not taken."""
    with pytest.raises((MailRefused, MailDelayed)) as caught:
        await sender.send(letter)
    return "".join(traceback.format_exception(caught.value)) + repr(caught.value)
