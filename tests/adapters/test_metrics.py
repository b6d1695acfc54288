"""The contract of `application.ports.monitoring.Metrics`, held by `PrometheusMetrics`."""

import asyncio
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.event_log import CountedEvents
from adapters.hashing.slots import HashingSlots
from adapters.metrics.prometheus import PrometheusMetrics
from adapters.metrics.state import FRESH_SECONDS, State
from application.ports.monitoring import ConnectionsInUse, OutboxState
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import Unavailable
from domain.events import Event, EventKind
from tests.support.clock import SettableClock
from tests.support.world import Events

NOTHING = OutboxState(waiting=0, asked_for=None, due=None, abandoned=0)


class Outbox:
    """`OutboxReport` that says what it is told to, and counts how often it is asked."""

    def __init__(self, state: OutboxState | None = NOTHING) -> None:
        self.state = state
        self.asked = 0

    async def answers(self) -> bool:
        return self.state is not None

    async def __call__(self) -> OutboxState:
        self.asked += 1
        if self.state is None:
            raise Unavailable
        return self.state


def measuring(
    outbox: Outbox | None = None, clock: SettableClock | None = None, slots: HashingSlots | None = None
) -> PrometheusMetrics:
    outbox = outbox or Outbox()
    return PrometheusMetrics(
        limits=["sign_in_pair"],
        slots=slots or HashingSlots(2),
        connections=lambda: ConnectionsInUse(in_use=3, most=10),
        state=State(outbox.answers, outbox, clock or SettableClock()),
    )


Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(page: bytes) -> Series:
    """Every sample, by name and labels."""
    families = text_string_to_metric_families(page.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(page: bytes, name: str, **labels: str) -> float | None:
    return series(page).get((f"ostiary_{name}", frozenset(labels.items())))


async def test_requests_are_counted_by_route_method_and_status_and_timed() -> None:
    metrics = measuring()
    for status, seconds in ((200, 0.004), (200, 0.3), (503, 2.0)):
        metrics.request("/auth/signin", "POST", status, seconds)
    page = await metrics.page()
    assert value(page, "http_requests_total", route="/auth/signin", method="POST", status="200") == 2
    assert value(page, "http_requests_total", route="/auth/signin", method="POST", status="503") == 1
    took = {"route": "/auth/signin", "method": "POST"}
    assert value(page, "http_request_duration_seconds_count", **took) == 3
    assert value(page, "http_request_duration_seconds_bucket", **took, le="0.005") == 1
    assert value(page, "http_request_duration_seconds_bucket", **took, le="0.5") == 2


async def test_what_somebody_made_up_makes_no_series_of_its_own() -> None:
    metrics = measuring()
    for number in range(50):
        metrics.request(None, f"MADE-UP-{number}", 404, 0.001)
    page = await metrics.page()
    assert value(page, "http_requests_total", route="none", method="other", status="404") == 50
    assert b"MADE-UP" not in page


async def test_events_are_counted_by_kind_from_naught_and_refusals_by_limit() -> None:
    metrics, kept = measuring(), Events()
    events = CountedEvents(kept, metrics)
    who = {"client": Client("192.0.2.1", "canary"), "email": EmailAddress("canary@example.com")}
    recorded = [
        Event(kind=EventKind.SIGN_IN_FAILED, **who),  # type: ignore[arg-type]
        Event(kind=EventKind.RATE_LIMITED, identifier="canary", reason="sign_in_pair"),
        Event(kind=EventKind.RATE_LIMITED, identifier="canary", reason="canary"),
        Event(kind=EventKind.LETTER_DELAYED, reason="canary"),
    ]
    for event in recorded:
        events.record(event)
    page = await metrics.page()
    assert kept.recorded == recorded
    assert {kind: value(page, "events_total", kind=kind) for kind in EventKind} == {
        **dict.fromkeys(EventKind, 0),
        EventKind.SIGN_IN_FAILED: 1,
        EventKind.RATE_LIMITED: 2,
        EventKind.LETTER_DELAYED: 1,
    }
    assert value(page, "rate_limited_total", limit="sign_in_pair") == 1
    assert b"canary" not in page
    assert b"192.0.2" not in page


async def test_hashing_is_seen_while_it_happens() -> None:
    slots, go = HashingSlots(1, queue_per_slot=1, ahead=0), threading.Event()
    metrics = measuring(slots=slots)
    tasks = [asyncio.create_task(slots.run(go.wait)) for _ in range(3)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)  # the one that is turned away
    page = await metrics.page()
    seen = [value(page, f"hashing_{name}") for name in ("slots", "busy", "waiting", "refused_total")]
    go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    slots.close()
    assert seen == [1, 1, 1, 1]
    page = await metrics.page()
    assert [value(page, f"hashing_{name}") for name in ("busy", "waiting", "refused_total")] == [0, 0, 1]


async def test_connections_are_told_where_there_are_any() -> None:
    page = await measuring().page()
    assert (value(page, "database_connections_in_use"), value(page, "database_connections_max")) == (3, 10)
    state = State(Outbox().answers, Outbox(), SettableClock())
    without = PrometheusMetrics(limits=[], slots=HashingSlots(1), connections=None, state=state)
    assert b"database_connections" not in await without.page()


async def test_letters_are_told_with_their_ages() -> None:
    clock = SettableClock()
    now, minute = clock.now(), timedelta(minutes=1)
    outbox = Outbox(OutboxState(waiting=7, asked_for=now - 9 * minute, due=now - 2 * minute, abandoned=4))
    page = await measuring(outbox, clock).page()
    assert value(page, "letters_waiting") == 7
    assert value(page, "letters_oldest_waiting_age_seconds") == 540
    assert value(page, "letters_overdue_seconds") == 120
    assert value(page, "letters_abandoned") == 4


async def test_a_letter_that_is_due_later_is_not_overdue() -> None:
    clock = SettableClock()
    later = OutboxState(waiting=1, asked_for=clock.now(), due=clock.now() + timedelta(hours=1), abandoned=0)
    assert value(await measuring(Outbox(later), clock).page(), "letters_overdue_seconds") == 0


async def test_however_often_somebody_looks_the_database_is_asked_once_in_five_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outbox = Outbox()
    metrics = measuring(outbox)
    await asyncio.gather(*(metrics.page() for _ in range(20)))
    assert outbox.asked == 1
    assert FRESH_SECONDS >= 5
    monkeypatch.setattr("adapters.metrics.state.FRESH_SECONDS", 0.0)
    await metrics.page()
    assert outbox.asked == 2


async def test_a_database_that_does_not_answer_is_told_and_everything_else_all_the_same() -> None:
    metrics = measuring(Outbox(None))
    metrics.request("/auth/me", "GET", 503, 0.1)
    page = await metrics.page()
    assert value(page, "database_up") == 0
    assert b"letters" not in page
    assert value(page, "http_requests_total", route="/auth/me", method="GET", status="503") == 1
    assert value(await measuring().page(), "database_up") == 1


async def test_a_database_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Outbox):
        async def answers(self) -> bool:
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr("adapters.metrics.state._DEADLINE_SECONDS", 0.01)
    assert value(await measuring(Silent()).page(), "database_up") == 0


PROCESS = """
import asyncio, os, sys
from pathlib import Path
from domain.events import Event, EventKind
from adapters.hashing.slots import HashingSlots
from adapters.metrics.prometheus import PrometheusMetrics, forget_process
from adapters.metrics.state import State
from tests.adapters.test_metrics import Outbox
from tests.support.clock import SettableClock

folder, failures, dead = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
metrics = PrometheusMetrics(
    limits=[], slots=HashingSlots(2), connections=None, state=State(Outbox().answers, Outbox(), SettableClock()),
    shared_in=folder,
)
for _ in range(failures):
    metrics.event(Event(kind=EventKind.SIGN_IN_FAILED))
    metrics.request("/auth/signin", "POST", 401, 0.02)
for pid in dead:
    forget_process(folder, int(pid))
print(os.getpid())
print(asyncio.run(metrics.page()).decode())
"""


def test_one_process_answers_for_all_that_share_a_folder(tmp_path: Path) -> None:
    """What a dead one counted still counts, or every sum would fall with it; what it was busy with does not."""

    def process(failures: int, *dead: str) -> tuple[str, bytes]:
        command = [sys.executable, "-c", PROCESS, str(tmp_path), str(failures), *dead]
        done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, check=True)
        pid, _, page = done.stdout.partition(b"\n")
        return pid.decode(), page

    first, page = process(3)
    assert value(page, "events_total", kind="sign_in_failed") == 3
    assert value(page, "hashing_slots") == 2
    _, page = process(4)
    assert value(page, "events_total", kind="sign_in_failed") == 7
    assert value(page, "http_requests_total", route="/auth/signin", method="POST", status="401") == 7
    assert value(page, "http_request_duration_seconds_bucket", route="/auth/signin", method="POST", le="0.025") == 7
    assert value(page, "hashing_slots") == 4
    assert value(page, "database_up") == 1
    _, page = process(0, first)
    assert value(page, "events_total", kind="sign_in_failed") == 7
    assert value(page, "hashing_slots") == 4, "two that live, or left without anybody noticing, and not three"
