"""How the text of a variable becomes a value. Each parser raises ValueError with what it expected."""

import ipaddress
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import idna

from domain.locale import parse_tag
from domain.spans import UNITS

Parsed = TypeVar("Parsed")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def text(text: str) -> str | None:
    """Any text; none when empty."""
    return text or None


def switch(text: str) -> bool:
    """on or off, in the usual spellings."""
    values = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
    if text.lower() not in values:
        raise ValueError("expected on or off")
    return values[text.lower()]


def optional_switch(text: str) -> bool | None:
    """on or off; none when empty."""
    return switch(text) if text else None


def choice(*allowed: str) -> Callable[[str], str]:
    """One of the given words."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"expected {' or '.join(allowed)}")
        return text

    return _telling(parse, f" ({' or '.join(allowed)})" if len(allowed) > 1 else f" (only {allowed[0]} so far)")


def optional_choice(*allowed: str) -> Callable[[str], str | None]:
    """One of the given words; none when empty."""
    parse = choice(*allowed)
    return _telling(lambda text: parse(text) if text else None, f" ({' or '.join(allowed)})")


def integer(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"expected a whole number from {least} to {most}")
        return int(text)

    return parse


def duration(least: str, most: str) -> Callable[[str], timedelta]:
    """A time such as 90s, 15m, 24h or 30d, within bounds."""

    def read(text: str) -> timedelta:
        match = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
        if match is None:
            raise ValueError("expected a time such as 90s, 15m, 24h or 30d")
        return timedelta(seconds=int(match[1]) * UNITS[match[2]])

    def parse(text: str) -> timedelta:
        span = read(text)
        if not read(least) <= span <= read(most):
            raise ValueError(f"expected a time from {least} to {most}")
        return span

    return parse


def url(text: str) -> str | None:
    """An origin with an optional path; a trailing slash is dropped, so that paths can be appended."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError
        _ = parts.port, _host(parts.hostname or "")
    except ValueError:
        # Not the parser's own words, which quote the value.
        raise ValueError("expected a URL such as https://www.example.com") from None
    return text.rstrip("/")


def origins(text: str) -> tuple[str, ...]:
    """Origins, separated by spaces or commas."""
    origins = tuple(filter(None, map(url, re.split(r"[\s,]+", text))))
    if any(urlsplit(origin).path for origin in origins):
        raise ValueError("expected origins such as https://app.example.com, without a path")
    return origins


def path(text: str) -> str:
    """An absolute path."""
    if not re.fullmatch(r"/[A-Za-z0-9/_.~-]*", text):
        raise ValueError("expected a path such as /auth/verify")
    return text


def identifier(text: str) -> str:
    """A name in SQL that needs no quotes."""
    if not re.fullmatch(r"(?!pg_)[a-z_][a-z0-9_]{0,62}", text):
        raise ValueError("expected a name of small letters, digits and underscores, such as ostiary")
    return text


def folder(text: str) -> Path:
    """A folder, which need not exist yet."""
    return Path(text)


def optional_folder(text: str) -> Path | None:
    """The same; none when empty."""
    return Path(text) if text else None


def existing_file(text: str) -> Path | None:
    """A file that must exist; none when empty."""
    return _existing(text, Path.is_file, "no such file")


def existing_folder(text: str) -> Path | None:
    """A folder that must exist; none when empty."""
    return _existing(text, Path.is_dir, "no such folder")


def _existing(text: str, is_there: Callable[[Path], bool], otherwise: str) -> Path | None:
    if not text:
        return None
    with suppress(OSError):
        if is_there(Path(text)):
            return Path(text)
    raise ValueError(otherwise)


def secrets(text: str) -> tuple[str, ...]:
    """Secrets, separated by spaces or commas."""
    return tuple(filter(None, re.split(r"[\s,]+", text)))


def networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR notation, separated by spaces or commas."""
    try:
        return tuple(_unmapped(ipaddress.ip_network(part)) for part in re.split(r"[\s,]+", text) if part)
    except ValueError:
        raise ValueError("expected networks such as 10.0.0.0/8 or 2001:db8::/32") from None


def _unmapped(network: Network) -> Network:
    """IPv4 networks in IPv6 clothes, as a dual-stack system may show them: callers' addresses are unwrapped too."""
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        return ipaddress.IPv4Network((mapped, network.prefixlen - 96)) if mapped is not None else network
    return network


@dataclass(frozen=True, slots=True)
class Listener:
    """An address and a port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def private(self) -> bool:
        """Whether the public cannot reach it: loopback, or a private network's address; not every address at once."""
        address = ipaddress.ip_address(self.host)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return address.is_loopback or (address.is_private and not address.is_unspecified)


def listener(text: str) -> Listener | None:
    """An address with a port; none when empty."""
    if not text:
        return None
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]") if host != "localhost" else "127.0.0.1")
        return Listener(str(address), integer(1, 65535)(port))
    except ValueError:
        raise ValueError("expected an address and a port such as 127.0.0.1:9100 or [::1]:9100") from None


def locales(text: str) -> tuple[str, ...]:
    """Language tags, separated by spaces or commas."""
    return tuple(dict.fromkeys(parse_tag(part) for part in re.split(r"[\s,]+", text) if part))


def words(*allowed: str) -> Callable[[str], frozenset[str]]:
    """A set of the given words, separated by spaces or commas."""

    def parse(text: str) -> frozenset[str]:
        words = frozenset(filter(None, re.split(r"[\s,]+", text)))
        if words - set(allowed):
            raise ValueError(f"expected any of {', '.join(allowed)}")
        return words

    return _telling(parse, f" (any of {', '.join(allowed)}, with commas)")


def _telling(parse: Callable[[str], Parsed], allowed: str) -> Callable[[str], Parsed]:
    """Have the docs say what a parser allows."""
    parse.allowed = allowed  # type: ignore[attr-defined]
    return parse


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a host name or address means this very machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, as a browser writes them in `Origin` (RFC 6454 section 6.2)."""
    parts = urlsplit(url)
    usual_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, usual_port) else f":{parts.port}"
    return f"{parts.scheme}://{_host(parts.hostname or '')}{port}"


def _host(name: str) -> str:
    """A host as browsers spell it: lower case, A-labels, brackets around IPv6. Raises ValueError."""
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name)}]"
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name):
        return name.lower()
    return idna.encode(name, uts46=True).decode()
