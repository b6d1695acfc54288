"""Whose address counts, when proxies stand in between (A 4.1.3, 15.3.4)."""

import re
from collections.abc import Iterable

from domain.client import parse_ip
from entrypoints.setting_values import Network

# 192.0.2.1, 2001:db8::1, and with the port that some proxies add: 192.0.2.1:4431, [2001:db8::1]:4431.
_HOP = re.compile(r"(?:(?P<v4>[0-9.]+)|\[(?P<v6>[^\[\]]+)\])(?::[0-9]{1,5})?|(?P<bare>[^\[\]]+)")


def caller_address(peer: str, forwarded_for: Iterable[str], trusted: tuple[Network, ...]) -> str:
    """The socket's peer; behind trusted proxies, the last address in X-Forwarded-For that is not one of them.

    What stands left of that was written by strangers, and is not looked at. What is no address ends the way there: the
    trusted proxy that passed it on counts. `forwarded_for` are the header's lines in their order.
    """
    address = peer
    hops = ",".join(forwarded_for).split(",")
    while hops and _within(address, trusted) and (hop := _address_in(hops.pop())) is not None:
        address = hop
    return address


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    ip = parse_ip(address)
    return ip is not None and any(ip in network for network in networks)


def _address_in(hop: str) -> str | None:
    match = _HOP.fullmatch(hop.strip(" \t"))
    ip = parse_ip(match["v4"] or match["v6"] or match["bare"]) if match else None
    return str(ip) if ip is not None else None
