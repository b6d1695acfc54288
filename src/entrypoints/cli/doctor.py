"""`ostiary doctor`: looks at an installation from end to end, one line a check (R91)."""

import asyncio
import json
import sys
from contextlib import redirect_stdout

import click

from domain.email_address import EmailAddress
from entrypoints.doctor.finding import Finding, Verdict, fail
from entrypoints.settings import Settings, SettingsError, read_settings, settings_in_force


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--processes", type=click.IntRange(1, 10_000), default=1, help="How many share the database, in all.")
@click.option("--send-to", metavar="ADDRESS", help="Send one real test letter there, by each mail sender.")
def doctor(as_json: bool, processes: int, send_to: str | None) -> None:
    """Check the installation; ends with status 1 when something does not work. Changes nothing."""
    recipient = None
    if send_to is not None:
        try:
            recipient = EmailAddress.parse(send_to)
        except ValueError:
            raise click.BadParameter("expected an e-mail address", param_hint="--send-to") from None
    try:
        settings = read_settings()
    except SettingsError as error:
        findings = [fail("settings", problem) for problem in error.problems]
    else:
        with redirect_stdout(sys.stderr):  # a letter to the console or the dev inbox is printed, and is no finding
            findings = asyncio.run(_examine(settings, processes, recipient))
    click.echo(_as_json(findings) if as_json else _as_lines(findings))
    sys.exit(any(finding.verdict is Verdict.FAIL for finding in findings))


async def _examine(settings: Settings, processes: int, recipient: EmailAddress | None) -> list[Finding]:
    # Imported late: whose settings cannot be read is told so at once.
    from entrypoints.composition.instruments import instruments
    from entrypoints.doctor.of_database import check_database
    from entrypoints.doctor.of_machine import check_hashing, check_open_files, check_passwords
    from entrypoints.doctor.of_mail import check_mail, send_test_letter
    from entrypoints.doctor.of_settings import check_settings

    try:
        async with instruments(settings) as look:
            return [
                *check_settings(settings, settings_in_force()),
                *await check_database(settings, look, processes),
                *await check_mail(settings, look),
                *(await send_test_letter(settings, look, recipient) if recipient else []),
                await check_hashing(settings, look.hasher, look.slots),
                check_passwords(settings, look.common_passwords),
                *check_open_files(),
            ]
    except SettingsError as error:
        return [fail("settings", problem) for problem in error.problems]


def _as_lines(findings: list[Finding]) -> str:
    width = max(len(finding.check) for finding in findings)
    return "\n".join(f"{finding.verdict:<4}  {finding.check:<{width}}  {finding.text}" for finding in findings)


def _as_json(findings: list[Finding]) -> str:
    checks = [
        {"check": finding.check, "verdict": finding.verdict.value.lower(), "text": finding.text} for finding in findings
    ]
    return json.dumps({"ok": all(each["verdict"] != "fail" for each in checks), "checks": checks}, indent=2)
