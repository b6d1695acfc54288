"""Rotating the master secret under load, node by node (R58; A 11.2.2, SECURITY 1.5): docs/keys.md."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import jwt
import pytest

from tests.support.http_requests import make_member, new_address, sign_in
from tests.support.server import PATIENCE, Server, run_server, wait_for
from tests.support.world import make_world

OLD = "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"
NEW = "mX3bN8cV5zL1kJ6hG9fD2sA7pQ4wE0rT"
ISSUER = "http://127.0.0.1:8000"

STEPS = {
    "before": {"OSTIARY_SECRET": OLD},
    "publish": {"OSTIARY_SECRET": OLD, "OSTIARY_ACCEPTED_SECRETS": NEW},
    "swap": {"OSTIARY_SECRET": NEW, "OSTIARY_ACCEPTED_SECRETS": OLD},
    "drop": {"OSTIARY_SECRET": NEW},
}


_PAUSE = 0.03
"""Between a client's rounds, so that the nodes' starting is not all there is to wait for."""


class Cluster:
    """Two nodes on one database, and whoever restarts them one by one."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self.nodes: dict[str, Server] = {}

    def restart(self, name: str, step: str) -> None:
        """The new process listens before the old one is told to finish what it has in hand, as behind any proxy."""
        old = self.nodes.get(name)
        variables = {**STEPS[step], "OSTIARY_PUBLIC_URL": ISSUER}
        self.nodes = {**self.nodes, name: self._stack.enter_context(run_server(self._folder, variables))}
        if old is not None:
            old.process.terminate()


@dataclass
class Traffic:
    """What the clients have met."""

    refusals: list[str] = field(default_factory=list)
    access_tokens: list[str] = field(default_factory=list)
    refreshes: dict[str, int] = field(default_factory=dict)


class Caller(threading.Thread):
    """Somebody signed in who asks one node after the other who they are, and keeps refreshing."""

    def __init__(self, cluster: Cluster, traffic: Traffic, email: str, transport: str, halt: threading.Event) -> None:
        super().__init__(name=f"{transport} of {email}")
        self._cluster, self._traffic, self._halt = cluster, traffic, halt
        self._client = httpx.Client(timeout=PATIENCE)
        self._turns = count()
        self._token = ""
        self._client.base_url = httpx.URL(next(iter(cluster.nodes.values())).url)
        self._adopt(sign_in(self._client, email, transport=transport))

    def run(self) -> None:
        while not self._halt.wait(_PAUSE):
            for _ in range(2):  # three calls in all, so that each kind meets each node
                self._call("GET", "/auth/me", {"authorization": f"Bearer {self._access}"} if self._token else {})
            answer = self._call("POST", "/auth/refresh")
            if answer.is_success:
                self._adopt(answer)
                self._traffic.refreshes[self.name] = self._traffic.refreshes.get(self.name, 0) + 1
        self._client.close()

    def _adopt(self, answer: httpx.Response) -> None:
        self._access = answer.json()["access_token"]
        self._token = answer.json().get("refresh_token", "")
        self._traffic.access_tokens.append(self._access)

    def _call(self, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """By either node, as a proxy would: a node that is gone is no refusal, the other one is asked."""
        body = {"refresh_token": self._token} if self._token and method == "POST" else None
        for turn in self._turns:
            nodes = list(self._cluster.nodes.values())
            url = nodes[turn % len(nodes)].url + path
            try:
                answer = self._client.request(method, url, headers=headers, json=body)
            except httpx.TransportError:
                continue
            if not answer.is_success:
                self._traffic.refusals.append(f"{self.name}: {method} {path} {answer.status_code} {answer.text}")
            return answer
        raise AssertionError


@contextmanager
def load_on(cluster: Cluster, traffic: Traffic, emails: list[str]) -> Iterator[None]:
    """Clients with cookies and clients with tokens, for as long as the block lasts."""
    halt = threading.Event()
    callers = [Caller(cluster, traffic, email, how, halt) for email in emails for how in ("cookie", "token")]
    for caller in callers:
        caller.start()
    try:
        yield
    finally:
        halt.set()
        for caller in callers:
            caller.join(PATIENCE)


def everybody_refreshes(traffic: Traffic) -> None:
    """Wait until each client was answered by each node, to refreshes that it began after now."""
    before = dict(traffic.refreshes)
    wait_for(lambda: True if all(traffic.refreshes[name] >= before[name] + 4 for name in before) else None, "everybody")


def key_set(server: Server) -> jwt.PyJWKSet:
    """The published keys."""
    return jwt.PyJWKSet.from_dict(httpx.get(f"{server.url}/.well-known/jwks.json").json())


def test_nobody_is_refused_while_the_secret_is_rotated_node_by_node(tmp_path: Path) -> None:
    """Access tokens, cookies and refresh tokens, old and new, at either node, at every moment of the three steps."""
    traffic = Traffic()
    with ExitStack() as stack:
        cluster = Cluster(tmp_path, stack)
        cluster.restart("a", "before")
        cluster.restart("b", "before")
        emails = [new_address("rotating") for _ in range(2)]
        for email in emails:
            make_member(cluster.nodes["a"], email)
        with load_on(cluster, traffic, emails):
            wait_for(lambda: True if len(traffic.refreshes) == 4 else None, "the load")
            for name in ("a", "b"):
                cluster.restart(name, "publish")
            cached = key_set(cluster.nodes["b"])  # by a back end that will not look again
            cluster.nodes["a"].let_sessions_age(31)
            for name in ("a", "b"):
                cluster.restart(name, "swap")
                everybody_refreshes(traffic)
            cluster.nodes["a"].let_sessions_age(31)
            everybody_refreshes(traffic)
            for name in ("a", "b"):
                cluster.restart(name, "drop")
                everybody_refreshes(traffic)
            counters = cluster.nodes["a"].sql("SELECT counter FROM sessions WHERE counter > 0")
        assert traffic.refusals == []
        assert counters == [(2,)] * 4
        kids = {jwt.get_unverified_header(token)["kid"] for token in traffic.access_tokens}
        assert kids == {key.key_id for key in cached.keys}, "both have signed, and a set kept from in between has both"
        for token in traffic.access_tokens[::7]:
            key = cached[jwt.get_unverified_header(token)["kid"]]
            jwt.decode(token, key, algorithms=["ES256"], issuer=ISSUER, audience=ISSUER)
        left = [key.key_id for key in key_set(cluster.nodes["b"]).keys]
        assert left == [jwt.get_unverified_header(traffic.access_tokens[-1])["kid"]]


@pytest.mark.parametrize("accepted", [OLD, f"{OLD} {NEW}", f"{OLD},{OLD}"])
async def test_a_key_set_names_each_key_once(tmp_path: Path, accepted: str) -> None:
    """An operator may well leave the new secret where it was while it was only accepted."""
    variables = {"OSTIARY_SECRET": NEW, "OSTIARY_ACCEPTED_SECRETS": accepted}
    async with make_world("memory", tmp_path, variables) as world:
        ids = [key.key_id for key in jwt.PyJWKSet.from_dict(dict(world.ostiary.jwks)).keys]
    assert len(ids) == len(set(ids)) == 2


def test_the_key_set_may_be_kept_for_five_minutes(server: Server) -> None:
    """What step one of the rotation waits for: docs/keys.md."""
    answer = httpx.get(f"{server.url}/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert httpx.head(f"{server.url}/.well-known/jwks.json").headers["cache-control"] == "public, max-age=300"
    assert httpx.post(f"{server.url}/.well-known/jwks.json").headers["cache-control"] == "no-store"
