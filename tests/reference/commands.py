"""Every command, argument and option, as click knows them."""

import inspect
from collections.abc import Iterator

import click

from entrypoints.cli.main import main
from tests.reference.markdown import codes, page, table


def commands_page() -> str:
    """docs/reference/commands.md."""
    return page(
        "Commands",
        (
            "Every command, as `ostiary … --help` tells it too; from a checkout it is `python3 dev.py run …`. Commands"
            " read the [settings](../settings.md) from the environment and from `.env`. They end with status 0 when all"
            " went well, and with 2 when an option, a setting or the service refused, which a sentence says. `--json`"
            " prints for programs what is otherwise printed for people.",
            *(part for command, context in commands() for part in _section(command, context)),
        ),
    )


def commands() -> Iterator[tuple[click.Command, click.Context]]:
    """Every command that people are shown, groups included."""
    yield from _walk(main, click.Context(main, info_name="ostiary"))


def shown(command: click.Command) -> list[click.Option]:
    """The options that people are told of."""
    return [option for option in command.params if isinstance(option, click.Option) and not option.hidden]


def _walk(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if not command.commands[name].hidden:
                below = command.commands[name]
                yield from _walk(below, click.Context(below, info_name=name, parent=context))


def _section(command: click.Command, context: click.Context) -> Iterator[str]:
    path = context.command_path
    yield f"## {path}"
    if not isinstance(command, click.Group):
        arguments = [argument for argument in command.params if isinstance(argument, click.Argument)]
        named = (_name(each) if each.required else f"[{_name(each)}]" for each in arguments)
        yield " ".join((f"    {path}", *named, *(["[OPTIONS]"] if shown(command) else [])))
        yield inspect.cleandoc(command.help or "")
        for argument in arguments:
            if isinstance(argument.type, click.Choice):
                yield f"{_name(argument)} is one of {codes(argument.type.choices)}."
    else:
        yield inspect.cleandoc(command.help or "")
        below = ((f"{path} {name}", command.commands[name]) for name in command.list_commands(context))
        yield "\n".join(f"- [`{full}`](#{full.replace(' ', '-')}): {_first_line(each)}" for full, each in below)
    yield from table(("option", "default", "meaning"), (_row(option, context) for option in shown(command)))


def _first_line(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "").partition("\n\n")[0]


def _name(argument: click.Argument) -> str:
    return (argument.name or "").upper()


def _row(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    value = "" if option.is_flag else f" {option.metavar or option.type.name.upper().removesuffix(' RANGE')}"
    default = option.get_default(context)
    has_default = isinstance(default, str | int) and not isinstance(default, bool)
    meaning = f"{option.help or ''}{' Required.' if option.required else ''}"
    if isinstance(option.type, click.Choice):
        meaning += f" One of {codes(option.type.choices)}."
    names = (name + value for name in (*option.opts, *option.secondary_opts))
    return codes(names), f"`{default}`" if has_default else "", meaning
