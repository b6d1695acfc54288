"""Front ends that are not Ostiary's: pages on other ports and under other names, by http and by https."""

import asyncio
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

from tests.support.http_mail import MailServer, run_mail_server
from tests.support.http_requests import free_port
from tests.support.server import PATIENCE, Server, run_server
from tests.support.smtp_certificates import Authority

RESOLVING = "--host-resolver-rules=MAP *.test 127.0.0.1"
"""What a browser has to be told so that every name here leads to this machine."""

_DOCS = (Path(__file__).parents[2] / "docs" / "front-end.md").read_text()
_SECRET = "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"


def from_the_docs(first_line: str, ostiary: str) -> str:
    """What docs/front-end.md tells people to copy, for Ostiary at that address."""
    (text,) = re.findall(rf"^```\w+\n({re.escape(first_line)}\n.*?)^```$", _DOCS, re.DOTALL | re.MULTILINE)
    return str(text).replace("https://auth.example.com", ostiary)


@dataclass
class Pages:
    """A web server that answers with these pages under every name; whatever else is asked for is an empty page."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)
    cookies: list[bytes] = field(default_factory=list)
    """Set-Cookie headers of every answer."""

    def show_front_end(self, folder: str, module: str, ostiary: str) -> None:
        """Put a front end there that is made of a module from the docs, and the page that letters link to."""
        module_path = f"{folder}/ostiary.js"
        self.pages[module_path] = from_the_docs(f"// ostiary.js, on {module}", ostiary)
        self.pages[f"{folder}/"] = _APPLICATION.replace("/ostiary.js", module_path)
        verify = from_the_docs("<!-- verify.html -->", ostiary).replace("/ostiary.js", module_path)
        self.pages[f"{folder}/auth/verify"] = "<!doctype html>" + verify


_APPLICATION = """<!doctype html><title>Application</title><script type="module">
  import * as ostiary from "/ostiary.js";
  window.ostiary = ostiary;
</script>"""


@contextmanager
def run_pages() -> Iterator[Pages]:
    """Pages by plain http on a free port."""
    pages = Pages(0)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_PageHandler, pages)) as server:
        pages.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield pages
        finally:
            server.shutdown()
            thread.join(PATIENCE)


class _PageHandler(BaseHTTPRequestHandler):
    def __init__(self, pages: Pages, *arguments: object) -> None:
        self._pages = pages
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        body = self._pages.pages.get(path, "<!doctype html><title>Nothing</title>").encode()
        self.send_response(200)
        self.send_header("Content-Type", f"text/{'javascript' if path.endswith('.js') else 'html'}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for cookie in self._pages.cookies:
            self.send_header("Set-Cookie", cookie.decode("latin-1"))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def run_tls_front(folder: Path, ports: Mapping[str, int], otherwise: int) -> Iterator[int]:
    """What stands before a real installation: it speaks TLS, and passes on each connection by the name asked for."""
    context = Authority(folder).server("example.test")
    started: threading.Event = threading.Event()
    port = free_port()
    loop = asyncio.new_event_loop()
    ending = asyncio.Event()

    async def main() -> None:
        async with await asyncio.start_server(partial(_pass_on, ports, otherwise), "127.0.0.1", port, ssl=context):
            started.set()
            await ending.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield port
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(PATIENCE)


async def _pass_on(
    ports: Mapping[str, int], otherwise: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    there: asyncio.StreamWriter | None = None
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        named = re.search(rb"^host: *([^:\r]+)", head, re.IGNORECASE | re.MULTILINE)
        port = ports.get(named[1].decode() if named else "", otherwise)
        answers, there = await asyncio.open_connection("127.0.0.1", port)
        there.write(head)
        copies = [asyncio.ensure_future(_copy(reader, there)), asyncio.ensure_future(_copy(answers, writer))]
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        for copy in copies:
            copy.cancel()
    except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
        pass  # the browser went away, or the test is over
    finally:
        for each in (writer, there):
            if each is not None:
                each.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except (OSError, ssl.SSLError):
        pass


@dataclass(frozen=True)
class Town:
    """Ostiary at https://auth.example.test, and under all other names pages, by https and by http."""

    server: Server
    mail: MailServer
    pages: Pages
    port: int

    def origin(self, name: str) -> str:
        """A name's origin by https."""
        return f"https://{name}:{self.port}"

    def http_origin(self, name: str) -> str:
        """A name's origin by http."""
        return f"http://{name}:{self.pages.port}"

    @property
    def auth(self) -> str:
        """Ostiary's origin."""
        return self.origin("auth.example.test")


@contextmanager
def run_town(folder: Path, variables: Mapping[str, str] | None = None) -> Iterator[Town]:
    """Ostiary behind TLS with real mail, listing the front ends at app.example.test and app.other.test."""
    with ExitStack() as stack:
        mail = stack.enter_context(run_mail_server())
        pages = stack.enter_context(run_pages())
        ostiary = free_port()
        port = stack.enter_context(run_tls_front(folder, {"auth.example.test": ostiary}, pages.port))
        settings = {
            "OSTIARY_PORT": str(ostiary),
            "OSTIARY_PUBLIC_URL": f"https://auth.example.test:{port}",
            "APP_URL": f"https://app.example.test:{port}",
            # The second differs from a page that is served by http in nothing but the scheme.
            "OSTIARY_CORS_ORIGINS": f"https://app.other.test:{port} https://app.example.test:{pages.port}",
            "OSTIARY_TRUSTED_PROXIES": "127.0.0.1/32",
            "OSTIARY_SECRET": _SECRET,
            "OSTIARY_ARGON2_MEMORY_KIB": "19456",
            "OSTIARY_ARGON2_TIME": "2",
            **mail.variables,
            **(variables or {}),
        }
        server = stack.enter_context(run_server(folder, settings))
        town = Town(server, mail, pages, port)
        pages.show_front_end("", "the same site", town.auth)
        pages.show_front_end("/elsewhere", "another site", town.auth)
        yield town


def open_application(context: BrowserContext, url: str) -> Page:
    """A page of a front end, once its module is there as `ostiary`."""
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("window.ostiary")
    return page
