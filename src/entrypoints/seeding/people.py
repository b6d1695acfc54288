"""Who is made up: the same people every time."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from domain.client import Client

PASSWORD = "Open sesame, 40 thieves!"  # noqa: S105 - printed for whoever asks for a demonstration
"""Everybody's, with a character of each class that a policy may ask for."""

FORMER_PASSWORD = "Close sesame, 39 thieves?"  # noqa: S105 - of somebody who changed it

LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1"
)
OFFICE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
)
STRANGER = Client("203.0.113.66", "curl/8.14.1")
"""Who has no business here."""

_NAMES = """
Ada Lovelace,Grace Hopper,Alan Turing,Mary Kenneth Keller,Edsger Dijkstra,Barbara Liskov,Radia Perlman,Jan Łukasiewicz,
Katherine Johnson,Donald Knuth,Frances Allen,Tony Hoare,Hedy Lamarr,Karen Spärck Jones,John Backus,Sophie Wilson,
Niklaus Wirth,Margaret Hamilton,Konrad Zuse,Shafi Goldwasser,Dennis Ritchie,Annie Easley,Alonzo Church,Adele Goldberg,
Claude Shannon,Evelyn Boyd Granville,Kurt Gödel,Jean Bartik,Ole-Johan Dahl,Mary Jackson,Kristen Nygaard,Lynn Conway
"""
_PLAIN = str.maketrans("Łłöä", "Lloa")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody made up, with a home that no other has."""

    name: str
    handle: str
    number: int

    @property
    def email(self) -> str:
        """At a domain that is nobody's (RFC 2606)."""
        return f"{self.handle}@example.com"

    @property
    def former_email(self) -> str:
        """Before it was changed."""
        return f"{self.handle}@example.net"

    def at(self, browser: str) -> Client:
        """At home, with one of their devices: addresses set aside for such things (RFC 2544)."""
        return Client(f"198.18.{self.number // 250 % 250}.{self.number % 250 + 1}", browser)


def everybody() -> Iterator[Person]:
    """One after the other, without end."""
    names = [name.strip() for name in _NAMES.split(",")]
    for number in itertools.count():
        name, again = names[number % len(names)], number // len(names)
        first, *_, last = name.translate(_PLAIN).lower().split()
        handle = f"{first}.{last}{again + 1 if again else ''}"
        yield Person(f"{name} {again + 1}" if again else name, handle, number)
