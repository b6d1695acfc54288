"""`ostiary sessions`, `ostiary events` and `ostiary purge`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from entrypoints.cli.asking import as_json, ask, fail, user_called

if TYPE_CHECKING:
    from domain.events import RecordedEvent
    from entrypoints.composition import Ostiary


@click.group()
def sessions() -> None:
    """Everybody's sessions."""


@sessions.command("end")
@click.option("--all", "everybodys", is_flag=True, help="Everybody's. One user's: `ostiary users end-sessions`.")
@click.option("--yes", is_flag=True, help="Do not ask whether that is meant.")
@as_json
def end(everybodys: bool, yes: bool, as_json: bool) -> None:
    """Sign everybody out, everywhere."""
    if not everybodys:
        fail("Say --all for everybody's sessions; one user's end by `ostiary users end-sessions WHO`.")
    if not yes:
        try:
            meant = click.confirm("Everybody has to sign in again. Is that meant?", err=True)
        except click.Abort:
            meant = False
        if not meant:
            fail("Nothing was done.")

    async def question(ostiary: "Ostiary") -> int:
        return await ostiary.use_cases.end_all_sessions()

    ended = ask(question)
    from entrypoints.cli.printing import print_json

    if as_json:
        print_json({"ended": ended})
    else:
        click.echo(f"{ended} sessions have ended." if ended != 1 else "1 session has ended.")


@click.group()
def events() -> None:
    """The record of what happened."""


@events.command("list")
@click.option("--user", "who", help="Only what concerns this user: an address, a username or an id.")
@click.option("--kind", help="Only this kind; docs/events.md lists them.")
@click.option("--failed/--fine", default=None, help="Only what was refused or went wrong, or only the rest.")
@click.option("--since", metavar="MOMENT", help="Such as 2026-01-31 or 2026-01-31T12:00; in UTC unless it says.")
@click.option("--most", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
@as_json
def list_events(
    who: str | None, kind: str | None, failed: bool | None, since: str | None, most: int, as_json: bool
) -> None:
    """List events, newest first."""
    from domain.events import EventKind

    try:
        wanted = EventKind(kind) if kind is not None else None
    except ValueError:
        fail(f"--kind: there is no such kind of event: {kind!a}.")
    moment = _moment(since) if since is not None else None

    async def question(ostiary: "Ostiary") -> "list[RecordedEvent]":
        from uuid import UUID

        from application.administrators import CommandLine
        from application.use_cases.event_history import MOST_EVENTS, ListAllEventsCommand

        user_id = None
        if who is not None:
            try:
                user_id = UUID(who)  # of somebody who is gone, perhaps
            except ValueError:
                user_id = (await user_called(ostiary, who)).id
        found: list[RecordedEvent] = []
        page: list[RecordedEvent] = []
        while len(found) < most and (not found or len(page) == MOST_EVENTS):
            command = ListAllEventsCommand(
                caller=CommandLine(),
                user_id=user_id,
                kind=wanted,
                failed=failed,
                since=moment,
                before=found[-1].id if found else None,
            )
            page = await ostiary.use_cases.list_all_events(command)
            if not page:
                break
            found += page
        return found[:most]

    found = ask(question)
    from entrypoints.cli.printing import print_events

    print_events(found, as_json=as_json)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        fail("--since: expected a moment such as 2026-01-31T12:00.")


@click.command()
@as_json
def purge(as_json: bool) -> None:
    """Delete what has served its time, as the service does every hour; how many of each."""

    async def question(ostiary: "Ostiary") -> dict[str, int]:
        return await ostiary.use_cases.keep_house()

    counts = ask(question)
    from entrypoints.cli.printing import print_counts

    print_counts(counts, as_json=as_json, nothing="Nothing has served its time.")
