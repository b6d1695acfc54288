"""Whoever reads another language than English is answered in it: docs/translate.md."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from adapters.catalogues import PoLanguages
from domain.events import EventKind
from domain.locale import Locales
from entrypoints.http.languages import read_languages
from entrypoints.http.pages.controller import sentences_of_scripts
from tests.support.browser import run_browser, visit
from tests.support.catalogues import sentences
from tests.support.http_requests import (
    PASSWORD,
    assert_problem,
    make_member,
    new_address,
    run_command,
    sign_in,
    sign_up,
)
from tests.support.server import Server, run_server

DUTCH = {
    "Some fields need another look.": "Kijk nog eens naar deze velden.",
    "Use at least %(least)d characters.": "Minstens %(least)d tekens.",
    "There is nothing here.": "Hier is niets.",
    "Sign up": "Registreren",
    "Remembered it? %(link_start)sSign in%(link_end)s": "Weet je het weer? %(link_start)sMeld je aan%(link_end)s",
    "Confirm your e-mail address for %(brand)s": "Bevestig je adres voor %(brand)s",
    "Show password": "Wachtwoord <&> 'tonen'",
}
HEBREW = {
    "Sign up": "הרשמה",
    "Enter your e-mail address.": "הקלידו כתובת </script>.",
    "Use at least %(least)s characters.": "לפחות %(least)s תווים.",
}


def catalogue(said: dict[str, str]) -> str:
    """The same as gettext writes it."""
    return "".join(f'msgid "{english}"\nmsgstr "{translation}"\n\n' for english, translation in said.items())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose operator has brought two languages, neither of them complete."""
    folder = tmp_path_factory.mktemp("house")
    languages = folder / "ours" / "languages"
    languages.mkdir(parents=True)
    (languages / "nl.po").write_text(catalogue(DUTCH), "utf-8")
    (languages / "he.po").write_text(catalogue(HEBREW), "utf-8")
    variables = {
        "OSTIARY_TEMPLATES": "ours",
        "OSTIARY_LOCALES": "en, nl, he",
        "OSTIARY_SUPPORT_ADDRESS": "help@example.com",
    }
    with run_server(folder, variables) as running:
        yield running


def reading(house: Server, languages: str) -> httpx.Client:
    """A client of somebody who reads these."""
    return house.client(headers={"Accept-Language": languages})


# -- Refusals --


def test_a_refusal_is_said_in_the_language_that_is_read_best(house: Server) -> None:
    with reading(house, "fr, nl-BE;q=0.8, en;q=0.5") as client:
        answer = sign_up(client, new_address(), "short")
    problem = assert_problem(answer, 400, "validation_error")
    assert answer.headers["content-language"] == "nl"
    assert problem["detail"] == "Kijk nog eens naar deze velden."
    assert problem["errors"] == [{"field": "password", "code": "too_short", "message": "Minstens 12 tekens."}]


def test_what_is_not_translated_is_said_in_english(house: Server) -> None:
    with reading(house, "nl") as client:
        assert client.get("/auth/me").json()["detail"] == "Sign in first."


def test_the_framework_and_the_edge_speak_the_language_too(house: Server) -> None:
    with reading(house, "nl") as client:
        assert client.get("/nowhere").json()["detail"] == "Hier is niets."
        assert (
            client.post("/auth/signin", content=b"{", headers={"Content-Type": "application/json"}).headers[
                "content-language"
            ]
            == "nl"
        )


@pytest.mark.parametrize("header", ["", "*", "fr", "x-nl", ";;q=,", "nl;q=0", "nl" * 9000], ids=lambda text: text[:9])
def test_whoever_reads_none_of_the_languages_is_told_in_the_first(house: Server, header: str) -> None:
    with reading(house, header[:10_000]) as client:
        answer = client.get("/nowhere")
    assert assert_problem(answer, 404)["detail"] == "There is nothing here."
    assert answer.headers["content-language"] == "en"


def test_several_headers_are_one_list(house: Server) -> None:
    with house.client() as client:
        answer = client.get("/nowhere", headers=[("Accept-Language", "fr"), ("Accept-Language", "nl")])
    assert answer.headers["content-language"] == "nl"


def test_the_language_tells_nothing_about_accounts(house: Server) -> None:
    """R50: unknown and wrong are one answer, header by header, in every language."""
    member = new_address()
    make_member(house, member)
    with reading(house, "nl") as client:
        answers = [sign_in(client, who, "not the password") for who in (member, new_address("nobody"))]
    known, unknown = answers
    assert known.json() == unknown.json()
    assert [name for name, _ in known.headers.raw] == [name for name, _ in unknown.headers.raw]
    assert known.headers["content-language"] == unknown.headers["content-language"] == "nl"


TAGS = st.sampled_from(["en", "nl-BE", "zh-Hant-TW", "*", "", "de-", "x" * 40, "d\u00eb", "de\0", "\u0661"])
WEIGHTS = st.sampled_from(
    ["", ";q=0", ";q=1", "; Q = 0.5", ";q=1.000", ";q=2", ";q=", ";q=nan", ";q=0.12345", ";;", ";l=1"]
)
LISTS = st.lists(st.tuples(TAGS, WEIGHTS).map("".join), max_size=20).map(", ".join)


@given(st.binary(max_size=300).map(lambda sent: sent.decode("latin-1")) | LISTS)
@settings(max_examples=50)
def test_whatever_a_browser_sends_is_read(header: str) -> None:
    for tag in read_languages(header):
        assert tag.replace("-", "").isalnum()
    assert Locales(("en", "nl")).best(read_languages(header)) in {"en", "nl"}


def test_the_best_comes_first_and_among_equals_the_first() -> None:
    assert read_languages("da, en-GB;q=0.8, en;q=0.7, fr;q=0.8, de;q=0") == ("da", "en-GB", "fr", "en")


# -- Pages --


def test_a_page_is_in_the_language_that_is_read_best_and_runs_its_way(house: Server) -> None:
    with reading(house, "nl") as client:
        page, forgot = client.get("/auth/signup").text, client.get("/auth/forgot").text
        other_way = client.get("/auth/signup", headers={"Accept-Language": "he-IL"}).text
    assert '<html lang="nl" dir="ltr">' in page
    assert "<title>Registreren · Ostiary</title>" in page
    assert 'Weet je het weer? <a href="/auth/signin">Meld je aan</a>' in forgot
    assert '<html lang="he" dir="rtl">' in other_way


def test_a_translation_is_text_and_never_markup(house: Server) -> None:
    with reading(house, "nl") as client:
        assert 'aria-label="Wachtwoord &lt;&amp;&gt; &#39;tonen&#39;"' in client.get("/auth/signup").text
    with reading(house, "he") as client:
        assert client.get("/auth/signup").text.count("</script>") == 2  # ours, and the sentences


def test_a_page_in_english_carries_no_sentences(house: Server) -> None:
    with house.client() as client:
        page = client.get("/auth/signup").text
    assert '<html lang="en" dir="ltr">' in page
    assert "sentences" not in page


def test_a_page_brings_its_scripts_every_sentence_that_they_say(tmp_path: Path) -> None:
    """Found without Babel, which readers of English do not wait for; and the same as translators are given."""
    of_scripts = {sentence for sentence, file, _ in sentences() if file.endswith(".js")}
    (tmp_path / "nl.po").write_text(catalogue({one: f"! {one}" for one in of_scripts}), "utf-8")
    assert sentences_of_scripts(PoLanguages(tmp_path).of("nl")).keys() == of_scripts


@pytest.mark.browser
def test_in_a_browser_the_scripts_speak_it_as_well_and_the_account_keeps_it(house: Server) -> None:
    email = new_address()
    with run_browser() as browser, visit(browser, house.url, width=320, locale="he-IL") as visitor:
        page = visitor.open("/auth/signup")
        page.locator("#password").fill("kurz")
        page.locator("#submit").click()
        expect(page.locator("#email-error")).to_have_text("הקלידו כתובת </script>.")
        expect(page.locator("#password-error")).to_have_text("לפחות 12 תווים.")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        for field, text in [("name", "Ada"), ("email", email), ("password", PASSWORD)]:
            page.locator(f"#{field}").fill(text)
        page.locator("#submit").click()
        page.wait_for_url("**/auth/check-inbox")
        visitor.open(f"/auth/verify?token={house.token(email)}").locator("#confirm").click()
        page.wait_for_url("**/auth/account")
        choice = page.locator("#locale")
        expect(choice).to_have_value("he")
        expect(choice.locator("option")).to_have_text(["Choose…", "English", "Nederlands", "עברית"])
        choice.select_option("nl")
        page.locator("#profile-form button[type=submit]").click()
        expect(page.locator("#profile-status")).to_have_text("Saved.")
        assert page.request.get(f"{house.url}/auth/me").json()["locale"] == "nl"


# -- People --


def locale_of(house: Server, email: str, languages: str, **fields: str) -> str | None:
    """The language that somebody has who signs up so."""
    with reading(house, languages) as client:
        assert sign_up(client, email, **fields).status_code == 202
        answer = client.post("/auth/verify-email", json={"token": house.token(email)})
        found: str | None = answer.json()["user"]["locale"]
        assert client.get("/auth/me").json()["locale"] == found
    return found


@pytest.mark.parametrize(
    ("languages", "fields", "expected"),
    [
        ("nl", {}, "nl"),
        ("nl", {"locale": "he"}, "he"),
        ("en", {"locale": "nl_BE"}, "nl"),
        ("nl", {"locale": "fr"}, "nl"),
        ("fr", {"locale": "tlh"}, "en"),
    ],
    ids=["by the browser", "as asked for", "more generally", "not offered: by the browser", "neither: the first"],
)
def test_a_sign_up_decides_the_language(house: Server, languages: str, fields: dict[str, str], expected: str) -> None:
    assert locale_of(house, new_address(), languages, **fields) == expected


@pytest.mark.parametrize("tag", ["", "d", "de-", "de\u0000", "d\u00eb", "a" * 36, "../de", "de.po"], ids=ascii)
def test_what_is_no_language_is_refused_at_its_field(house: Server, tag: str) -> None:
    with house.client() as client:
        errors = assert_problem(sign_up(client, new_address(), locale=tag), 400)["errors"]
    assert [error["field"] for error in errors] == ["locale"]
    assert errors[0]["code"] == ("invalid_characters" if "\0" in tag else "invalid_locale")


def test_a_brand_stays_whole_on_a_page_from_right_to_left(house: Server) -> None:
    with reading(house, "he") as hebrew, reading(house, "nl") as dutch:
        assert "<span>\u2068Ostiary\u2069</span>" in hebrew.get("/auth/signup").text
        assert "<span>Ostiary</span>" in dutch.get("/auth/signup").text


def test_whoever_cannot_take_their_account_back_is_told_where_to_write(house: Server) -> None:
    with reading(house, "en") as client:
        assert "please write to help@example.com." in client.get("/auth/undo").text


def test_the_account_page_has_words_for_every_event() -> None:
    script = files("entrypoints.http.pages").joinpath("assets", "words.js").read_text("utf-8")
    told = set(re.findall(r"^  (\w+): ", script.partition("const EVENTS = {")[2].partition("};")[0], re.MULTILINE))
    untold = set(re.findall(r'"(\w+)"', script.partition("const UPKEEP = ")[2].partition(";")[0]))
    assert told | untold == set(EventKind)
    assert not told & untold


def test_somebody_changes_and_forgets_their_language(house: Server) -> None:
    email = new_address()
    make_member(house, email)
    with house.client() as client:
        assert sign_in(client, email).status_code == 200
        for given, kept in [("nl-BE", "nl"), (None, None), ("he", "he")]:
            assert client.patch("/auth/me", json={"locale": given}).json()["locale"] == kept
        refused = assert_problem(client.patch("/auth/me", json={"locale": "?"}), 400)
        assert refused["errors"][0]["code"] == "invalid_locale"
        assert client.get("/auth/me").json()["locale"] == "he"


def test_the_policy_lists_the_languages(house: Server) -> None:
    with house.client() as client:
        assert client.get("/auth/policy").json()["locales"] == ["en", "nl", "he"]


def test_a_letter_is_in_the_language_of_its_reader(house: Server) -> None:
    dutch, english = new_address(), new_address()
    with reading(house, "en") as client:
        sign_up(client, dutch, locale="nl")
        sign_up(client, english)
    assert house.inbox(dutch)[0]["subject"] == "Bevestig je adres voor Ostiary"
    assert house.inbox(english)[0]["subject"] == "Confirm your e-mail address for Ostiary"


# -- At the start --


def test_a_language_without_a_catalogue_is_refused_at_the_start(tmp_path: Path) -> None:
    ended = run_command("serve", folder=tmp_path, variables={"OSTIARY_LOCALES": "en, nl, tlh"})
    assert ended.returncode != 0
    assert "OSTIARY_LOCALES: there is no catalogue of nl, tlh; there are ar, de, en, es, fr" in ended.stderr


def test_broken_catalogues_are_told_at_the_start_all_together_by_name_and_line(tmp_path: Path) -> None:
    languages = tmp_path / "languages"
    languages.mkdir()
    (languages / "nl.po").write_text('msgid "Sign up"\nmsgstr Registreren\n')
    (languages / "de.po").write_text('\nmsgid "Use at least %(least)d characters."\nmsgstr "Mindestens 12 Zeichen."\n')
    ended = run_command("serve", folder=tmp_path, variables={"OSTIARY_TEMPLATES": str(tmp_path)})
    assert ended.returncode != 0
    assert f"OSTIARY_TEMPLATES: {languages / 'nl.po'}, line 2: this is no line of a catalogue" in ended.stderr
    assert f"{languages / 'de.po'}, line 2: the translation is to have the same figures" in ended.stderr
    assert "Traceback" not in ended.stderr
