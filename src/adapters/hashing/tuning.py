"""Which parameters of Argon2id a machine can afford: found by trying them there.

As RFC 9106 section 4 has it: as much memory as may be, then as many passes as there is time for; one lane, because as
many hashes run at once as there are cores. Never below OWASP's least, which this service asks for in public.
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

from adapters.hashing.argon2 import Argon2id, Argon2Parameters, read_argon2
from adapters.hashing.stored import read_by
from application.ports.stored_hashes import Unusable
from domain.password import OWASPS_LEAST_KIB, Password

_MIB = 1024
LEAST_MEMORY_KIB = min(OWASPS_LEAST_KIB.values())
MOST_PASSES = 10
_ROUNDS = 3

Measure = Callable[[Argon2Parameters], float]
"""How many seconds a hash takes while others are made in all slots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Parameters, and what they cost on this machine."""

    parameters: Argon2Parameters
    seconds: float
    """One hash, while all slots are at work."""
    in_time: bool
    """Whether that is within the target; if not, these are the least that OWASP allows within the memory."""


def propose(target: float, most_memory_kib: int, measure: Measure) -> Proposal:
    """The strongest parameters that take at most `target` seconds and `most_memory_kib` a hash.

    Raises ValueError for less memory than `LEAST_MEMORY_KIB`.
    """
    if most_memory_kib < LEAST_MEMORY_KIB:
        raise ValueError("less memory than a hash may have")
    measured = cache(measure)
    most_mib = most_memory_kib // _MIB
    floors = [_parameters(kib // _MIB, passes) for passes, kib in OWASPS_LEAST_KIB.items() if kib <= most_memory_kib]
    for floor in floors:
        if measured(floor) <= target:
            best = _with_more_passes(_with_more_memory(floor, most_mib, target, measured), most_mib, target, measured)
            return Proposal(parameters=best, seconds=measured(best), in_time=True)
    fastest = min(floors, key=measured)
    return Proposal(parameters=fastest, seconds=measured(fastest), in_time=False)


def _with_more_memory(floor: Argon2Parameters, most_mib: int, target: float, measure: Measure) -> Argon2Parameters:
    """As much of it as there is time for: `floor` is known to be in time."""
    if _affordable(most := _parameters(most_mib, floor.time), target, measure):
        return most
    fits, too_much = floor.memory_kib // _MIB, most_mib
    while too_much - fits > 1:
        middle = (fits + too_much) // 2
        if _affordable(_parameters(middle, floor.time), target, measure):
            fits = middle
        else:
            too_much = middle
    return _parameters(fits, floor.time)


def _with_more_passes(found: Argon2Parameters, most_mib: int, target: float, measure: Measure) -> Argon2Parameters:
    if found.memory_kib < most_mib * _MIB:
        return found
    while found.time < MOST_PASSES and _affordable(more := replace(found, time=found.time + 1), target, measure):
        found = more
    return found


def _affordable(parameters: Argon2Parameters, target: float, measure: Measure) -> bool:
    return _verifiable(parameters) and measure(parameters) <= target


def _verifiable(parameters: Argon2Parameters) -> bool:
    """Whether the hashes would be read again, within the bounds of what one verification may take."""
    memory, passes, lanes = parameters.memory_kib, parameters.time, parameters.parallelism
    try:
        read_by((read_argon2,), f"$argon2id$v=19$m={memory},t={passes},p={lanes}${'A' * 22}${'A' * 43}")
    except Unusable:
        return False
    return True


def _parameters(mib: int, passes: int) -> Argon2Parameters:
    return Argon2Parameters(memory_kib=mib * _MIB, time=passes, parallelism=1)


def measured_here(slots: int) -> Measure:
    """Measures on this machine with so many hashes at once: the median of what each takes, after a round that pays for
    memory which the others find."""

    def measure(parameters: Argon2Parameters) -> float:
        argon2id, password = Argon2id(parameters), Password("a password to measure with")

        def timed(_: int) -> float:
            started = time.perf_counter()
            argon2id.hash(password)
            return time.perf_counter() - started

        with ThreadPoolExecutor(slots, thread_name_prefix="tuning") as threads:
            rounds = [list(threads.map(timed, range(slots))) for _ in range(1 + _ROUNDS)]
        return statistics.median(seconds for each in rounds[1:] for seconds in each)

    return measure
