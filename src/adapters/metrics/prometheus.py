"""Metrics as Prometheus reads them, by prometheus-client: of one process, or of all that share a folder."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import prometheus_client.values
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from adapters.hashing.slots import HashingSlots
from adapters.metrics.state import State
from application.ports.monitoring import ConnectionsInUse
from domain.events import Event, EventKind

SAMPLE_EVERY = 1.0
"""Seconds between looks at what is busy."""

NO_ROUTE = "none"
"""The label of whatever no route answered: paths that somebody made up are not counted apart."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class PrometheusMetrics:
    """`application.ports.monitoring.Metrics`.

    With `shared_in`, a folder that the parent of several processes made for them, each keeps its numbers in files there
    and answers with the sum of all, the dead included, so that no counter ever falls.
    """

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(
        self,
        *,
        limits: Iterable[str],
        slots: HashingSlots,
        connections: Callable[[], ConnectionsInUse] | None,
        state: State,
        shared_in: Path | None = None,
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series for each series, for nothing
        self._registry = CollectorRegistry()
        if shared_in is not None:
            # prometheus-client is told by this variable, and by no argument.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(shared_in)
            prometheus_client.values.ValueClass = prometheus_client.values.MultiProcessValue()  # type: ignore[no-untyped-call]
            MultiProcessCollector(self._registry, str(shared_in))  # type: ignore[no-untyped-call]
        own = self._registry if shared_in is None else None
        self._state = state
        self._registry.register(state)
        self._slots = slots
        self._connections = connections
        self._turned_away = 0
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests = Counter(
            "ostiary_http_requests", "Requests answered.", ["route", "method", "status"], registry=own
        )
        self._durations = Histogram(
            "ostiary_http_request_duration_seconds",
            "From the request's head to the end of its answer.",
            ["route", "method"],
            buckets=_SECONDS,
            registry=own,
        )
        events = Counter("ostiary_events", "Security events.", ["kind"], registry=own)
        self._events = {kind: events.labels(kind.value) for kind in EventKind}
        refusals = Counter("ostiary_rate_limited", "Requests that a limit refused.", ["limit"], registry=own)
        self._refusals = {name: refusals.labels(name) for name in limits}

        def gauge(name: str, meaning: str) -> Gauge:
            return Gauge(f"ostiary_{name}", meaning, registry=own, multiprocess_mode="livesum")

        self._hashing_slots = gauge("hashing_slots", "Password hashes that may be computed at a time.")
        self._hashing_busy = gauge("hashing_busy", "Password hashes being computed.")
        self._hashing_waiting = gauge("hashing_waiting", "Password hashes waiting for a slot.")
        self._hashing_refused = Counter(
            "ostiary_hashing_refused", "Requests turned away because too many hashes waited.", registry=own
        )
        if connections is not None:
            self._in_use = gauge("database_connections_in_use", "Database connections in somebody's hands.")
            self._most = gauge("database_connections_max", "Database connections there may be.")

    def request(self, route: str | None, method: str, status: int, seconds: float) -> None:
        key = (route or NO_ROUTE, method, status)
        children = self._children.get(key)
        if children is None:
            children = self._children_of(*key)
            if method in _METHODS:  # one that somebody made up is not remembered
                self._children[key] = children
        requests, durations = children
        requests.inc()
        durations.observe(seconds)

    def event(self, event: Event) -> None:
        self._events[event.kind].inc()
        if event.kind is EventKind.RATE_LIMITED and event.reason in self._refusals:
            self._refusals[event.reason].inc()

    async def page(self) -> bytes:
        await self._state.look()
        self.sample()
        return generate_latest(self._registry)

    def sample(self) -> None:
        """Look at what is busy in this process."""
        self._hashing_slots.set(self._slots.number)
        self._hashing_busy.set(self._slots.busy)
        self._hashing_waiting.set(self._slots.waiting)
        self._hashing_refused.inc(self._slots.turned_away - self._turned_away)
        self._turned_away = self._slots.turned_away
        if self._connections is not None:
            connections = self._connections()
            self._in_use.set(connections.in_use)
            self._most.set(connections.most)

    @asynccontextmanager
    async def sampled(self) -> AsyncIterator[None]:
        """Look every second while the block runs, so that whichever process is asked knows about this one."""
        task = asyncio.create_task(self._keep_sampling())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep_sampling(self) -> None:
        while True:
            self.sample()
            await asyncio.sleep(SAMPLE_EVERY)

    def _children_of(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        method = method if method in _METHODS else "other"
        return self._requests.labels(route, method, status), self._durations.labels(route, method)


def forget_process(shared_in: Path, pid: int) -> None:
    """Have the others no longer count what a dead process was busy with; what it has counted stays."""
    mark_process_dead(pid, str(shared_in))  # type: ignore[no-untyped-call]
