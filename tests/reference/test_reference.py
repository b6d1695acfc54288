"""The reference pages say what the code does: every setting, endpoint, code and command, each with a meaning."""

from pathlib import Path

import pytest

from entrypoints.http.problems import STATUS
from tests.reference.commands import commands, shown
from tests.reference.endpoints import document, operations
from tests.reference.errors import ADVICE
from tests.reference.pages import DOCS, PAGES


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_what_the_code_says_today(path: Path) -> None:
    assert path.read_text() == PAGES[path](), "run `python3 dev.py reference` and look at what has changed"


def test_every_command_and_option_has_a_meaning() -> None:
    for command, context in commands():
        assert command.help, context.command_path
        assert [option.name for option in shown(command) if not option.help] == [], context.command_path


def test_every_endpoint_parameter_and_field_of_a_body_has_a_meaning() -> None:
    for method, path, operation in operations():
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert [each["name"] for each in operation["parameters"] if not each.get("description")] == [], (method, path)
    for name, schema in document()["components"]["schemas"].items():
        assert schema["description"], name
        if name.endswith("Body"):
            assert [field for field, is_ in schema["properties"].items() if not is_.get("description")] == [], name


def test_every_code_of_an_answer_has_advice_and_no_advice_is_left_over() -> None:
    assert list(ADVICE) == list(STATUS)


@pytest.mark.parametrize(
    "row",
    [
        "| `invalid_length` | `username` | A username has 3 to 32 characters. |",
        "| `needs_digit` | `password`, `new_password` | Use a digit. |",
        "| `unchanged` | `email` | This is your address already. |",
    ],
    ids=["raised by a parser", "of a class of characters", "found by a use case"],
)
def test_codes_of_fields_are_found_wherever_they_stand(row: str) -> None:
    assert row in (DOCS / "reference" / "errors.md").read_text()
