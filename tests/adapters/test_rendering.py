"""The contract of `application.ports.letters.LetterRenderer`, held by `JinjaLetterRenderer`."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from adapters.mail.rendering import JinjaLetterRenderer, Stationery
from domain.email_address import EmailAddress
from domain.letters import AccountExists, Letter, RenderedLetter, VerifyAddress
from domain.secret import Secret
from tests.support.clock import SettableClock

LETTER_ID = UUID("6f1e2d3c-0000-4000-8000-000000000001")
TOKEN = Secret.of(bytes(range(32)))
ADA = EmailAddress("ada@example.com")


def stationery(**fields: str) -> Stationery:
    defaults = {
        "brand": "Ostiary",
        "app_url": "https://app.example",
        "verify_url": "https://app.example/auth/verify",
        "sign_in_url": "https://app.example/auth/signin",
        "message_id_domain": "ostiary.example",
    }
    return Stationery(**(defaults | fields))


def verify_address(recipient: EmailAddress = ADA, minutes: int = 60) -> VerifyAddress:
    return VerifyAddress(recipient=recipient, token=TOKEN, valid_for=timedelta(minutes=minutes))


def render(letter: Letter, **fields: str) -> RenderedLetter:
    return JinjaLetterRenderer(stationery(**fields), SettableClock()).render(letter, LETTER_ID)


LETTERS: list[Letter] = [verify_address(), AccountExists(recipient=ADA)]
each_letter = pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: type(letter).__name__)


TEMPLATES = ["{{7*7}}", "{% raw %}", "${7*7}", "{0.__class__}", "%(brand)s"]


class Page(HTMLParser):
    """The tags, attributes and words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

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


def test_the_link_in_html_is_the_one_in_the_text() -> None:
    rendered = render(verify_address(EmailAddress("a&b@example.com")))
    assert link_in(rendered) in Page(rendered.html).links


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
    assert {name for _, name, _ in page.attributes} <= {"lang", "charset", "name", "content", "class", "style", "href"}
    assert len({link for link in page.links if "token=" in link}) == 1


@each_letter
def test_a_letter_to_an_unproven_address_has_no_word_that_its_asker_wrote_but_the_encoded_address(
    letter: Letter,
) -> None:
    def words(rendered: RenderedLetter) -> str:
        bare = rendered.subject + rendered.text + rendered.html
        return re.sub(r"email=[\w.%~-]+", "email=", bare)

    other = EmailAddress("click-http.evil.example+now@evil.example")
    shouted = verify_address(other) if isinstance(letter, VerifyAddress) else AccountExists(recipient=other)
    assert words(render(shouted)) == words(render(letter))


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


def test_the_token_is_in_the_body_and_nowhere_else() -> None:
    rendered = render(verify_address())
    assert TOKEN.text not in rendered.subject + rendered.message_id + repr(rendered) + repr(verify_address())


def test_the_notice_to_an_owner_has_no_token_and_leads_to_signing_in() -> None:
    rendered = render(AccountExists(recipient=ADA))
    assert "token" not in rendered.text + rendered.html
    assert "https://app.example/auth/signin" in rendered.text
    assert "https://app.example/auth/signin" in Page(rendered.html).links


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(15, "15 minutes"), (60, "60 minutes"), (90, "90 minutes"), (120, "2 hours"), (1440, "24 hours")],
)
def test_the_letter_says_how_long_its_link_works(minutes: int, words: str) -> None:
    rendered = render(verify_address(minutes=minutes))
    assert f"works for {words}" in rendered.text
    assert f"works for {words}" in rendered.html


@each_letter
def test_an_ampersand_in_a_configured_place_stays_one_in_the_text(letter: Letter) -> None:
    place = "https://app.example/?a=1&b=2"
    rendered = render(letter, sign_in_url=place, app_url=place)
    assert place in rendered.text
    assert "&amp;" not in rendered.text
    assert place in Page(rendered.html).links
