"""A composition in the past: for histories that are to look as if they had happened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.environment import SystemClock
from domain.letters import RenderedLetter
from entrypoints.composition import Ostiary, Replacements, compose
from entrypoints.settings import Settings
from entrypoints.unheard import Unheard


class PastClock:
    """`application.ports.environment.Clock` that stands still, and goes where it is told, up to when it was made."""

    def __init__(self) -> None:
        self._present = self._now = SystemClock().now()

    def now(self) -> datetime:
        """The moment where it stands."""
        return self._now

    def go_back(self, ago: timedelta) -> None:
        """To so long before the present."""
        self._now = self._present - ago

    def advance(self, span: timedelta) -> None:
        """Later, but not later than the present."""
        self._now = min(self._now + span, self._present)


class KeptLetters:
    """`application.ports.letters.MailSender` that mails nothing and keeps every letter."""

    def __init__(self) -> None:
        self.all: list[RenderedLetter] = []

    async def send(self, letter: RenderedLetter) -> None:
        """Keep it."""
        self.all.append(letter)


@asynccontextmanager
async def compose_past(settings: Settings) -> AsyncIterator[tuple[Ostiary, PastClock, KeptLetters]]:
    """The service under a clock in the past, with letters that are kept. Raises as `compose`."""
    clock, letters = PastClock(), KeptLetters()
    # Nobody's password here is worth asking others about.
    settings = replace(settings, password_breach_check="off")  # noqa: S106 - no password
    async with compose(settings, Replacements(clock=clock, mail_sender=letters, events=Unheard())) as ostiary:
        yield ostiary, clock, letters
