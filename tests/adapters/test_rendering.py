"""The contract of `application.ports.letters.LetterRenderer`, held by `JinjaLetterRenderer`."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from adapters.catalogues import PoLanguages
from adapters.mail.rendering import JinjaLetterRenderer, Stationery
from domain.email_address import EmailAddress
from domain.letters import (
    AccountExists,
    AddressInUse,
    ConfirmAddress,
    Letter,
    Notice,
    Occasion,
    RenderedLetter,
    ResetPassword,
    VerifyAddress,
)
from domain.locale import Locales
from domain.secret import Secret
from tests.support.clock import SettableClock

OFFERED = Locales(("en", "de", "fr", "es", "ar"))

LETTER_ID = UUID("6f1e2d3c-0000-4000-8000-000000000001")
TOKEN = Secret.of(bytes(range(32)))
ADA = EmailAddress("ada@example.com")


def stationery(**fields: Any) -> Stationery:
    defaults: dict[str, Any] = {
        "brand": "Ostiary",
        "app_url": "https://app.example",
        "verify_url": "https://app.example/auth/verify",
        "sign_in_url": "https://app.example/auth/signin",
        "reset_url": "https://app.example/auth/reset",
        "confirm_email_url": "https://app.example/auth/confirm-email-change",
        "undo_url": "https://app.example/auth/undo",
        "message_id_domain": "ostiary.example",
    }
    return Stationery(**(defaults | fields))


def verify_address(recipient: EmailAddress = ADA, minutes: int = 60) -> VerifyAddress:
    return VerifyAddress(recipient=recipient, token=TOKEN, valid_for=timedelta(minutes=minutes))


def reset_password(recipient: EmailAddress = ADA, minutes: int = 60) -> ResetPassword:
    return ResetPassword(recipient=recipient, token=TOKEN, valid_for=timedelta(minutes=minutes))


def confirm_address(recipient: EmailAddress = ADA, minutes: int = 60) -> ConfirmAddress:
    return ConfirmAddress(recipient=recipient, token=TOKEN, valid_for=timedelta(minutes=minutes))


def notice(occasion: Occasion = Occasion.PASSWORD_CHANGED, recipient: EmailAddress = ADA, **fields: Any) -> Notice:
    defaults: dict[str, Any] = {
        "recipient": recipient,
        "occasion": occasion,
        "token": TOKEN,
        "valid_for": timedelta(days=7),
        "happened_at": datetime(2026, 11, 21, 10, 24, 20, tzinfo=UTC),
        "device": "Chrome on Linux",
        "masked_address": "192.0.2.0/24",
    }
    return Notice(**(defaults | fields))


def render(letter: Letter, **fields: Any) -> RenderedLetter:
    return JinjaLetterRenderer(stationery(**fields), SettableClock(), PoLanguages(), OFFERED).render(letter, LETTER_ID)


NOTICES: list[Notice] = [notice(occasion) for occasion in Occasion if occasion.notice]
LINKED: list[Letter] = [verify_address(), reset_password(), confirm_address(), *NOTICES]
LETTERS: list[Letter] = [*LINKED, AccountExists(recipient=ADA), AddressInUse(recipient=ADA)]


def named(letter: Letter) -> str:
    return letter.occasion.value if isinstance(letter, Notice) else type(letter).__name__


each_letter = pytest.mark.parametrize("letter", LETTERS, ids=named)
each_linked = pytest.mark.parametrize("letter", LINKED, ids=named)
each_notice = pytest.mark.parametrize("letter", NOTICES, ids=named)


TEMPLATES = ["{{7*7}}", "{% raw %}", "${7*7}", "{0.__class__}", "%(brand)s"]


class Page(HTMLParser):
    """The tags, attributes and words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def links(self) -> set[str]:
        return {value for tag, name, value in self.attributes if name == "href"}


def link_in(rendered: RenderedLetter) -> str:
    (link,) = [line for line in rendered.text.splitlines() if "token=" in line]
    return link


def test_the_link_is_the_configured_place_with_token_and_address() -> None:
    link = link_in(render(verify_address()))
    assert link.startswith("https://app.example/auth/verify?")
    assert parse_qs(urlsplit(link).query, strict_parsing=True) == {"token": [TOKEN.text], "email": ["ada@example.com"]}


@pytest.mark.parametrize(
    "address",
    [
        "a+b&c=d@example.com",
        "a#b?c/d@example.com",
        "jürgen@xn--bcher-kva.example",
        "o'neill@example.com",
        "{x}|`^~@x.io",
    ],
)
def test_the_address_in_the_link_is_percent_encoded_and_reads_back_as_it_was(address: str) -> None:
    link = link_in(render(verify_address(EmailAddress(address))))
    assert re.fullmatch(r"https://app\.example/auth/verify\?token=[\w-]{43}&email=[\w.%~-]+", link, re.ASCII)
    assert parse_qs(urlsplit(link).query, strict_parsing=True)["email"] == [address]
    assert urlsplit(link).fragment == ""


@pytest.mark.parametrize("write", [verify_address, reset_password, confirm_address])
def test_the_link_in_html_is_the_one_in_the_text(write: Callable[[EmailAddress], Letter]) -> None:
    rendered = render(write(EmailAddress("a&b@example.com")))
    assert link_in(rendered) in Page(rendered.html).links


@pytest.mark.parametrize(
    ("letter", "place", "fields"),
    [
        (reset_password(), "https://app.example/auth/reset", {"token", "email"}),
        (confirm_address(), "https://app.example/auth/confirm-email-change", {"token", "email"}),
        *((letter, "https://app.example/auth/undo", {"token"}) for letter in NOTICES),
    ],
)
def test_each_link_leads_to_its_own_configured_place(letter: Letter, place: str, fields: set[str]) -> None:
    rendered = render(letter)
    link = urlsplit(link_in(rendered))
    query = parse_qs(link.query, strict_parsing=True)
    assert link._replace(query="").geturl() == place
    assert query.keys() == fields
    assert query["token"] == [TOKEN.text]
    assert {where for where in Page(rendered.html).links if "token=" in where} == {link.geturl()}


@each_letter
def test_every_tag_is_closed_and_nothing_is_left_of_the_template(letter: Letter) -> None:
    rendered = render(letter)
    assert Page(rendered.html).open == []
    for part in (rendered.subject, rendered.text, re.sub(r"<style>.*?</style>", "", rendered.html, flags=re.DOTALL)):
        assert not re.search(r"[{}]|None|Undefined|datetime|Occasion", part), part


@each_letter
def test_subject_title_and_heading_say_the_same_and_the_text_begins_with_it(letter: Letter) -> None:
    rendered = render(letter)
    assert rendered.subject.endswith("Ostiary")
    assert rendered.text.startswith(f"{rendered.subject}\n\n")
    assert f"<title>{rendered.subject}</title>" in rendered.html
    assert re.search(rf"<h1[^>]*>{re.escape(rendered.subject)}</h1>", rendered.html)


@each_letter
def test_what_is_said_in_html_is_said_in_the_text(letter: Letter) -> None:
    rendered = render(letter)
    text = " ".join(rendered.text.split())
    for paragraph in re.findall(r"<p[^>]*>(.*?)</p>", rendered.html, re.DOTALL):
        if "<a " not in paragraph:
            sentences = unescape(re.sub(r"<[^>]+>", "", paragraph)).split(". ")
            assert [words for words in sentences if words not in text and not words.endswith(":")] == []


@each_letter
def test_a_letter_is_legible_in_light_and_in_dark(letter: Letter) -> None:
    """Light colours are inlined; what has a colour has a class as well, by which the dark ones take over."""
    html = render(letter).html
    assert "@media (prefers-color-scheme: dark)" in html
    assert '<meta name="color-scheme" content="light dark">' in html
    for tag in re.findall(r"<[a-z0-9]+[^>]*style=\"[^>]*color: #[^>]*>", html):
        assert re.search(r'class="(ground|card|muted|link|button)"', tag), tag
    for tag in re.findall(r'<a class="button"[^>]*>', html):
        assert "background-color: #0d625c" in tag


@each_letter
def test_every_link_leads_to_a_configured_place(letter: Letter) -> None:
    links = Page(render(letter).html).links | set(re.findall(r"https?://\S+", render(letter).text))
    assert links
    assert {f"{urlsplit(link).scheme}://{urlsplit(link).netloc}" for link in links} == {"https://app.example"}


@each_letter
def test_a_letter_loads_nothing_from_anywhere_and_runs_nothing(letter: Letter) -> None:
    html = render(letter).html
    page = Page(html)
    forbidden = {"img", "script", "link", "iframe", "form", "object", "embed", "video", "audio", "base", "svg", "input"}
    assert not forbidden & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "background")]
    assert "url(" not in html
    assert "@import" not in html
    assert "javascript:" not in html.lower()


@each_letter
@pytest.mark.parametrize("brand", ["<b>&\"'</b>", "</title><script>alert(1)</script>"])
def test_a_brand_is_escaped_in_html_and_is_itself_in_the_text_and_never_a_template(letter: Letter, brand: str) -> None:
    rendered = render(letter, brand=brand)
    page = Page(rendered.html)
    assert brand in page.words
    assert "b" not in page.tags
    assert "script" not in page.tags
    assert brand in rendered.text
    assert brand in rendered.subject


@pytest.mark.parametrize("hostile", ['x"onmouseover="a', "<script>", "{{7*7}}", "a'b"])
def test_an_address_is_inert_in_html(hostile: str) -> None:
    page = Page(render(verify_address(EmailAddress(f"{hostile}@example.com"))).html)
    assert "script" not in page.tags
    ours = {"lang", "dir", "hidden", "aria-hidden", "charset", "name", "content", "class", "style", "href"}
    assert {name for _, name, _ in page.attributes} <= ours
    assert len({link for link in page.links if "token=" in link}) == 1


@each_letter
def test_a_letter_to_an_unproven_address_has_no_word_that_its_asker_wrote_but_the_encoded_address(
    letter: Letter,
) -> None:
    def words(rendered: RenderedLetter) -> str:
        bare = rendered.subject + rendered.text + rendered.html
        return re.sub(r"email=[\w.%~-]+", "email=", bare)

    other = EmailAddress("click-http.evil.example+now@evil.example")
    assert words(render(replace(letter, recipient=other))) == words(render(letter))


@each_letter
def test_lines_of_text_fit_a_terminal_except_the_link(letter: Letter) -> None:
    for line in render(letter).text.splitlines():
        assert len(line) <= 78 or line.startswith("https://"), line
        assert line == line.rstrip() or line == "-- "


@each_letter
def test_the_same_letter_is_rendered_the_same_each_time_with_the_same_message_id(letter: Letter) -> None:
    assert render(letter) == render(letter)
    assert render(letter).message_id == f"<{LETTER_ID}@ostiary.example>"
    assert render(letter).recipient == ADA
    assert render(letter).written_at == SettableClock().now()


@each_linked
def test_the_token_is_in_the_body_and_nowhere_else(letter: Letter) -> None:
    rendered = render(letter)
    assert TOKEN.text in rendered.text
    assert TOKEN.text not in rendered.subject + rendered.message_id + repr(rendered) + repr(letter)


@pytest.mark.parametrize("letter", [AccountExists(recipient=ADA), AddressInUse(recipient=ADA)], ids=named)
def test_what_an_owner_is_told_of_others_has_no_token_and_leads_to_signing_in(letter: Letter) -> None:
    rendered = render(letter)
    assert "token" not in rendered.text + rendered.html
    assert "https://app.example/auth/signin" in rendered.text
    assert "https://app.example/auth/signin" in Page(rendered.html).links


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(15, "15 minutes"), (60, "60 minutes"), (90, "90 minutes"), (120, "2 hours"), (1440, "24 hours")],
)
@pytest.mark.parametrize("write", [verify_address, reset_password, confirm_address])
def test_the_letter_says_how_long_its_link_works(write: Callable[..., Letter], minutes: int, words: str) -> None:
    rendered = render(write(minutes=minutes))
    assert re.search(rf"works (once, )?for {words}\b", rendered.text)
    assert re.search(rf"works (once, )?for {words}\b", rendered.html)


@each_linked
def test_a_letter_with_a_link_says_what_to_do_if_it_was_somebody_else(letter: Letter) -> None:
    rendered = render(letter)
    for part in (rendered.text, rendered.html):
        assert re.search(
            "If you did not|If it was not you|If none of this was you|Was this not you|Do you not know it", part
        )


@each_notice
def test_a_notice_says_when_on_what_and_where_from(letter: Letter) -> None:
    rendered = render(letter)
    for part in (rendered.text, rendered.html):
        for fact in ("21 November 2026, 10:24 UTC", "Chrome on Linux", "192.0.2.*"):
            assert fact in part


@each_notice
def test_a_notice_says_what_its_link_does_and_for_how_long(letter: Letter) -> None:
    rendered = render(letter)
    for part in (" ".join(rendered.text.split()), rendered.html):
        assert "the address it had before this" in part
        assert "no password works" in part.lower()
        assert "another letter follows" in part
        assert "The link works once, for 7 days." in part


def test_the_mailbox_is_made_safe_before_the_link_is_opened() -> None:
    rendered = render(notice(Occasion.PASSWORD_RESET))
    for part in (" ".join(rendered.text.split()), rendered.html):
        assert part.index("Change the password of your mailbox first") < part.index("Open this link and confirm")


@each_notice
def test_a_notice_says_to_give_its_link_to_nobody(letter: Notice) -> None:
    if letter.occasion is not Occasion.ACCOUNT_DELETED:  # which says how long there is a way back
        rendered = render(letter)
        for part in (" ".join(rendered.text.split()), rendered.html):
            assert "Give it to nobody, whoever says they need it." in part
            assert ("Check the device that" in part) == (letter.occasion is Occasion.SESSION_STOLEN)


def test_every_notice_tells_another_story() -> None:
    rendered = [render(letter) for letter in NOTICES]
    assert len({letter.subject for letter in rendered}) == len(NOTICES) == 7
    assert len({letter.text.split("\n\n")[1] for letter in rendered}) == len(NOTICES)


def test_a_moment_elsewhere_is_told_in_utc() -> None:
    there = datetime(2026, 1, 1, 1, 5, tzinfo=timezone(timedelta(hours=2)))
    assert "31 December 2025, 23:05 UTC" in render(notice(happened_at=there)).text


def test_what_is_not_known_is_left_out() -> None:
    rendered = render(notice(device="an unknown device", masked_address=""))
    for part in (rendered.text, rendered.html):
        assert "Device" not in part
        assert "Network" not in part
        assert "unknown" not in part


def test_a_network_of_the_newer_kind_is_shortened_as_well() -> None:
    assert "Network: 2001:db8:77:*\n" in render(notice(masked_address="2001:db8:77::/48")).text


@each_letter
def test_an_ampersand_in_a_configured_place_stays_one_in_the_text(letter: Letter) -> None:
    place = "https://app.example/?a=1&b=2"
    rendered = render(letter, sign_in_url=place, app_url=place)
    assert place in rendered.text
    assert "&amp;" not in rendered.text
    assert place in Page(rendered.html).links


def in_language(locale: str | None, offered: tuple[str, ...]) -> str:
    letter = AccountExists(recipient=ADA, locale=locale)
    renderer = JinjaLetterRenderer(stationery(), SettableClock(), PoLanguages(), Locales(offered))
    return renderer.render(letter, LETTER_ID).language


def test_who_has_no_language_or_none_that_is_offered_reads_the_first_and_a_country_its_language() -> None:
    assert in_language(None, ("de", "fr")) == "de"
    assert in_language("es", ("de", "fr")) == "de", "offered once, and no more"
    assert in_language("fr-CA", ("de", "fr")) == in_language("FR", ("de", "fr")) == "fr"


def test_a_percent_sign_in_a_catalogue_is_one(tmp_path: Path) -> None:
    own = 'msgid "Or copy this link into your browser:"\nmsgstr "Of kopieer 100 % van deze link:"\n'
    subject = 'msgid "Sign in"\nmsgstr "100 % in"\n'
    (tmp_path / "nl.po").write_text(f"{own}\n{subject}")
    languages = PoLanguages(tmp_path)
    assert list(languages.faults()) == []
    renderer = JinjaLetterRenderer(stationery(), SettableClock(), languages, Locales(("nl",)))
    rendered = renderer.render(AccountExists(recipient=ADA), LETTER_ID)
    assert "Of kopieer 100 % van deze link:" in rendered.html
    assert "100 % in" in rendered.html
