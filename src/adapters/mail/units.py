"""Times and networks as a letter's reader writes them. Numbers and names of months are Babel's (CLDR)."""

from datetime import UTC, datetime
from ipaddress import ip_network

from adapters.catalogues import cldr_name
from application.ports.languages import Sentences
from domain.sentence import Sentence

_RIGHT_TO_LEFT, _ISOLATED = "rtl", "\u2066%s\u2069"


def moment(when: datetime, said: Sentences) -> str:
    """A day, and a time of 24 hours in UTC: nobody has told us where the reader is."""
    from babel.dates import format_date, format_time, get_datetime_format

    locale, when = cldr_name(said.locale), when.astimezone(UTC)
    pattern = str(get_datetime_format("medium", locale))
    time = format_time(when, "HH:mm", tzinfo=UTC, locale=locale)
    both = pattern.replace("{1}", format_date(when, "long", locale)).replace("{0}", time)
    return said.say(Sentence("%(moment)s UTC", moment=both))


def network(masked_address: str, said: Sentences) -> str:
    """192.0.2.* for 192.0.2.0/24: as people write it, and nothing that a mail program makes a link of."""
    found = ip_network(masked_address)
    first = str(found.network_address)
    short = f"{first.rstrip(':')}:*" if found.version == 6 else f"{first.rpartition('.')[0]}.*"
    # Isolated in writing from right to left, where the dots would wander to its other end.
    return _ISOLATED % short if said.direction == _RIGHT_TO_LEFT else short
