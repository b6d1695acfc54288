"""Every figure of speed and memory, each beside what it is compared with in the same run.

PostgreSQL comes from a wheel, and everything shares this machine: server, database and load.

python -m benchmarks.figures            all of them, in the form that docs/figures.md has them
python -m benchmarks.figures me storm   some of them
"""

import asyncio
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from argon2 import PasswordHasher

from benchmarks import load, timing
from benchmarks.servers import MANY_CLIENTS, NO_LIMITS, PASSWORD, bare, clone_members, member, ostiary
from tests.support import postgresql

ROUNDS = 3
SECONDS = 5.0
SLOTS = 2
ARGON2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def report(name: str, value: str, against: str, wanted: str) -> None:
    """One row of the table."""
    print(f"| {name} | {value} | {against} | {wanted} |", flush=True)


def under_load(port: int, clients: int, requests: Callable[[], bytes], seconds: float = SECONDS) -> load.Load:
    """A load on an event loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(load.run(port, clients, seconds, requests))


def sign_ins(count: int) -> Callable[[], bytes]:
    """Sign-ins of so many people, in turn."""
    bodies = [
        load.request("POST", "/auth/signin", body=json.dumps({"email": email, "password": PASSWORD}).encode())
        for email in (f"user{number}@example.com" for number in range(1, count + 1))
    ]
    turn = iter(range(1 << 60))
    return lambda: bodies[next(turn) % count]


def hashes_per_second(threads: int, seconds: float = SECONDS) -> float:
    """A bare loop that verifies, and does nothing else."""
    stored = ARGON2.hash(PASSWORD)
    until = time.perf_counter() + seconds

    def loop() -> int:
        done = 0
        while time.perf_counter() < until:
            ARGON2.verify(stored, PASSWORD)
            done += 1
        return done

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(lambda _: loop(), range(threads)))
    return done / (time.perf_counter() - started)


def measure_sign_in() -> None:
    """Nothing but the hash may cost."""
    with postgresql.fresh_database() as url, ostiary(url, **MANY_CLIENTS) as server:
        member(server)
        clone_members(url, 300)
        for clients, threads, wanted in ((1, 1, "≥ 0.90"), (8, SLOTS, ""), (64, SLOTS, "≥ 0.95")):
            rounds = []
            for _ in range(ROUNDS):
                bare_loop = hashes_per_second(threads)
                ours = under_load(server.port, clients, sign_ins(300))
                rounds.append((ours.per_second / bare_loop, ours.per_second, bare_loop, ours))
            ratio, rate, bare_loop, ours = sorted(rounds, key=lambda each: each[0])[len(rounds) // 2]
            report(
                f"sign-in, {clients} client{'s' * (clients > 1)}",
                f"**{ratio:.2f}** ({rate:.1f}/s; p50 {ours.percentile(0.5):.0f}, p99 {ours.percentile(0.99):.0f} ms)",
                f"bare Argon2 loop, {threads} thread{'s' * (threads > 1)}: {bare_loop:.1f}/s",
                wanted,
            )


def measure_sign_up() -> None:
    """The same for sign-up, which hashes once as well; in opaque disclosure, with its letter queued."""
    limits = {**MANY_CLIENTS, "OSTIARY_WORKER": "off"}
    with postgresql.fresh_database() as url, ostiary(url, **limits) as server:
        numbers = iter(range(1 << 60))

        def requests() -> bytes:
            body = {"email": f"new{next(numbers)}@example.com", "password": PASSWORD, "name": "Ada"}
            return load.request("POST", "/auth/signup", body=json.dumps(body).encode())

        bare_loop = hashes_per_second(SLOTS)
        ours = under_load(server.port, 64, requests)
        report(
            "sign-up, 64 clients",
            f"**{ours.per_second / bare_loop:.2f}** ({ours.per_second:.1f}/s)",
            f"bare Argon2 loop, {SLOTS} threads: {bare_loop:.1f}/s",
            "",
        )


def measure_me() -> None:
    """`GET /auth/me`, with the session looked up each time."""
    with bare() as handler, postgresql.fresh_database() as url, ostiary(url) as server:
        cookie, token = member(server)
        constant = load.request("GET", "/")
        for name, header in (("cookie", {"Cookie": cookie}), ("bearer token", {"Authorization": f"Bearer {token}"})):
            wanted = load.request("GET", "/auth/me", headers=header)
            rounds = []
            for _ in range(ROUNDS):
                other = under_load(handler.port, 32, lambda: constant).per_second
                ours = under_load(server.port, 32, lambda wanted=wanted: wanted).per_second  # type: ignore[misc]
                rounds.append((ours / other, ours, other))
            ratio, ours, other = sorted(rounds)[len(rounds) // 2]
            report(
                f"`/auth/me` by {name}, 32 clients",
                f"**{ratio:.2f}** ({ours:.0f}/s)",
                f"bare Litestar handler, same server: {other:.0f}/s",
                "≥ 0.25",
            )


def measure_storm() -> None:
    """Who is signed in does not feel that others sign in; and memory stays what the slots need."""
    with postgresql.fresh_database() as url, ostiary(url, **MANY_CLIENTS) as server:
        cookie, _ = member(server)
        clone_members(url, 300)
        me = load.request("GET", "/auth/me", headers={"Cookie": cookie})
        under_load(server.port, 4, lambda: me, 2)
        under_load(server.port, 2, sign_ins(300), 2)
        idle_memory = server.resident_mib
        idle = under_load(server.port, 4, lambda: me)

        async def both(storm_clients: int) -> tuple[load.Load, load.Load]:
            storm, calm = await asyncio.gather(
                load.run(server.port, storm_clients, SECONDS * 2, sign_ins(300)),
                load.run(server.port, 4, SECONDS * 2, lambda: me),
            )
            return storm, calm

        for clients in (64, 256):
            server.forget_peak()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                storm, calm = runner.run(both(clients))
            turned_away = storm.statuses[503] / sum(storm.statuses.values())
            report(
                f"`/auth/me` during {clients} concurrent sign-ins, p99",
                f"**{calm.percentile(0.99):.1f} ms**, + {calm.percentile(0.99) - idle.percentile(0.99):.1f} ms; "
                f"lost {calm.lost}, not 200: {sum(calm.statuses.values()) - calm.statuses[200]}",
                f"idle p99 {idle.percentile(0.99):.1f} ms",
                "≤ + 50 ms, none unanswered",
            )
            report(
                f"the storm itself, {clients} clients",
                f"{storm.per_second:.1f}/s, p99 {storm.percentile(0.99):.0f} ms, 503: {turned_away:.1%}, "
                f"lost {storm.lost}",
                "",
                "503 ≤ 1 %" if clients == 64 else "",
            )
            allowed = SLOTS * 19 + 32
            report(
                f"memory in the storm of {clients}, peak",
                f"**+ {server.peak_mib - idle_memory:.0f} MiB** ({server.peak_mib:.0f} MiB)",
                f"idle after a few sign-ins {idle_memory:.0f} MiB, {SLOTS} slots of 19 MiB",
                f"≤ + {allowed} MiB",
            )


def measure_start() -> None:
    """From the command to the first healthy answer, and what lies in memory then."""
    for name, with_postgresql in (("SQLite", False), ("PostgreSQL", True)):
        starts, residents = [], []
        with postgresql.fresh_database() as url:
            for _ in range(5):
                started = time.perf_counter()
                with ostiary(url if with_postgresql else None) as server:
                    server.get("/health/ready")
                    starts.append(time.perf_counter() - started)
                    time.sleep(1)
                    residents.append(server.resident_mib)
        report(
            f"start, {name}", f"**{statistics.median(starts):.2f} s**", f"worst of 5: {max(starts):.2f} s", "≤ 1.0 s"
        )
        report(f"idle memory, {name}", f"**{statistics.median(residents):.0f} MiB**", "", "≤ 90 MiB")


def measure_statements() -> None:
    """As the database counts them, by its own log; BEGIN and COMMIT apart."""
    with postgresql.fresh_database() as url:
        database = url.partition("?")[0].rpartition("/")[2]
        postgresql.run(url, f"ALTER DATABASE {database} SET log_statement = 'all'")
        with ostiary(url, OSTIARY_WORKER="off", **MANY_CLIENTS) as server, ostiary(url) as letters:
            del letters
            cookie, token = member(server)
            cases = {
                "sign-in": (load.request("POST", "/auth/signin", body=_sign_in_body("ada@example.com")), "≤ 4"),
                "sign-in, unknown address": (
                    load.request("POST", "/auth/signin", body=_sign_in_body("absent@example.com")),
                    "≤ 4",
                ),
                "`/auth/me` by cookie": (load.request("GET", "/auth/me", headers={"Cookie": cookie}), "1"),
                "`/auth/me` by bearer token": (
                    load.request("GET", "/auth/me", headers={"Authorization": f"Bearer {token}"}),
                    "1",
                ),
            }
            for name, (request, wanted) in cases.items():
                under_load(server.port, 1, lambda request=request: request, 0)  # type: ignore[misc]
                before = postgresql.server().log_lines()
                under_load(server.port, 1, lambda request=request: request, 0)  # type: ignore[misc]
                seen = postgresql.server().log_lines()[len(before) :]
                statements = [line for line in seen if "execute" in line or "statement:" in line]
                frames = [line for line in statements if line.rstrip("; \n").endswith(("BEGIN", "COMMIT", "ROLLBACK"))]
                report(
                    f"statements of {name}",
                    f"**{len(statements) - len(frames)}**",
                    f"besides {len(frames)} BEGIN, COMMIT and ROLLBACK",
                    wanted,
                )


def _sign_in_body(email: str) -> bytes:
    return json.dumps({"email": email, "password": PASSWORD}).encode()


def measure_growth() -> None:
    """The same requests with a thousand users and with a million, hashing at next to no cost."""
    cheap = {"OSTIARY_ARGON2_MEMORY_KIB": "8", "OSTIARY_ARGON2_TIME": "1"}
    medians: dict[str, list[float]] = {}
    most = 1_000_000
    with postgresql.fresh_database() as url, ostiary(url, **cheap, **NO_LIMITS) as server:
        cookie, _ = member(server)
        me = load.request("GET", "/auth/me", headers={"Cookie": cookie})
        for count in (1_000, most):
            clone_members(url, count, sessions=True)
            for name, requests in (("sign-in", sign_ins(1_000)), ("`/auth/me`", lambda: me)):
                under_load(server.port, 1, requests, 2)
                medians.setdefault(name, []).append(under_load(server.port, 1, requests).percentile(0.5))
    for name, (few, many) in medians.items():
        report(f"{name}, {most:,} users", f"**{many / few:.2f}** ({many:.2f} ms)", f"1,000 users: {few:.2f} ms", "≈ 1")


def measure_timing() -> None:
    """What time tells: docs/testing.md explains the protocol."""
    timing.main(int(os.environ.get("N", "1000")))


FIGURES: dict[str, Callable[[], None]] = {
    "sign_in": measure_sign_in,
    "sign_up": measure_sign_up,
    "me": measure_me,
    "storm": measure_storm,
    "start": measure_start,
    "statements": measure_statements,
    "growth": measure_growth,
    "timing": measure_timing,
}


def main(*names: str) -> None:
    """Print the table."""
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "?",
    )
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} × {cpu}, Python {platform.python_version()}, PostgreSQL 18\n"
    )
    print("| what | Ostiary | compared with, in the same run | wanted |\n| --- | --- | --- | --- |")
    for name in names or FIGURES:
        FIGURES[name]()


if __name__ == "__main__":
    main(*sys.argv[1:])
