"""What is read from elsewhere at each scrape: the outbox, whether the database answers, and which version this is."""

import asyncio
import platform
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from importlib.metadata import version

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from application.ports.environment import Clock
from application.ports.monitoring import OutboxReport, OutboxState
from domain.errors import Unavailable

FRESH_SECONDS = 5.0
"""However often somebody scrapes, the database is asked no more often."""

_DEADLINE_SECONDS = 2.0


class State(Collector):
    """A collector for prometheus-client. `look` first, then collect."""

    def __init__(self, answers: Callable[[], Awaitable[bool]], outbox: OutboxReport, clock: Clock) -> None:
        self._answers = answers
        self._outbox = outbox
        self._up = False
        self._clock = clock
        self._letters: OutboxState | None = None
        self._looked_at: float | None = None
        self._one_at_a_time = asyncio.Lock()
        self._build = (version("ostiary"), platform.python_version())

    async def look(self) -> None:
        """Ask the database, unless it was asked a moment ago; when it does not answer, nothing is said of letters."""
        async with self._one_at_a_time:
            now = asyncio.get_running_loop().time()
            if self._looked_at is not None and now - self._looked_at < FRESH_SECONDS:
                return
            self._up = False
            try:
                async with asyncio.timeout(_DEADLINE_SECONDS):
                    self._up = await self._answers()
                    self._letters = await self._outbox()
            except (Unavailable, TimeoutError):
                self._letters = None
            self._looked_at = now

    def collect(self) -> Iterator[Metric]:
        """The families, with what was seen."""
        build = GaugeMetricFamily("ostiary_build_info", "Always 1.", labels=["version", "python"])
        build.add_metric(self._build, 1)
        yield build
        letters = self._letters
        yield GaugeMetricFamily("ostiary_database_up", "1 when the database answers.", int(self._up))
        if letters is None:
            return
        yield GaugeMetricFamily("ostiary_letters_waiting", "Letters that have not left.", letters.waiting)
        yield GaugeMetricFamily(
            "ostiary_letters_oldest_waiting_age_seconds",
            "Since the oldest letter that has not left was asked for.",
            self._since(letters.asked_for),
        )
        yield GaugeMetricFamily(
            "ostiary_letters_overdue_seconds", "Since a letter should have been tried.", self._since(letters.due)
        )
        yield GaugeMetricFamily("ostiary_letters_abandoned", "Letters given up and still kept.", letters.abandoned)

    def _since(self, moment: datetime | None) -> float:
        return max((self._clock.now() - moment).total_seconds(), 0.0) if moment is not None else 0.0
