"""Does time tell who has an account, and who has moved, on a database of mixed origin? Sign-ins with a wrong password,
each with an address not tried before in the same comparison, interleaved on one connection as in `benchmarks.timing`.
Run as `python -m benchmarks.timing_mixed [N]`, N of each class.

Times are a mixture here, with a peak for each make of hash, so two medians say little: they stand on whichever peak the
middle falls on. Compared are the whole distributions, by AUC (blind to differences that cancel out) and by the
distance of Kolmogorov and Smirnov (the largest by which the shares of times below any value differ; blind to none),
beside what chance alone exceeds once in twenty times. A mixture hides what is small against the distance of its peaks.
So those who cost the same are compared once more among themselves, by AUC and by medians: an attacker who knows the
peaks can do that too.

The negative control compares present people with others. The positive control is Ostiary with decoys of its own make
only, and must be told.
"""

import asyncio
import math
import random
import statistics
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from benchmarks.mixed_origin import MAKES, bring_in, makes
from benchmarks.servers import NO_LIMITS, PASSWORD, Process, ostiary
from benchmarks.timing import WARM_UP, Stopwatch, auc
from tests.support import postgresql

WRONG = "not the right password"
WANTED = "both AUC 0.45 to 0.55, distance at most chance, medians of a make within 1 ms or 2 %"
TOLD = "told: AUC far from 0.5, distance far above chance"

Addresses = Sequence[str]
Times = tuple[list[float], list[float]]
MakeOf = Callable[[str], str]


def distance(one: list[float], other: list[float]) -> float:
    """Kolmogorov and Smirnov's, of two samples."""
    ones, others = sorted(one), sorted(other)
    return max(
        abs(bisect_right(ones, value) / len(ones) - bisect_right(others, value) / len(others))
        for value in ones + others
    )


def by_chance(one: int, other: int) -> float:
    """The distance that samples of these sizes from one distribution exceed once in twenty times."""
    return math.sqrt(math.log(2 / 0.05) / 2 * (one + other) / (one * other))


def among_equals(makes: Sequence[Times]) -> tuple[float, float]:
    """The AUC over all pairs of one make, and how far chance alone takes it from 0.5 once in twenty times."""
    pairs = [len(one) * len(other) for one, other in makes]
    mean = sum(count * auc(*times) for count, times in zip(pairs, makes, strict=True)) / sum(pairs)
    variance = sum(count * (len(one) + len(other) + 1) / 12 for count, (one, other) in zip(pairs, makes, strict=True))
    return mean, 1.96 * math.sqrt(variance) / sum(pairs)


def compare(
    name: str, server: Process, classes: tuple[Addresses, Addresses], make_of: MakeOf | None, wanted: str = WANTED
) -> None:
    """Sign in with every address of both classes, in random order, and print how the times differ: of all, and of
    those that cost the same where `make_of` says which do."""
    watch = Stopwatch(server)

    def sign_in(email: str) -> float:
        return watch.post("/auth/signin", {"email": email, "password": WRONG})

    for number in range(WARM_UP):
        sign_in(f"warm{number}@example.com")
    order = [(email, which) for which in (0, 1) for email in classes[which]]
    random.shuffle(order)
    times: Times = ([], [])
    by_make: dict[str, Times] = {make.name: ([], []) for make in MAKES}
    for email, which in order:
        taken = sign_in(email)
        times[which].append(taken)
        if make_of is not None:
            by_make[make_of(email)][which].append(taken)
    chance = by_chance(*map(len, times))
    print(
        f"| {name} | **AUC {auc(*times):.3f}**, distance {distance(*times):.3f} (by chance {chance:.3f}) "
        f"| {_within(by_make)}N = {len(order) // 2} | {wanted} |",
        flush=True,
    )


def _within(by_make: Mapping[str, Times]) -> str:
    """What is seen among those of one make."""
    seen = {name: times for name, times in by_make.items() if all(times)}
    if not seen:
        return ""
    mean, chance = among_equals(list(seen.values()))
    medians = [
        f"{name} {statistics.median(one):.2f} and {statistics.median(other):.2f}" for name, (one, other) in seen.items()
    ]
    return f"within a make AUC {mean:.3f} (by chance ± {chance:.3f}), medians {', '.join(medians)} ms; "


def main(count: int) -> None:
    """Bring people in, compare, let some of them sign in, and compare again."""
    began = time.monotonic()
    with postgresql.fresh_database() as url:
        people = bring_in(url, with_password=2 * count, without_password=count, absent=4 * count)
        print("With a password: " + ", ".join(f"{make.percent} % {make.name}" for make in MAKES), flush=True)
        present, other = people.with_password[:count], people.with_password[count:]
        absent = [people.absent[start : start + count] for start in range(0, 4 * count, count)]
        few = min(count, 200)
        with ostiary(url, "benchmarks.with_own_decoy", **NO_LIMITS) as server:
            classes = (absent[0][:few], present[:few])
            compare("decoys of its own make alone: sign-in, absent and present", server, classes, None, TOLD)
        with ostiary(url, **NO_LIMITS) as server:
            make_of = asyncio.run(makes(url))
            compare("mixed origin: sign-in, present and other present", server, (present, other), make_of)
            compare("mixed origin: sign-in, absent and present", server, (absent[1], present), make_of)
            name = "mixed origin: sign-in, absent and present without a password"
            compare(name, server, (absent[2], people.without_password), make_of)
            for email in random.sample(people.with_password, count // 2):
                server.post("/auth/signin", {"email": email, "password": PASSWORD})
        with ostiary(url, **NO_LIMITS) as server:
            make_of = asyncio.run(makes(url))
            name = "mixed origin, a quarter signed in since: sign-in, absent and present"
            compare(name, server, (absent[3], other), make_of)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
