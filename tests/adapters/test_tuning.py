"""`ostiary tune-hash`: what is proposed for a machine, on machines of every speed."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hashing.argon2 import Argon2Parameters, read_argon2
from adapters.hashing.stored import bearable
from adapters.hashing.tuning import LEAST_MEMORY_KIB, measured_here, propose
from application.ports.stored_hashes import StoredHash

MIB = 1024
OWASP = {1: 46 * MIB, 2: 19 * MIB, 3: 12 * MIB, 4: 9 * MIB, 5: 7 * MIB}
"""Password Storage Cheat Sheet: memory by passes, equal in strength."""


@dataclass
class Machine:
    """Takes so many milliseconds for a pass over a MiB; `quirks` make some measurements come out otherwise."""

    speed: float
    quirks: dict[int, float] = field(default_factory=dict)
    measured: dict[Argon2Parameters, float] = field(default_factory=dict)

    def __call__(self, parameters: Argon2Parameters) -> float:
        assert parameters not in self.measured, "once is enough"
        quirk = self.quirks.get(parameters.memory_kib // MIB, 1.0)
        seconds = parameters.memory_kib / MIB * parameters.time * self.speed / 1000 * quirk
        self.measured[parameters] = seconds
        return seconds


machines = st.builds(
    Machine,
    speed=st.floats(0.01, 50),
    quirks=st.dictionaries(st.integers(12, 256), st.floats(0.1, 10), max_size=20),
)


@given(machine=machines, target=st.floats(0.01, 2), memory=st.integers(LEAST_MEMORY_KIB, 256 * MIB))
def test_never_below_owasps_least_nor_above_memory_and_time(machine: Machine, target: float, memory: int) -> None:
    found = propose(target, memory, machine)
    parameters = found.parameters
    assert parameters.memory_kib >= max(OWASP.get(parameters.time, 0), 12 * MIB)
    assert parameters.memory_kib * parameters.time >= 36 * MIB, "what the service asks for in public"
    assert parameters.memory_kib <= memory
    assert (parameters.parallelism, parameters.time <= 10) == (1, True)
    assert found.seconds == machine.measured[parameters]
    assert found.in_time == (found.seconds <= target)
    if not found.in_time:
        affordable = [passes for passes, least in OWASP.items() if passes <= 3 and least <= memory]
        assert parameters.memory_kib == OWASP[parameters.time], "only the least may be slower than wanted"
        assert all(machine.measured[Argon2Parameters(memory_kib=OWASP[n], time=n)] > target for n in affordable)
    bearable(read(parameters))


def read(parameters: Argon2Parameters) -> StoredHash:
    found = read_argon2(f"$argon2id$v=19$m={parameters.memory_kib},t={parameters.time},p=1${'A' * 22}${'A' * 43}")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("speed", "target", "memory", "passes", "mib"),
    [
        (1.0, 0.050, 64, 1, 50),
        (1.0, 0.100, 64, 1, 64),
        (1.0, 0.128, 64, 2, 64),
        (1.0, 0.400, 64, 6, 64),
        (1.0, 0.040, 64, 2, 20),
        (1.0, 0.037, 64, 3, 12),
        (1.0, 0.100, 32, 3, 32),
        (1.0, 0.100, 18, 5, 18),
        (0.1, 2.000, 256, 5, 256),
        (0.1, 2.000, 12, 10, 12),
    ],
)
def test_memory_first_then_passes(speed: float, target: float, memory: int, passes: int, mib: int) -> None:
    """On machines where a MiB takes so long, in ms."""
    found = propose(target, memory * MIB, Machine(speed))
    assert (found.parameters.time, found.parameters.memory_kib // MIB, found.in_time) == (passes, mib, True)


def test_a_slow_machine_gets_owasps_least_and_is_told() -> None:
    found = propose(0.010, 64 * MIB, Machine(5.0))
    assert (found.parameters, found.in_time) == (Argon2Parameters(memory_kib=12 * MIB, time=3), False)


def test_less_memory_than_a_hash_may_have_is_refused() -> None:
    with pytest.raises(ValueError, match="less memory"):
        propose(1.0, LEAST_MEMORY_KIB - 1, Machine(1.0))


def test_few_measurements_are_enough() -> None:
    machine = Machine(0.5)
    propose(0.045, 256 * MIB, machine)
    assert len(machine.measured) < 12


def test_what_is_measured_is_a_hash() -> None:
    """More passes over more memory take longer."""
    measure = measured_here(2)
    assert measure(Argon2Parameters(memory_kib=8 * MIB, time=4)) > measure(Argon2Parameters(memory_kib=64, time=1)) > 0
