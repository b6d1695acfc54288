"""`ostiary users export`: everybody may leave, with their passwords (R36)."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

import click

from entrypoints.cli.asking import ask, fail

if TYPE_CHECKING:
    from entrypoints.composition import Ostiary


@click.command("export")
@click.argument("file")
def export_users(file: str) -> None:
    """Carry everybody out, hashes included, into FILE (or - for standard output): what `import generic` reads."""
    if file == "-":
        click.echo(f"{_export(sys.stdout):,} users", err=True)
        return
    target = Path(file)
    try:
        with _whole_or_not_at_all(target) as part:
            number = _export(part)
    except OSError as trouble:
        fail(f"{target}: {trouble.strerror}")
    click.echo(f"{number:,} users are in {target}. It holds password hashes: keep it like the database.", err=True)


@contextmanager
def _whole_or_not_at_all(target: Path) -> Iterator[IO[str]]:
    """A file for its owner's eyes only, which appears under its name when the block is done. Raises `OSError`."""
    with NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}-", delete=False) as part:
        try:
            yield part
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).replace(target)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def _export(file: IO[str]) -> int:
    async def question(ostiary: "Ostiary") -> int:
        from entrypoints.composition.sources import exported_line

        number = 0
        async for newcomer in ostiary.use_cases.export_users():
            file.write(exported_line(newcomer) + "\n")
            number += 1
        return number

    return ask(question)
