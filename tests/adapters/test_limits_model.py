"""Limits against the plainest thing that could be right, on every store (DESIGN section 4; SECURITY 2.6)."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports.limits import Limits
from domain.errors import RateLimited
from domain.limits import Charge, Unit
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import NOW, TICK, charge

WINDOW = timedelta(seconds=10)
KEYS = "ab"

# Each example has keys of its own, so that one store does for all of them.
one_store = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
_examples = itertools.count()

spans = st.one_of(
    st.sampled_from([timedelta(0), TICK, WINDOW - TICK, WINDOW, WINDOW + TICK, WINDOW / 2, WINDOW / 3]),
    st.timedeltas(timedelta(0), WINDOW * 1.5),
)
quotas = st.fixed_dictionaries({key: st.integers(1, 4) for key in KEYS})
spends = st.sampled_from(["a", "b", "ab", "ba"])
steps = st.lists(st.one_of(st.tuples(spans, spends), st.tuples(spans, st.integers(0, 9))), max_size=20)


@dataclass
class Naive:
    """Every unit that was taken and not given back, with its instant."""

    quotas: dict[str, int]
    taken: list[tuple[str, datetime, Unit]] = field(default_factory=list)

    def free_at(self, key: str, now: datetime) -> datetime:
        """When the next unit of the key falls free; `now` if one is."""
        counting = sorted(moment for name, moment, _ in self.taken if name == key and moment > now - WINDOW)
        return counting[-self.quotas[key]] + WINDOW if len(counting) >= self.quotas[key] else now

    def give_back(self, place: int) -> list[Unit]:
        """One of the units, if there is any."""
        return [self.taken.pop(place % len(self.taken))[2]] if self.taken else []


async def spend(limits: Limits, charges: list[Charge], now: datetime) -> list[Unit] | RateLimited:
    try:
        return await limits.spend(charges, now)
    except RateLimited as refusal:
        return refusal


@one_store
@given(quotas, steps)
async def test_units_are_granted_refused_and_given_back_as_a_list_of_instants_would_have_it(
    store: StoreUnderTest, quotas: dict[str, int], steps: list[tuple[timedelta, str | int]]
) -> None:
    oracle, example, now = Naive(quotas), next(_examples), NOW
    for span, what in steps:
        now += span
        if isinstance(what, int):
            await store.limits.give_back(oracle.give_back(what))
            continue
        charges = [charge(f"{example} {key}", quotas[key], WINDOW, name=key) for key in what]
        outcome = await spend(store.limits, charges, now)
        wait = max(oracle.free_at(key, now) for key in what) - now
        if isinstance(outcome, RateLimited):
            assert outcome.retry_after == wait > timedelta(0)
            assert oracle.free_at(outcome.limit, now) == now + wait
            assert outcome.policy == (quotas[outcome.limit], WINDOW)
        else:
            assert wait == timedelta(0)
            oracle.taken += [(key, now, unit) for key, unit in zip(what, outcome, strict=True)]


@one_store
@given(st.integers(1, 4), st.lists(spans, max_size=12), spans, st.lists(spans, max_size=12))
async def test_a_clock_that_steps_back_frees_nothing_and_blocks_nobody_for_longer_than_it_was_ahead(
    store: StoreUnderTest, quota: int, before: list[timedelta], back: timedelta, after: list[timedelta]
) -> None:
    oracle, example, now, latest = Naive({"a": quota}), next(_examples), NOW, NOW
    asked = charge(f"back {example}", quota, WINDOW)
    for step in (*before, -back, *after):
        now += step
        latest = max(latest, now)
        outcome = await spend(store.limits, [asked], now)
        if not isinstance(outcome, RateLimited):
            assert oracle.free_at("a", now) == now
            oracle.taken.append(("a", now, outcome[0]))
    for _ in range(quota):
        assert not isinstance(await spend(store.limits, [asked], latest + WINDOW), RateLimited)
