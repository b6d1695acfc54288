"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it is. Only `FAIL` means that the service will not do its work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and a sentence which, if all is not well, says what to do."""

    check: str
    verdict: Verdict
    text: str


def ok(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, text)


def warn(check: str, text: str) -> Finding:
    """It works, but should be seen to."""
    return Finding(check, Verdict.WARN, text)


def fail(check: str, text: str) -> Finding:
    """It does not work."""
    return Finding(check, Verdict.FAIL, text)
