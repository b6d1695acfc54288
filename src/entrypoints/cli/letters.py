"""`ostiary letters`: what leaves, and what does not."""

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from entrypoints.cli import mailroom
from entrypoints.settings import SettingsError, read_settings

if TYPE_CHECKING:
    from entrypoints.composition.letters import Preview

Command = TypeVar("Command", bound=Callable[..., object])

_INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Letters</title>
<style>
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif; }}
ul {{ padding: 0; list-style: none; }} li {{ margin: 0 0 .75rem; }} small {{ display: block; }}
</style>
<h1>Letters</h1>
{}
</html>
"""
_PLACE = re.compile(r'href="([A-Za-z0-9-]+)/([a-z_]+)\.(html|txt|eml)"')


@click.group()
def letters() -> None:
    """Letters: where they are, and who gets none."""


def _into(default: str, help: str) -> Callable[[Command], Command]:
    """The folder that something is written to."""
    kind = click.Path(file_okay=False, path_type=Path)
    return click.option("--to", "folder", type=kind, default=Path(default), show_default=True, help=help)


@letters.command()
@_into("letters-preview", "The folder to write them to; index.html lists them.")
@click.option("--inbox", is_flag=True, help="Put them into the dev inbox as well.")
def preview(folder: Path, inbox: bool) -> None:
    """Write every letter in every language that is offered, with your brand and templates, for you to look at.

    Nothing is mailed, and the links in them open nothing.
    """
    try:
        settings = read_settings()
        if inbox and settings.sends_mail:
            raise SettingsError(["--inbox: there is no dev inbox, as these settings send mail"])
        # Imported late: whose settings cannot be read is told so at once.
        from entrypoints.composition.letters import doubts, previews

        made, doubtful = list(previews(settings)), doubts(settings)
        _forget_earlier(folder, {each.name for each in made})
        for each in made:
            _write(folder / each.letter.language, each)
            if inbox:
                _put(settings.data_dir / "inbox", f"{each.id}.eml", each.message)
        _put(folder, "index.html", _index(made).encode())
    except (SettingsError, OSError) as trouble:
        click.echo(f"{trouble}", err=True)
        sys.exit(2)
    for doubt in doubtful:
        click.echo(doubt)
    click.echo(f"{len(made)} letters are in {folder}; open {folder / 'index.html'}")
    if inbox:
        click.echo(f"They are in the dev inbox, too: {settings.public_url}/dev/inbox")


@letters.command()
@_into("templates", "The folder to write them to, for OSTIARY_TEMPLATES to name.")
def templates(folder: Path) -> None:
    """Write our templates of letters, and a catalogue of all sentences, for you to change.

    Nothing that is there already is overwritten.
    """
    from entrypoints.composition.letters import starting_points

    texts = starting_points()
    try:
        if there := [name for name in texts if (folder / name).exists()]:
            raise FileExistsError(f"--to: nothing is written, as there are already: {', '.join(there)}")
        for name, text in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
    except OSError as trouble:
        click.echo(f"{trouble}", err=True)
        sys.exit(2)
    click.echo(f"{len(texts) - 1} templates are in {folder / 'letters'}. Keep those that you change, and no others:")
    click.echo("ours stand in for what is not there, and get better with each version.")
    click.echo(f"All sentences are in {folder / 'languages' / 'messages.pot'}. Copy it to a name such as nl.po.")


def _forget_earlier(folder: Path, names: set[str]) -> None:
    """Remove what an earlier preview has listed, and nothing else: a language may be offered no more."""
    index = folder / "index.html"
    listed = _PLACE.findall(index.read_text("utf-8")) if index.is_file() else ()
    for language, name, kind in listed:
        if name in names:
            (folder / language / f"{name}.{kind}").unlink(missing_ok=True)
            with suppress(OSError):  # what else is in there is somebody's
                (folder / language).rmdir()


def _write(folder: Path, each: "Preview") -> None:
    _put(folder, f"{each.name}.html", each.page.encode())
    _put(folder, f"{each.name}.txt", each.letter.text.encode())
    _put(folder, f"{each.name}.eml", each.message)


def _put(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def _index(made: "list[Preview]") -> str:
    lists = []
    for language in dict.fromkeys(each.letter.language for each in made):
        items = "\n".join(_item(each) for each in made if each.letter.language == language)
        lists.append(f'<h2>{language}</h2>\n<ul lang="{language}">\n{items}\n</ul>')
    return _INDEX.format("\n".join(lists))


def _item(each: "Preview") -> str:
    place = f"{each.letter.language}/{each.name}"
    others = " · ".join(f'<a href="{place}.{kind}">{kind}</a>' for kind in ("txt", "eml"))
    subject = escape(each.letter.subject)
    return f'<li><a href="{place}.html" dir="auto">{subject}</a> <small lang="en">{each.name} · {others}</small></li>'


for command in mailroom.COMMANDS:
    letters.add_command(command)
