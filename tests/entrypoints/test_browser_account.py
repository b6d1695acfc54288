"""The pages of an account's life in a real browser: forgotten, changed, ended, deleted, and taken back."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Visitor, run_browser, tab_to, visit
from tests.support.http_requests import PASSWORD, free_port, make_member, new_address, sign_in, sign_up
from tests.support.server import Server, run_server, token_of, wait_for

pytestmark = pytest.mark.browser

NEW_PASSWORD = "the countess's own choice"
HOUR = 3600
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all; each visitor has cookies of their own."""
    with run_browser() as running:
        yield running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server at a port it knows, so that its letters lead back to it."""
    variables = {"OSTIARY_PORT": str(free_port()), "OSTIARY_USERNAME": "optional"}
    with run_server(tmp_path_factory.mktemp("house"), variables) as running:
        yield running


@pytest.fixture
def email(house: Server) -> str:
    """Ada's address; she has an account."""
    address = new_address("ada.account")
    make_member(house, address)
    return address


@pytest.fixture
def ada(browser: Browser, house: Server) -> Iterator[Visitor]:
    """Ada, at a browser in which she is not signed in."""
    with visit(browser, house.url) as visitor:
        yield visitor


@pytest.fixture
def mallory(browser: Browser, house: Server) -> Iterator[Visitor]:
    """Somebody at another browser."""
    with visit(browser, house.url) as visitor:
        yield visitor


def enter(visitor: Visitor, email: str, password: str = PASSWORD) -> Page:
    """Sign in by the page, and arrive at the account."""
    page = visitor.open("/auth/signin")
    page.get_by_label("E-mail or username").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect_account(page, email)
    return page


def expect_account(page: Page, email: str) -> None:
    """The account page recognises somebody, and has asked for all it shows: nothing of it is on its way any more."""
    page.wait_for_url("**/auth/account")
    expect(page.locator("#who")).to_contain_text(email)
    expect(page.locator("#sessions-list li").first).to_be_visible()
    expect(page.locator("#events-list li").first).to_be_visible()


def link_in(house: Server, email: str, subject: str, *, after: str = "") -> str:
    """The link in the newest letter to an address whose subject says that; in one after the letter with that link."""

    def look() -> str | None:
        newest = next((str(one["link"]) for one in house.inbox(email) if subject in one["subject"]), None)
        return newest if newest != after else None

    link: str = wait_for(look, f"a letter to {email} that says {subject!r}")
    return link


def reset_link(house: Server, email: str) -> str:
    """Of a letter that somebody has asked for."""
    with house.client() as client:
        assert client.post("/auth/forgot-password", json={"email": email}).status_code == 202
    return link_in(house, email, "Choose a new password")


def choose_password(page: Page, password: str = NEW_PASSWORD) -> None:
    """On the page to reset, as far as it goes."""
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_role("button", name="Set new password").click()


def change_email(page: Page, email: str) -> None:
    """On the account page, just after signing in."""
    page.get_by_text("Change e-mail address").click()
    page.get_by_label("New e-mail address").fill(email)
    page.get_by_role("button", name="Change address").click()
    expect(page.locator("#security-status")).to_contain_text(f"If {email} can be used")


def delete_account(page: Page, password: str = PASSWORD) -> None:
    """On the account page."""
    page.get_by_text("Delete this account").click()
    page.locator("#delete-password").fill(password)
    page.get_by_role("button", name="Delete my account").click()


def take_back(page: Page, email: str) -> None:
    """On the page to undo."""
    page.get_by_role("button", name="Take my account back").click()
    expect(page.get_by_role("heading", name="It is yours again")).to_be_focused()
    expect(page.get_by_text(f"We have written to {email}")).to_be_visible()


def is_in(house: Server, email: str, password: str) -> bool:
    """Whether the password signs in."""
    with house.client() as client:
        return sign_in(client, email, password).status_code == 200


def test_a_forgotten_password_is_replaced_by_a_letters_link(ada: Visitor, house: Server, email: str) -> None:
    """R94: the whole way, by mouse."""
    page = ada.open("/auth/signin")
    page.get_by_label("E-mail or username").fill(email)
    page.get_by_role("link", name="Forgot your password?").click()
    expect(page.get_by_label("E-mail address")).to_have_value(email)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_focused()
    expect(page.get_by_text(f"If there is an account for {email}")).to_be_visible()

    link = link_in(house, email, "Choose a new password")
    ada.open(link)
    assert "token" not in page.evaluate("JSON.stringify([location.href, document.referrer, history.state])")
    expect(page.get_by_text(f"For {email}")).to_be_visible()
    expect(page.locator("input[autocomplete=username]")).to_have_value(email)
    page.reload()  # and is still good
    choose_password(page)
    expect(page.get_by_role("heading", name="Your new password is set")).to_be_focused()
    assert token_of(link) not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")

    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    expect(page.get_by_label("E-mail or username")).to_have_value(email)
    page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect_account(page, email)
    assert email not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert not is_in(house, email, PASSWORD)


def test_the_page_says_the_same_to_an_address_without_an_account(ada: Visitor, house: Server) -> None:
    stranger = new_address("nobody")
    page = ada.open("/auth/forgot")
    page.get_by_label("E-mail address").fill(stranger)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_text(f"If there is an account for {stranger}")).to_be_visible()
    expect(page.get_by_role("button", name="Send it again")).to_be_disabled()
    page.get_by_role("button", name="Use another address").click()
    expect(page.get_by_label("E-mail address")).to_be_focused()


def test_the_reset_letter_can_be_asked_for_again(ada: Visitor, house: Server, email: str) -> None:
    page = ada.open("/auth/forgot")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send me the link").click()
    older = link_in(house, email, "Choose a new password")
    # The page waits a minute before it offers another letter; its own clock is moved on.
    page.evaluate("sessionStorage.removeItem('ostiary.forgot-at')")
    page.reload()
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_focused()
    link_in(house, email, "Choose a new password", after=older)
    ada.open(older)
    choose_password(page)
    expect(page.get_by_role("heading", name="This link no longer works")).to_be_focused()


def test_the_policy_is_applied_beside_the_field_and_nothing_is_spent(ada: Visitor, house: Server, email: str) -> None:
    page = ada.open(reset_link(house, email))
    field = page.get_by_label("New password", exact=True)
    expect(field).to_have_attribute("passwordrules", "minlength: 12; maxlength: 128; allowed: unicode")
    choose_password(page, "short")
    expect(page.locator("#new-password-error")).to_contain_text("at least 12")
    expect(page.locator("#new-password-strength")).to_have_attribute("data-level", "1")
    choose_password(page, "passwordpassword")
    expect(page.locator("#new-password-error")).to_contain_text("lists that attackers try first")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    choose_password(page)
    expect(page.get_by_role("heading", name="Your new password is set")).to_be_focused()


@pytest.mark.parametrize(
    ("path", "button"),
    [
        ("/auth/reset", "Set new password"),
        ("/auth/confirm-email-change", "Confirm my new address"),
        ("/auth/undo", "Take my account back"),
    ],
)
def test_a_link_that_is_none_leads_on(ada: Visitor, path: str, button: str) -> None:
    for query in ("", "?token=nonsense", "?token=" + "A" * 43, "?token=%3Cscript%3Ealert(1)%3C/script%3E"):
        page = ada.open(path + query)
        if not query:
            expect(page.get_by_role("heading", name="Please open the link in the letter")).to_be_visible()
            continue
        if path == "/auth/reset":
            page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("heading", name="This link no longer works")).to_be_focused()
        assert page.get_by_role("main").get_by_role("link").count() >= 1


def test_a_link_that_has_expired_is_replaced_at_a_click(ada: Visitor, house: Server, email: str) -> None:
    link = reset_link(house, email)
    house.sql("UPDATE one_time_tokens SET expires_at = '2000-01-01 00:00:00.000000'")
    page = ada.open(link)
    choose_password(page)
    expect(page.get_by_role("heading", name="This link has expired")).to_be_focused()
    page.get_by_role("button", name="Send me a fresh link").click()
    expect(page.get_by_role("status")).to_contain_text("another letter is on its way")
    ada.open(link_in(house, email, "Choose a new password", after=link))
    choose_password(page)
    expect(page.get_by_role("heading", name="Your new password is set")).to_be_focused()


def test_where_no_letter_can_be_asked_for_an_expired_link_says_what_to_do(
    ada: Visitor, house: Server, email: str
) -> None:
    other = new_address("moved")
    page = enter(ada, email)
    change_email(page, other)
    confirm = link_in(house, other, "Confirm your new e-mail address")
    with house.client() as client:
        assert sign_in(client, email).status_code == 200
        assert client.post("/auth/signout", json={"scope": "others"}).status_code == 204
    undo = link_in(house, email, "You were signed out of other devices")
    house.sql("UPDATE one_time_tokens SET expires_at = '2000-01-01 00:00:00.000000'")
    for link, button, way_on in (
        (confirm, "Confirm my new address", "Go to your account"),
        (undo, "Take my account back", "Choose a new password"),
    ):
        ada.open(link)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("heading", name="This link has expired")).to_be_focused()
        expect(page.get_by_role("link", name=way_on)).to_be_visible()


def test_an_address_is_changed_and_taken_back_by_its_owner(
    ada: Visitor, mallory: Visitor, house: Server, email: str
) -> None:
    """A 6.3.7: somebody at a browser that was left open moves the account; its owner has it back."""
    theirs = new_address("mallory")
    page = enter(mallory, email)
    change_email(page, theirs)
    mallory.open(link_in(house, theirs, "Confirm your new e-mail address"))
    expect(page.get_by_text(f"{theirs} is the address of your account")).to_be_visible()
    page.get_by_role("button", name="Confirm my new address").click()
    expect(page.get_by_role("heading", name="Your address is changed")).to_be_focused()
    page.get_by_role("link", name="Go to your account").click()
    expect_account(page, theirs)

    mine = ada.open(link_in(house, email, "Your e-mail address was changed"))
    assert "token" not in mine.url
    take_back(mine, email)
    page.reload()
    page.wait_for_url("**/auth/signin")
    assert not is_in(house, theirs, PASSWORD)
    assert not is_in(house, email, PASSWORD)

    ada.open(link_in(house, email, "Choose a new password"))
    choose_password(mine)
    expect(mine.get_by_role("heading", name="Your new password is set")).to_be_focused()
    enter(ada, email, NEW_PASSWORD)


def test_where_an_address_went_to_somebody_else_the_page_says_so_and_the_link_stays_good(
    ada: Visitor, mallory: Visitor, house: Server, email: str
) -> None:
    page = enter(ada, email)
    other = new_address("moved")
    change_email(page, other)
    ada.open(link_in(house, other, "Confirm your new e-mail address"))
    page.get_by_role("button", name="Confirm my new address").click()
    expect(page.get_by_role("heading", name="Your address is changed")).to_be_focused()
    undo = link_in(house, email, "Your e-mail address was changed")
    first = link_in(house, email, "Confirm your e-mail address")
    with house.client() as client:
        assert sign_up(client, email).status_code == 202
        token = token_of(link_in(house, email, "Confirm your e-mail address", after=first))
        assert client.post("/auth/verify-email", json={"token": token}).status_code == 200

    ada.open(undo)
    page.get_by_role("button", name="Take my account back").click()
    expect(page.get_by_role("heading", name="Your address belongs to another account")).to_be_focused()
    delete_account(enter(mallory, email))
    expect(mallory.page.get_by_role("heading", name="Your account is deleted")).to_be_focused()
    page.get_by_role("button", name="Try again").click()
    take_back(page, email)


def test_an_account_is_deleted_and_brought_back_within_the_week(ada: Visitor, house: Server, email: str) -> None:
    page = enter(ada, email)
    delete_account(page, "not the one at all")
    expect(page.locator("#delete-password-error")).to_contain_text("not your password")
    expect(page.locator("#delete-password")).to_be_focused()
    page.locator("#delete-password").fill(PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("heading", name="Your account is deleted")).to_be_focused()
    expect(page.get_by_text(f"We have written to {email}")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    assert not is_in(house, email, PASSWORD)
    page.reload()
    page.wait_for_url("**/auth/signin")

    ada.open(link_in(house, email, "Your account was deleted"))
    take_back(page, email)
    ada.open(link_in(house, email, "Choose a new password"))
    choose_password(page)
    expect(page.get_by_role("heading", name="Your new password is set")).to_be_focused()
    enter(ada, email, NEW_PASSWORD)


def test_sessions_are_seen_and_ended_from_another_browser(
    browser: Browser, ada: Visitor, mallory: Visitor, house: Server, email: str
) -> None:
    with visit(browser, house.url, user_agent=IPHONE) as phone:
        enter(phone, email)
        enter(mallory, email)
        house.let_sessions_age(3 * HOUR)
        page = enter(ada, email)
        rows = page.locator("#sessions-list li")
        expect(rows.first).to_contain_text("This one")
        expect(rows.first).to_contain_text("Active now")
        expect(rows.first.get_by_role("button")).to_have_count(0)
        expect(rows.filter(has_text="Safari on iOS")).to_contain_text("3 hours ago")
        expect(rows.filter(has_text="Safari on iOS")).to_contain_text("127.0.0.*")

        end = page.get_by_role("button", name=re.compile("End the session on Safari on iOS"))
        end.click()
        expect(page.get_by_role("dialog", name="End this session?")).to_be_visible()
        expect(page.get_by_role("button", name="Keep it")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(end).to_be_focused()
        end.click()
        page.get_by_role("button", name="End session").click()
        expect(page.locator("#sessions-status")).to_have_text("Safari on iOS is signed out.")
        expect(page.locator("#sessions-status")).to_be_focused()
        expect(rows.filter(has_text="Safari on iOS")).to_have_count(0)
        expect(page.locator("#events-list")).to_contain_text("Ended a session on another device")
        phone.page.reload()
        phone.page.wait_for_url("**/auth/signin")

    page.get_by_role("button", name="End all other sessions").click()
    page.get_by_role("button", name="End all others").click()
    expect(page.locator("#sessions-status")).to_have_text("All other devices are signed out.")
    expect(rows).to_have_count(1)
    expect(page.get_by_role("button", name="End all other sessions")).to_be_hidden()
    mallory.page.reload()
    mallory.page.wait_for_url("**/auth/signin")


def test_what_happened_is_told_in_words_page_by_page(ada: Visitor, house: Server, email: str) -> None:
    for _ in range(15):
        assert is_in(house, email, PASSWORD)
        assert not is_in(house, email, "not the one at all")
    page = enter(ada, email)
    rows = page.locator("#events-list li")
    expect(rows).to_have_count(20)
    expect(rows.first).to_contain_text("Signed in")
    expect(rows.first).to_contain_text("Chrome on Linux · 127.0.0.1")
    expect(rows.nth(1)).to_contain_text("A sign-in failed")
    page.get_by_role("button", name="Show more").click()
    expect(rows.nth(20)).to_be_focused()
    expect(rows.last).to_contain_text(re.compile("Confirmed the e-mail address|Signed up"))
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    assert len(rows.all_inner_texts()) >= 32


def test_the_password_is_changed_by_who_knows_it_and_others_are_out(
    ada: Visitor, mallory: Visitor, house: Server, email: str
) -> None:
    enter(mallory, email)
    page = enter(ada, email)
    page.get_by_text("Change password", exact=True).first.click()
    page.get_by_label("Current password").fill("not the one at all")
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#current-password-error")).to_contain_text("not your password")
    expect(page.get_by_label("Current password")).to_be_focused()
    expect(page.locator("#new-password-error")).to_be_empty()

    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("passwordpassword")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#new-password-error")).to_contain_text("lists that attackers try first")

    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#security-status")).to_contain_text("Your password is changed")
    expect(page.locator("#security-status")).to_be_focused()
    expect(page.locator("#current-password")).to_be_hidden()
    expect(page.locator("#events-list li").first).to_contain_text("Changed the password")
    page.reload()
    expect_account(page, email)
    mallory.page.reload()
    mallory.page.wait_for_url("**/auth/signin")
    assert is_in(house, email, NEW_PASSWORD)


def test_some_time_after_signing_in_another_address_takes_the_password(ada: Visitor, house: Server, email: str) -> None:
    page = enter(ada, email)
    house.let_sessions_age(HOUR)
    other = new_address("moved")
    page.get_by_text("Change e-mail address").click()
    expect(page.locator("#email-password")).to_be_hidden()
    page.get_by_label("New e-mail address").fill("nothing")
    page.get_by_role("button", name="Change address").click()
    expect(page.locator("#new-email-error")).to_contain_text("does not look like an e-mail address")
    page.get_by_label("New e-mail address").fill(other)
    page.get_by_role("button", name="Change address").click()
    expect(page.locator("#email-form").get_by_role("alert")).to_contain_text("enter your password as well")
    expect(page.locator("#email-password")).to_be_focused()
    page.locator("#email-password").fill("not the one at all")
    page.get_by_role("button", name="Change address").click()
    expect(page.locator("#email-password-error")).to_contain_text("not your password")
    page.locator("#email-password").fill(PASSWORD)
    page.get_by_role("button", name="Change address").click()
    expect(page.locator("#security-status")).to_contain_text(f"If {other} can be used")
    expect(page.locator("#who")).to_contain_text(email)  # until the link is opened


def test_name_and_username_are_changed(ada: Visitor, email: str) -> None:
    """R17."""
    page = enter(ada, email)
    username = "countess"
    page.get_by_label("Name", exact=True).fill("Countess of Lovelace")
    page.get_by_label("Username").fill(username)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#profile-status")).to_have_text("Saved.")
    expect(page.locator("#who")).to_have_text(f"Countess of Lovelace ({email})")
    page.reload()
    expect(page.get_by_label("Username")).to_have_value(username)
    page.get_by_label("Username").fill("a!")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#username-error")).not_to_be_empty()


def test_who_is_not_signed_in_is_led_to_signing_in(ada: Visitor, house: Server, email: str) -> None:
    page = ada.open("/auth/account")
    page.wait_for_url("**/auth/signin")
    enter(ada, email)
    house.sql("UPDATE sessions SET absolute_expires_at = '2000-01-01 00:00:00.000000'")
    page.get_by_text("Delete this account").click()
    page.locator("#delete-password").fill(PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    page.wait_for_url("**/auth/signin")


def test_a_password_is_reset_by_keyboard_alone(ada: Visitor, house: Server, email: str) -> None:
    page = ada.open("/auth/forgot")
    tab_to(page, "#email")
    page.keyboard.type(email)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_focused()
    tab_to(page, "#other")

    ada.open(link_in(house, email, "Choose a new password"))
    tab_to(page, "#new-password")
    page.keyboard.type(NEW_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your new password is set")).to_be_focused()
    tab_to(page, "#step-done a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/auth/signin")
    tab_to(page, "#password")
    page.keyboard.type(NEW_PASSWORD)
    page.keyboard.press("Enter")
    expect_account(page, email)

    tab_to(page, "#password-change > summary")
    page.keyboard.press("Enter")
    tab_to(page, "#current-password")
    page.keyboard.type(NEW_PASSWORD)
    tab_to(page, "#new-password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#security-status")).to_be_focused()


def test_opening_a_link_changes_nothing(browser: Browser, ada: Visitor, house: Server, email: str) -> None:
    """A 3.5.3: mail scanners open links, some of them in a real browser (SECURITY 2.5)."""
    other = new_address("moved")
    page = enter(ada, email)
    change_email(page, other)
    confirm = link_in(house, other, "Confirm your new e-mail address")
    with house.client() as client:
        assert sign_in(client, email).status_code == 200
        assert client.delete(f"/auth/sessions/{_session_of(ada)}").status_code == 204
    undo = link_in(house, email, "You were signed out of other devices")
    reset = reset_link(house, email)

    def account() -> list[tuple[object, ...]]:
        tables = ("users", "accounts", "sessions", "one_time_tokens", "reversals", "events", "letters")
        return [row for table in tables for row in house.sql(f"SELECT * FROM {table} ORDER BY 1")]  # noqa: S608

    def settled() -> list[tuple[object, ...]] | None:
        found = account()
        waiting = house.sql("SELECT count(*) FROM letters WHERE status = 'queued'")
        return found if waiting == [(0,)] else None

    before = wait_for(settled, "every letter to have left")
    with house.client() as client, visit(browser, house.url) as scanner:
        for link in (confirm, undo, reset):
            for method in ("HEAD", "GET", "OPTIONS"):
                assert client.request(method, link).status_code in (200, 204)
            scanner.open(link).wait_for_load_state("networkidle")
        assert scanner.context.cookies() == []
    assert account() == before
    for link, path in ((confirm, "/auth/confirm-email-change"), (undo, "/auth/undo")):
        with house.client() as client:
            assert client.post(path, json={"token": token_of(link)}).status_code == 200
    anew = link_in(house, email, "Choose a new password", after=reset)  # of the undoing: it has superseded the other
    with house.client() as client:
        body = {"token": token_of(anew), "password": NEW_PASSWORD}
        assert client.post("/auth/reset-password", json=body).status_code == 204


def _session_of(visitor: Visitor) -> str:
    answer = visitor.page.evaluate("fetch('/auth/sessions').then((answer) => answer.text())")
    return next(str(one["id"]) for one in json.loads(answer)["sessions"] if one["current"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_account_page_fits_a_narrow_screen_whatever_is_open(
    browser: Browser, house: Server, email: str, scheme: str
) -> None:
    """320 CSS pixels (WCAG 1.4.10)."""
    address = "a-really-long-name-that-goes-on-and-on-" + new_address("for-ever")
    make_member(house, address)
    with visit(browser, house.url, width=320, color_scheme=scheme) as visitor:
        page = enter(visitor, address)
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.get_by_role("button", name=re.compile("End the session")).first.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.get_by_role("button", name="Keep it").click()
        nameless = page.evaluate(
            "[...document.querySelectorAll('input')].filter(i => !i.labels.length && !i.ariaLabel).map(i => i.id)"
        )
        assert nameless == []
        delete_button = page.get_by_role("button", name="Delete my account")
        delete_button.click()
        expect(page.locator("#delete-password-error")).to_have_text("Enter your password.")
        visitor.open(reset_link(house, address))
        choose_password(page)
        expect(page.get_by_role("heading", name="Your new password is set")).to_be_focused()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        visitor.open(link_in(house, address, "Your password was reset"))
        take_back(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_nothing_moves_once_the_account_page_is_there(ada: Visitor, house: Server, email: str) -> None:
    page = enter(ada, email)
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => "
        "{ window.moved += entry.value; })).observe({ type: 'layout-shift', buffered: true });"
    )
    page.reload()
    expect_account(page, email)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.moved") < 0.1
