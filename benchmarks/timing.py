"""Does time tell who has an account? Interleaved requests for present and absent addresses on one connection, compared
by AUC (Mann-Whitney): 0.5 is a coin, 1.0 tells for sure. Run as `python benchmarks/timing.py [N]`, N of each class.

The negative control compares a class with itself.
"""

import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from domain.limits import Quotas

WARM_UP = 50
PASSWORD = "engine of difference"
PRESENT = "present@example.com"


class Server:
    """`ostiary serve` at production cost, with limits off, and one connection to it."""

    def __init__(self, folder: str) -> None:
        limits = {f"OSTIARY_LIMIT_{quota.name.upper()}": "off" for quota in fields(Quotas)}
        environ = {**os.environ, **limits, "OSTIARY_PORT": "0", "OSTIARY_DATA_DIR": folder}
        command = [str(Path(sys.executable).with_name("ostiary")), "serve"]
        log = Path(folder, "log")
        with log.open("w") as output:
            self.process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=output)
        while " and is reached" not in log.read_text():
            time.sleep(0.05)
        self.port = int(log.read_text().split(" and ")[0].rpartition(":")[2])
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.connection.connect()
        # http.client sends head and body apart; without this the kernel's waiting drowns what is measured.
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: dict[str, str]) -> float:
        """Milliseconds from sending to the whole answer."""
        content = json.dumps(body)
        started = time.perf_counter()
        self.connection.request("POST", path, content, {"Content-Type": "application/json"})
        self.connection.getresponse().read()
        return (time.perf_counter() - started) * 1000

    def get(self, path: str) -> object:
        """A JSON answer."""
        self.connection.request("GET", path)
        return json.loads(self.connection.getresponse().read())


def auc(one: list[float], other: list[float]) -> float:
    """The chance that a time drawn from `other` is longer than one from `one`."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    rank_sum = sum(rank for rank, (_, label) in enumerate(ranked, 1) if label)
    return (rank_sum - len(other) * (len(other) + 1) / 2) / (len(one) * len(other))


def compare(server: Server, name: str, path: str, bodies: tuple[dict[str, str], dict[str, str]], count: int) -> None:
    """Print the AUC and medians of two classes of request, interleaved at random."""
    order = [0] * count + [1] * count
    random.shuffle(order)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(WARM_UP):
        server.post(path, bodies[0])
    for which in order:
        times[which].append(server.post(path, bodies[which]))
    medians = [statistics.median(each) for each in times]
    print(
        f"{name:34} AUC {auc(*times):.3f}   medians {medians[0]:.2f} ms, {medians[1]:.2f} ms   N = {count}", flush=True
    )


def main(count: int) -> None:
    """Make one account, then compare."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        try:
            server.post("/auth/signup", {"email": PRESENT, "password": PASSWORD, "name": "Ada"})
            while not (letters := server.get("/dev/inbox.json")):
                time.sleep(0.1)
            link = letters[0]["link"]  # type: ignore[index]
            token = parse_qs(urlsplit(link).query)["token"][0]
            server.post("/auth/verify-email", {"token": token, "password": PASSWORD})
            absent, wrong = "absent@example.com", "not the right password"
            sign_in = ({"email": absent, "password": wrong}, {"email": PRESENT, "password": wrong})
            compare(server, "sign-in, same class twice", "/auth/signin", (sign_in[0], sign_in[0]), count)
            compare(server, "sign-in, absent or present", "/auth/signin", sign_in, count)
            resend = ({"email": absent}, {"email": PRESENT})
            compare(server, "resend, absent or present", "/auth/resend-verification", resend, count)
            server.post("/auth/signup", {"email": "waiting@example.com", "password": PASSWORD, "name": "Ada"})
            waiting = ({"email": absent}, {"email": "waiting@example.com"})
            compare(server, "resend, absent or waiting", "/auth/resend-verification", waiting, count)
            sign_up = tuple({"email": email, "password": PASSWORD, "name": "Ada"} for email in (absent, PRESENT))
            compare(server, "sign-up, absent or present", "/auth/signup", sign_up, count)
        finally:
            server.process.terminate()
            server.process.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
