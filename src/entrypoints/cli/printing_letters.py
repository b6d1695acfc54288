"""Letters and suppressions as commands print them: tables of a hundred columns for people, shapes for programs."""

from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import click

from application.ports.bounces import FiledMessage
from application.ports.mailroom import LetterRecord, LetterState
from application.use_cases.suppressions import Verdict
from domain.suppression import Suppression
from entrypoints.cli.asking import table
from entrypoints.cli.printing import at, print_json

_ADDRESS_WIDTH = 20
_VERDICTS = {
    Verdict.SUPPRESSED: "counted",
    Verdict.KNOWN: "known already",
    Verdict.OVER: "too old",
    Verdict.NOBODYS: "this letter is not kept any more",
    None: "does not count",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one letter that something was to be done to."""

    letter_id: UUID
    refusal: str | None = None

    @property
    def done(self) -> bool:
        """Whether it was."""
        return self.refusal is None


@dataclass(slots=True)
class Reported:
    """What mailbox files said."""

    reports: list[tuple[Path, FiledMessage, Verdict | None]] = field(default_factory=list)
    others: int = 0
    """Messages that are no reports."""
    unreadable: list[str] = field(default_factory=list)

    def add(self, file: Path, message: FiledMessage, verdict: Verdict | None) -> None:
        """Note one message."""
        if message.report:
            self.reports.append((file, message, verdict))
        else:
            self.others += 1


def print_letters(found: list[LetterRecord], *, as_json: bool) -> None:
    """A list of them."""
    if as_json:
        print_json({"letters": [_shape(record) for record in found]})
        return
    rows = [
        [
            str(record.letter.id),
            _state(record),
            f"{record.letter.created_at:%m-%d %H:%M}",
            _what(record),
            _shortened(_recipient(record) or "-"),
        ]
        for record in found
    ]
    click.echo(table(["id", "state", "asked for", "what", "to"], rows))


def _state(record: LetterRecord) -> str:
    """As people say it: of what turned out to be none, nothing was sent."""
    if record.in_hand:
        return "in hand"
    outcome = record.letter.outcome
    skipped = record.state is LetterState.SENT and outcome is not None and not outcome.leaves
    return "not sent" if skipped else record.state


def print_letter(record: LetterRecord, *, as_json: bool) -> None:
    """One with its history."""
    if as_json:
        print_json({"letter": _shape(record)})
        return
    letter = record.letter
    lines = {
        "id": str(letter.id),
        "state": _state(record),
        "to": _recipient(record) or "- (forgotten)",
        "occasion": letter.occasion,
        "became": letter.outcome or "- (not looked at yet)",
        "reason": record.reason or "-",
        "attempts": str(letter.attempts),
        "language": letter.locale or "-",
        "asked for": at(letter.created_at),
        "due": at(letter.due_at),
        "worth sending until": at(letter.expires_at),
        "done": at(record.done_at),
    }
    width = max(map(len, lines))
    click.echo("\n".join(f"{name:<{width}}  {value}" for name, value in lines.items()))


def print_told(told: list[Told], *, as_json: bool, said: str) -> None:
    """What was done to each, and why not to the others."""
    refusals = [one.refusal for one in told if one.refusal is not None]
    if as_json:
        print_json({"done": [str(one.letter_id) for one in told if one.done], "refused": refusals})
        return
    for one in told:
        if one.done:
            click.echo(f"{one.letter_id} {said}.")
    for refusal in refusals:
        click.echo(refusal, err=True)
    if not told:
        click.echo("There is none.")


def print_suppressed(found: list[Suppression], *, as_json: bool) -> None:
    """A list of them."""
    if as_json:
        print_json(
            {
                "suppressed": [
                    {
                        "email": str(each.email),
                        "reason": each.reason,
                        "source": each.source,
                        "since": each.since,
                        "until": each.until,
                    }
                    for each in found
                ]
            }
        )
        return
    rows = [[str(each.email), each.reason, each.source, at(each.since), at(each.until)] for each in found]
    click.echo(table(["address", "why", "by", "since (UTC)", "until (UTC)"], rows))


def print_reported(reported: Reported, *, as_json: bool) -> None:
    """What each report said and what became of it."""
    if as_json:
        reports = [
            {
                "file": str(file),
                "message": message.number,
                "said": message.said,
                "letter": message.bounce.letter_id if message.bounce else None,
                "verdict": verdict or "not_counted",
            }
            for file, message, verdict in reported.reports
        ]
        print_json({"reports": reports, "others": reported.others, "unreadable": reported.unreadable})
        return
    if reported.reports:
        rows = [
            [str(file), str(message.number), message.said, _VERDICTS[verdict]]
            for file, message, verdict in reported.reports
        ]
        click.echo(table(["file", "message", "says", "outcome"], rows))
    counted = sum(verdict is Verdict.SUPPRESSED for _, _, verdict in reported.reports)
    click.echo(f"{len(reported.reports)} reports, {counted} counted; {reported.others} other messages.")
    for trouble in reported.unreadable:
        click.echo(trouble, err=True)


def _shape(record: LetterRecord) -> dict[str, object]:
    letter = record.letter
    return {
        "id": letter.id,
        "state": record.state,
        "in_hand": record.in_hand,
        "to": _recipient(record) or None,
        "occasion": letter.occasion,
        "outcome": letter.outcome,
        "reason": record.reason,
        "attempts": letter.attempts,
        "locale": letter.locale,
        "created_at": letter.created_at,
        "due_at": letter.due_at,
        "expires_at": letter.expires_at,
        "done_at": record.done_at,
    }


def _recipient(record: LetterRecord) -> str:
    return record.letter.recipient.canonical


def _what(record: LetterRecord) -> str:
    return record.letter.outcome or record.letter.occasion


def _shortened(address: str) -> str:
    return address if len(address) <= _ADDRESS_WIDTH else address[: _ADDRESS_WIDTH - 1] + "…"
