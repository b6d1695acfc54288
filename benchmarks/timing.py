"""Does time tell who has an account? Interleaved requests of two classes on one connection, compared by AUC
(Mann-Whitney): 0.5 is a coin, 1.0 tells for sure. Run as `python -m benchmarks.timing [N]`, N of each class.

The negative control compares a class with itself. The positive control is Ostiary without its decoy, and must be told.
"""

import http.client
import json
import random
import socket
import statistics
import sys
import time
from collections.abc import Callable, Mapping

from benchmarks.servers import NO_LIMITS, PASSWORD, Process, member, ostiary
from tests.support import postgresql

WARM_UP = 50
PRESENT, ABSENT, WAITING = "ada@example.com", "absent@example.com", "waiting@example.com"
OTHER = "waiting2@example.com"
WANTED = "AUC 0.45 to 0.55, medians within 1 ms or 2 %"

Bodies = tuple[Mapping[str, str], Mapping[str, str]]


class Stopwatch:
    """One kept connection, and the time that an answer takes on it."""

    def __init__(self, server: Process) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self._connection.connect()
        # http.client sends head and body apart; without this the kernel's waiting drowns what is measured.
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: Mapping[str, str], cookie: str | None = None) -> float:
        """Milliseconds from sending to the whole answer."""
        by = {"Cookie": cookie} if cookie else {}
        return self._timed("POST", path, json.dumps(body), {"Content-Type": "application/json", **by})

    def get(self, path: str, cookie: str) -> float:
        """The same."""
        return self._timed("GET", path, None, {"Cookie": cookie})

    def _timed(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> float:
        started = time.perf_counter()
        self._connection.request(method, path, body, headers)
        self._connection.getresponse().read()
        return (time.perf_counter() - started) * 1000


def auc(one: list[float], other: list[float]) -> float:
    """The chance that a time drawn from `other` is longer than one from `one`."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    rank_sum = sum(rank for rank, (_, label) in enumerate(ranked, 1) if label)
    return (rank_sum - len(other) * (len(other) + 1) / 2) / (len(one) * len(other))


def compare(name: str, measure: Callable[[int], float], count: int, wanted: str = WANTED) -> None:
    """Print the AUC and medians of the two classes of `measure`, interleaved at random."""
    order = [0] * count + [1] * count
    random.shuffle(order)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(WARM_UP):
        measure(0)
    for which in order:
        times[which].append(measure(which))
    one, other = (statistics.median(each) for each in times)
    print(
        f"| {name} | **AUC {auc(*times):.3f}** | medians {one:.2f} and {other:.2f} ms, N = {count} | {wanted} |",
        flush=True,
    )


def main(count: int) -> None:
    """Make an account and a waiting sign-up, then compare."""
    wrong = "not the right password"
    sign_in: Bodies = ({"email": ABSENT, "password": wrong}, {"email": PRESENT, "password": wrong})
    with postgresql.fresh_database() as url, ostiary(url, **NO_LIMITS) as server:
        cookie, _ = member(server)
        for email in (WAITING, OTHER):
            server.post("/auth/signup", {"email": email, "password": PASSWORD, "name": "Ada"})
        watch = Stopwatch(server)
        flows: list[tuple[str, str, Bodies]] = [
            ("time of sign-in, absent and present", "/auth/signin", sign_in),
            (
                "time of sign-in, absent and waiting",
                "/auth/signin",
                (sign_in[0], {"email": WAITING, "password": PASSWORD}),
            ),
            (
                "time of resend, absent and present",
                "/auth/resend-verification",
                ({"email": ABSENT}, {"email": PRESENT}),
            ),
            (
                "time of resend, absent and waiting",
                "/auth/resend-verification",
                ({"email": ABSENT}, {"email": WAITING}),
            ),
            ("time of sign-up, absent and present", "/auth/signup", (_sign_up(ABSENT), _sign_up(PRESENT))),
            (
                "time of forgot-password, absent and present",
                "/auth/forgot-password",
                ({"email": ABSENT}, {"email": PRESENT}),
            ),
            (
                "time of forgot-password, absent and waiting",
                "/auth/forgot-password",
                ({"email": ABSENT}, {"email": WAITING}),
            ),
        ]
        compare("time of sign-in, the same class twice", lambda _: watch.post("/auth/signin", sign_in[0]), count)
        for name, path, bodies in flows:
            compare(name, lambda which, path=path, bodies=bodies: watch.post(path, bodies[which]), count)  # type: ignore[misc]
        wishes: Bodies = ({"email": ABSENT}, {"email": OTHER})
        compare(
            "time of change-email, to an absent and a waiting address",
            lambda which: watch.post("/auth/change-email", wishes[which], cookie),
            count,
        )
        for name, path, bodies in flows[2:]:

            def followed(which: int, path: str = path, bodies: Bodies = bodies) -> float:
                watch.post(path, bodies[which])
                return watch.get("/auth/me", cookie)

            compare(f"{name}: of the request that follows", followed, count)
    with postgresql.fresh_database() as url, ostiary(url, "benchmarks.without_decoy", **NO_LIMITS) as server:
        member(server)
        watch = Stopwatch(server)
        name = "without the decoy: sign-in, absent and present"
        compare(name, lambda which: watch.post("/auth/signin", sign_in[which]), min(count, 200), "told: AUC 1")


def _sign_up(email: str) -> Mapping[str, str]:
    return {"email": email, "password": PASSWORD, "name": "Ada"}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
