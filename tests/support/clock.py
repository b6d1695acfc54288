"""A clock that stands still until it is told."""

from datetime import UTC, datetime, timedelta


class SettableClock:
    """`application.ports.environment.Clock`."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, **span: float) -> None:
        """Let time pass: `advance(minutes=5)`."""
        self._now += timedelta(**span)
