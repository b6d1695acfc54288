"""What the stored password hashes tell. Nothing of a hash is shown but what everybody's of its make has."""

import re
from collections import Counter
from collections.abc import Iterator

from application.ports.examination import DatabaseFacts
from application.ports.hashing import SAMPLE
from domain.password import NO_PASSWORD, PasswordHash
from entrypoints.doctor.finding import Finding, fail, ok
from entrypoints.peppers import lost_peppers
from entrypoints.settings import Settings

_PEPPER = re.compile(r"\$pepper\$k=([a-z0-9-]{1,16})(?=\$)", re.ASCII)
_BCRYPT = re.compile(r"\$2[abxy]\$([0-9]{2})\$", re.ASCII)
_ALGORITHM = re.compile(r"\$?([a-z][a-z0-9_-]{1,30})\$", re.ASCII)
_VERSION = re.compile(r"v=[0-9]{1,3}\$", re.ASCII)
_PARAMETERS = re.compile(r"([a-z]{1,10}=[0-9]{1,9}(?:,[a-z]{1,10}=[0-9]{1,9}){0,5}|[0-9]{1,9})\$", re.ASCII)


def check_hashes(settings: Settings, facts: DatabaseFacts) -> Iterator[Finding]:
    """How many there are of each make; whether every pepper they need is there."""
    counts = Counter(map(make_of, facts.hashes))
    listed = "; ".join(f"{number:,} {make}" for make, number in counts.most_common()) or "none yet"
    if len(facts.hashes) == SAMPLE:
        listed = f"of {SAMPLE:,} looked at: {listed}"
    if facts.peppers:
        needed = ", ".join(f"{name} by {number:,}" for name, number in sorted(facts.peppers.items()))
        listed += f"; peppers needed, waiting sign-ups included: {needed}"
    if lost := lost_peppers(settings.peppers, facts.peppers):
        yield fail("hashes", f"{listed}. {lost}")
    else:
        yield ok("hashes", listed)


def make_of(stored: PasswordHash) -> str:
    """The algorithm of a hash, its parameters and its pepper, as far as they can be told from salt and digest."""
    if stored == NO_PASSWORD:
        return "without a password"
    text = stored.encoded
    pepper = _PEPPER.match(text)
    if pepper is not None:
        text = text[pepper.end() :]
    if bcrypt := _BCRYPT.search(text):
        make = f"bcrypt cost {int(bcrypt[1])}"
    elif algorithm := _ALGORITHM.match(text):
        text = _VERSION.sub("", text[algorithm.end() :], count=1)
        parameters = _PARAMETERS.match(text)
        make = f"{algorithm[1]} {parameters[1]}" if parameters else algorithm[1]
    else:
        make = "of another make"
    return f"{make} under pepper {pepper[1]}" if pepper else make
