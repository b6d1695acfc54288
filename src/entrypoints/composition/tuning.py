"""What `ostiary tune-hash` asks this machine."""

from dataclasses import dataclass

from adapters.hashing.argon2 import Argon2Parameters
from adapters.hashing.tuning import LEAST_MEMORY_KIB, Proposal, measured_here, propose
from application.ports.stored_hashes import MOST_MEMORY_KIB
from entrypoints.composition import choices
from entrypoints.settings import Settings

__all__ = ["LEAST_MEMORY_KIB", "MOST_MEMORY_KIB", "Argon2Parameters", "Proposal", "Tuning", "tune"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What is in force, and what could be."""

    slots: int
    """How many hashes were made at once."""
    current: Argon2Parameters
    seconds: float
    """What one hash takes with the current parameters."""
    proposal: Proposal


def tune(settings: Settings, *, target: float, most_memory_kib: int, slots: int | None) -> Tuning:
    """Measure this machine with so many hashes at once, by default as many as all processes make together.

    `target` is in seconds. Raises ValueError for less memory than `LEAST_MEMORY_KIB`.
    """
    slots = slots or choices.number_of_slots(settings) * settings.workers
    measure, current = measured_here(slots), choices.argon2_parameters(settings)
    return Tuning(
        slots=slots,
        current=current,
        seconds=measure(current),
        proposal=propose(target, most_memory_kib, measure),
    )
