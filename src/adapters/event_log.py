"""Security events as structured log lines: one line an event, whatever an attacker put into a field (M17)."""

import hashlib
import hmac
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import structlog

from application.ports.environment import EventLog
from application.ports.limits import Limits
from application.ports.monitoring import Metrics
from domain.errors import RateLimited
from domain.events import Event, EventKind
from domain.limits import Charge, Unit

_WARNINGS = {
    EventKind.SIGN_IN_FAILED,
    EventKind.VERIFICATION_REFUSED,
    EventKind.REFRESH_REUSED,
    EventKind.RATE_LIMITED,
    EventKind.BREACH_CHECK_FAILED,
    EventKind.LETTER_DELAYED,
    EventKind.LETTER_ABANDONED,
}


class StructuredEventLog:
    """`application.ports.environment.EventLog`. Addresses and names appear as pseudonyms: the same one for the same
    person, and of no use to anybody without the installation's key (R65, R66)."""

    def __init__(self, pseudonym_key: bytes, *, mask_clients: bool) -> None:
        self._key = pseudonym_key
        self._mask_clients = mask_clients
        self._log = structlog.get_logger("ostiary.security")

    def record(self, event: Event) -> None:
        fields: dict[str, object] = {}
        if event.client is not None:
            fields["client"] = event.client.masked_address if self._mask_clients else event.client.address
            fields["user_agent"] = event.client.browser
        subject = event.email.canonical if event.email else event.identifier
        if subject is not None:
            fields["who"] = self.pseudonym(subject)
        if event.user_id is not None:
            fields["user_id"] = str(event.user_id)
        if event.actor_id is not None:
            fields["actor_id"] = str(event.actor_id)
        if event.reason is not None:
            fields["reason"] = event.reason
        fields.update(event.counts)
        log = self._log.warning if event.kind in _WARNINGS else self._log.info
        with suppress(OSError, ValueError):  # a log that cannot be written is no reason to refuse a person
            log(event.kind.value, **fields)

    def pseudonym(self, subject: str) -> str:
        """What stands for an address or a username in the log."""
        return hmac.digest(self._key, b"pseudonym " + subject.encode(errors="surrogatepass"), hashlib.sha256).hex()[:16]


class CountedEvents:
    """`application.ports.environment.EventLog` around another: counts each event as well (R92)."""

    def __init__(self, events: EventLog, metrics: Metrics) -> None:
        self._events = events
        self._metrics = metrics

    def record(self, event: Event) -> None:
        self._metrics.event(event)
        self._events.record(event)


class WatchedLimits:
    """`application.ports.limits.Limits` around another: records each refusal (R65, R92)."""

    def __init__(self, limits: Limits, events: EventLog) -> None:
        self._limits = limits
        self._events = events

    async def spend(self, charges: Sequence[Charge], now: datetime) -> list[Unit]:
        try:
            return await self._limits.spend(charges, now)
        except RateLimited as limited:
            about = next(charge.about for charge in charges if charge.limit.name == limited.limit)
            self._events.record(Event(kind=EventKind.RATE_LIMITED, identifier=about, reason=limited.limit))
            raise

    async def give_back(self, units: Sequence[Unit]) -> None:
        await self._limits.give_back(units)
