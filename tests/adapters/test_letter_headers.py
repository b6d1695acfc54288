"""Letters as messages: whatever receives them reads each strictly, and finds the headers that make letters arrive."""

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest

from adapters.catalogues import PoLanguages
from adapters.mail.message import compose_message
from adapters.mail.rendering import JinjaLetterRenderer
from adapters.mail.samples import sample_letters
from domain.email_address import EmailAddress
from domain.letters import InlineImage, RenderedLetter
from tests.adapters.test_rendering import OFFERED, stationery
from tests.support.clock import SettableClock

SENDER = Address("Müller & Söhne, „Türsteher“", "no-reply", "xn--mller-kva.example")
SUPPORT = EmailAddress("help@example.com")
LOGO = InlineImage(content_id="logo", media_type="image/png", content=b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
LETTER_ID = UUID(int=7)
LONG_ARABIC = "أكِّد عنوان بريدك الإلكتروني الجديد حتى نتمكن من إرسال الرسائل إليك بشأن حسابك لدى Müller & Söhne"


def every_letter() -> Iterator[tuple[str, RenderedLetter]]:
    plain, branded = stationery(), stationery(brand="Müller & Söhne", logo=LOGO, support_address=SUPPORT)
    for paper in (plain, branded):
        renderer = JinjaLetterRenderer(paper, SettableClock(), PoLanguages(), OFFERED)
        for locale in ("en", "de", "fr", "es", "ar"):
            for name, letter in sample_letters(locale).items():
                kind = "branded" if paper is branded else "plain"
                yield f"{name}-{locale}-{kind}", renderer.render(letter, LETTER_ID)


LETTERS = dict(every_letter())
each_letter = pytest.mark.parametrize("letter", LETTERS.values(), ids=LETTERS.keys())


def received(letter: RenderedLetter) -> EmailMessage:
    """Read by a parser that forgives nothing."""
    return message_from_bytes(compose_message(letter, SENDER).as_bytes(), policy=policy.strict)


@each_letter
def test_each_letter_is_read_strictly_and_says_what_was_written(letter: RenderedLetter) -> None:
    raw = compose_message(letter, SENDER).as_bytes()
    assert raw.isascii()
    assert raw.replace(b"\r\n", b"").find(b"\n") == raw.replace(b"\r\n", b"").find(b"\r") == -1
    assert max(map(len, raw.split(b"\r\n"))) <= 78

    message = message_from_bytes(raw, policy=policy.strict)
    assert [part.defects for part in message.walk()] == [[] for _ in message.walk()]
    assert [header.defects for header in message.values()] == [() for _ in message.values()]
    assert message["Subject"] == letter.subject
    assert message["From"].addresses == (SENDER,)
    assert message["Date"].datetime == letter.written_at
    assert message["Message-ID"] == letter.message_id == f"<{LETTER_ID}@ostiary.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert message["Content-Language"] == letter.language
    assert len(message.keys()) == len(set(message.keys()))
    assert not [name for name in message if name.startswith("List-")]

    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert html.get_content_type() == ("multipart/related" if letter.logo else "text/html")
    for kind, words in (("plain", letter.text), ("html", letter.html)):
        body = message.get_body((kind,))
        assert body is not None
        assert body.get_content_charset() == "utf-8"
        assert body.get_content().replace("\r\n", "\n") == words
    assert f'lang="{letter.language}"' in letter.html


def test_a_logo_travels_beside_the_html_that_shows_it() -> None:
    letter = LETTERS["verify_address-en-branded"]
    [_, related] = received(letter).iter_parts()
    html, logo = related.iter_parts()
    assert 'src="cid:logo"' in html.get_content()
    assert 'alt="Müller &amp; Söhne"' in html.get_content()
    assert (logo["Content-ID"], logo.get_content_type(), logo.get_content_disposition()) == (
        "<logo>",
        "image/png",
        "inline",
    )
    assert logo.get_content() == LOGO.content


def test_a_reply_goes_to_where_questions_are_answered_if_there_is_such_a_place() -> None:
    assert received(LETTERS["verify_address-en-branded"])["Reply-To"] == "help@example.com"
    assert "help@example.com" in LETTERS["verify_address-en-branded"].text
    assert 'href="mailto:help@example.com"' in LETTERS["verify_address-en-branded"].html
    assert received(LETTERS["verify_address-en-plain"])["Reply-To"] is None


@pytest.mark.parametrize("words", range(2, 16))
def test_a_subject_and_a_name_of_another_script_are_folded_and_read_as_they_were(words: int) -> None:
    written = " ".join(LONG_ARABIC.split()[-words:])
    letter = replace(LETTERS["verify_address-en-plain"], subject=written)
    sender = Address(written, "no-reply", "example.com")
    raw = compose_message(letter, sender).as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    # The newer parser of Python before 3.13 puts spaces into names that fill several encoded words.
    message = message_from_bytes(raw)
    assert str(make_header(decode_header(message["Subject"]))) == written
    assert str(make_header(decode_header(message["From"]))) == f"{written} <no-reply@example.com>"


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\u2028", "\x0b"], ids=repr)
def test_nothing_that_a_brand_or_a_translation_says_becomes_a_header(tmp_path: Path, ending: str) -> None:
    written = ending.encode("unicode_escape").decode() if ending in "\r\n" else ending
    (tmp_path / "de.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        f'msgid "Choose a new password for %(brand)s"\nmsgstr "Neu{written}Bcc: eve@evil.example{written}%(brand)s"\n'
    )
    paper = stationery(brand=f"Brand{ending}Bcc: eve@evil.example")
    renderer = JinjaLetterRenderer(paper, SettableClock(), PoLanguages(tmp_path), OFFERED)
    letter = renderer.render(sample_letters("de")["reset_password"], LETTER_ID)
    assert letter.subject == "Neu Bcc: eve@evil.example Brand Bcc: eve@evil.example"
    assert received(letter)["Bcc"] is None
    assert received(letter)["Subject"] == letter.subject
