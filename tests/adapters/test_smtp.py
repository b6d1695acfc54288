"""The contract of `application.ports.letters.MailSender`, held by `SmtpSender` against real servers on loopback."""

import asyncio
import email.policy
import errno
import socket
import ssl
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from adapters.mail.message import compose_message
from adapters.mail.smtp import Encryption, SmtpSender, SmtpServer
from application.ports.letters import MailDelayed, MailRefused
from domain.email_address import EmailAddress
from domain.letters import SENDING_TIME, RenderedLetter
from domain.violations import Broken
from tests.support.server import wait_for
from tests.support.smtp_certificates import Authority
from tests.support.smtp_server import HOST, Behaviour, closed_port, mail_server, scripted_server

# Our own server's opinion of itself, where a test has it ask for a password in the clear.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

SENDER = Address("Ostiary", "no-reply", "ostiary.example")
ADA = EmailAddress("ada@example.com")
UMLAUT = EmailAddress("jürgen@xn--bcher-kva.example")
TEXT = "Confirm.\n\nhttps://app.example/auth/verify?token=abc&email=ada%40example.com\n\n-- \nOstiary\n.\n..dots\n"
HEADERS = {
    *("from", "to", "subject", "date", "message-id", "auto-submitted", "x-auto-response-suppress"),
    *("mime-version", "content-type", "content-language"),
}
WRITTEN_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


def a_letter(recipient: EmailAddress = ADA, **fields: Any) -> RenderedLetter:
    defaults: dict[str, Any] = {
        "message_id": "<6f1e@ostiary.example>",
        "recipient": recipient,
        "subject": "Confirm your e-mail address for Ostiary",
        "text": TEXT,
        "html": "<p>Confirm &amp; enjoy: ünïcødé</p>\n",
        "written_at": WRITTEN_AT,
    }
    return RenderedLetter(**(defaults | fields))


async def send(
    port: int,
    letter: RenderedLetter | None = None,
    encryption: Encryption = Encryption.NONE,
    *,
    sender: Address = SENDER,
    **server: Any,
) -> None:
    options = {"host": HOST, "seconds": 5.0, **server}
    await SmtpSender(SmtpServer(port=port, encryption=encryption, **options), sender).send(letter or a_letter())


def the_message(behaviour: Behaviour) -> EmailMessage:
    """The one letter that arrived, parsed strictly: a defect is an exception."""
    (received,) = behaviour.received
    message = message_from_bytes(received.content, policy=email.policy.strict)
    assert isinstance(message, EmailMessage)
    return message


def unix(text: str) -> str:
    """Line ends as they were before they went through mail."""
    return text.replace("\r\n", "\n")


# Encryption


async def test_a_letter_is_taken_without_encryption_where_that_is_configured(behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port:
        await send(port)
    (received,) = behaviour.received
    assert (received.sender, received.recipients) == ("no-reply@ostiary.example", ("ada@example.com",))


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
async def test_a_letter_travels_encrypted_to_a_server_whose_certificate_is_vouched_for(
    authority: Authority, behaviour: Behaviour, encryption: Encryption
) -> None:
    tls = authority.server(HOST)
    with mail_server(behaviour, tls=tls, implicit=encryption is Encryption.TLS) as port:
        await send(port, encryption=encryption, ca_file=str(authority.file))
    assert [received.encrypted for received in behaviour.received] == [True]


async def test_a_server_that_hides_starttls_gets_no_letter(behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port, pytest.raises(MailDelayed):
        await send(port, encryption=Encryption.STARTTLS)
    assert behaviour.received == []
    assert behaviour.commands == []


async def test_a_server_that_hides_starttls_gets_no_password_either(behaviour: Behaviour) -> None:
    behaviour.password = "opensesame"
    with mail_server(behaviour) as port, pytest.raises(MailDelayed):
        await send(port, encryption=Encryption.STARTTLS, username="ostiary", password="opensesame")
    assert behaviour.commands == []


async def test_a_server_that_refuses_starttls_gets_no_letter() -> None:
    script = [b"220 hello\r\n", b"250-hello\r\n250 STARTTLS\r\n", b"454 TLS not available\r\n", None]
    with scripted_server(*script) as port, pytest.raises(MailDelayed):
        await send(port, encryption=Encryption.STARTTLS, seconds=1.0)


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
@pytest.mark.parametrize("fault", ["another host", "self-signed", "expired", "unknown authority"])
async def test_a_server_whose_certificate_is_not_vouched_for_gets_no_letter(
    authority: Authority, behaviour: Behaviour, encryption: Encryption, fault: str
) -> None:
    tls: ssl.SSLContext = {
        "another host": lambda: authority.server("mail.elsewhere.example"),
        "self-signed": lambda: authority.server(HOST, self_signed=True),
        "expired": lambda: authority.server(HOST, expired=True),
        "unknown authority": lambda: authority.server(HOST),
    }[fault]()
    ca_file = None if fault == "unknown authority" else str(authority.file)
    with mail_server(behaviour, tls=tls, implicit=encryption is Encryption.TLS) as port, pytest.raises(MailDelayed):
        await send(port, encryption=encryption, ca_file=ca_file)
    assert behaviour.received == []
    assert behaviour.commands == []


async def test_a_server_that_speaks_no_tls_where_tls_is_expected_gets_no_letter(behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port, pytest.raises(MailDelayed):
        await send(port, encryption=Encryption.TLS, seconds=1.0)
    assert behaviour.received == []


# Verdicts


@pytest.mark.parametrize("where", ["at_recipient", "at_data"])
@pytest.mark.parametrize("answer", ["450 later", "451 greylisted", "452 full"])
async def test_4xx_is_for_now(behaviour: Behaviour, where: str, answer: str) -> None:
    setattr(behaviour, where, answer)
    with mail_server(behaviour) as port, pytest.raises(MailDelayed, match=answer[:3]):
        await send(port)
    assert behaviour.received == []


FOR_GOOD = {
    ("at_recipient", "550 no such user"): "recipient refused (550)",
    ("at_recipient", "551 moved"): "recipient refused (551)",
    ("at_recipient", "552 full for ever"): "recipient refused (552)",
    ("at_recipient", "553 that is no mailbox"): "recipient refused (553)",
    ("at_recipient", "550 5.1.1 no such user"): "recipient refused (550 5.1.1)",
    ("at_recipient", "550 5.1.2 no such domain"): "recipient refused (550 5.1.2)",
    ("at_recipient", "501 5.1.3 no address at all"): "recipient refused (501 5.1.3)",
    ("at_recipient", "551 5.1.6 moved"): "recipient refused (551 5.1.6)",
    ("at_recipient", "550 5.1.10 RESOLVER.ADR.RecipientNotFound"): "recipient refused (550 5.1.10)",
    ("at_recipient", "550 5.2.1 closed"): "recipient refused (550 5.2.1)",
    ("at_data", "550 5.1.1 no such user"): "message refused (550 5.1.1)",
    ("at_data", "552 too large"): "message refused (552)",
    ("at_data", "552 5.3.4 too large"): "message refused (552 5.3.4)",
    ("at_data", "554 5.6.0 malformed"): "message refused (554 5.6.0)",
}


@pytest.mark.parametrize(("where", "answer"), FOR_GOOD)
async def test_what_is_about_this_mailbox_or_this_content_is_for_good(
    behaviour: Behaviour, where: str, answer: str
) -> None:
    setattr(behaviour, where, answer)
    with mail_server(behaviour) as port, pytest.raises(MailRefused) as refused:
        await send(port)
    assert str(refused.value) == FOR_GOOD[where, answer]
    assert behaviour.received == []


NOT_ALLOWED = "see EMAIL_FROM, SMTP_USER, and whether a block list has this machine"
OPERATORS = {
    ("at_mail", "550 5.7.60 SendAsDenied"): "sender not accepted (550 5.7.60): see EMAIL_FROM",
    ("at_mail", "550 5.4.5 Daily user sending limit exceeded"): "the sending limit is reached (550 5.4.5)",
    (
        "at_recipient",
        "553 5.7.1 Sender address rejected: not owned by user",
    ): f"not allowed to send (553 5.7.1): {NOT_ALLOWED}",
    ("at_recipient", "554 5.7.1 Relay access denied"): f"not allowed to send (554 5.7.1): {NOT_ALLOWED}",
    ("at_recipient", "554 5.7.1 Client host blocked using zen"): f"not allowed to send (554 5.7.1): {NOT_ALLOWED}",
    ("at_recipient", "554 no thanks"): "recipient refused (554): see EMAIL_FROM",
    ("at_recipient", "530 5.7.0 who are you?"): "log-in required (530): see SMTP_USER and SMTP_PASS",
    ("at_recipient", "504 5.5.2 <localhost>: Helo command rejected"): (
        "greeting or command not accepted (504 5.5.2): see EMAIL_FROM, whose domain greets the server"
    ),
    ("at_recipient", "552 5.2.2 mailbox full"): "mailbox full (552 5.2.2)",
    ("at_recipient", "550 5.1.8 bad sender"): "sender not accepted (550 5.1.8): see EMAIL_FROM",
    ("at_recipient", "550 5.4.1 access denied"): "recipient refused (550 5.4.1): see EMAIL_FROM",
    ("at_recipient", "550 4.1.1 which of the two?"): "recipient refused (550 4.1.1): see EMAIL_FROM",
    ("at_recipient", "450 4.7.1 greylisted"): "recipient delayed (450 4.7.1)",
    ("at_recipient", "450 5.1.1 which of the two?"): "recipient delayed (450 5.1.1)",
    ("at_data", "554 Message rejected: Email address is not verified"): "message refused (554): see EMAIL_FROM",
    ("at_data", "550 blocked"): "message refused (550): see EMAIL_FROM",
    ("at_data", "550 5.4.5 Daily user sending limit exceeded"): "the sending limit is reached (550 5.4.5)",
    ("at_data", "554 5.2.252 SendAsDenied"): "sender not accepted (554 5.2.252): see EMAIL_FROM",
    ("at_data", "550 5.7.26 unauthenticated"): f"not allowed to send (550 5.7.26): {NOT_ALLOWED}",
    ("at_data", "554 10.5.1.1 has spoken"): "message refused (554): see EMAIL_FROM",
}


@pytest.mark.parametrize(("where", "answer"), OPERATORS)
async def test_all_other_answers_are_the_operators_to_mend_or_pass_and_the_letter_waits(
    behaviour: Behaviour, where: str, answer: str
) -> None:
    setattr(behaviour, where, answer)
    with mail_server(behaviour) as port, pytest.raises(MailDelayed) as delayed:
        await send(port)
    assert str(delayed.value) == OPERATORS[where, answer]
    assert behaviour.received == []


async def test_an_answer_at_the_command_data_counts_like_one_to_the_letter() -> None:
    script = [*HEARD[:4], b"554 no valid recipients\r\n", b"221 bye\r\n"]
    with (
        scripted_server(*script) as port,
        pytest.raises(MailDelayed, match=r"^message refused \(554\): see EMAIL_FROM$"),
    ):
        await send(port)


async def test_the_servers_words_stay_out_of_the_reason_because_they_quote(behaviour: Behaviour) -> None:
    behaviour.at_recipient = "550 <ada@example.com> is unknown, \x1b[31msays the server"
    with mail_server(behaviour) as port, pytest.raises(MailRefused) as refused:
        await send(port)
    assert str(refused.value) == "recipient refused (550)"


async def test_a_sender_that_is_refused_for_now_is_delayed(behaviour: Behaviour) -> None:
    behaviour.at_mail = "451 slow down"
    with mail_server(behaviour) as port, pytest.raises(MailDelayed):
        await send(port)


@pytest.mark.parametrize("greeting", [b"421 busy\r\n", b"554 you are not welcome here\r\n"])
async def test_a_server_that_turns_the_connection_away_has_not_judged_the_letter(greeting: bytes) -> None:
    with scripted_server(greeting, None) as port, pytest.raises(MailDelayed):
        await send(port, seconds=1.0)


# Log-in


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
async def test_the_log_in_opens_a_server_that_requires_one(
    authority: Authority, behaviour: Behaviour, encryption: Encryption
) -> None:
    behaviour.password = "opensesame"
    with mail_server(behaviour, tls=authority.server(HOST), implicit=encryption is Encryption.TLS) as port:
        ca_file = str(authority.file)
        await send(port, encryption=encryption, ca_file=ca_file, username="ostiary", password="opensesame")
    assert len(behaviour.received) == 1


async def test_a_log_in_that_is_refused_is_the_operators_to_mend_and_the_letter_waits(
    authority: Authority, behaviour: Behaviour
) -> None:
    behaviour.password = "opensesame"
    with mail_server(behaviour, tls=authority.server(HOST)) as port, pytest.raises(MailDelayed) as delayed:
        await send(
            port,
            encryption=Encryption.STARTTLS,
            ca_file=str(authority.file),
            username="ostiary",
            password="canary-password",
        )
    assert "canary" not in str(delayed.value)
    assert "535" in str(delayed.value)
    assert behaviour.received == []


async def test_a_log_in_that_is_missing_is_the_operators_to_mend_and_the_letter_waits(behaviour: Behaviour) -> None:
    behaviour.password = "opensesame"
    with mail_server(behaviour) as port, pytest.raises(MailDelayed):
        await send(port)
    assert behaviour.received == []


async def test_a_server_that_offers_no_log_in_where_one_is_configured_gets_no_letter(behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port, pytest.raises(MailDelayed):
        await send(port, username="ostiary", password="opensesame")
    assert behaviour.received == []


def test_the_password_is_in_no_repr() -> None:
    assert "opensesame" not in repr(
        SmtpServer(host=HOST, port=25, encryption=Encryption.TLS, username="ostiary", password="opensesame")
    )


# Connection trouble


async def test_nobody_listening_is_a_delay() -> None:
    with pytest.raises(MailDelayed):
        await send(closed_port())


async def test_a_host_without_an_address_is_a_delay() -> None:
    with pytest.raises(MailDelayed):
        await send(25, host="mail.invalid")


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
async def test_a_connection_that_is_dropped_is_a_delay(behaviour: Behaviour, command: str) -> None:
    behaviour.drop_after = command
    with mail_server(behaviour) as port, pytest.raises(MailDelayed):
        await send(port)


HEARD = [b"220 hello\r\n", b"250 hello\r\n", b"250 sender\r\n", b"250 recipient\r\n", b"354 go on\r\n"]


@pytest.mark.parametrize("step", range(6), ids=["greeting", "EHLO", "MAIL", "RCPT", "DATA", "content"])
async def test_a_server_that_falls_silent_is_given_up_at_the_deadline_at_every_step(step: int) -> None:
    with scripted_server(*HEARD[:step], None) as port:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(MailDelayed):
            await send(port, seconds=0.2, in_all=0.4)
        assert loop.time() - began < 3


async def test_all_steps_until_the_letter_have_a_deadline_together() -> None:
    """Else a slow server would take the letter when nobody waits for its answer any more, again and again."""
    behaviour = Slow("EHLO", "MAIL", "RCPT", seconds=0.2)
    with mail_server(behaviour) as port, pytest.raises(MailDelayed) as delayed:
        await send(port, before_letter=0.4)
    assert str(delayed.value) == "the mail server took more than 0.4 s in all before the letter"
    assert behaviour.received == []
    with mail_server(behaviour) as port, pytest.raises(MailDelayed, match="before the letter"):
        await check(port, before_letter=0.3)


async def test_the_word_that_lets_the_letter_come_belongs_to_that_deadline() -> None:
    with scripted_server(*HEARD[:4], None) as port, pytest.raises(MailDelayed, match="before the letter"):
        await send(port, before_letter=0.3)


async def test_the_answer_to_the_letter_is_waited_for_longer_than_for_a_step() -> None:
    behaviour = Slow("DATA", seconds=0.4)
    with mail_server(behaviour) as port:
        await send(port, seconds=0.2)
        assert len(behaviour.received) == 1
        with pytest.raises(MailDelayed) as delayed:
            await send(port, seconds=0.2, in_all=0.3)
    assert str(delayed.value) == "no answer to the letter within 0.3 s in all"


def test_all_of_it_is_over_before_the_letter_is_taken_out_of_hand() -> None:
    server = SmtpServer(host=HOST, port=25, encryption=Encryption.TLS)
    assert server.before_letter + server.seconds < server.in_all < SENDING_TIME.total_seconds()


async def test_a_server_is_greeted_with_the_senders_domain(behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port:
        await send(port)
    assert behaviour.greetings == ["ostiary.example"]


@pytest.mark.parametrize("nonsense", [b"\xff\xfe\x00 garbage\r\n", b"hello there\r\n", b"2" * 70_000, b"\r\n"])
async def test_a_server_that_talks_nonsense_is_a_delay(nonsense: bytes) -> None:
    with scripted_server(nonsense, None) as port, pytest.raises(MailDelayed):
        await send(port, seconds=0.3)


class Slow(Behaviour):
    """Takes its time at these commands, as a busy server does."""

    def __init__(self, *commands: str, seconds: float) -> None:
        super().__init__()
        self.seconds = dict.fromkeys(commands, seconds)

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, name: str, answers: list[str]) -> list[str]:  # noqa: N802
        await asyncio.sleep(self.seconds.get("EHLO", 0))
        return await super().handle_EHLO(server, session, envelope, name, answers)

    async def handle_MAIL(self, *args: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.seconds.get("MAIL", 0))
        return await super().handle_MAIL(*args)

    async def handle_RCPT(self, *args: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.seconds.get("RCPT", 0))
        return await super().handle_RCPT(*args)

    async def handle_DATA(self, *args: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.seconds.get("DATA", 0))
        return await super().handle_DATA(*args)


class TakesItAndFallsSilent(Behaviour):
    """Accepts the letter, and never says good-bye."""

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802
        await asyncio.Event().wait()
        return "221 bye"


async def test_a_letter_that_was_taken_is_sent_whatever_happens_to_the_good_bye(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.mail.smtp_connections._GOOD_BYE_SECONDS", 0.05)
    behaviour = TakesItAndFallsSilent()
    with mail_server(behaviour) as port:
        await send(port, seconds=0.3)
    assert len(behaviour.received) == 1


async def test_being_cancelled_is_passed_on_and_is_no_verdict() -> None:
    with scripted_server(None) as port:
        task = asyncio.create_task(send(port, seconds=30.0))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_many_letters_at_once_each_arrive_once(behaviour: Behaviour) -> None:
    letters = [a_letter(EmailAddress(f"person{number}@example.com")) for number in range(10)]
    with mail_server(behaviour) as port:
        await asyncio.gather(*(send(port, letter) for letter in letters))
    assert sorted(received.recipients for received in behaviour.received) == sorted(
        (letter.recipient.canonical,) for letter in letters
    )


# The envelope and the message


async def test_the_message_is_well_formed_and_has_exactly_these_headers(behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port:
        await send(port)
    message = the_message(behaviour)
    assert {name.lower() for name in message} == HEADERS
    assert len(message.keys()) == len(HEADERS)
    assert message["From"] == "Ostiary <no-reply@ostiary.example>"
    assert message["To"] == "ada@example.com"
    assert message["Subject"] == "Confirm your e-mail address for Ostiary"
    assert message["Date"].datetime == WRITTEN_AT
    assert message["Message-ID"] == "<6f1e@ostiary.example>"
    assert message["Auto-Submitted"] == "auto-generated"


async def test_text_comes_first_and_html_is_its_alternative_both_in_utf8_and_unharmed(behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port:
        await send(port, a_letter(text=TEXT + "ünïcødé 🦊\n"))
    message = the_message(behaviour)
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert isinstance(plain, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert [part.get_content_type() for part in (plain, html)] == ["text/plain", "text/html"]
    assert [part.get_content_charset() for part in (plain, html)] == ["utf-8", "utf-8"]
    assert unix(plain.get_content()) == TEXT + "ünïcødé 🦊\n"
    assert unix(html.get_content()) == "<p>Confirm &amp; enjoy: ünïcødé</p>\n"
    assert not list(message.iter_attachments())


async def test_no_line_on_the_wire_is_longer_than_mail_may_be_or_ends_in_anything_but_crlf(
    behaviour: Behaviour,
) -> None:
    long_link = "https://app.example/auth/verify?token=" + "x" * 2000
    with mail_server(behaviour) as port:
        await send(port, a_letter(text=long_link + "\n", html=f'<a href="{long_link}">x</a>\n', subject="é" * 200))
    content = behaviour.received[0].content
    assert content.replace(b"\r\n", b"").count(b"\n") == content.replace(b"\r\n", b"").count(b"\r") == 0
    assert max(map(len, content.split(b"\r\n"))) <= 998
    plain = the_message(behaviour).get_body(("plain",))
    assert plain is not None
    assert unix(plain.get_content()) == long_link + "\n"


TRICKY = [
    "=?utf-8?q?victim=40corp.com=2C?=@example.com",
    "a@example.com, b@example.com",
    "x <victim@corp.com>@example.com",
    '"victim@corp.com,"@example.com',
    "group:victim@corp.com;@example.com",
    "ada(victim@corp.com)@example.com",
    "ada@example.com> SIZE=1 NOTIFY=SUCCESS",
    "ada@example.com\r\nRCPT TO:<victim@corp.com>",
]


@pytest.mark.parametrize("address", TRICKY)
async def test_a_tricky_address_is_not_let_in_and_would_even_so_get_one_recipient_and_no_other_header(
    behaviour: Behaviour, address: str
) -> None:
    with pytest.raises(Broken):
        EmailAddress.parse(address)
    with mail_server(behaviour) as port, suppress(MailRefused, MailDelayed, ValueError):
        await send(port, a_letter(EmailAddress(address)))
    for received in behaviour.received:
        assert len(received.recipients) == 1
        message = message_from_bytes(received.content, policy=email.policy.default)
        assert {name.lower() for name in message} <= HEADERS


@pytest.mark.parametrize("local", ["a.b+c", "#$&'*/^_`{|}~", "o'neill", "a=b", "?x?", "=utf-8?q?x?=", "0", "x" * 64])
async def test_every_address_that_is_let_in_is_the_envelope_to_the_letter(behaviour: Behaviour, local: str) -> None:
    address = EmailAddress.parse(f"{local}@example.com")
    with mail_server(behaviour) as port:
        await send(port, a_letter(address))
    (received,) = behaviour.received
    assert received.recipients == (address.canonical,)
    (to,) = the_message(behaviour)["To"].addresses
    assert to.addr_spec == address.canonical


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x00", "\x0b", "\u2028", "\x85"])
@pytest.mark.parametrize("place", ["address", "subject", "name"])
async def test_a_line_break_in_an_address_a_subject_or_a_name_adds_no_header_and_no_recipient(
    behaviour: Behaviour, place: str, break_: str
) -> None:
    evil = f"ada{break_}Bcc: victim@corp.com{break_}RCPT TO:<victim@corp.com>{break_}"
    letter = a_letter(EmailAddress(f"{evil}@example.com")) if place == "address" else a_letter()
    letter = a_letter(subject=evil) if place == "subject" else letter
    with mail_server(behaviour) as port, suppress(MailRefused, MailDelayed, ValueError):
        sender = Address(evil, "no-reply", "ostiary.example") if place == "name" else SENDER
        await send(port, letter, sender=sender)
    for received in behaviour.received:
        assert len(received.recipients) == 1
        assert received.recipients[0] != "victim@corp.com"
        message = message_from_bytes(received.content, policy=email.policy.default)
        assert {name.lower() for name in message} <= HEADERS
    if place == "address" and break_ in "\r\n\x00":
        assert behaviour.received == []


@pytest.mark.parametrize(
    "name", ['Acme "The Best", Inc.', "Søren & Co <info@x.y>", "=?utf-8?q?x?=", "Ärzte, e.V.", "a" * 200]
)
async def test_any_name_of_the_sender_arrives_as_it_was_set_with_one_address(behaviour: Behaviour, name: str) -> None:
    with mail_server(behaviour) as port:
        await send(port, sender=Address(name, "no-reply", "ostiary.example"))
    (address,) = the_message(behaviour)["From"].addresses
    assert address.addr_spec == "no-reply@ostiary.example"
    assert behaviour.received[0].sender == "no-reply@ostiary.example"
    if not name.startswith("=?"):
        assert address.display_name == name


async def test_the_envelope_is_the_recipient_and_never_what_stands_in_a_header(
    behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_more_readers(letter: RenderedLetter, sender: Address) -> EmailMessage:
        message = compose_message(letter, sender)
        del message["To"]
        message["To"] = "victim@corp.com, other@corp.com"
        message["Cc"] = "third@corp.com"
        message["Bcc"] = "fourth@corp.com"
        return message

    monkeypatch.setattr("adapters.mail.smtp.compose_message", with_more_readers)
    with mail_server(behaviour) as port:
        await send(port)
    assert [received.recipients for received in behaviour.received] == [("ada@example.com",)]


async def test_a_local_part_in_utf8_travels_as_such_where_the_server_can(behaviour: Behaviour) -> None:
    with mail_server(behaviour, utf8=True) as port:
        await send(port, a_letter(UMLAUT))
    (received,) = behaviour.received
    assert received.recipients == (UMLAUT.canonical,)
    assert "SMTPUTF8" in received.options
    message = message_from_bytes(received.content, policy=email.policy.SMTPUTF8)
    assert str(message["To"]) == UMLAUT.canonical


async def test_a_local_part_in_utf8_is_refused_for_good_where_the_server_cannot(behaviour: Behaviour) -> None:
    with mail_server(behaviour, utf8=False) as port, pytest.raises(MailRefused):
        await send(port, a_letter(UMLAUT))
    assert behaviour.received == []


async def test_an_ascii_address_needs_no_smtputf8(behaviour: Behaviour) -> None:
    with mail_server(behaviour, utf8=False) as port:
        await send(port, a_letter(EmailAddress("ada@xn--bcher-kva.example")))
    assert behaviour.received[0].recipients == ("ada@xn--bcher-kva.example",)


def test_a_retry_is_the_same_message_to_the_byte_but_for_the_boundary() -> None:
    def parts(message: EmailMessage) -> list[bytes]:
        boundary = message.as_bytes().split(b'boundary="')[1].split(b'"')[0]
        return message.as_bytes().split(boundary)

    assert parts(compose_message(a_letter(), SENDER)) == parts(compose_message(a_letter(), SENDER))


def test_a_certificate_file_that_is_missing_is_found_out_before_any_letter(tmp_path: Path) -> None:
    server = SmtpServer(host=HOST, port=25, encryption=Encryption.TLS, ca_file=str(tmp_path / "missing.pem"))
    with pytest.raises(OSError, match="No such file"):
        SmtpSender(server, SENDER)


# -- A look without a letter --


async def check(port: int, encryption: Encryption = Encryption.NONE, **server: Any) -> None:
    options = {"host": HOST, "seconds": 5.0, **server}
    await SmtpSender(SmtpServer(port=port, encryption=encryption, **options), SENDER).check()


async def test_a_look_goes_as_far_as_the_sender_and_leaves_no_letter(behaviour: Behaviour) -> None:
    behaviour.password = "right"
    with mail_server(behaviour) as port:
        await check(port, username="ostiary", password="right")
    assert behaviour.commands == ["AUTH", "MAIL"]
    assert behaviour.received == []


async def test_a_look_finds_a_wrong_password(behaviour: Behaviour) -> None:
    behaviour.password = "right"
    with (
        mail_server(behaviour) as port,
        pytest.raises(MailDelayed, match=r"^log-in refused \(535\): see SMTP_USER and SMTP_PASS$"),
    ):
        await check(port, username="ostiary", password="wrong")


async def test_a_look_finds_a_sender_that_is_refused(behaviour: Behaviour) -> None:
    behaviour.at_mail = "550 not you"
    with mail_server(behaviour) as port, pytest.raises(MailDelayed, match=r"^sender refused \(550\): see EMAIL_FROM$"):
        await check(port)


async def test_a_look_finds_that_there_is_no_encryption(behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port, pytest.raises((MailDelayed, MailRefused)):
        await check(port, Encryption.STARTTLS)
    assert behaviour.commands == []


async def test_a_look_finds_that_nobody_is_there() -> None:
    with pytest.raises(MailDelayed):
        await check(closed_port())


# -- Kept connections --


class Counted(Behaviour):
    """Counts connections and good-byes, and may behave otherwise at a later letter of the same connection."""

    def __init__(self, later: str = "250 OK", **fields: Any) -> None:
        super().__init__(**fields)
        self.later = later
        self.letters: dict[Any, int] = {}
        self.good_byes = 0
        self.transports: list[asyncio.Transport] = []
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def connections(self) -> int:
        return len(self.letters)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        self.loop = asyncio.get_running_loop()
        number = self.letters[session.peer] = self.letters.get(session.peer, 0) + 1
        self.transports.append(server.transport)
        if number > 1:
            match self.later:
                case "silence":
                    await asyncio.Event().wait()
                case "drop":
                    server.transport.close()
                case "250 OK":
                    pass
                case _:
                    return self.later
        return await super().handle_MAIL(server, session, envelope, address, options)

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802
        self.good_byes += 1
        return "221 bye"

    def hang_up(self) -> None:
        """On everybody, whether they are in the middle of something or not."""
        assert self.loop is not None

        async def close() -> None:
            for transport in self.transports:
                transport.close()

        asyncio.run_coroutine_threadsafe(close(), self.loop).result(10)


def kept(port: int, **options: Any) -> SmtpSender:
    """A sender that keeps connections, once it is entered."""
    fields = {"host": HOST, "seconds": 5.0, "encryption": Encryption.NONE, **options}
    return SmtpSender(SmtpServer(port=port, **fields), SENDER)


@pytest.mark.parametrize("encryption", list(Encryption))
async def test_letters_one_after_another_share_a_connection_and_its_log_in(
    authority: Authority, encryption: Encryption
) -> None:
    behaviour = Counted(password="right")
    tls = None if encryption is Encryption.NONE else authority.server(HOST)
    log_in = {"username": "ostiary", "password": "right", "ca_file": str(authority.file)}
    with mail_server(behaviour, tls=tls, implicit=encryption is Encryption.TLS) as port:
        async with kept(port, encryption=encryption, **log_in) as sender:
            for _ in range(5):
                await sender.send(a_letter())
    assert (len(behaviour.received), behaviour.connections, behaviour.good_byes) == (5, 1, 1)
    assert behaviour.commands.count("AUTH") == 1
    assert {received.encrypted for received in behaviour.received} == {encryption is not Encryption.NONE}


async def test_without_being_entered_each_letter_has_a_connection_of_its_own() -> None:
    behaviour = Counted()
    with mail_server(behaviour) as port:
        sender = kept(port)
        for _ in range(2):
            await sender.send(a_letter())
    assert (behaviour.connections, behaviour.good_byes) == (2, 2)


async def test_eight_letters_at_once_leave_eight_connections_for_the_next_eight() -> None:
    behaviour = Counted()
    with mail_server(behaviour) as port:
        async with kept(port) as sender:
            for _ in range(2):
                await asyncio.gather(*(sender.send(a_letter()) for _ in range(8)))
    assert len(behaviour.received) == 16
    assert behaviour.connections == behaviour.good_byes <= 8


@pytest.mark.parametrize("later", ["421 tired of you", "drop", "503 too many letters", "530 who are you?"])
async def test_a_connection_that_is_out_of_use_is_replaced_and_the_letter_does_not_notice(later: str) -> None:
    behaviour = Counted(later)
    with mail_server(behaviour) as port:
        async with kept(port, seconds=0.5) as sender:
            for _ in range(2):
                await sender.send(a_letter())
    assert (len(behaviour.received), behaviour.connections) == (2, 2)


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
async def test_a_connection_that_falls_silent_is_not_replaced_because_the_next_would_be_waited_for_as_well(
    command: str,
) -> None:
    class FallsSilent(Counted):
        async def handle_RCPT(self, *args: Any) -> str:  # noqa: N802
            if command == "RCPT" and self.received:
                await asyncio.Event().wait()
            return await super().handle_RCPT(*args)

    behaviour = FallsSilent("silence" if command == "MAIL" else "250 OK")
    with mail_server(behaviour) as port:
        async with kept(port, seconds=0.3) as sender:
            await sender.send(a_letter())
            with pytest.raises(MailDelayed, match="no answer in time"):
                await sender.send(a_letter())
    assert behaviour.connections == 1


async def test_a_connection_that_is_closed_at_the_recipient_is_replaced() -> None:
    class Closes(Counted):
        async def handle_RCPT(self, *args: Any) -> str:  # noqa: N802
            answer = await super().handle_RCPT(*args)
            return "421 too many in one session" if len(self.received) == self.connections == 1 else answer

    behaviour = Closes()
    with mail_server(behaviour) as port:
        async with kept(port) as sender:
            for _ in range(2):
                await sender.send(a_letter())
    assert (len(behaviour.received), behaviour.connections) == (2, 2)


async def test_a_server_that_has_hung_up_meanwhile_gets_a_new_connection() -> None:
    behaviour = Counted()
    with mail_server(behaviour) as port:
        async with kept(port) as sender:
            await asyncio.gather(*(sender.send(a_letter()) for _ in range(3)))
            behaviour.hang_up()
            await sender.send(a_letter())
    assert len(behaviour.received) == 4


async def test_it_is_replaced_once() -> None:
    class Tired(Counted):
        async def handle_MAIL(self, server: Any, session: Any, *rest: Any) -> str:  # noqa: N802
            answer = await super().handle_MAIL(server, session, *rest)
            return "421 tired of all of you" if sum(self.letters.values()) > 1 else answer

    behaviour = Tired()
    with mail_server(behaviour) as port:
        async with kept(port) as sender:
            await sender.send(a_letter())
            with pytest.raises(MailDelayed, match=r"sender delayed \(421\)"):
                await sender.send(a_letter())
    assert behaviour.connections == 2


@pytest.mark.parametrize("first", [True, False], ids=["fresh", "kept"])
async def test_a_letter_that_may_have_been_taken_is_not_sent_again(first: bool) -> None:
    class TakesItAndDrops(Counted):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            answer = await super().handle_DATA(server, session, envelope)
            if first or len(self.received) > 1:
                server.transport.close()
            return answer

    behaviour = TakesItAndDrops()
    with mail_server(behaviour) as port:
        async with kept(port) as sender:
            if not first:
                await sender.send(a_letter())
            with pytest.raises(MailDelayed, match="connection lost"):
                await sender.send(a_letter())
    assert len(behaviour.received) == (1 if first else 2)
    assert behaviour.connections == 1


@pytest.mark.parametrize("where", ["at_recipient", "at_data"])
@pytest.mark.parametrize(("answer", "verdict"), [("552 no", MailRefused), ("451 later", MailDelayed)])
async def test_a_verdict_on_a_kept_connection_is_a_verdict_and_the_next_letter_is_taken(
    where: str, answer: str, verdict: type[Exception]
) -> None:
    behaviour = Counted()
    with mail_server(behaviour) as port:
        async with kept(port) as sender:
            await sender.send(a_letter())
            setattr(behaviour, where, answer)
            with pytest.raises(verdict, match=answer[:3]):
                await sender.send(a_letter())
            assert behaviour.connections == 1
            setattr(behaviour, where, None)
            await sender.send(a_letter())
    assert len(behaviour.received) == 2


async def test_a_server_that_was_away_and_comes_back_takes_letters_again() -> None:
    port = closed_port()
    async with kept(port) as sender:
        with pytest.raises(MailDelayed, match=r"^no connection \(refused\): see SMTP_HOST and SMTP_PORT$"):
            await sender.send(a_letter())
        behaviour = Counted()
        with mail_server(behaviour, port=port):
            await sender.send(a_letter())
        with pytest.raises(MailDelayed, match=r"^no connection"):
            await sender.send(a_letter())
        behaviour = Counted()
        with mail_server(behaviour, port=port):
            await sender.send(a_letter())
        assert len(behaviour.received) == 1


async def test_a_letter_that_is_given_up_leaves_no_connection_behind_for_the_next() -> None:
    behaviour = Counted("silence")
    with mail_server(behaviour) as port:
        async with kept(port) as sender:
            await sender.send(a_letter())
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await sender.send(a_letter())
            given_up = behaviour.transports[0]
            assert await asyncio.to_thread(wait_for, lambda: given_up.is_closing() or None, "its end")
            await sender.send(a_letter())
    assert (len(behaviour.received), behaviour.connections) == (2, 2)


async def test_a_connection_carries_so_many_letters_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.mail.smtp_connections._MOST_LETTERS", 2)
    behaviour = Counted()
    with mail_server(behaviour) as port:
        async with kept(port) as sender:
            for _ in range(4):
                await sender.send(a_letter())
            assert behaviour.good_byes == 2
    assert behaviour.connections == 2


async def test_a_connection_without_letters_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.mail.smtp_connections._IDLE_SECONDS", 0.01)
    behaviour = Counted()
    with mail_server(behaviour) as port:
        async with kept(port) as sender:
            await sender.send(a_letter())
            assert await asyncio.to_thread(wait_for, lambda: behaviour.good_byes or None, "a good-bye") == 1
            await sender.send(a_letter())
    assert behaviour.connections == 2


async def test_leaving_does_not_wait_for_a_server_that_says_no_good_bye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.mail.smtp_connections._GOOD_BYE_SECONDS", 0.05)
    with mail_server(TakesItAndFallsSilent()) as port:
        async with kept(port, seconds=30.0) as sender, asyncio.timeout(10):
            await asyncio.gather(*(sender.send(a_letter()) for _ in range(3)))


# -- What the operator reads --

CANARY = "canary-password"
NO_LOG_IN = "the mail server offers no log-in: see SMTP_USER and SMTP_PASS, or OSTIARY_SMTP_ENCRYPTION"


async def reason(port: int, encryption: Encryption = Encryption.NONE, **server: Any) -> str:
    """Why a letter waits; neither it nor what led to it has the password."""
    with pytest.raises(MailDelayed) as delayed:
        await send(port, encryption=encryption, **{"username": "ostiary", "password": CANARY, **server})
    assert CANARY not in "".join(traceback.format_exception(delayed.value))
    return str(delayed.value)


async def test_a_log_in_that_fails_says_where_to_look(authority: Authority, behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port:
        assert await reason(port) == NO_LOG_IN
    behaviour.password = "right"
    with mail_server(behaviour) as port:
        assert await reason(port) == "log-in refused (535): see SMTP_USER and SMTP_PASS"
        assert await reason(port, username=None) == "log-in required (530): see SMTP_USER and SMTP_PASS"
    greeting = [b"220 hello\r\n", b"250-hello\r\n250 AUTH PLAIN\r\n"]
    with scripted_server(*greeting, b"454 later\r\n", b"221 bye\r\n") as port:
        assert await reason(port) == "log-in delayed (454): see SMTP_USER and SMTP_PASS"
    with scripted_server(*greeting, None) as port:
        assert await reason(port, seconds=0.1) == "no answer in time (log-in)"


async def test_a_log_in_that_takes_no_password_says_so() -> None:
    with scripted_server(b"220 hello\r\n", b"250-hello\r\n250 AUTH XOAUTH2\r\n", b"221 bye\r\n") as port:
        assert await reason(port) == "the mail server offers no log-in by password: see SMTP_HOST"


async def test_encryption_that_fails_says_where_to_look(authority: Authority, behaviour: Behaviour) -> None:
    see_certificate = "the mail server's certificate is not vouched for: see SMTP_HOST and OSTIARY_SMTP_CA_FILE"
    see_encryption = "no encrypted connection: see SMTP_PORT and OSTIARY_SMTP_ENCRYPTION"
    for encryption in (Encryption.TLS, Encryption.STARTTLS):
        with mail_server(behaviour, tls=authority.server(HOST), implicit=encryption is Encryption.TLS) as port:
            assert await reason(port, encryption) == see_certificate
    with mail_server(behaviour) as port:
        assert await reason(port, Encryption.TLS, seconds=1.0) == see_encryption
        assert await reason(port, Encryption.STARTTLS) == (
            "STARTTLS not possible: see SMTP_PORT and OSTIARY_SMTP_ENCRYPTION"
        )
    assert behaviour.commands == []


async def test_a_server_that_turns_away_or_makes_no_sense_says_so() -> None:
    greetings = {b"554 not you\r\n": "connection refused (554)", b"421 busy\r\n": "connection delayed (421)"}
    for greeting, said in greetings.items():
        with scripted_server(greeting, None) as port:
            assert await reason(port, seconds=0.5) == said
    with scripted_server(b"hello there\r\n", None) as port:
        assert await reason(port, seconds=0.5) == "connection answered with what is no SMTP"


NOWHERE = {
    "a port where nobody listens": (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "refused"),
    "several addresses": (OSError("Multiple exceptions: [Errno 111] at ::1, [Errno 111] at 127.0.0.1"), "refused"),
    "a name that nobody has": (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name not found"),
    "a server that is off": (OSError(errno.EHOSTUNREACH, "No route to host"), "host not reachable"),
    "a machine without a network": (OSError(errno.ENETUNREACH, "Unreachable"), "network not reachable"),
    "a firewall here": (PermissionError(errno.EPERM, "Not permitted"), "not permitted"),
    "a firewall there": (TimeoutError(), "timed out"),
    "something else": (OSError(errno.EMFILE, "Too many open files"), "failed"),
}


@pytest.mark.parametrize(("trouble", "word"), NOWHERE.values(), ids=NOWHERE.keys())
async def test_a_server_that_is_not_reached_is_told_apart(
    trouble: OSError, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operating system's part, which a test cannot have go wrong in each of these ways, is played."""

    async def no_way(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", no_way)
    assert await reason(25) == f"no connection ({word}): see SMTP_HOST and SMTP_PORT"


async def test_a_server_that_takes_the_call_and_does_not_speak_is_told_apart() -> None:
    with scripted_server(None) as port:
        assert await reason(port, seconds=0.1) == "no connection (timed out): see SMTP_HOST and SMTP_PORT"
