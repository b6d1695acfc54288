"""`ostiary serve | worker | migrate | settings | openapi | doctor | users | sessions | events | letters | …`."""

import asyncio
import json
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import click

from entrypoints.cli.doctor import doctor
from entrypoints.cli.letters import letters
from entrypoints.cli.seed import seed
from entrypoints.cli.tuning import tune_hash
from entrypoints.cli.upkeep import events, purge, sessions
from entrypoints.cli.users import users
from entrypoints.namesakes import foreign_owners
from entrypoints.settings import Settings, SettingsError, read_settings, settings_in_force
from entrypoints.store_trouble import in_its_words


@click.group()
@click.version_option(package_name="ostiary", prog_name="ostiary")
def main() -> None:
    """Ostiary, the doorkeeper: sign-up, e-mail verification and sign-in."""
    os.umask(0o077)  # the database and the secret are for their owner's eyes
    if owners := foreign_owners():
        _fail(
            "Ostiary is an application and needs an environment of its own. Other packages own its names here: "
            + "; ".join(owners)
        )


@main.command()
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that serve; overrides OSTIARY_WORKERS.")
@click.option("--child", nargs=2, type=int, hidden=True)
@click.option("--metrics-folder", type=Path, hidden=True)
def serve(workers: int | None, child: tuple[int, int] | None, metrics_folder: Path | None) -> None:
    """Start the service.

    SIGTERM and SIGINT end it gracefully. With two or more workers, SIGHUP replaces them one after the other, with
    settings read anew.
    """
    settings = _settings()
    if workers is not None:
        settings = replace(settings, workers=workers)
    # Imported late: other commands need no web server, and the parent of several processes needs none either.
    from domain.errors import Unavailable
    from entrypoints.composition import SchemaMismatch
    from entrypoints.serving.listening import CannotListen

    try:
        if child is not None:
            from entrypoints.server import serve_for

            listener, line = (socket.socket(fileno=descriptor) for descriptor in child)
            serve_for(line, settings, listener, metrics_folder)
        elif settings.workers > 1:
            _supervise(settings)
        else:
            from entrypoints.server import serve as serve_until_stopped

            serve_until_stopped(settings, announce=announce)
    except Unavailable as trouble:
        _fail(f"The database cannot be used: {in_its_words(trouble)}")
    except SchemaMismatch as trouble:
        _fail(str(trouble))
    except SettingsError as error:
        _fail(str(error))
    except CannotListen as trouble:
        _fail(f"Cannot listen on {settings.host}:{settings.port}: {trouble}")


def _supervise(settings: Settings) -> None:
    from entrypoints.logs import configure_logs
    from entrypoints.serving.listening import listen
    from entrypoints.serving.processes import CannotStart, Supervisor

    def command(listener: int, line: int) -> list[str]:
        # -P: what lies in the working directory is none of ours.
        own = [sys.executable, "-P", "-m", "entrypoints.cli.main", "serve", "--workers", str(settings.workers)]
        return [*own, "--child", str(listener), str(line), "--metrics-folder", folder]

    def ended(process: int) -> None:
        if settings.measured:
            from entrypoints.composition import forget_process

            forget_process(Path(folder), process)

    async def supervise() -> None:
        listening = settings.listening_on(listener.getsockname()[1])
        await Supervisor(command, listener, settings.workers, ended=ended).run(lambda: announce(listening))

    configure_logs(settings.log_format)
    with TemporaryDirectory(prefix="ostiary-metrics-") as folder, listen(settings) as listener:
        try:
            asyncio.run(supervise())
        except CannotStart as failed:
            sys.exit(failed.status if failed.status > 0 else 1)


@main.command()
def worker() -> None:
    """Send letters and keep house, without serving; as many of these as wanted."""
    settings = _settings()
    from domain.errors import Unavailable
    from entrypoints.background import work
    from entrypoints.composition import SchemaMismatch

    try:
        work(settings, announce=lambda: click.echo("Ostiary's worker has started.", err=True))
    except Unavailable as trouble:
        _fail(f"The database cannot be used: {in_its_words(trouble)}")
    except (SchemaMismatch, SettingsError) as trouble:
        _fail(str(trouble))


@main.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    settings = _settings()
    from domain.errors import Unavailable
    from entrypoints.composition import SchemaMismatch, migrate_database

    try:
        revision = asyncio.run(migrate_database(settings))
    except Unavailable as trouble:
        _fail(f"The database cannot be used: {in_its_words(trouble)}")
    except SchemaMismatch as trouble:
        _fail(str(trouble))
    click.echo(f"The database is at schema revision {revision}.")


@main.command("settings")
@click.option("--markdown", is_flag=True, help="As the table in docs/settings.md, with defaults only.")
def show_settings(markdown: bool) -> None:
    """Show every setting in force and where it comes from; secrets are hidden."""
    if markdown:
        click.echo("| variable | default | meaning |\n| --- | --- | --- |")
        for entry in settings_in_force({}, dotenv=None):
            click.echo(f"| `{entry.name}` | {f'`{entry.value}`' if entry.value else ''} | {entry.doc} |")
        return
    try:
        entries = settings_in_force()
    except SettingsError as error:
        _fail(str(error))
    for entry in entries:
        click.echo(f"{entry.name} = {entry.value}  ({entry.source})\n    {entry.doc}")


@main.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    settings = _settings()
    from entrypoints.http.app import api_under, cookies_for
    from entrypoints.http.openapi import describe

    click.echo(json.dumps(describe(api_under(settings), cookies_for(settings), settings), indent=2))


for command in (doctor, users, sessions, events, letters, purge, seed, tune_hash):
    main.add_command(command)


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        _fail(str(error))


def announce(settings: Settings) -> None:
    """Tell whoever started it what is in force."""
    base = settings.public_url
    lines = [f"Ostiary listens on http://{settings.host}:{settings.port} and is reached at {base}"]
    if settings.pages:
        lines.append(f"  sign up        {base}/auth/signup")
        lines.append(f"  sign in        {base}/auth/signin")
    lines.append(f"  letters link   to {settings.app_url}{settings.verify_path}")
    if settings.sends_mail:
        lines.append(f"  letters        by SMTP through {settings.smtp_host}:{settings.smtp_port}")
    else:
        lines.append(f"  letters        {base}/dev/inbox (nothing is mailed)")
    if settings.serves_openapi:
        lines.append(f"  API            {base}/docs and {base}/openapi.json")
    if settings.metrics_listen:
        lines.append(f"  metrics        http://{settings.metrics_listen}/metrics")
    if settings.workers > 1:
        lines.append(f"  processes      {settings.workers}")
    if not settings.worker:
        lines.append("  letters        leave from `ostiary worker` only: OSTIARY_WORKER is off")
    if settings.disclosure == "opaque":
        lines.append("  nobody learns from sign-up or sign-in who has an account (OSTIARY_DISCLOSURE=opaque)")
    else:
        why = ", which comes with OSTIARY_VERIFICATION=optional" if settings.verification == "optional" else ""
        lines.append(
            f"  WARNING: sign-up tells everybody who asks whether an address has an account (OSTIARY_DISCLOSURE="
            f"friendly{why})"
        )
    if settings.verify_elsewhere == "allow":
        lines.append(
            "  WARNING: OSTIARY_VERIFY_ELSEWHERE=allow lets a stranger sign up with somebody's address and a password "
            "of their own, and own the account when that person opens the letter's link"
        )
    if not settings.https and not settings.development:
        lines.append("  WARNING: passwords and sessions travel unencrypted (OSTIARY_ALLOW_HTTP)")
    click.echo("\n".join(lines), err=True)


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
