"""What measures the service, when somebody wants to know."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.hashing.slots import HashingSlots
from application.ports.environment import Clock
from domain.limits import Quotas
from entrypoints.composition.stores import Store
from entrypoints.settings import Settings

if TYPE_CHECKING:
    from adapters.metrics.prometheus import PrometheusMetrics


def metrics_of(
    settings: Settings, store: Store, slots: HashingSlots, clock: Clock, shared_in: Path | None
) -> "PrometheusMetrics | None":
    """The metrics, if the settings ask for them."""
    if not settings.measured:
        return None
    # Imported late: who does not measure need not pay for it.
    from adapters.metrics.prometheus import PrometheusMetrics
    from adapters.metrics.state import State

    return PrometheusMetrics(
        limits=[quota.name for quota in fields(Quotas)],
        slots=slots,
        connections=store.connections,
        state=State(store.ready, store.outbox, clock),
        shared_in=shared_in,
    )


def forget_process(metrics_folder: Path, pid: int) -> None:
    """For the parent of several processes, when one of them has died."""
    from adapters.metrics.prometheus import forget_process as forget

    forget(metrics_folder, pid)
