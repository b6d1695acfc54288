"""`ostiary letters list | show | requeue | abandon | suppressed | lift | bounces`: docs/letters.md, docs/bounces.md."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from entrypoints.cli.asking import as_json, ask, fail

# Whatever knows the service is imported within the commands: `serve` needs none of it from here.
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from application.ports.mailroom import LetterRecord
    from application.use_cases.letter_register import LetterCommand
    from domain.email_address import EmailAddress
    from domain.suppression import Suppression
    from entrypoints.cli.printing_letters import Reported, Told
    from entrypoints.composition import Ostiary

    Done = Callable[[LetterCommand], Awaitable[LetterRecord]]

STATES = ("queued", "sent", "abandoned")


@click.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those that are there; abandoned ones are dead letters.")
@click.option("--to", "recipient", metavar="ADDRESS", help="Only those to this address.")
@click.option("--most", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
@as_json
def list_letters(state: str | None, recipient: str | None, most: int, as_json: bool) -> None:
    """List letters, asked for last first."""
    from application.ports.mailroom import LetterFilter, LetterState

    which = LetterFilter(
        state=LetterState(state) if state is not None else None,
        recipient=_address("--to", recipient) if recipient is not None else None,
    )

    async def question(ostiary: "Ostiary") -> "list[LetterRecord]":
        found: list[LetterRecord] = []
        async for record in ostiary.use_cases.list_letters(which):
            found.append(record)
            if len(found) > most:
                break
        return found

    found = ask(question)
    from entrypoints.cli.printing_letters import print_letters

    print_letters(found[:most], as_json=as_json)
    if len(found) > most:
        click.echo(f"There are more than {most}: --most, --state and --to help.", err=True)


@click.command()
@click.argument("letter_id", metavar="ID")
@as_json
def show(letter_id: str, as_json: bool) -> None:
    """Show a letter's history. There is neither text nor link to show: both exist only while it is being sent."""
    wanted = _id(letter_id)

    async def question(ostiary: "Ostiary") -> "LetterRecord":
        from application.use_cases.letter_register import LetterCommand
        from domain.errors import NotFound

        try:
            return await ostiary.use_cases.show_letter(LetterCommand(letter_id=wanted))
        except NotFound:
            fail(_no_letter(wanted))

    record = ask(question)
    from entrypoints.cli.printing_letters import print_letter

    print_letter(record, as_json=as_json)


@click.command()
@click.argument("letter_ids", metavar="ID", nargs=-1)
@click.option(
    "--abandoned", is_flag=True, help="Every dead letter that is still worth sending, but for those given up by hand."
)
@as_json
def requeue(letter_ids: tuple[str, ...], abandoned: bool, as_json: bool) -> None:
    """Have letters tried again at once: dead ones, waiting ones, and sent ones that did not arrive.

    What each becomes is decided anew, with a link of its own; links of earlier copies stay good. Ends with status 2
    when one of those named cannot be.
    """
    if abandoned == bool(letter_ids):
        fail("Name letters by their ids, or say --abandoned for all dead ones.")
    wanted = list(map(_id, letter_ids))

    async def question(ostiary: "Ostiary") -> "list[Told]":
        ids = await _dead(ostiary) if abandoned else wanted
        told = await _each(ids, ostiary.use_cases.requeue_letter)
        # Of all dead letters, one that somebody else was quicker with is no trouble.
        return [one for one in told if one.done] if abandoned else told

    _tell(ask(question), as_json=as_json, done="will be tried at once")


@click.command()
@click.argument("letter_ids", metavar="ID", nargs=-1, required=True)
@as_json
def abandon(letter_ids: tuple[str, ...], as_json: bool) -> None:
    """Give letters up that have not left. One that a worker holds may be on its way already.

    Ends with status 2 when one of them cannot be.
    """
    wanted = list(map(_id, letter_ids))

    async def question(ostiary: "Ostiary") -> "list[Told]":
        return await _each(wanted, ostiary.use_cases.abandon_letter)

    _tell(ask(question), as_json=as_json, done="is given up")


async def _dead(ostiary: "Ostiary") -> "list[UUID]":
    from application.ports.mailroom import LetterFilter, LetterState
    from application.use_cases.letter_register import BY_HAND

    which = LetterFilter(state=LetterState.ABANDONED)
    return [each.letter.id async for each in ostiary.use_cases.list_letters(which) if each.reason != BY_HAND]


async def _each(ids: "list[UUID]", done: "Done") -> "list[Told]":
    from application.use_cases.letter_register import LetterCommand
    from domain.errors import NotFound, Refusal, Unavailable
    from entrypoints.cli.printing_letters import Told

    told = []
    for letter_id in ids:
        try:
            await done(LetterCommand(letter_id=letter_id))
        except NotFound:
            told.append(Told(letter_id, _no_letter(letter_id)))
        except Unavailable:
            raise
        except Refusal as refusal:
            told.append(Told(letter_id, f"{letter_id}: {refusal.detail}"))
        else:
            told.append(Told(letter_id))
    return told


def _tell(told: "list[Told]", *, as_json: bool, done: str) -> None:
    from entrypoints.cli.printing_letters import print_told

    print_told(told, as_json=as_json, said=done)
    if any(not one.done for one in told):
        sys.exit(2)


@click.command()
@as_json
def suppressed(as_json: bool) -> None:
    """List the addresses that get no letters, and until when; `lift` ends that."""

    async def question(ostiary: "Ostiary") -> "list[Suppression]":
        return [each async for each in ostiary.use_cases.list_suppressed()]

    found = ask(question)
    from entrypoints.cli.printing_letters import print_suppressed

    print_suppressed(found, as_json=as_json)


@click.command()
@click.argument("address")
@as_json
def lift(address: str, as_json: bool) -> None:
    """Let letters go to an address again. Reports of what happened before change nothing from then on."""
    email = _address("ADDRESS", address)

    async def question(ostiary: "Ostiary") -> None:
        from application.use_cases.suppressions import LiftSuppressionCommand
        from domain.errors import NotFound

        try:
            await ostiary.use_cases.lift_suppression(LiftSuppressionCommand(email=address))
        except NotFound:
            fail(f"Nothing keeps letters from {email}.")

    ask(question)
    from entrypoints.cli.printing import print_json

    if as_json:
        print_json({"lifted": str(email)})
    else:
        click.echo(f"Letters go to {email} again.")


@click.command()
@click.argument("files", metavar="FILE", nargs=-1, required=True, type=click.Path(path_type=Path))
@as_json
def bounces(files: tuple[Path, ...], as_json: bool) -> None:
    """Read reports of failed deliveries and of complaints from mbox files, Maildir folders, or files with one message.

    Only those count that return a letter of this service. The same file twice changes nothing. Ends with status 2 when
    a file cannot be read.
    """

    async def question(ostiary: "Ostiary") -> "Reported":
        from application.ports.bounces import NoMailbox
        from application.use_cases.suppressions import NoteBouncesCommand
        from entrypoints.cli.printing_letters import Reported
        from entrypoints.composition.bounces import messages_filed_in

        reported = Reported()
        for file in files:
            try:
                for message in messages_filed_in(file):
                    verdict = None
                    if message.bounce is not None:
                        [verdict] = await ostiary.use_cases.note_bounces(NoteBouncesCommand(bounces=(message.bounce,)))
                    reported.add(file, message, verdict)
            except NoMailbox as trouble:
                reported.unreadable.append(f"{file}: {trouble}")
        return reported

    reported = ask(question)
    from entrypoints.cli.printing_letters import print_reported

    print_reported(reported, as_json=as_json)
    if reported.unreadable:
        sys.exit(2)


def _id(text: str) -> "UUID":
    from uuid import UUID

    try:
        return UUID(text)
    except ValueError:
        fail(f"{text!a} is no id of a letter; `ostiary letters list` shows them.")


def _no_letter(letter_id: "UUID") -> str:
    return f"There is no letter {letter_id}; what has served its time is deleted."


def _address(where: str, text: str) -> "EmailAddress":
    from domain.email_address import EmailAddress
    from domain.violations import Broken

    try:
        return EmailAddress.parse(text)
    except Broken as broken:
        fail(f"{where}: {broken.message}")


COMMANDS = (list_letters, show, requeue, abandon, suppressed, lift, bounces)
"""In the order in which they are shown."""
