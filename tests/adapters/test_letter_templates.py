"""Templates of the operator: each comes before ours, sees words alone, and is tried before anybody waits for it."""

from pathlib import Path
from uuid import UUID

import pytest

from adapters.catalogues import PoLanguages
from adapters.mail.rendering import JinjaLetterRenderer
from adapters.mail.samples import sample_letters
from adapters.mail.templating import Overrides
from adapters.mail.trying import template_problems
from domain.letters import RenderedLetter
from tests.adapters.test_rendering import OFFERED, stationery
from tests.support.clock import SettableClock

OURS = Path("src/adapters/mail/templates")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "letters").mkdir()
    return tmp_path / "letters"


def renderer(folder: Path) -> tuple[Overrides, JinjaLetterRenderer]:
    overrides = Overrides(folder)
    return overrides, JinjaLetterRenderer(stationery(), SettableClock(), PoLanguages(), OFFERED, overrides)


def rendered(folder: Path, name: str = "verify_address") -> RenderedLetter:
    return renderer(folder)[1].render(sample_letters("en")[name], UUID(int=1))


def problems(folder: Path) -> list[str]:
    overrides, of_them = renderer(folder)
    return template_problems(overrides, of_them, "en")


@pytest.fixture
def one_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with all letters is tried with one of them."""
    letters = {"verify_address": sample_letters("en")["verify_address"]}
    monkeypatch.setattr("adapters.mail.trying.sample_letters", lambda _: letters)


def test_each_template_comes_before_ours_alone(folder: Path) -> None:
    (folder / "verify_address.txt").write_text("Ours at {{ brand }}: {{ link }}\n")
    assert rendered(folder).text.startswith("Ours at Ostiary: https://app.example/auth/verify?token=")
    assert "<h1" in rendered(folder).html
    assert rendered(folder, "reset_password").text.startswith("Choose a new password")
    assert problems(folder) == []


def test_a_notice_is_overridden_for_one_occasion_or_for_all(folder: Path) -> None:
    (folder / "notice.txt").write_text("{{ happened }} {{ link }}")
    (folder / "notice_new_device.txt").write_text("New! {{ link }}")
    assert rendered(folder, "notice_new_device").text.startswith("New! ")
    assert rendered(folder, "notice_account_deleted").text.startswith("Your account was deleted, ")


def test_a_template_builds_on_ours_and_is_translated(folder: Path) -> None:
    (folder / "_line.html").write_text("<p>{{ _('Sign in') }} {{ facts | length }}</p>")
    (folder / "letter.html").write_text(
        '{% extends "layout.html" %}{% import "parts.html" as parts with context %}'
        '{% block content %}{{ parts.way(link, button) }}{% include "_line.html" %}{% endblock %}'
    )
    assert "<p>Sign in 0</p>" in rendered(folder).html
    assert problems(folder) == []


@pytest.mark.parametrize("name", sorted(file.name for file in OURS.iterdir()))
def test_a_copy_of_ours_is_a_template(folder: Path, name: str) -> None:
    (folder / name).write_text((OURS / name).read_text())
    assert problems(folder) == []


def test_a_service_that_runs_does_not_change_with_a_file_that_is_edited(folder: Path) -> None:
    (folder / "letter.txt").write_text("first {{ link }}")
    _, running = renderer(folder)
    (folder / "letter.txt").write_text("second {{ link }}")
    assert running.render(sample_letters("en")["verify_address"], UUID(int=1)).text.startswith("first")


def test_who_has_no_templates_pays_nothing_for_them(tmp_path: Path) -> None:
    overrides = Overrides(tmp_path / "letters")
    assert template_problems(overrides, None, "en") == []  # type: ignore[arg-type]


BROKEN = {
    "a syntax error": ("{{ link }}\n{% if %}", "letters/letter.txt:2: Expected an expression"),
    "an unknown variable": ("{{ link }}\n\n{{ lnik }}", "letters/letter.txt:3: 'lnik' is undefined"),
    "an unknown filter": ("{{ link | shout }}", "letters/letter.txt:1: No filter named 'shout'"),
    "no link": ("Good morning", "letters/*.txt: verify_address comes out without its link"),
    "too long": ("{{ link }}" + "x" * 90_001, "letters: a letter can have 90000 characters"),
}


@pytest.mark.usefixtures("one_letter")
@pytest.mark.parametrize(("template", "problem"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_is_named_with_file_and_line(folder: Path, template: str, problem: str) -> None:
    (folder / "letter.txt").write_text(template)
    assert any(found.startswith(problem) for found in problems(folder)), problems(folder)


@pytest.mark.usefixtures("one_letter")
def test_a_link_missing_from_html_is_missed(folder: Path) -> None:
    (folder / "letter.html").write_text("<p>{{ link }}</p>")
    assert "letters/*.html: verify_address comes out without its link" in problems(folder)


def test_a_name_that_no_letter_has_is_told(folder: Path) -> None:
    (folder / "verify_adress.html").write_text("{{ link }}")
    (folder / "notes.md").write_text("of no interest")
    assert [problem.partition(":")[0] for problem in problems(folder)] == ["letters/verify_adress.html"]


HOSTILE = {
    "the class of a word": "{{ brand.__class__.__mro__ }}",
    "the globals of a function": "{{ _.__globals__ }}",
    "the environment": "{{ self._TemplateReference__context.environment }}",
    "the loader": "{{ self.environment.loader }}",
    "a format that reads attributes": "{{ '{0.__class__}'.format(brand) }}",
    "an attribute by a filter": "{{ brand | attr('__class__') }}",
    "an attribute through map": "{{ facts | map(attribute='__class__') | list }}",
    "a file outside": '{% include "../../secret.txt" %}',
    "a file by its full path": '{% include "/etc/hostname" %}',
    "what frameworks put there": "{{ config }}",
    "the environment variables": "{{ environ }}",
    "a class that makes things": "{{ cycler.__init__.__globals__ }}",
    "a long range": "{% for i in range(99999999) %}{% endfor %}",
    "all memory": "{{ 'x' * 99999999999 }}",
    "all time": "{{ 9 ** 99999999 }}",
    "a wide field": "{{ '%099999999999d' % 1 }}",
    "padding": "{{ brand.ljust(99999999999) }}",
    "endless recursion": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "endless inclusion": '{% include "letter.txt" %}',
}


@pytest.mark.usefixtures("one_letter")
@pytest.mark.parametrize("template", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_template_reaches_nothing_but_its_words(folder: Path, template: str) -> None:
    (folder.parent / "secret.txt").write_text("SECRET")
    (folder / "letter.txt").write_text(template)
    with pytest.raises(Exception) as refused:
        rendered(folder)
    assert "SECRET" not in str(refused.value)
    assert problems(folder)


def test_a_template_that_does_not_end_is_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.mail.trying._SECONDS", 0.2)
    loops = "".join(f"{{% for x{depth} in caution %}}" for depth in range(7)) + "{% endfor %}" * 7
    (folder / "letter.txt").write_text(f"{{{{ link }}}}\n{loops}")
    assert problems(folder) == ["letters/letter.txt:2: takes longer than 0 seconds"]
