"""The operator's brand and templates: checked at the start, and shown by `ostiary letters preview`."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from adapters.mail.colours import colours_of, contrast
from adapters.mail.samples import sample_letters
from entrypoints.composition import Replacements, compose, memory_store
from entrypoints.composition.letters import previews
from entrypoints.settings import Settings, SettingsError, read_settings
from tests.support.http_requests import run_command

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 100
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 100


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    (tmp_path / "logo.png").write_bytes(PNG)
    return tmp_path / "logo.png"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    (tmp_path / "own" / "letters").mkdir(parents=True)
    return tmp_path / "own"


def read(**variables: object) -> Settings:
    return read_settings({name: str(value) for name, value in variables.items()}, dotenv=None)


def problem(**variables: object) -> str:
    with pytest.raises(SettingsError) as refused:
        read(**variables)
    [said] = refused.value.problems
    return said


def test_every_letter_in_every_language_offered_is_written_and_listed(tmp_path: Path, logo: Path) -> None:
    variables = {
        "OSTIARY_LOCALES": "en,ar",
        "OSTIARY_BRAND": "Müller & Söhne",
        "OSTIARY_BRAND_LOGO": str(logo),
        "OSTIARY_BRAND_COLOUR": "#B41E5A",
        "OSTIARY_SUPPORT_ADDRESS": "help@example.com",
    }
    done = run_command("letters", "preview", "--to", "look", "--inbox", folder=tmp_path, variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    names = list(sample_letters("en"))
    wanted = {f"{locale}/{name}.{kind}" for locale, name, kind in product(("en", "ar"), names, ("html", "txt", "eml"))}
    files = {str(file.relative_to(tmp_path / "look")) for file in (tmp_path / "look").rglob("*") if file.is_file()}
    assert files == {"index.html"} | wanted
    index = (tmp_path / "look" / "index.html").read_text()
    assert set(re.findall('href="([^"]+)"', index)) == wanted
    assert "Müller &amp; Söhne" in index
    page = (tmp_path / "look" / "en" / "reset_password.html").read_text()
    assert '<img src="data:image/png;base64,' in page
    assert "background-color: #b41e5a" in page
    assert "mailto:help@example.com" in page
    assert "token=SAMPLE-THIS-LINK-OPENS-NOTHING" in page
    assert '<html lang="ar" dir="rtl">' in (tmp_path / "look" / "ar" / "reset_password.html").read_text()
    assert len(list((tmp_path / "ostiary-data" / "inbox").glob("*.eml"))) == 2 * len(names)


def test_an_earlier_preview_leaves_nothing_behind_but_what_is_yours(tmp_path: Path) -> None:
    look = tmp_path / "letters-preview"
    for locales in ("en,de,ar", "en"):
        done = run_command("letters", "preview", folder=tmp_path, variables={"OSTIARY_LOCALES": locales})
        assert done.returncode == 0
        if locales != "en":
            (look / "de" / "notes.txt").write_text("Mine.")
            (look / "de" / "reset_password.pdf").write_text("Mine, too.")
    left = {str(file.relative_to(look)) for file in look.rglob("*") if file.is_file() and file.parent.name != "en"}
    assert left == {"index.html", "de/notes.txt", "de/reset_password.pdf"}
    assert not (look / "ar").exists()


def test_samples_say_how_long_your_links_work(tmp_path: Path) -> None:
    for each in previews(read(OSTIARY_LOCALES="en", OSTIARY_TOKEN_LIFETIME="20m")):
        assert ("20 minutes" in each.letter.text) == (each.name.startswith(("verify", "reset", "confirm"))), each.name


def test_a_preview_tells_what_a_catalogue_lacks(tmp_path: Path, templates: Path) -> None:
    (templates / "languages").mkdir()
    (templates / "languages" / "nl.po").write_text('msgid "Sign in"\nmsgstr "Aanmelden"\n')
    variables = {"OSTIARY_LOCALES": "en,nl", "OSTIARY_TEMPLATES": str(templates)}
    done = run_command("letters", "preview", folder=tmp_path, variables=variables)
    assert done.returncode == 0
    assert re.search(r"^nl: 1 of \d+ sentences translated; the rest is in English$", done.stdout, re.MULTILINE)


def test_what_a_folder_of_your_own_begins_with_is_written_and_overwrites_nothing(tmp_path: Path) -> None:
    done = run_command("letters", "templates", "--to", "own", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    own = tmp_path / "own"
    assert {file.name for file in (own / "letters").iterdir()} >= {"layout.html", "letter.txt", "parts.html"}
    assert [file.name for file in (own / "languages").iterdir()] == ["messages.pot"]
    ours, theirs = previews(read(OSTIARY_LOCALES="de")), previews(read(OSTIARY_LOCALES="de", OSTIARY_TEMPLATES=own))
    assert [each.letter.html for each in theirs] == [each.letter.html for each in ours]

    (own / "letters" / "layout.html").unlink()
    (own / "letters" / "letter.html").write_text("Mine.")
    again = run_command("letters", "templates", "--to", "own", folder=tmp_path)
    assert again.returncode == 2
    assert "nothing is written" in again.stderr
    assert (own / "letters" / "letter.html").read_text() == "Mine."
    assert not (own / "letters" / "layout.html").exists()


def test_a_folder_with_nothing_of_yours_in_it_is_told(tmp_path: Path) -> None:
    said = problem(OSTIARY_TEMPLATES=tmp_path)
    assert said == "OSTIARY_TEMPLATES: expected a folder with a folder `letters` or `languages` in it"
    (tmp_path / "languages").mkdir()
    assert read(OSTIARY_TEMPLATES=tmp_path).templates == tmp_path


def test_letters_that_cannot_be_written_are_told_in_one_message(tmp_path: Path, templates: Path) -> None:
    (templates / "letters" / "letter.html").write_text("<p>\n{{ nothing_of_that_name }}")
    done = run_command("letters", "preview", folder=tmp_path, variables={"OSTIARY_TEMPLATES": str(templates)})
    assert done.returncode == 2
    assert "OSTIARY_TEMPLATES: letters/letter.html:2: 'nothing_of_that_name' is undefined" in done.stderr
    assert "Traceback" not in done.stderr


def test_letters_are_not_put_where_nobody_looks(tmp_path: Path) -> None:
    variables = {"SMTP_HOST": "smtp.example.com", "EMAIL_FROM": "no-reply@example.com"}
    done = run_command("letters", "preview", "--inbox", folder=tmp_path, variables=variables)
    assert done.returncode == 2
    assert "--inbox: there is no dev inbox" in done.stderr
    assert list(tmp_path.iterdir()) == []


async def test_a_service_with_a_broken_template_does_not_start(templates: Path, tmp_path: Path) -> None:
    (templates / "letters" / "notice.txt").write_text("Nothing to open.")
    settings = read(OSTIARY_TEMPLATES=templates, OSTIARY_DATA_DIR=tmp_path)
    with pytest.raises(SettingsError, match=r"OSTIARY_TEMPLATES: letters/\*\.txt: notice_new_device comes out without"):
        async with compose(settings, Replacements(store=memory_store())):
            pass


def test_a_template_that_is_no_text_is_told(templates: Path) -> None:
    (templates / "letters" / "notice.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="OSTIARY_TEMPLATES: a file in letters cannot be read as text in UTF-8"):
        list(previews(read(OSTIARY_TEMPLATES=templates)))


def test_our_words_are_changed_by_a_catalogue_of_english(templates: Path) -> None:
    (templates / "languages").mkdir()
    (templates / "languages" / "en.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "Choose a new password for %(brand)s"\nmsgstr "A new key to %(brand)s"\n'
    )
    made = previews(read(OSTIARY_TEMPLATES=templates, OSTIARY_LOCALES="en"))
    assert [each.letter.subject for each in made if each.name == "reset_password"] == ["A new key to Ostiary"]


@pytest.mark.parametrize("content", [PNG, JPEG], ids=["png", "jpeg"])
def test_a_logo_is_a_picture_that_every_mail_program_shows(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "logo").write_bytes(content)
    first = next(iter(previews(read(OSTIARY_BRAND_LOGO=tmp_path / "logo"))))
    assert first.letter.logo is not None
    assert first.letter.logo.content == content


@pytest.mark.parametrize(
    "content", [b"<svg/>", b"GIF89a", b"", PNG + bytes(64 * 1024)], ids=["svg", "gif", "empty", "big"]
)
def test_another_file_is_no_logo(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "logo").write_bytes(content)
    said = problem(OSTIARY_BRAND_LOGO=tmp_path / "logo")
    assert said == "OSTIARY_BRAND_LOGO: expected a PNG or JPEG picture of at most 64 KiB"


def test_bad_brands_are_told_by_name_and_never_by_value() -> None:
    assert problem(OSTIARY_BRAND_LOGO="canary.png") == "OSTIARY_BRAND_LOGO: no such file"
    for colour in ("canary", "#fff", "#12345g", "red; background: url(canary)"):
        assert problem(OSTIARY_BRAND_COLOUR=colour) == "OSTIARY_BRAND_COLOUR: expected a colour such as #0d625c"
    assert "canary" not in problem(OSTIARY_SUPPORT_ADDRESS="canary")


def some_colours() -> Iterator[str]:
    for red, green, blue in product(range(0, 256, 51), repeat=3):
        yield f"#{red:02x}{green:02x}{blue:02x}"


def test_words_are_legible_in_any_colour_of_a_brand() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1, in light and in dark."""
    assert (round(contrast("#000000", "#ffffff"), 9), round(contrast("#777777", "#ffffff"), 2)) == (21, 4.48)
    for brand in some_colours():
        colours = colours_of(brand)
        assert colours.button_colour == brand
        assert contrast(colours.button_text_colour, brand) >= 4.5
        assert contrast(colours.dark_button_text_colour, colours.dark_link_colour) >= 4.5
        assert contrast(colours.link_colour, "#ffffff") >= 4.5
        assert contrast(colours.dark_link_colour, "#1a2122") >= 4.5
