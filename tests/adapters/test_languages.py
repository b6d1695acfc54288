"""Catalogues: what the four languages that come with Ostiary have to say, and what an operator's folder changes."""

import re
from io import StringIO
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from adapters.catalogues import PoLanguages, catalogue_template
from domain.email_address import EmailAddress
from domain.sentence import Sentence
from domain.violations import Broken
from tests.support.catalogues import CATALOGUES, read, sentences, updated

TAGS = sorted(file.stem for file in CATALOGUES.glob("*.po"))
TOO_SHORT = Sentence("Use at least %(least)d characters.", least=12)


def messages(tag: str) -> list[Message]:
    """What a catalogue holds, without its header."""
    return [message for message in read(tag) if message.id]


def figures(text: str) -> list[str]:
    """The places where something is put into a sentence."""
    return sorted(set(re.findall(r"%\(\w+\)[a-z]", text)))


# -- Ours --


def test_there_are_german_french_spanish_and_arabic() -> None:
    assert TAGS == ["ar", "de", "es", "fr"]


@pytest.mark.parametrize("tag", TAGS)
def test_a_catalogue_holds_what_the_sources_say_and_nothing_else(tag: str) -> None:
    """Else: `python3 dev.py languages`."""
    file = (CATALOGUES / f"{tag}.po").read_text("utf-8")
    assert {str(message.id) for message in messages(tag)} == {sentence for sentence, _, _ in sentences()}
    assert file.endswith(updated(read(tag)))


@pytest.mark.parametrize("tag", TAGS)
def test_nothing_is_left_untranslated(tag: str) -> None:
    assert [message.id for message in messages(tag) if not message.string or message.fuzzy] == []


@pytest.mark.parametrize("tag", TAGS)
def test_a_translation_has_the_figures_of_the_english(tag: str) -> None:
    said = [(str(message.id), str(message.string)) for message in messages(tag) if message.string]
    assert [pair for pair in said if figures(pair[0]) != figures(pair[1])] == []
    for english, translation in said:
        if figures(english):  # nothing else stands behind a percent sign
            assert "%" not in re.sub(r"%\(\w+\)[a-z]", "", translation), translation


@pytest.mark.parametrize("tag", TAGS)
def test_a_translation_is_text_and_has_no_spaces_around_it(tag: str) -> None:
    for message in messages(tag):
        translation = str(message.string)
        if translation:
            assert not re.search(r"<|>|&\w+;", translation), translation
            assert translation == translation.strip(), translation


def test_every_sentence_is_whole() -> None:
    """English is complete by being what stands in the code; here, that no piece of a sentence stands alone."""
    assert [sentence for sentence, _, _ in sentences() if sentence != sentence.strip() or not sentence] == []


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    "typed", ["ada", "a b@example.com", "a(@example.com", "ada@localhost", "Ada <ada@example.com>", "a@[192.0.2.1]"]
)
def test_what_is_wrong_with_an_address_is_said_in_every_language(tag: str, typed: str) -> None:
    with pytest.raises(Broken) as refused:
        EmailAddress.parse(typed)
    said = PoLanguages().of(tag).say(refused.value.message)
    assert said != refused.value.message
    assert "space" not in re.sub("une espace", "", said)


# -- The operator's --


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an operator puts catalogues."""
    return tmp_path


def entry(english: str, translation: str) -> str:
    """Some lines of a catalogue."""
    return f'msgid "{english}"\nmsgstr "{translation}"\n\n'


def write(folder: Path, tag: str, *entries: str) -> None:
    """A catalogue as an operator writes it."""
    (folder / f"{tag}.po").write_text("".join(entries), "utf-8")


def test_what_nobody_has_translated_is_said_in_english(folder: Path) -> None:
    write(folder, "nl", entry("Sign in first.", "Meld je eerst aan."))
    dutch = PoLanguages(folder).of("nl")
    assert dutch.say(Sentence("Sign in first.")) == "Meld je eerst aan."
    assert dutch.say(TOO_SHORT) == "Use at least 12 characters."


def test_a_translation_that_is_marked_as_a_guess_is_not_used(folder: Path) -> None:
    write(folder, "nl", "#, fuzzy\n", entry("Sign in first.", "Hallo"))
    assert PoLanguages(folder).of("nl").say("Sign in first.") == "Sign in first."


def test_figures_stand_where_the_language_wants_them(folder: Path) -> None:
    write(folder, "nl", entry(TOO_SHORT.template, "%(least)d tekens op zijn minst."))
    assert PoLanguages(folder).of("nl").say(TOO_SHORT) == "12 tekens op zijn minst."


def test_an_operators_sentence_comes_before_ours_one_by_one(folder: Path) -> None:
    write(folder, "de", entry("Sign in first.", "Bitte zuerst anmelden!"), entry("Yours", "Deins"))
    german, ours = PoLanguages(folder).of("de"), PoLanguages().of("de")
    assert german.say("Sign in first.") == "Bitte zuerst anmelden!"
    assert german.say("Yours") == "Deins"
    assert german.say(TOO_SHORT) == ours.say(TOO_SHORT)


def test_a_language_is_added_by_its_catalogue_and_knows_its_direction(folder: Path) -> None:
    write(folder, "he", entry("Yours", "שלך"))
    languages = PoLanguages(folder)
    assert set(languages.known) == {"en", "he", *TAGS}
    assert languages.of("he").direction == "rtl"
    assert languages.of("fr").direction == "ltr"
    assert languages.of(None).locale == languages.of("tlh").locale == "en"
    assert list(languages.faults()) == []


SAME_FIGURES = "line 1: the translation is to have the same figures as the English: %(least)d"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('msgid "Yours"\nmsgstr Jouw\n', "line 2: this is no line of a catalogue"),
        ('msgid "Yours\nmsgstr "Jouw"\n', "line 1: this is no line of a catalogue"),
        ('\nmsgid "One"\nmsgid "Two"\nmsgstr "Twee"\n', "line 2: missing msgstr for msgid 'One'"),
        ('msgid "One"\nmsgstr "Een"\n\nmsgid ""\n"O"\n"ne"\nmsgstr "Eén"\n', "line 4: the same sentence is in line 1"),
        ('msgid "%(least)d"\nmsgstr "%(most)d"\n', SAME_FIGURES),
        ('msgid "%(least)d"\nmsgstr "%(least)d %"\n', SAME_FIGURES),
        (
            'msgid "Yours"\nmsgstr "%(whose)s"\n',
            "line 1: the translation is to have the same figures as the English: none",
        ),
        ('msgid "%(least)d"\nmsgstr "%(least)d %s"\n', SAME_FIGURES),
        ('msgid "Yours"\nmsgstr "\udcff"\n', "it is not in UTF-8"),
    ],
    ids=[
        "no quotes",
        "half a quote",
        "nothing",
        "twice",
        "another figure",
        "percent sign",
        "a figure of its own",
        "unnamed figure",
        "bytes",
    ],
)
def test_a_broken_catalogue_is_known_by_name_and_line(folder: Path, content: str, fault: str) -> None:
    (folder / "nl.po").write_text(content, "utf-8", errors="surrogateescape")
    (found,) = PoLanguages(folder).faults()
    assert found.startswith(str(folder / "nl.po"))
    assert fault in found


def test_a_catalogue_is_named_after_a_language(folder: Path) -> None:
    write(folder, "klingon", entry("Yours", "?"))
    (found,) = PoLanguages(folder).faults()
    assert found == f"{folder / 'klingon.po'}: its name is no language that is known; nl.po or pt-BR.po is one"
    assert set(PoLanguages(folder).known) == {"en", *TAGS}


def test_an_author_is_told_what_is_missing_and_what_nobody_says(folder: Path) -> None:
    sign_in, misspelt, label = entry("Sign in", "Aanmelden"), entry("Sing in", "Aanmelden"), entry("Company", "Bedrijf")
    write(folder, "nl", sign_in, misspelt, label)
    write(folder, "en", misspelt)
    write(folder, "fr", entry("Sign in", "Entrer"))
    write(folder, "sv", sign_in)
    assert list(PoLanguages(folder).doubts(["en", "de", "fr", "nl"], {"Company"})) == [
        f"{folder / 'en.po'}, line 1: no sentence of ours; misspelt, unless a template has it",
        f"{folder / 'nl.po'}, line 4: no sentence of ours; misspelt, unless a template has it",
        f"nl: 1 of {len(messages('de'))} sentences translated; the rest is in English",
    ]
    assert list(PoLanguages().doubts(["en", "de"], ())) == []


def test_whoever_translates_may_begin_with_a_catalogue_of_all_sentences(folder: Path) -> None:
    template = catalogue_template()
    (folder / "nl.po").write_text(template, "utf-8")
    assert list(PoLanguages(folder).faults()) == []
    begun = read_po(StringIO(template), abort_invalid=True)
    assert {str(message.id) for message in begun if message.id} == {sentence for sentence, _, _ in sentences()}
    assert [message.id for message in begun if message.id and message.string] == []
