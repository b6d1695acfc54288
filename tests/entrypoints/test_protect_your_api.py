"""Back ends that take our access tokens, as docs/protect-your-api.md has them: real processes beside a real Ostiary."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from time import time
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from playwright.sync_api import Browser, Route
from prometheus_client.parser import text_string_to_metric_families

from adapters.access_tokens import Es256Keys
from adapters.signing import MasterSecret
from tests.support.back_ends import EXAMPLES, KINDS, BackEnd, run_back_end
from tests.support.browser import run_browser
from tests.support.forgeries import forgeries
from tests.support.front_ends import Pages, open_application, run_pages
from tests.support.http_requests import PASSWORD, free_port, make_member, new_address, sign_in
from tests.support.server import Server, run_server

SECRET = "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"
NEWER = "mX3bN8cV5zL1kJ6hG9fD2sA7pQ4wE0rT"
SHARED = "a shared secret of thirty-two and more characters 8c1"
METRICS = {"OSTIARY_METRICS_TOKEN": "metrics9vQ2mZ7xL4"}
ELSEWHERE = "http://elsewhere.example"
AUDIENCE = "things"

COOLDOWN = 30
LIFESPAN = 300
"""Seconds, as the page says."""


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    """The front end, whose origin the back ends allow."""
    with run_pages() as running:
        yield running


@pytest.fixture(scope="module")
def ostiary(tmp_path_factory: pytest.TempPathFactory, pages: Pages) -> Iterator[Server]:
    """Ostiary on a developer's machine, with that front end."""
    port = free_port()
    variables = {
        "OSTIARY_SECRET": SECRET,
        "OSTIARY_PORT": str(port),
        "OSTIARY_PUBLIC_URL": f"http://localhost:{port}",
        "APP_URL": f"http://localhost:{pages.port}",
    }
    with run_server(tmp_path_factory.mktemp("ostiary"), variables) as running:
        pages.show_front_end("", "the same site", variables["OSTIARY_PUBLIC_URL"])
        pages.show_front_end("/elsewhere", "another site", variables["OSTIARY_PUBLIC_URL"])
        yield running


@pytest.fixture(scope="module", params=KINDS)
def back_end(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ostiary: Server, pages: Pages
) -> Iterator[BackEnd]:
    """Each of the examples."""
    variables = {"ISSUER": issuer_of(ostiary), "ALLOWED_ORIGIN": f"http://localhost:{pages.port}"}
    with run_back_end(request.param, tmp_path_factory.mktemp("back-end"), variables) as running:
        yield running


@pytest.fixture(scope="module")
def ada(ostiary: Server) -> dict[str, Any]:
    """Somebody who signed up, opened the letter's link and signed in."""
    return join(ostiary)


def join(server: Server) -> dict[str, Any]:
    """What signing in answers to somebody who has just proven their address."""
    email = new_address("things")
    make_member(server, email)
    with server.client() as client:
        return dict(sign_in(client, email, transport="token").json())


def issuer_of(server: Server) -> str:
    """What its tokens say."""
    return server.url.replace("127.0.0.1", "localhost")


def sign(claims: dict[str, Any], header: dict[str, Any]) -> str:
    """A token that Ostiary's own key has signed, whatever it says."""
    key, key_header = Es256Keys([MasterSecret(SECRET.encode())]).signing
    return jwt.encode(claims, key, algorithm="ES256", headers={**key_header, **header})


def assert_invalid_token(answer: httpx.Response, what: object = "") -> None:
    """401 with RFC 6750's challenge."""
    assert answer.status_code == 401, (what, answer.text)
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"', what


# -- Who is let in --


def test_a_token_opens_its_users_things(back_end: BackEnd, ada: dict[str, Any]) -> None:
    answer = back_end.ask(ada["user"]["id"], ada["access_token"])
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"owner": ada["user"]["id"], "things": ["umbrella"]}
    lower_case = {"authorization": f"bearer {ada['access_token']}"}
    assert back_end.send(ada["user"]["id"], lower_case).status_code == 200


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Basic YTpi"])
def test_without_a_token_nothing_is_said_of_one(
    back_end: BackEnd, ada: dict[str, Any], authorization: str | None
) -> None:
    """RFC 6750 section 3.1: no error code for who has not tried."""
    headers = {} if authorization is None else {"authorization": authorization}
    for method in ("GET", "DELETE"):
        answer = back_end.send(ada["user"]["id"], headers, method=method)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_somebody_elses_things_are_forbidden(back_end: BackEnd, ostiary: Server, ada: dict[str, Any]) -> None:
    """R54."""
    grace = join(ostiary)
    for user_id in (ada["user"]["id"], str(uuid4()), "x"):
        for method in ("GET", "DELETE"):
            answer = back_end.ask(user_id, grace["access_token"], method=method)
            assert answer.status_code == 403, (user_id, method)
            assert "www-authenticate" not in answer.headers
    assert back_end.ask(grace["user"]["id"], grace["access_token"]).status_code == 200


def test_a_good_signature_is_not_enough(back_end: BackEnd, ada: dict[str, Any]) -> None:
    claims = jwt.decode(ada["access_token"], options={"verify_signature": False})
    at_jwt = {"typ": "at+jwt"}
    assert back_end.ask(claims["sub"], sign(claims, at_jwt)).status_code == 200
    refused: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"exp": int(time()) - 11}, at_jwt),
        ({"exp": None}, at_jwt),
        ({"nbf": int(time()) + 60}, at_jwt),
        ({"iss": ELSEWHERE}, at_jwt),
        ({"iss": f"{claims['iss']}/"}, at_jwt),
        ({"iss": None}, at_jwt),
        ({"aud": ELSEWHERE}, at_jwt),
        ({"aud": [ELSEWHERE]}, at_jwt),
        ({"aud": None}, at_jwt),
        ({"sub": None}, at_jwt),
        ({}, {"typ": "JWT"}),
        ({}, {"typ": "refresh+jwt"}),
        ({}, {"typ": None}),
    ]
    for changes, header in refused:
        forged = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        assert_invalid_token(back_end.ask(claims["sub"], sign(forged, header)), (changes, header))


def test_no_forgery_is_believed(back_end: BackEnd, ostiary: Server, ada: dict[str, Any]) -> None:
    for what, forged in forgeries(ostiary, ada["access_token"]):
        if what in ("padding", "double padding"):
            continue  # the same token in another spelling, which the libraries take: the page says what follows
        assert_invalid_token(back_end.ask(ada["user"]["id"], forged), what)
    for garbage in ("x", "..", "a.b.c", "é", "a b", f"{ada['access_token']} x"):
        assert_invalid_token(back_end.ask(ada["user"]["id"], garbage), garbage)


# -- What a back end does not learn --


def test_an_ended_session_is_found_out_by_asking_ostiary(back_end: BackEnd, ostiary: Server) -> None:
    grace = join(ostiary)
    user_id, token = grace["user"]["id"], grace["access_token"]
    assert back_end.ask(user_id, token, method="DELETE").status_code == 204
    with ostiary.client() as client:
        assert client.post("/auth/signout", headers={"authorization": f"Bearer {token}"}).status_code == 204
    assert back_end.ask(user_id, token).status_code == 200
    assert_invalid_token(back_end.ask(user_id, token, method="DELETE"))


# -- The key set --


class Ostiaries:
    """One Ostiary after the other at the same address, over the same database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = str(free_port())
        self.issuer = f"http://127.0.0.1:{self._port}"

    def run(self, secret: str, accepted: str = "") -> AbstractContextManager[Server]:
        """One with these secrets, until the block ends."""
        variables = {"OSTIARY_SECRET": secret, "OSTIARY_ACCEPTED_SECRETS": accepted, "OSTIARY_PORT": self._port}
        return run_server(self._folder, {**variables, **METRICS, "OSTIARY_JWT_AUDIENCE": AUDIENCE})


@pytest.fixture(params=KINDS)
def rotating(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Ostiaries, BackEnd]]:
    """Each of the examples, and an Ostiary that can be restarted."""
    ostiaries = Ostiaries(tmp_path)
    variables = {"ISSUER": ostiaries.issuer, "AUDIENCE": AUDIENCE, "ALLOWED_ORIGIN": ELSEWHERE}
    with run_back_end(request.param, tmp_path, variables) as running:
        yield ostiaries, running


def key_sets_fetched(server: Server) -> int:
    """How often anybody has fetched the key set."""
    bearer = {"authorization": f"Bearer {METRICS['OSTIARY_METRICS_TOKEN']}"}
    text = httpx.get(f"{server.url}/metrics", headers=bearer).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    of_key_set = {"route": "/.well-known/jwks.json"}.items()
    requests = [each for each in samples if each.name.endswith("requests_total") and of_key_set <= each.labels.items()]
    return int(sum(each.value for each in requests))


def test_the_key_set_is_kept_for_five_minutes(rotating: tuple[Ostiaries, BackEnd]) -> None:
    """docs/keys.md waits for that long, and not longer."""
    ostiaries, back_end = rotating
    with ostiaries.run(SECRET) as ostiary:
        ada = join(ostiary)
        user_id, token = ada["user"]["id"], ada["access_token"]
        assert key_sets_fetched(ostiary) == 0
        assert [back_end.ask(user_id, token).status_code for _ in range(10)] == [200] * 10
        assert key_sets_fetched(ostiary) == 1
        back_end.let_time_pass(LIFESPAN + 1)
        assert [back_end.ask(user_id, token).status_code for _ in range(10)] == [200] * 10
        assert key_sets_fetched(ostiary) == 2
    # Ostiary is away for a while, and then for longer than the key set is kept.
    assert back_end.ask(user_id, token).status_code == 200
    unasked = back_end.ask(user_id, token, method="DELETE")
    assert (unasked.status_code, unasked.headers["retry-after"]) == (503, "5")
    back_end.let_time_pass(LIFESPAN + 1)
    answer = back_end.ask(user_id, token)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    # Back with another secret and without the old one: the emergency of docs/keys.md.
    with ostiaries.run(NEWER):
        assert_invalid_token(back_end.ask(user_id, token))


def test_an_unknown_key_is_asked_for_but_not_all_the_time(rotating: tuple[Ostiaries, BackEnd]) -> None:
    ostiaries, back_end = rotating
    with ostiaries.run(SECRET) as ostiary:
        ada = join(ostiary)
        assert back_end.ask(ada["user"]["id"], ada["access_token"]).status_code == 200
    # A swap without the wait after publishing: what the back end keeps has never heard of the new key.
    with ostiaries.run(NEWER, SECRET) as ostiary:
        grace = join(ostiary)
        user_id, token = grace["user"]["id"], grace["access_token"]
        assert_invalid_token(back_end.ask(user_id, token))
        assert key_sets_fetched(ostiary) == 0
        back_end.let_time_pass(COOLDOWN + 1)
        assert back_end.ask(user_id, token).status_code == 200
        assert back_end.ask(ada["user"]["id"], ada["access_token"]).status_code == 200
        assert key_sets_fetched(ostiary) == 1

        back_end.let_time_pass(COOLDOWN + 1)
        claims = jwt.decode(token, options={"verify_signature": False})
        for number in range(20):
            forged = sign(claims, {"typ": "at+jwt", "kid": f"made up {number}"})
            assert_invalid_token(back_end.ask(user_id, forged))
        assert key_sets_fetched(ostiary) == 2
        assert back_end.ask(user_id, token).status_code == 200


# -- A front end in a browser --


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with run_browser() as running:
        yield running


def _with_a_bad_token(route: Route) -> None:
    route.continue_(headers={**route.request.headers, "authorization": "Bearer outlived"})


@pytest.mark.browser
def test_a_front_end_shows_its_users_things(browser: Browser, back_end: BackEnd, ostiary: Server, pages: Pages) -> None:
    """things.js and the ostiary.js of docs/front-end.md: three origins, and one page of another that reads nothing."""
    email = new_address("browser")
    user_id = make_member(ostiary, email)["user"]["id"]
    things = (EXAMPLES / "things.js").read_text().replace("https://api.example.com", back_end.url)
    pages.pages["/things.js"] = things
    pages.pages["/elsewhere/things.js"] = things.replace("/ostiary.js", "/elsewhere/ostiary.js")
    asks = "async ([id, method]) => (await import('./things.js')).things(id, method).catch(({status}) => `${status}`)"
    with browser.new_context() as context:
        context.set_default_timeout(15_000)
        page = open_application(context, f"http://localhost:{pages.port}/")
        page.evaluate("form => ostiary.signIn(form)", {"email": email, "password": PASSWORD})
        assert page.evaluate(asks, [user_id, "GET"]) == {"owner": user_id, "things": ["umbrella"]}
        assert page.evaluate(asks, [user_id, "DELETE"]) is None
        assert page.evaluate(asks, [str(uuid4()), "GET"]) == "403"
        # A token that the back end takes no more is exchanged, once.
        refused: list[int] = []
        page.on("response", lambda answer: refused.append(answer.status) if answer.status == 401 else None)
        page.route(f"{back_end.url}/**", _with_a_bad_token, times=1)
        assert page.evaluate(asks, [user_id, "GET"]) == {"owner": user_id, "things": ["umbrella"]}
        assert refused == [401]
        # An ended session, and a token that outlives it: reading goes on, deleting asks for a fresh token in vain.
        page.evaluate("ostiary.signOut()")
        assert page.evaluate(asks, [user_id, "GET"]) == {"owner": user_id, "things": ["umbrella"]}
        assert page.evaluate(asks, [user_id, "DELETE"]) == "401"
        # The next to sign in on this page does not go under the name of the one before.
        next_email = new_address("browser")
        next_id = make_member(ostiary, next_email)["user"]["id"]
        page.evaluate("form => ostiary.signIn(form)", {"email": next_email, "password": PASSWORD})
        assert page.evaluate(asks, [next_id, "GET"]) == {"owner": next_id, "things": ["umbrella"]}

        # With the module for another site, which has no cookie to refresh by.
        page = open_application(context, f"http://localhost:{pages.port}/elsewhere/")
        page.evaluate("form => ostiary.signIn(form)", {"email": email, "password": PASSWORD})
        assert page.evaluate(asks, [user_id, "GET"]) == {"owner": user_id, "things": ["umbrella"]}

        hostile = context.new_page()
        hostile.goto(f"http://127.0.0.1:{pages.port}/nothing")
        stolen = "url => fetch(url, {headers: {Authorization: 'Bearer x'}}).then(() => 'read', () => 'kept')"
        assert hostile.evaluate(stolen, f"{back_end.url}/users/{user_id}/things") == "kept"


def test_only_the_front_end_may_ask_from_a_browser(back_end: BackEnd, pages: Pages) -> None:
    for origin, allowed in ((f"http://localhost:{pages.port}", True), (ELSEWHERE, False), ("null", False)):
        headers = {"origin": origin, "access-control-request-method": "DELETE"}
        headers["access-control-request-headers"] = "authorization"
        answer = back_end.send("x", headers, method="OPTIONS")
        assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
        assert "access-control-allow-credentials" not in answer.headers
        refusal = back_end.send("x", {"origin": origin})
        assert refusal.status_code == 401
        assert (refusal.headers.get("access-control-allow-origin") == origin) is allowed


# -- A shared secret --


@pytest.fixture(scope="module")
def sharing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, BackEnd]]:
    """Ostiary and a back end that have a secret in common, and nothing else: the back end knows no address."""
    variables = {"OSTIARY_JWT_ALGORITHM": "HS256", "OSTIARY_JWT_SHARED_SECRET": SHARED, "OSTIARY_JWT_USER_ID": "on"}
    own = {"BETTER_AUTH_SECRET": SHARED}
    with (
        run_server(tmp_path_factory.mktemp("ostiary"), variables) as server,
        run_back_end("shared_secret_app", tmp_path_factory.mktemp("back-end"), own) as running,
    ):
        yield server, running


def test_a_back_end_that_shares_a_secret_stays_as_it_is(sharing: tuple[Server, BackEnd]) -> None:
    """R53, F: `jwt.decode(token, secret, algorithms=["HS256"])`."""
    server, back_end = sharing
    ada, grace = join(server), join(server)
    user_id, token = ada["user"]["id"], ada["access_token"]
    assert back_end.ask(user_id, token).json() == {"owner": user_id, "things": ["umbrella"]}
    assert back_end.ask(user_id, grace["access_token"]).status_code == 403
    anonymous = back_end.ask(user_id)
    assert (anonymous.status_code, anonymous.headers["www-authenticate"]) == (401, "Bearer")

    claims = jwt.decode(token, SHARED, algorithms=["HS256"])
    assert claims["user_id"] == claims["sub"]
    head, _, signature = token.split(".")
    _, hers, _ = grace["access_token"].split(".")
    refused = {
        "expired": jwt.encode({**claims, "exp": int(time()) - 1}, SHARED, algorithm="HS256"),
        "tampered": f"{head}.{hers}.{signature}",
        "alg none": jwt.encode(claims, "", algorithm="none"),
        "another secret": jwt.encode(claims, SHARED + "x", algorithm="HS256"),
        "another algorithm": jwt.encode(claims, SHARED, algorithm="HS384"),
        "another key": sign(claims, {}),
        "no token": "x",
    }
    for what, forged in refused.items():
        assert_invalid_token(back_end.ask(user_id, forged), what)
