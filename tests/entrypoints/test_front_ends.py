"""Front ends of other people in a real browser: another port, another name, another site. docs/front-end.md."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browser import run_browser
from tests.support.front_ends import RESOLVING, Pages, Town, open_application, run_pages, run_town
from tests.support.http_mail import link_in
from tests.support.http_requests import PASSWORD, free_port, make_member, new_address
from tests.support.server import Server, run_server

pytestmark = pytest.mark.browser

GRACE = 30


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all, to which every name in .test is this machine."""
    with run_browser(RESOLVING) as running:
        yield running


@pytest.fixture
def somebody(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody with an empty cookie jar."""
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    """A developer's front end, at a port of its own."""
    with run_pages() as running:
        yield running


@pytest.fixture(scope="module")
def ostiary(tmp_path_factory: pytest.TempPathFactory, pages: Pages) -> Iterator[Server]:
    """Ostiary beside it on the developer's machine."""
    port = free_port()
    variables = {
        "OSTIARY_PORT": str(port),
        "OSTIARY_PUBLIC_URL": f"http://localhost:{port}",
        "APP_URL": f"http://localhost:{pages.port}",
        "OSTIARY_CORS_ORIGINS": f"http://127.0.0.1:{pages.port}",
        "OSTIARY_LIMIT_LETTER_CLIENT": "3/15m",
    }
    with run_server(tmp_path_factory.mktemp("ostiary"), variables) as running:
        pages.show_front_end("", "the same site", f"http://localhost:{port}")
        yield running


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Ostiary at https://auth.example.test, with front ends at app.example.test and app.other.test."""
    with run_town(tmp_path_factory.mktemp("town")) as running:
        yield running


@pytest.fixture(scope="module")
def strict_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The same with a strict session cookie."""
    with run_town(tmp_path_factory.mktemp("strict"), {"OSTIARY_COOKIE_SAMESITE": "strict"}) as running:
        yield running


def ask(page: Page, call: str, *arguments: object) -> Any:
    """What a function of the front end's module comes to: what it returns, or the refusal that it throws."""
    return page.evaluate(
        "([call, given]) => ostiary[call](...given).catch(({message, ...rest}) => ({refused: message, ...rest}))",
        [call, list(arguments)],
    )


def form(email: str) -> dict[str, str]:
    """What somebody fills in to join."""
    return {"email": email, "password": PASSWORD, "name": "Ada"}


def cookies(context: BrowserContext) -> dict[str, Any]:
    """The jar, by name."""
    return {str(cookie["name"]): cookie for cookie in context.cookies()}


def confirm(page: Page) -> None:
    """Press the button of the page that the letter links to."""
    page.get_by_role("button", name="Confirm my address").click()


# -- Another port of the same machine --


def test_a_front_end_at_another_port_has_the_whole_way(somebody: BrowserContext, ostiary: Server, pages: Pages) -> None:
    """R55, R64: with cookies that no script can read."""
    email = new_address("port")
    page = open_application(somebody, f"http://localhost:{pages.port}/")
    assert ask(page, "signUp", form(email)) == {"status": "verification_sent", "email": email}
    link = ostiary.inbox(email)[0]["link"]
    assert urlsplit(link).netloc == f"localhost:{pages.port}"

    page.goto(link)
    assert "token" not in page.url
    confirm(page)
    expect(page.get_by_text(f"Welcome, {email}")).to_be_visible()

    page = open_application(somebody, f"http://localhost:{pages.port}/")
    assert ask(page, "me")["email"] == email
    assert ask(page, "refresh")["user"]["email"] == email
    assert page.evaluate("document.cookie") == ""
    jar = cookies(somebody)
    assert jar.keys() == {"ostiary", "ostiary-signup", "ostiary-device"}
    for cookie in jar.values():
        assert (cookie["domain"], cookie["path"]) == ("localhost", "/")
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"]) == (True, "Lax", False)

    assert ask(page, "signOut") is None
    assert ask(page, "me")["code"] == "unauthenticated"
    assert "ostiary" not in cookies(somebody)
    assert ask(page, "signIn", {"email": email, "password": PASSWORD})["user"]["email"] == email
    assert ask(page, "me")["email"] == email


def test_preflights_name_the_origin_and_are_granted(somebody: BrowserContext, ostiary: Server, pages: Pages) -> None:
    origin = f"http://localhost:{pages.port}"
    page = open_application(somebody, f"{origin}/")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        granted = page.evaluate(
            """async (url) => (await fetch(url, {
                method: "POST", credentials: "include", body: "{}",
                headers: {"Content-Type": "application/json", "X-Ostiary-Device": "x", "Authorization": "Bearer x"},
            })).status""",
            f"{ostiary.url}/auth/signin",
        )
    assert granted == 400  # and no TypeError: all three headers went through
    headers = answered.value.all_headers()
    assert headers["access-control-allow-origin"] == origin
    assert headers["access-control-allow-credentials"] == "true"
    seen = [event for event in ostiary.events() if event.get("method") == "OPTIONS"]
    assert seen
    assert {event["status"] for event in seen} == {204}


def test_a_front_end_can_read_how_long_to_wait(somebody: BrowserContext, ostiary: Server, pages: Pages) -> None:
    page = open_application(somebody, f"http://localhost:{pages.port}/")
    for _ in range(3):
        assert ask(page, "resend", {"email": new_address()})["status"] == "verification_sent"
    refusal = ask(page, "resend", {"email": new_address()})
    assert (refusal["status"], refusal["code"]) == (429, "rate_limited")
    assert 0 < refusal["wait"] <= 900
    read = page.evaluate(
        """async (url) => {
            const answer = await fetch(url, {method: "POST", headers: {"Content-Type": "application/json"},
                                             body: JSON.stringify({email: "ada@example.com"})});
            return ["Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"].map((it) => answer.headers.get(it));
        }""",
        f"{ostiary.url}/auth/resend-verification",
    )
    assert all(read), read


def test_the_other_name_of_this_machine_is_another_site(
    somebody: BrowserContext, ostiary: Server, pages: Pages
) -> None:
    """docs/front-end.md warns of it: the answer can be read, and the cookie is not kept."""
    email = new_address("name")
    make_member(ostiary, email)
    page = open_application(somebody, f"http://127.0.0.1:{pages.port}/")
    assert ask(page, "signIn", {"email": email, "password": PASSWORD})["user"]["email"] == email
    assert ask(page, "me")["code"] == "unauthenticated"


def test_two_tabs_may_refresh_at_once_and_the_built_in_pages_take_the_same_cookie(
    somebody: BrowserContext, ostiary: Server, pages: Pages
) -> None:
    email = new_address("tabs")
    make_member(ostiary, email)
    tabs = [open_application(somebody, f"http://localhost:{pages.port}/") for _ in range(2)]
    ask(tabs[0], "signIn", {"email": email, "password": PASSWORD})
    for _ in range(3):
        before = cookies(somebody)["ostiary"]["value"]
        ostiary.let_sessions_age(GRACE + 1)
        for tab in tabs:
            tab.evaluate("void (window.asked = Promise.all([1, 2, 3].map(() => ostiary.refresh())))")
        for tab in tabs:
            assert [answer["user"]["email"] for answer in tab.evaluate("asked")] == [email] * 3
        assert cookies(somebody)["ostiary"]["value"] != before
        assert [ask(tab, "me")["email"] for tab in tabs] == [email] * 2

    account = somebody.new_page()
    account.goto(f"{ostiary.url}/auth/account".replace("127.0.0.1", "localhost"))
    expect(account.locator("#who")).to_contain_text(email)
    account.get_by_role("button", name="Sign out").click()
    account.wait_for_url("**/auth/signin")
    assert [ask(tab, "me")["code"] for tab in tabs] == ["unauthenticated"] * 2
    assert ask(tabs[0], "refresh")["code"] == "unauthenticated"


# -- Another name of the same site, by https --


def test_a_front_end_at_another_name_has_host_bound_cookies(somebody: BrowserContext, town: Town) -> None:
    """A 3.3.1-3.3.4, A 3.4.1: what the browser made of them, not what was sent."""
    email = new_address("sibling")
    page = open_application(somebody, town.origin("app.example.test") + "/")
    assert ask(page, "signUp", form(email))["status"] == "verification_sent"
    link = link_in(town.mail.letters(email)[-1])
    assert link.startswith(town.origin("app.example.test") + "/auth/verify?")
    page.goto(link)
    with page.expect_response(f"{town.auth}/auth/verify-email") as answered:
        confirm(page)
    expect(page.get_by_text(f"Welcome, {email}")).to_be_visible()
    assert "max-age=31536000" in answered.value.all_headers()["strict-transport-security"]

    page = open_application(somebody, town.origin("app.example.test") + "/")
    assert ask(page, "me")["email"] == email
    jar = cookies(somebody)
    assert jar.keys() == {"__Host-ostiary", "__Host-ostiary-signup", "__Host-ostiary-device"}
    for cookie in jar.values():
        assert (cookie["domain"], cookie["path"]) == ("auth.example.test", "/")
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"]) == (True, "Lax", True)
    assert page.evaluate("document.cookie") == ""

    before = jar["__Host-ostiary"]["value"]
    town.server.let_sessions_age(GRACE + 1)
    assert ask(page, "refresh")["expires_in"] == 900
    assert cookies(somebody)["__Host-ostiary"]["value"] != before
    assert ask(page, "signOut") is None
    assert "__Host-ostiary" not in cookies(somebody)
    assert ask(page, "signIn", {"email": email, "password": PASSWORD})["user"]["email"] == email
    assert ask(page, "me")["email"] == email


# -- Another site --


def test_a_front_end_on_another_site_needs_no_cookie_at_any_point(somebody: BrowserContext, town: Town) -> None:
    """DESIGN section 6: token transport, with the sign-up's password beside the letter's token."""
    sent: list[str] = []
    set_: list[str] = []
    somebody.on("request", lambda request: sent.extend(filter(None, [request.header_value("cookie")])))
    somebody.on(
        "response",
        lambda answer: set_.extend(
            f"{urlsplit(answer.url).path} {cookie}" for cookie in answer.header_values("set-cookie")
        ),
    )
    email = new_address("other")
    front_end = town.origin("app.other.test") + "/elsewhere"
    page = open_application(somebody, front_end + "/")
    assert ask(page, "signUp", form(email))["status"] == "verification_sent"
    link = link_in(town.mail.letters(email)[-1])

    page.goto(f"{front_end}/auth/verify?{urlsplit(link).query}")
    confirm(page)
    page.get_by_label("Password from sign-up").fill(PASSWORD)
    confirm(page)
    expect(page.get_by_text(f"Welcome, {email}")).to_be_visible()
    device = page.evaluate("localStorage.getItem('ostiary.device')")
    assert device

    page = open_application(somebody, front_end + "/")
    assert ask(page, "me")["code"] == "unauthenticated"  # another page, another memory
    with page.expect_request(f"{town.auth}/auth/signin") as asked:
        entered = ask(page, "signIn", {"email": email, "password": PASSWORD})
    assert asked.value.all_headers()["x-ostiary-device"] == device
    assert page.evaluate("localStorage.getItem('ostiary.device')") == entered["device_token"]
    assert ask(page, "me")["email"] == email
    town.server.let_sessions_age(GRACE + 1)
    renewed = ask(page, "refresh")
    assert renewed["refresh_token"] != entered["refresh_token"]
    assert ask(page, "me")["email"] == email
    assert ask(page, "signOut") is None
    assert ask(page, "me")["code"] == "unauthenticated"
    assert page.evaluate("Object.keys(localStorage)") == ["ostiary.device"]

    assert somebody.cookies() == []
    assert sent == []
    assert {line.split("=")[0] for line in set_} <= {"/auth/signup __Host-ostiary-signup"}


def test_the_cookies_of_a_visitor_are_not_sent_from_another_site(somebody: BrowserContext, town: Town) -> None:
    """Which is why there is another way: listed or not, the cookie module does not work there."""
    email = signed_in(somebody, town)
    page = open_application(somebody, town.origin("app.other.test") + "/")
    assert ask(page, "me")["code"] == "unauthenticated"
    assert ask(page, "refresh")["code"] == "unauthenticated"
    assert ask(page, "signOut")["code"] == "unauthenticated"
    home = open_application(somebody, town.origin("app.example.test") + "/")
    assert ask(home, "me")["email"] == email


def signed_in(context: BrowserContext, town: Town) -> str:
    """Have somebody new signed in by cookie; their address."""
    email = new_address("visitor")
    page = open_application(context, town.origin("app.example.test") + "/")
    ask(page, "signUp", form(email))
    assert ask(page, "verify", {"token": town.mail.token(email)})["user"]["email"] == email
    page.close()
    return email


# -- A strict session cookie --


@pytest.mark.parametrize("where", ["app.example.test", "auth.example.test"], ids=["own page", "built-in page"])
def test_under_strict_a_link_opened_from_another_site_still_verifies(
    somebody: BrowserContext, strict_town: Town, where: str
) -> None:
    """The sign-up cookie stays Lax: no password is asked for in the browser that signed up."""
    town = strict_town
    email = new_address("strict")
    ask(open_application(somebody, town.origin("app.example.test") + "/"), "signUp", form(email))
    link = link_in(town.mail.letters(email)[-1]).replace(town.origin("app.example.test"), town.origin(where))

    webmail = somebody.new_page()
    webmail.goto(town.origin("mail.other.test"))
    webmail.evaluate(
        "(link) => document.body.append(Object.assign(document.createElement('a'), {href: link, text: 'Open'}))", link
    )
    webmail.get_by_text("Open").click()
    with webmail.expect_response(f"{town.auth}/auth/verify-email") as answered:
        confirm(webmail)
    assert answered.value.status == 200

    jar = cookies(somebody)
    assert jar["__Host-ostiary"]["sameSite"] == "Strict"
    assert jar["__Host-ostiary-signup"]["sameSite"] == "Lax"
    page = open_application(somebody, town.origin("app.example.test") + "/")
    assert ask(page, "me")["email"] == email

    # Coming back from another site, one is still signed in.
    webmail.goto(town.origin("mail.other.test"))
    with webmail.expect_navigation():
        webmail.evaluate("(url) => location.assign(url)", f"{town.auth}/auth/account")
    expect(webmail.locator("#who")).to_contain_text(email)
