"""The built-in pages in a real browser: what a person sees, by mouse and by keyboard, wide and narrow."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Visitor, run_browser, tab_to, visit
from tests.support.http_requests import PASSWORD, free_port, make_member, new_address, sign_in, sign_up
from tests.support.server import Server, run_server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all; each visitor has cookies of their own."""
    with run_browser() as running:
        yield running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server at a port it knows, so that its letters lead back to it."""
    with run_server(tmp_path_factory.mktemp("house"), {"OSTIARY_PORT": str(free_port())}) as running:
        yield running


@pytest.fixture
def ada(browser: Browser, house: Server) -> Iterator[Visitor]:
    """Somebody new."""
    with visit(browser, house.url) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def passer_by(browser: Browser, house: Server) -> Iterator[Visitor]:
    """Somebody who opens one page after the other and leaves nothing at any: who is new each time costs a second."""
    with visit(browser, house.url) as visitor:
        yield visitor


def join(visitor: Visitor, email: str, password: str = PASSWORD) -> Page:
    """Fill in the sign-up page and send it off."""
    page = visitor.open("/auth/signup")
    page.get_by_label("Name", exact=True).fill("Ada Lovelace")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/auth/check-inbox")
    return page


def link_for(house: Server, email: str) -> str:
    """The link in the newest letter."""
    return str(house.inbox(email)[0]["link"])


def expect_account(page: Page, who: str) -> None:
    """The account page recognises somebody."""
    page.wait_for_url("**/auth/account")
    expect(page.locator("#who")).to_contain_text(who)


def test_somebody_signs_up_confirms_leaves_and_comes_back(ada: Visitor, house: Server) -> None:
    """R93: the whole way, by mouse."""
    email = new_address("browser")
    page = join(ada, email)
    expect(page.get_by_text(f"We have written to {email}")).to_be_visible()
    house.inbox(email)

    page.get_by_role("link", name="Development inbox").click()
    with ada.context.expect_page() as opened:  # beside the inbox, which stays open
        page.locator("article", has_text=email).get_by_role("link", name="Open the link").click()
    page = opened.value
    page.wait_for_url("**/auth/verify")
    assert "token" not in page.url
    assert "token" not in page.evaluate("JSON.stringify([location.href, document.referrer, history.state])")
    expect(page.get_by_text(email)).to_be_visible()

    page.get_by_role("button", name="Confirm my address").click()
    expect_account(page, f"Ada Lovelace ({email})")
    expect(page.get_by_text("Address verified")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/auth/signin")
    ada.open("/auth/account")
    page.wait_for_url("**/auth/signin")

    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect_account(page, email)


def test_no_script_can_read_the_session_and_nothing_is_left_in_storage(ada: Visitor, house: Server) -> None:
    """A 10.1.1."""
    email = new_address("browser")
    page = join(ada, email)
    ada.open(link_for(house, email))
    page.get_by_role("button", name="Confirm my address").click()
    expect_account(page, email)
    assert page.evaluate("document.cookie") == ""
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert email not in kept
    for cookie in ada.context.cookies():
        assert cookie["value"] not in kept
        assert cookie["httpOnly"]
    assert house.token(email) not in kept


def test_in_another_browser_the_password_is_asked_for(browser: Browser, ada: Visitor, house: Server) -> None:
    """DESIGN section 2 (b)."""
    email = new_address("browser")
    join(ada, email)
    with visit(browser, house.url) as elsewhere:
        page = elsewhere.open(link_for(house, email))
        page.get_by_role("button", name="Confirm my address").click()
        password = page.get_by_label("Password from sign-up")
        expect(page.get_by_role("heading", name="Your password, please")).to_be_focused()

        password.fill("not the one at all")
        page.get_by_role("button", name="Confirm my address").click()
        expect(page.locator("#password-error")).to_contain_text("not the password chosen at sign-up")
        expect(password).to_have_attribute("aria-invalid", "true")
        expect(password).to_be_focused()

        password.fill(PASSWORD)
        page.get_by_role("button", name="Confirm my address").click()
        expect_account(page, f"Ada Lovelace ({email})")


def test_whoever_reads_the_mailbox_can_choose_a_new_password(browser: Browser, ada: Visitor, house: Server) -> None:
    """DESIGN section 2 (c): a stranger signed up with my address, and gains nothing when I click."""
    email = new_address("browser")
    join(ada, email, "a stranger's own choice")
    with visit(browser, house.url) as owner:
        page = owner.open(link_for(house, email))
        page.get_by_role("button", name="Confirm my address").click()
        page.get_by_role("button", name=re.compile("choose a new password")).click()
        expect(page.get_by_role("heading", name="Choose a new password")).to_be_focused()

        page.get_by_label("New password", exact=True).fill("passwordpassword")
        page.get_by_role("button", name="Set password and confirm").click()
        expect(page.locator("#new-password-error")).to_contain_text("lists that attackers try first")
        expect(page.get_by_label("New password", exact=True)).to_have_attribute("aria-invalid", "true")

        page.get_by_label("New password", exact=True).fill("the owner's own choice")
        page.get_by_role("button", name="Set password and confirm").click()
        expect_account(page, email)
        expect(page.locator("#who")).to_have_text(email)  # and not the name that the stranger gave
    with house.client() as client:
        assert sign_in(client, email, "a stranger's own choice").status_code == 401
        assert sign_in(client, email, "the owner's own choice").status_code == 200


def test_opening_the_link_changes_nothing(browser: Browser, ada: Visitor, house: Server) -> None:
    """A 3.5.3: mail scanners open links, some of them in a real browser (SECURITY 2.5)."""
    email = new_address("browser")
    page = join(ada, email)
    link = link_for(house, email)
    with house.client() as client:
        for method in ("HEAD", "GET", "OPTIONS"):
            assert client.request(method, link).status_code in (200, 204)
    with visit(browser, house.url) as scanner:
        scanner.open(link).wait_for_load_state("networkidle")
        assert scanner.context.cookies() == []
    ada.open(link)
    page.get_by_role("button", name="Confirm my address").click()
    expect_account(page, email)


def test_a_used_link_says_so_to_its_owner_only(browser: Browser, ada: Visitor, house: Server) -> None:
    email = new_address("browser")
    page = join(ada, email)
    link = link_for(house, email)
    ada.open(link)
    page.get_by_role("button", name="Confirm my address").click()
    expect_account(page, email)
    ada.open(link)
    page.get_by_role("button", name="Confirm my address").click()
    expect(page.get_by_role("heading", name="already verified")).to_be_visible()
    with visit(browser, house.url) as stranger:
        other = stranger.open(link)
        other.get_by_role("button", name="Confirm my address").click()
        expect(other.get_by_role("heading", name="This link no longer works")).to_be_visible()


@pytest.mark.parametrize("query", ["?token=nonsense", "?token=" + "A" * 43, "?token=%3Cscript%3Ealert(1)%3C/script%3E"])
def test_a_link_that_is_none_leads_on(passer_by: Visitor, query: str) -> None:
    page = passer_by.open("/auth/verify" + query)
    page.get_by_role("button", name="Confirm my address").click()
    expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Sign in")).to_be_visible()
    assert passer_by.troubles == []


def test_the_page_without_a_link_says_what_is_missing(passer_by: Visitor) -> None:
    page = passer_by.open("/auth/verify")
    expect(page.get_by_role("heading", name="Please open the link in the letter")).to_be_visible()
    assert passer_by.troubles == []


def test_text_in_a_link_is_only_text(passer_by: Visitor) -> None:
    page = passer_by.open("/auth/verify?token=x&email=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%40example.com")
    expect(page.get_by_text("<img src=x onerror=alert(1)>@example.com")).to_be_visible()
    assert page.locator("main img").count() == 0
    assert passer_by.troubles == []


def test_errors_stand_beside_their_fields_and_the_first_one_has_the_focus(ada: Visitor) -> None:
    page = ada.open("/auth/signup")
    page.get_by_role("button", name="Sign up").click()
    for name in ("name", "email", "password"):
        field = page.locator(f"#{name}")
        expect(field).to_have_attribute("aria-invalid", "true")
        assert f"{name}-error" in (field.get_attribute("aria-describedby") or "").split()
        expect(page.locator(f"#{name}-error")).not_to_be_empty()
    expect(page.locator("#name")).to_be_focused()

    page.get_by_label("Name", exact=True).fill("Ada")
    expect(page.locator("#name")).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#name-error")).to_be_empty()
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator("#email")).to_be_focused()


def test_what_only_the_server_knows_is_shown_beside_the_field_as_well(ada: Visitor) -> None:
    page = ada.open("/auth/signup")
    page.get_by_label("Name", exact=True).fill("Ada")
    page.get_by_label("E-mail address").fill(new_address("browser"))
    page.get_by_label("Password", exact=True).fill("passwordpassword")
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator("#password-error")).to_contain_text("lists that attackers try first")
    expect(page.locator("#password")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#password")).to_be_focused()
    expect(page.locator("#password")).to_have_value("passwordpassword")
    # No praise stays beside it, until it is another.
    expect(page.locator("#password-strength")).to_have_attribute("data-level", "1")
    expect(page.locator("#password-hint")).to_be_empty()
    page.get_by_label("Password", exact=True).press_sequentially("!")
    expect(page.locator("#password-hint")).to_contain_text("Long enough")
    expect(page.get_by_role("button", name="Sign up")).to_be_enabled()


def test_a_wrong_password_at_sign_in_is_said_once_and_aloud(ada: Visitor, house: Server) -> None:
    email = new_address("browser")
    make_member(house, email)
    page = ada.open("/auth/signin")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill("not the one at all")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("password is not right")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()


def test_the_letter_can_be_asked_for_again(ada: Visitor, house: Server) -> None:
    email = new_address("browser")
    page = join(ada, email)
    house.inbox(email)  # the first has left, or else the second would take its place
    # The page waits a minute before it offers another letter; its own clock is moved on.
    page.evaluate("sessionStorage.removeItem('ostiary.resend-at')")
    page.reload()
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_role("status")).to_contain_text("another letter is on its way")
    ada.open(str(house.inbox(email, at_least=2)[0]["link"]))
    page.get_by_role("button", name="Confirm my address").click()
    expect_account(page, email)


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server where verification is optional."""
    variables = {"OSTIARY_PORT": str(free_port()), "OSTIARY_VERIFICATION": "optional"}
    with run_server(tmp_path_factory.mktemp("open-house"), variables) as running:
        yield running


def fill_in_and_join(visitor: Visitor, email: str, password: str = PASSWORD) -> Page:
    """Fill in the sign-up page where verification is optional, and send it off."""
    page = visitor.open("/auth/signup")
    page.get_by_label("Name", exact=True).fill("Ada Lovelace")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign up").click()
    return page


def test_where_verification_is_optional_somebody_is_in_at_once_and_confirms_later(
    browser: Browser, open_house: Server
) -> None:
    """R14."""
    email = new_address("browser")
    with visit(browser, open_house.url, width=320) as visitor:
        page = fill_in_and_join(visitor, email)
        expect_account(page, f"Ada Lovelace ({email})")
        expect(page.get_by_role("status").filter(has_text="We have written to")).to_contain_text(email)
        expect(page.get_by_text("Address not verified yet")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        open_house.inbox(email)

        page.evaluate("sessionStorage.removeItem('ostiary.resend-at')")
        page.reload()
        page.get_by_role("button", name="Send the letter again").click()
        expect(page.get_by_role("status").filter(has_text="Another letter")).to_contain_text(email)

        visitor.open(str(open_house.inbox(email, at_least=2)[0]["link"]))
        page.get_by_role("button", name="Confirm my address").click()
        expect_account(page, email)
        expect(page.get_by_text("Address verified")).to_be_visible()
        expect(page.get_by_role("button", name="Send the letter again")).to_be_hidden()
        assert email not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


def test_the_owner_of_an_address_that_is_taken_is_shown_the_way_in(browser: Browser, open_house: Server) -> None:
    """SECURITY 2.2."""
    email = new_address("browser")
    with visit(browser, open_house.url) as stranger, visit(browser, open_house.url) as owner:
        expect_account(fill_in_and_join(stranger, email, "a stranger's own choice"), email)
        open_house.inbox(email)
        page = fill_in_and_join(owner, email)
        expect(page.locator("#email-error")).to_contain_text("has an account already")
        expect(page.get_by_label("E-mail address")).to_be_focused()
        page.get_by_role("link", name="a letter sent").click()
        page.get_by_label("E-mail address").fill(email)
        page.get_by_role("button", name="Send it again").click()
        expect(page.get_by_role("status")).to_contain_text("another letter is on its way")

        owner.open(str(open_house.inbox(email, at_least=2)[0]["link"]))
        page.get_by_role("button", name="Confirm my address").click()
        page.get_by_role("button", name=re.compile("choose a new password")).click()
        expect(page.get_by_text("whoever is signed in is signed out")).to_be_visible()
        page.get_by_label("New password", exact=True).fill("the owner's own choice")
        page.get_by_role("button", name="Set password and confirm").click()
        expect_account(page, email)
        expect(page.locator("#who")).to_have_text(email)  # and not the name that the stranger gave
        stranger.open("/auth/account")
        stranger.page.wait_for_url("**/auth/signin")


def test_a_password_can_be_looked_at_while_it_is_typed(passer_by: Visitor) -> None:
    page = passer_by.open("/auth/signup")
    password = page.get_by_label("Password", exact=True)
    password.fill(PASSWORD)
    page.get_by_role("button", name="Show password").click()
    expect(password).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(password).to_have_attribute("type", "password")
    assert passer_by.troubles == []


def test_somebody_signs_up_and_in_by_keyboard_alone(ada: Visitor, house: Server) -> None:
    email = new_address("browser")
    page = ada.open("/auth/signup")
    for name, text in {"name": "Ada", "email": email, "password": PASSWORD}.items():
        tab_to(page, f"#{name}")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/auth/check-inbox")

    ada.open(link_for(house, email))
    tab_to(page, "#confirm")
    page.keyboard.press("Enter")
    expect_account(page, email)
    tab_to(page, "#sign-out")
    page.keyboard.press("Space")
    page.wait_for_url("**/auth/signin")

    for name, text in {"email": email, "password": PASSWORD}.items():
        tab_to(page, f"#{name}")
        page.keyboard.type(text)
    tab_to(page, "#submit")
    page.keyboard.press("Enter")
    expect_account(page, email)


PAGES = [
    "/auth/signup",
    "/auth/check-inbox",
    "/auth/verify",
    "/auth/verify?token=x&email=somebody-with-a-really-long-address-that-goes-on@a-long-domain-name.example.com",
    "/auth/signin",
    "/auth/forgot",
    "/auth/reset",
    "/auth/reset?token=x&email=somebody-with-a-really-long-address-that-goes-on@a-long-domain-name.example.com",
    "/auth/confirm-email-change",
    "/auth/confirm-email-change?token=x&email=somebody-with-a-really-long-address@a-long-domain-name.example.com",
    "/auth/undo",
    "/auth/undo?token=x",
    "/dev/inbox",
    "/docs",
]


@pytest.fixture(scope="module")
def narrow(browser: Browser, house: Server) -> Iterator[Visitor]:
    """Somebody who passes by with a screen of 320 CSS pixels."""
    with visit(browser, house.url, width=320) as visitor:
        yield visitor


@pytest.mark.parametrize("path", PAGES)
def test_a_narrow_screen_is_enough(narrow: Visitor, path: str) -> None:
    """320 CSS pixels (WCAG 1.4.10), in light and in dark; nothing is scrolled sideways."""
    page = narrow.open(path)
    page.wait_for_load_state("networkidle")
    for dark in (False, True):
        page.emulate_media(color_scheme="dark" if dark else "light")
        assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == dark
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert narrow.troubles == []


def test_the_steps_after_the_letter_fit_a_narrow_screen(browser: Browser, house: Server) -> None:
    email = "a-really-long-name-that-goes-on-and-on-" + new_address("for-ever")
    with house.client() as client:
        assert sign_up(client, email).status_code == 202
    with visit(browser, house.url, width=320) as visitor:
        page = visitor.open(link_for(house, email))
        page.get_by_role("button", name="Confirm my address").click()
        expect(page.get_by_role("heading", name="Your password, please")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.get_by_role("button", name=re.compile("choose a new password")).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Set password and confirm").click()
        expect_account(page, email)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_name_a_heading_and_labels(passer_by: Visitor, path: str) -> None:
    page = passer_by.open(path)
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title()
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("main").count() == 1
    nameless = page.evaluate(
        "[...document.querySelectorAll('input')].filter(i => !i.labels.length && !i.ariaLabel).map(i => i.id)"
    )
    assert nameless == []
    assert passer_by.troubles == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_developer_may_type_either_name_of_this_machine(browser: Browser, house: Server, host: str) -> None:
    origin = house.url.replace("127.0.0.1", host)
    email = new_address("browser")
    with visit(browser, origin) as visitor:
        page = join(visitor, email)
        visitor.open(link_for(house, email).replace("127.0.0.1", host))
        page.get_by_role("button", name="Confirm my address").click()
        expect_account(page, email)
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/auth/signin")


@pytest.fixture(scope="module")
def without_scripts(browser: Browser, house: Server) -> Iterator[Visitor]:
    """Somebody who passes by and runs none."""
    with visit(browser, house.url, java_script_enabled=False) as visitor:
        yield visitor


@pytest.mark.parametrize(
    "path",
    [
        "/auth/signup",
        "/auth/signin",
        "/auth/verify",
        "/auth/forgot",
        "/auth/reset",
        "/auth/confirm-email-change",
        "/auth/undo",
        "/auth/account",
    ],
)
def test_without_the_script_nothing_typed_would_end_up_in_the_address_bar(without_scripts: Visitor, path: str) -> None:
    page = without_scripts.open(path)
    assert "This page needs JavaScript" in page.content()
    forms = page.locator("form")
    assert forms.count() >= 1
    assert {forms.nth(number).get_attribute("method") for number in range(forms.count())} == {"post"}
    assert without_scripts.troubles == []


def test_letters_are_read_as_html_text_and_source_and_their_link_is_opened(ada: Visitor, house: Server) -> None:
    email = new_address("browser")
    join(ada, email)
    link = link_for(house, email)
    page = ada.open("/dev/inbox")
    page.get_by_label("Find by recipient or subject").fill(email)
    page.locator("[data-letter]").click()
    letter = page.get_by_role("article")
    expect(letter.get_by_role("heading")).to_have_text("Confirm your e-mail address for Ostiary")
    expect(letter).to_contain_text(email)
    expect(letter.get_by_role("link", name="Open the link")).to_have_attribute("href", link)
    with ada.context.expect_page() as opened:
        letter.frame_locator("iframe").get_by_role("link", name="Confirm my address").click()
    assert opened.value.url == link
    opened.value.close()
    letter.get_by_role("button", name="Text").click()
    expect(page.locator("#plain")).to_contain_text("Somebody, probably you, signed up with this address.")
    expect(page.locator("#plain")).to_have_css("unicode-bidi", "plaintext")  # each line in its own direction
    page.keyboard.press("s")
    expect(page.locator("#plain")).to_contain_text("Auto-Submitted: auto-generated")
    expect(page.locator("#plain")).not_to_have_css("unicode-bidi", "plaintext")


def test_new_letters_appear_by_themselves_and_the_chosen_one_stays(ada: Visitor, house: Server) -> None:
    first, second = new_address("first"), new_address("second")
    with house.client() as client:
        assert sign_up(client, first).status_code == 202
        house.inbox(first)
        page = ada.open("/dev/inbox")
        page.locator("[data-letter]", has_text=first).click()
        page.keyboard.press("t")
        assert sign_up(client, second).status_code == 202
        fresh = page.locator("[data-letter]", has_text=second)
        expect(fresh).to_have_class("entry unread")
    expect(page.locator("#to")).to_have_text(first)
    expect(page.locator("#plain")).to_be_visible()
    page.keyboard.press("k")
    expect(page.locator("#to")).to_have_text(second)
    expect(fresh).to_have_class("entry")
    page.reload()
    expect(page.locator("#to")).to_have_text(second)
    expect(fresh).to_have_class("entry")


def test_a_hostile_letter_runs_nothing_and_loads_nothing(ada: Visitor, house: Server) -> None:
    (house.folder / "ostiary-data" / "inbox").mkdir(parents=True, exist_ok=True)
    (house.folder / "ostiary-data" / "inbox" / "hostile.eml").write_text(
        "From: eve@evil.example\nTo: <img src=x onerror=\"document.title='ran'\">@evil.example\n"
        "Subject: <script>document.title = 'ran'</script>\nDate: Sat, 21 Nov 2026 17:00:00 +0000\n"
        "Content-Type: text/html; charset=utf-8\n\n<!doctype html><head></head><h1>Evil</h1>"
        "<script>top.document.title = 'ran'</script><img src=x onerror=\"top.document.title = 'ran'\">"
    )
    page = ada.open("/dev/inbox#hostile")
    expect(page.frame_locator("#page").get_by_role("heading", name="Evil")).to_be_visible()
    expect(page.locator("#subject")).to_have_text("<script>document.title = 'ran'</script>")
    assert "ran" not in page.title().split(" · ")[0].split()
    # What the browser says of the script and the picture that it did not take is what is wanted here.
    assert ada.troubles
    ada.troubles.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_letter_fits_a_narrow_screen(browser: Browser, house: Server, scheme: str) -> None:
    email = "a-really-long-name-that-goes-on-and-on-" + new_address("for-ever")
    with house.client() as client:
        assert sign_up(client, email).status_code == 202
    with visit(browser, house.url, width=320, color_scheme=scheme) as visitor:
        page = visitor.open(house.inbox(email)[0]["html_url"])
        expect(page.get_by_role("heading")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(243, 242, 237)", "dark": "rgb(17, 23, 24)"}[scheme]
