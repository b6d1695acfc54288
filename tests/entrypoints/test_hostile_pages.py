"""What pages of strangers can do to Ostiary and its visitors in a real browser: nothing. docs/front-end.md."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page

from tests.support.browser import run_browser
from tests.support.front_ends import RESOLVING, Town, open_application, run_town
from tests.support.http_requests import PASSWORD, cookies_set, sign_in, sign_up
from tests.support.server import wait_for

pytestmark = pytest.mark.browser

ATTACK = """async ({auth, posted, links}) => {
    const read = [];
    const look = async (what, asked) => {
        try {
            const answer = await asked;
            const text = await answer.text();
            if (answer.type !== "opaque" || text) read.push(`${what}: ${answer.status} ${text}`);
        } catch {}  // the browser keeps it from us
    };
    const post = (url, options) => fetch(url, {method: "POST", credentials: "include", ...options});
    const json = {"Content-Type": "application/json"};
    for (const [path, fields] of Object.entries(posted)) {
        const url = auth + path, text = JSON.stringify(fields), mode = "no-cors";
        await look(`${path} as JSON`, post(url, {headers: json, body: text}));
        await look(`${path} bare`, post(url));
        await look(`${path} bare, unread`, post(url, {mode}));
        await look(`${path} as text`, post(url, {mode, body: text}));
        await look(`${path} as a form`, post(url, {mode, body: new URLSearchParams(fields)}));
        await look(`${path} as parts`, post(url, {mode, body: new Blob([text], {type: "multipart/form-data"})}));
        navigator.sendBeacon(url, text);
        navigator.sendBeacon(url);
    }
    for (const method of ["PATCH", "PUT", "DELETE"]) {
        await look(method, fetch(auth + "/auth/me", {method, credentials: "include", headers: json, body: "{}"}));
    }
    for (const path of links) {
        await look(`GET ${path}`, fetch(auth + path, {credentials: "include"}));
        await look(`GET ${path}, unread`, fetch(auth + path, {mode: "no-cors", credentials: "include"}));
        await look(`HEAD ${path}`, fetch(auth + path, {method: "HEAD", mode: "no-cors", credentials: "include"}));
    }
    return read;
}"""
"""Every request that a script can have a visitor's browser make; what it could read of the answers."""

POSTS_EACH = 7
"""How many of those arrive as a POST at each path, because no preflight goes before them."""

SUBMIT = """({url, fields}) => {
    const text = JSON.stringify(fields), end = text.lastIndexOf("}"), comma = end > 1 ? "," : "";
    const form = Object.assign(document.createElement("form"),
        {action: url, method: "post", enctype: "text/plain", target: "_top"});
    form.append(Object.assign(document.createElement("input"),
        {type: "hidden", name: `${text.slice(0, end)}${comma}"x":"`, value: '"}'}));
    document.body.append(form);
    form.submit();
}"""
"""A form that goes to the top of the window and spells JSON (`{…,"x":"="}`)."""

FRAMED = "<iframe sandbox='allow-scripts allow-forms allow-top-navigation' srcdoc='<p>Free prizes</p>'></iframe>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all, to which every name in .test is this machine."""
    with run_browser(RESOLVING) as running:
        yield running


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Ostiary at https://auth.example.test, and everybody else around it."""
    with run_town(tmp_path_factory.mktemp("town")) as running:
        running.pages.pages["/framed"] = FRAMED
        yield running


@pytest.fixture
def stranger(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody who clicks on everything."""
    context = browser.new_context(ignore_https_errors=True)
    yield context
    context.close()


VISITOR = "visitor@example.com"
ATTACKER = "attacker@example.com"
WAITING = "waiting@example.com"


@pytest.fixture(scope="module")
def token(town: Town) -> str:
    """The live token of a sign-up that the attacker, who has an account as well, has begun and left waiting."""
    with town.server.client() as client:
        for email in (VISITOR, ATTACKER, WAITING):
            assert sign_up(client, email).status_code == 202
        for email in (VISITOR, ATTACKER):
            proof = {"token": town.mail.token(email), "password": PASSWORD}
            assert client.post("/auth/verify-email", json=proof).status_code == 200
    return town.mail.token(WAITING)


@pytest.fixture(scope="module")
def visitor(browser: Browser, town: Town, token: str) -> Iterator[BrowserContext]:
    """Somebody who clicks on everything, and has signed in at the front end that is listed. One for all tests: that
    nothing happens to them is what is to be shown."""
    context = browser.new_context(ignore_https_errors=True)
    page = home(context, town)
    page.evaluate("(form) => ostiary.signIn(form)", {"email": VISITOR, "password": PASSWORD})
    page.close()
    yield context
    context.close()


def home(context: BrowserContext, town: Town) -> Page:
    """The front end that is listed."""
    return open_application(context, town.origin("app.example.test") + "/")


def who(context: BrowserContext, town: Town) -> str | None:
    """Whom the listed front end sees signed in."""
    page = home(context, town)
    found: str | None = page.evaluate("ostiary.me().then((me) => me.email, () => null)")
    page.close()
    return found


def everything(town: Town) -> dict[str, list[str]]:
    """Every row there is, once all letters have left."""

    def settled() -> bool | None:
        return None if town.server.sql("SELECT 1 FROM letters WHERE done_at IS NULL") else True

    wait_for(settled, "the letters to leave")
    tables = [name for (name,) in town.server.sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: sorted(map(repr, town.server.sql(f'SELECT * FROM "{table}"'))) for table in tables}  # noqa: S608


def requests(town: Town, since: int) -> list[dict[str, Any]]:
    """The requests that arrived at Ostiary after so many lines of its log."""
    return [event for event in town.server.events()[since:] if event.get("event") == "request"]


def what_is_posted(token: str) -> dict[str, dict[str, str]]:
    """The endpoints that change something, and what the attacker would most like to be posted there."""
    return {
        "/auth/signup": {"email": "bait@example.com", "password": PASSWORD, "name": "Bait"},
        "/auth/signin": {"email": ATTACKER, "password": PASSWORD},
        "/auth/verify-email": {"token": token, "password": PASSWORD},
        "/auth/resend-verification": {"token": token},
        "/auth/refresh": {},
        "/auth/signout": {"scope": "all"},
    }


HOSTILE = {
    "another site": lambda town: town.origin("evil.test"),
    "a name that begins like ours": lambda town: town.origin("app.example.test.evil.test"),
    "a sibling, to which cookies are sent": lambda town: town.origin("evil.example.test"),
    "http instead of https": lambda town: town.http_origin("app.example.test"),
    "a sandbox without an origin": lambda town: town.origin("evil.test") + "/framed",
    "a sandbox in a page that is listed": lambda town: town.origin("app.example.test") + "/framed",
}


@pytest.mark.parametrize("where", HOSTILE)
def test_a_hostile_page_changes_nothing_and_reads_nothing(
    visitor: BrowserContext, town: Town, token: str, where: str
) -> None:
    """A 3.4.2, A 3.5.1-3.5.3, OC: whatever a script can send, in the browser of somebody who is signed in."""
    posted = what_is_posted(token)
    links = [*posted, f"/auth/verify?token={token}", f"/auth/verify-email?token={token}", "/auth/me", "/auth/policy"]
    page = visitor.new_page()
    page.goto(HOSTILE[where](town))
    frame: Page | Frame = page.frames[-1]

    rows, jar, lines = everything(town), visitor.cookies(), len(town.server.events())
    assert frame.evaluate(ATTACK, {"auth": town.auth, "posted": posted, "links": links}) == []

    def arrived() -> Counter[tuple[str, str]] | None:
        found = Counter((event["method"], event["path"]) for event in requests(town, lines))
        return found if all(found["POST", path] >= POSTS_EACH for path in posted) else None

    seen = wait_for(arrived, "what the page sent")
    assert seen["HEAD", "/auth/verify"] == 1
    assert seen["OPTIONS", "/auth/signin"] >= 1
    assert seen["OPTIONS", "/auth/me"] == 3
    changing = [event for event in requests(town, lines) if event["method"] not in ("GET", "HEAD")]
    assert {event["status"] for event in changing} == {403}
    assert everything(town) == rows
    assert visitor.cookies() == jar
    assert who(visitor, town) == VISITOR


@pytest.mark.parametrize("where", ["a sibling, to which cookies are sent", "a sandbox without an origin"])
def test_a_form_or_a_link_of_a_hostile_page_changes_nothing(
    visitor: BrowserContext, town: Town, token: str, where: str
) -> None:
    """The visitor's own window goes there, with whatever cookies `Lax` lets go along."""
    posted = what_is_posted(token)
    page = visitor.new_page()
    page.goto(HOSTILE[where](town))

    rows, jar, lines = everything(town), visitor.cookies(), len(town.server.events())
    for path, fields in posted.items():
        with page.expect_navigation(url=town.auth + path) as went:
            page.frames[-1].evaluate(SUBMIT, {"url": town.auth + path, "fields": fields})
        assert went.value is not None
        assert went.value.status == 403
        assert json.loads(went.value.text())["code"] == "foreign_origin"
        page.goto(HOSTILE[where](town))
    for path in (*posted, f"/auth/verify?token={token}", f"/auth/verify-email?token={token}"):
        with page.expect_navigation():
            page.evaluate("(url) => { location.href = url; }", town.auth + path)
        page.goto(HOSTILE[where](town))
    assert {event["path"] for event in requests(town, lines)} >= posted.keys()
    assert everything(town) == rows
    assert visitor.cookies() == jar
    assert who(visitor, town) == VISITOR


def test_a_stranger_is_not_signed_in_as_the_attacker(stranger: BrowserContext, town: Town, token: str) -> None:
    """Login CSRF, in the browser of somebody who has no cookie yet."""
    posted = what_is_posted(token)
    page = stranger.new_page()
    page.goto(town.origin("evil.test"))
    for path in ("/auth/signin", "/auth/verify-email"):
        with page.expect_navigation(url=f"{town.auth}{path}"):
            page.evaluate(SUBMIT, {"url": town.auth + path, "fields": posted[path]})
        page.goto(town.origin("evil.test"))
    page.evaluate(ATTACK, {"auth": town.auth, "posted": posted, "links": []})
    assert stranger.cookies() == []
    assert who(stranger, town) is None


def test_our_pages_show_in_nobodys_frame(stranger: BrowserContext, town: Town) -> None:
    """A 3.4.6."""
    page = stranger.new_page()
    page.goto(town.origin("evil.example.test"))
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    paths = ["/auth/signin", "/auth/account", "/auth/verify?token=x", "/auth/policy"]
    for path in paths:
        page.evaluate(
            """(url) => new Promise((done) => document.body.append(
                Object.assign(document.createElement("iframe"), {src: url, onload: done})))""",
            town.auth + path,
        )
    assert sum("frame-ancestors" in line for line in refused) == len(paths)


# -- Cookies that a sibling plants --


@pytest.fixture(scope="module")
def attackers(town: Town, token: str) -> str:
    """The attacker's own session token."""
    with town.server.client() as client:
        return cookies_set(sign_in(client, ATTACKER))["__Host-ostiary"][""]


NAMES = (
    b"ostiary",
    b"__Host-ostiary",
    b"__host-ostiary",
    b'"__Host-ostiary"',
    # White space to some, part of the name to others: so a browser sees no prefix in it.
    b"\x85__Host-ostiary",
    b"\xa0__Host-ostiary",
    b"\x0b__Host-ostiary",
    b"\x1f__Host-ostiary",
    b"\xe2\x80\x80__Host-ostiary",
    b"\xc2\xa0__Host-ostiary",
    # No name at all: what is sent looks like a pair.
    b"=__Host-ostiary",
    # One within the value of another.
    b"x=y,__Host-ostiary",
    b'$Version=1,a="__Host-ostiary',
)
"""What evil.example.test may call a cookie for all of example.test, so that it is taken for ours."""


def toss(page: Page, town: Town, names: tuple[bytes, ...], value: str) -> None:
    """Visit the sibling while it sets these cookies."""
    tail = f"={value}; Domain=example.test; Secure; Path=/".encode()
    town.pages.cookies[:] = [name + tail for name in names]
    page.goto(town.origin("evil.example.test"))
    town.pages.cookies.clear()


def test_nobody_is_signed_in_by_a_cookie_that_a_sibling_planted(
    stranger: BrowserContext, town: Town, attackers: str
) -> None:
    """RFC 6265bis, `__Host-`; and nothing of ours undoes what the browser does for us. Each by itself, as two of one
    name are never believed."""
    page, evil = home(stranger, town), stranger.new_page()
    taken = {}
    for name in NAMES:
        toss(evil, town, (name,), attackers)
        taken[name] = bool(stranger.cookies())
        assert page.evaluate("ostiary.me().then((me) => me.email, (refusal) => refusal.code)") == "unauthenticated", (
            name
        )
        stranger.clear_cookies()
    assert taken[b"ostiary"]
    assert taken[b"\xa0__Host-ostiary"]
    assert not taken[b"__Host-ostiary"]


def test_who_is_signed_in_stays_so_whatever_a_sibling_plants(
    visitor: BrowserContext, town: Town, attackers: str
) -> None:
    before = len(visitor.cookies())
    toss(visitor.new_page(), town, NAMES, attackers)
    assert len(visitor.cookies()) > before
    assert who(visitor, town) == VISITOR
