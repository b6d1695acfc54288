"""`ostiary tune-hash`: which parameters of the password hash this machine can afford."""

import json
import re
from typing import TYPE_CHECKING

import click

from entrypoints.cli.asking import as_json, settings_or_fail

if TYPE_CHECKING:
    from entrypoints.composition.tuning import Argon2Parameters, Tuning

_LEAST_TARGET, _MOST_TARGET = 0.01, 2.0


def _seconds(_context: click.Context, _option: click.Parameter, text: str) -> float:
    """Of `250ms` or `1s`."""
    match = re.fullmatch(r"([0-9]{1,5})(ms|s)", text, re.ASCII)
    seconds = int(match[1]) * {"ms": 0.001, "s": 1.0}[match[2]] if match else 0.0
    if not _LEAST_TARGET <= seconds <= _MOST_TARGET:
        raise click.BadParameter("expected a time from 10ms to 2s, such as 250ms")
    return seconds


def _kib(_context: click.Context, _option: click.Parameter, text: str) -> int:
    """Of `64MiB`."""
    match = re.fullmatch(r"([0-9]{1,4})MiB", text, re.ASCII)
    from entrypoints.composition.tuning import LEAST_MEMORY_KIB, MOST_MEMORY_KIB

    kib = int(match[1]) * 1024 if match else 0
    if not LEAST_MEMORY_KIB <= kib <= MOST_MEMORY_KIB:
        least, most = LEAST_MEMORY_KIB // 1024, MOST_MEMORY_KIB // 1024
        raise click.BadParameter(f"expected a size from {least}MiB to {most}MiB, such as 64MiB")
    return kib


@click.command("tune-hash")
@click.option(
    "--target",
    callback=_seconds,
    metavar="TIME",
    default="100ms",
    show_default=True,
    help="The most that one hash may take.",
)
@click.option(
    "--memory", callback=_kib, metavar="SIZE", default="64MiB", show_default=True, help="The most memory it may take."
)
@click.option("--slots", type=click.IntRange(1, 256), help="Hashes at once. Default: as many as will run here.")
@as_json
def tune_hash(target: float, memory: int, slots: int | None, as_json: bool) -> None:
    """Measure this machine and propose parameters for password hashes, never below OWASP's least. Changes nothing.

    Run it where the service runs, while little else does.
    """
    settings = settings_or_fail()
    from entrypoints.composition.tuning import tune

    tuning = tune(settings, target=target, most_memory_kib=memory, slots=slots)
    click.echo(json.dumps(_shape(tuning), indent=2) if as_json else _in_words(tuning, target))


def _shape(tuning: "Tuning") -> dict[str, object]:
    proposal = tuning.proposal
    return {
        "at_once": tuning.slots,
        "current": _cost(tuning.current, tuning.seconds, tuning.slots),
        "proposal": {**_cost(proposal.parameters, proposal.seconds, tuning.slots), "in_time": proposal.in_time},
    }


def _cost(parameters: "Argon2Parameters", seconds: float, slots: int) -> dict[str, int | float]:
    return {
        "memory_kib": parameters.memory_kib,
        "time": parameters.time,
        "parallelism": parameters.parallelism,
        "milliseconds": round(seconds * 1000, 1),
        "sign_ins_per_second": round(slots / seconds, 1),
        "memory_kib_in_all": parameters.memory_kib * slots,
    }


def _in_words(tuning: "Tuning", target: float) -> str:
    proposal = tuning.proposal
    found = proposal.parameters
    lines = [
        f"# Measured with {tuning.slots} at once, on this machine, now.",
        f"# In force:  {_line(tuning.current, tuning.seconds, tuning.slots)}",
        f"# Proposed:  {_line(found, proposal.seconds, tuning.slots)}",
    ]
    if not proposal.in_time:
        lines.append(f"# That is slower than {target * 1000:.0f} ms, but less would be below OWASP's least.")
    return "\n".join(
        [
            *lines,
            f"OSTIARY_ARGON2_MEMORY_KIB={found.memory_kib}",
            f"OSTIARY_ARGON2_TIME={found.time}",
            f"OSTIARY_ARGON2_PARALLELISM={found.parallelism}",
        ]
    )


def _line(parameters: "Argon2Parameters", seconds: float, slots: int) -> str:
    return (
        f"{parameters.memory_kib} KiB, passes {parameters.time}, lanes {parameters.parallelism}: "
        f"{seconds * 1000:.0f} ms each, {slots / seconds:.0f} sign-ins a second, "
        f"{parameters.memory_kib * slots / 1024:.0f} MiB for hashing in all"
    )
