"""`ostiary letters`: what leaves, and what does not."""

import click

from entrypoints.cli import mailroom


@click.group()
def letters() -> None:
    """Letters: where they are, and who gets none."""


for command in mailroom.COMMANDS:
    letters.add_command(command)
