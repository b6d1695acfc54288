"""A real nginx, Debian's, with the configuration of docs/deploy.md word for word, but for addresses and paths."""

import itertools
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.http_requests import free_port
from tests.support.server import PATIENCE, wait_for
from tests.support.smtp_certificates import Authority

PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

needs_nginx = pytest.mark.skipif(PROGRAM is None, reason="there is no nginx (apt-get install nginx)")

_DOCS = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text()
_ON_EVERY_PAGE = ("conf.d/ostiary.conf", "snippets/ostiary.conf")
# What the rest of such a machine may have set: it compresses whatever it can, and logs as nginx does by itself.
_AROUND = """daemon off;
master_process off;
pid {folder}/pid;
events {{}}
http {{
    default_type text/html;
    gzip on;
    gzip_types *;
    gzip_min_length 1;
    access_log {folder}/access.log;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_bind {address};
    include {folder}/conf.d/*.conf;
    include {folder}/sites-enabled/*;
}}
"""

_callers = itertools.count(10)


def new_caller() -> str:
    """A client's address on this machine that no other test uses, and no proxy."""
    return f"127.0.1.{next(_callers)}"


class Nginx:
    """Where it listens, and what it wrote."""

    def __init__(self, site: str, folder: Path, trust: ssl.SSLContext) -> None:
        self.site = site
        self.folder = folder
        self.http, self.https = free_port(), free_port()
        self._trust = trust

    def client(self, caller: str, **options: Any) -> httpx.Client:
        """A client at that address, which reaches the site by its name."""
        return httpx.Client(
            base_url=f"https://{self.site}",
            transport=_ByName({"http": self.http, "https": self.https}, caller, self._trust),
            timeout=PATIENCE,
            **options,
        )

    @property
    def written(self) -> str:
        """All its logs."""
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


class _ByName(httpx.HTTPTransport):
    """Every name leads to this machine, and the usual ports to others."""

    def __init__(self, ports: dict[str, int], caller: str, trust: ssl.SSLContext) -> None:
        super().__init__(verify=trust, local_address=caller)
        self._ports = ports

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it there as if it were here: the name stands in `Host` and in the TLS greeting."""
        return super().handle_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host="127.0.0.1", port=self._ports[request.url.scheme]),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.host},
            )
        )


def _from_the_docs(path: str) -> str:
    (text,) = re.findall(rf"^```nginx\n# /etc/nginx/{re.escape(path)}\n(.*?)^```$", _DOCS, re.DOTALL | re.MULTILINE)
    return str(text)


@contextmanager
def run_nginx(
    folder: Path, site: str, authority: Authority, *, to: int, tls: bool = False, address: str = "127.0.0.1"
) -> Iterator[Nginx]:
    """The documented nginx for a site while the block runs, before the server at the port `to`, which speaks TLS or
    not, and which sees it at that address."""
    authority.server(site)
    certificate = authority.file.parent / f"{site}-False-False.pem"
    running = Nginx(site, folder, ssl.create_default_context(cafile=authority.file))
    changes = {
        "/etc/nginx/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
        "/var/www/example": f"{folder}/www",
        f"/etc/letsencrypt/live/{site}/fullchain.pem": str(certificate),
        f"/etc/letsencrypt/live/{site}/privkey.pem": str(certificate),
        "listen 80;": f"listen 127.0.0.1:{running.http};",
        "listen 443 ": f"listen 127.0.0.1:{running.https} ",
        # Not every machine here has IPv6.
        "listen [::]:80;": "",
        "listen [::]:443 ssl http2;": "",
        "127.0.0.1:8000": f"127.0.0.1:{to}",
        **({"proxy_pass http:": "proxy_pass https:"} if tls else {}),
    }
    for name in (*_ON_EVERY_PAGE, f"sites-enabled/{site}"):
        text = _from_the_docs(name)
        for ours, here in changes.items():
            text = text.replace(ours, here)
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder, address=address))
    errors = folder / "error.log"
    process = subprocess.Popen([str(PROGRAM), "-c", str(folder / "nginx.conf"), "-e", str(errors)])
    try:
        wait_for(lambda: _listens(process, running, errors), "nginx to listen")
        yield running
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _listens(process: "subprocess.Popen[bytes]", running: Nginx, errors: Path) -> bool | None:
    assert process.poll() is None, errors.read_text()
    try:
        with running.client("127.0.0.1") as client:
            return client.get(f"http://{running.site}/").status_code == 301
    except httpx.TransportError:
        return None
