"""A real browser (Debian's or anybody's Chromium) driven by Playwright, and visitors who notice what goes wrong."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_EXPECTED = "Failed to load resource: the server responded with a status of "
"""Chromium reports each refusal of ours on its console, as if it were a fault."""


@contextmanager
def run_browser(*arguments: str) -> Iterator[Browser]:
    """Headless Chromium; skips the test, and says what to install, where there is none."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("no Chromium here: `apt-get install chromium`, or any Chrome on the PATH, lets these tests run")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """Somebody with a browser of their own: cookies, storage, and a note of whatever a page should not do."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.context = context
        self.origin = origin
        self.troubles: list[str] = []
        context.set_default_timeout(15_000)
        context.on("request", lambda request: self._expect_own(request.url))
        context.on("console", self._note)
        context.on("weberror", lambda error: self.troubles.append(f"uncaught: {error.error}"))
        self.page = context.new_page()

    def open(self, path: str) -> Page:
        """Go to a page of ours, or along a link from a letter."""
        self.page.goto(path if path.startswith("http") else self.origin + path)
        return self.page

    def _expect_own(self, url: str) -> None:
        if not url.startswith((f"{self.origin}/", "data:", "about:")):
            self.troubles.append(f"left the origin for {url}")

    def _note(self, message: ConsoleMessage) -> None:
        # A violated Content-Security-Policy is reported here, too.
        if message.type in ("error", "warning") and not message.text.startswith(_EXPECTED):
            self.troubles.append(f"{message.type} on the console: {message.text}")


@contextmanager
def visit(browser: Browser, origin: str, *, width: int = 1024, **options: object) -> Iterator[Visitor]:
    """A visitor; fails at the end when a page asked another origin, broke its policy or raised an error."""
    context = browser.new_context(viewport={"width": width, "height": 800}, **options)  # type: ignore[arg-type]
    try:
        visitor = Visitor(context, origin)
        yield visitor
        assert visitor.troubles == []
    finally:
        context.close()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until it is there, and see that one can see it is."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.locator(selector).evaluate("element => element === document.activeElement"):
            style = page.locator(selector).evaluate(
                "element => { const s = getComputedStyle(element); return s.outlineStyle + s.boxShadow; }"
            )
            assert style != "nonenone", f"nothing shows that {selector} has the focus"
            return
    raise AssertionError(f"{selector} cannot be reached by Tab")
