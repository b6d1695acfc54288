"""Letters in other languages: every word is said by a catalogue, and times and directions are those of the reader."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

import pytest

from adapters.catalogues import PoLanguages, PoSentences
from adapters.device_names import UNKNOWN, ParsedDeviceNames
from adapters.mail.rendering import JinjaLetterRenderer
from adapters.mail.samples import sample_letters
from adapters.mail.units import moment, network
from domain.email_address import EmailAddress
from domain.letters import Letter, RenderedLetter
from domain.locale import Locales
from domain.sentence import Sentence
from tests.adapters.test_rendering import OFFERED, Page, stationery
from tests.support.clock import SettableClock

SAMPLES = sample_letters("ar")
each_sample = pytest.mark.parametrize("letter", SAMPLES.values(), ids=SAMPLES.keys())


@dataclass(frozen=True)
class Marked:
    """`application.ports.languages.Languages` and `Sentences` that put marks around whatever they say."""

    locale: str = "ar"
    direction: str = "rtl"
    known: tuple[str, ...] = ("ar",)

    def of(self, locale: str | None) -> "Marked":
        return self

    def duration(self, time: timedelta) -> str:
        return PoSentences(self.locale, self.direction, {}).duration(time)

    def say(self, sentence: str) -> str:
        if isinstance(sentence, Sentence) and sentence.figures:
            return f"«{sentence.template % sentence.figures}»"
        return f"«{sentence}»"


def marked(letter: Letter) -> RenderedLetter:
    paper = stationery(support_address=EmailAddress("help@example.com"))
    return JinjaLetterRenderer(paper, SettableClock(), Marked(), OFFERED).render(letter, UUID(int=1))


def unsaid(words: str) -> str:
    """What stands outside of all marks, without links and the names in them."""
    before = ""
    while before != words:
        before, words = words, re.sub(r"«[^«»]*»", "", words)
    return re.sub(r"https?://\S+|Ostiary|-- |\s", "", words)


@each_sample
def test_every_word_is_said_by_a_catalogue(letter: Letter) -> None:
    rendered = marked(letter)
    page = Page(rendered.html)
    assert unsaid(rendered.subject) == ""
    assert unsaid(rendered.text) == ""
    assert unsaid(re.sub(r":root \{.*?\}\s*\}\s*$", "", page.words.split("«", 1)[0], flags=re.DOTALL)) == ""
    body = unescape(re.sub(r"<[^>]+>", "", rendered.html.partition("<body")[2].partition(">")[2]))
    assert unsaid(body) == ""


@each_sample
def test_a_letter_from_right_to_left_says_so_wherever_it_may_be_cut_out(letter: Letter) -> None:
    rendered = marked(letter)
    for tag in ("html", "body"):
        assert f'<{tag} lang="ar" dir="rtl"' in re.sub(r' class="ground"', "", rendered.html)
    assert "text-align: left" not in rendered.html
    assert "-left:" not in rendered.html
    assert "-right:" not in rendered.html
    links = re.findall(r'<a class="link"[^>]*>', rendered.html)
    assert links
    assert all('dir="ltr"' in link for link in links)
    assert rendered.language == "ar"


@pytest.mark.parametrize(
    ("locale", "days", "when"),
    [
        ("en", "7 days", "21 November 2026, 09:04 UTC"),
        ("en-US", "7 days", "November 21, 2026, 09:04 UTC"),
        ("de", "7 Tage", "21. November 2026, 09:04 UTC"),
        ("fr", "7\N{NO-BREAK SPACE}jours", "21 novembre 2026, 09:04 UTC"),
        ("es", "7 días", "21 de noviembre de 2026, 09:04 UTC"),
        ("ar", "7 أيام", "21 نوفمبر 2026، 09:04 UTC"),
    ],
)
def test_times_are_written_as_the_language_writes_them(locale: str, days: str, when: str) -> None:
    said = PoSentences(locale, "ltr", {})
    assert said.duration(timedelta(days=7)) == days
    assert moment(datetime(2026, 11, 21, 9, 4, tzinfo=UTC), said) == when


def test_a_device_is_said_as_a_whole() -> None:
    device = ParsedDeviceNames().describe(
        "Mozilla/5.0 (Linux; Android 14; K; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.0.0 "
        "Mobile Safari/537.36"
    )
    assert device == "an app on Android"
    assert PoLanguages().of("de").say(device) == "eine App unter Android"
    assert PoLanguages().of("de").say(UNKNOWN) == "ein unbekanntes Gerät"


@pytest.mark.parametrize(("locale", "brand"), [("ar", "\u2068Acme (UK) Ltd.\u2069"), ("de", "Acme (UK) Ltd.")])
def test_a_brand_stays_whole_among_words_of_the_other_direction(locale: str, brand: str) -> None:
    renderer = JinjaLetterRenderer(
        stationery(brand="Acme (UK) Ltd."), SettableClock(), PoLanguages(), Locales((locale,))
    )
    rendered = renderer.render(sample_letters(locale)["verify_address"], UUID(int=1))
    for part in (rendered.subject, rendered.text, rendered.html):
        assert brand in part
    assert ("\u2068" in rendered.subject) == (locale == "ar")


def test_a_network_keeps_its_order_among_words_from_right_to_left() -> None:
    assert network("192.0.2.0/24", Marked()) == "\u2066192.0.2.*\u2069"
    assert network("192.0.2.0/24", Marked(direction="ltr")) == "192.0.2.*"
