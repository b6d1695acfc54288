"""Whose address counts (DESIGN section 4; A 4.1.3, 15.3.4; SECURITY 2.6): docs/limits.md."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.client import Client, parse_ip
from entrypoints.http.forwarding import caller_address
from entrypoints.setting_values import networks

TRUSTED = networks("10.0.0.0/8 127.0.0.1/32 2001:db8:f::/48")
PROXY = "10.0.0.1"
GARBAGE = [
    "",
    " ",
    "unknown",
    "_hidden",
    "999.1.1.1",
    "010.0.0.1",
    "1.2.3",
    "[::1",
    "::1]",
    "[10.0.0.9]:x",
    "10.0.0.9:x",
]
GARBAGE += [
    "10.0.0.9:123456",
    "[[::1]]",
    "for=10.0.0.9",
    "10.0.0.9;proto=https",
    "10.0.0.9 10.0.0.8",
    "٣.1.1.1",
    "\x00",
    '"',
]

strangers = (
    st.ip_addresses().map(lambda ip: parse_ip(str(ip))).filter(lambda ip: ip and not any(ip in net for net in TRUSTED))
)
proxies = st.one_of(
    st.ip_addresses(network="10.0.0.0/8"),
    st.ip_addresses(network="2001:db8:f::/48"),
    st.ip_addresses(network="10.0.0.0/8").map(lambda ip: f"::ffff:{ip}"),
).map(str)
anything = st.one_of(st.text(max_size=30), strangers.map(str), proxies, st.sampled_from(GARBAGE))


def spellings(address: str) -> list[str]:
    """How proxies write one address."""
    if ":" in address:
        return [address, f"[{address}]", f"[{address}]:4431", f" {address}\t", address.upper(), f"{address}%eth0"]
    return [address, f"{address}:4431", f"  {address} ", f"::ffff:{address}", f"[::FFFF:{address}]:1"]


@given(strangers.map(str), st.lists(anything))
def test_nobody_is_believed_who_is_not_a_trusted_proxy(peer: str, forwarded: list[str]) -> None:
    assert caller_address(peer, forwarded, TRUSTED) == peer


@given(proxies, st.lists(anything, max_size=3))
def test_where_no_proxy_is_trusted_the_peer_counts(peer: str, forwarded: list[str]) -> None:
    assert caller_address(peer, forwarded, ()) == peer


@settings(max_examples=300)
@given(st.data(), st.lists(anything, max_size=4), strangers.map(str), st.lists(proxies, max_size=4), proxies)
def test_behind_trusted_proxies_the_last_that_is_none_of_them_counts_however_the_lines_are_cut(
    data: st.DataObject, written_by_strangers: list[str], caller: str, on_the_way: list[str], peer: str
) -> None:
    spelt = [data.draw(st.sampled_from(spellings(each))) for each in (caller, *on_the_way)]
    hops = [*written_by_strangers, *spelt]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(hops) - 1))) if len(hops) > 1 else [])
    lines = [",".join(hops[start:end]) for start, end in zip([0, *cuts], [*cuts, len(hops)], strict=True)]
    assert caller_address(peer, lines, TRUSTED) == caller


@given(st.lists(anything, max_size=4), st.sampled_from(GARBAGE), st.lists(proxies, max_size=4), proxies)
def test_what_is_no_address_ends_the_way_at_the_proxy_that_passed_it_on(
    left: list[str], garbage: str, on_the_way: list[str], peer: str
) -> None:
    counted = caller_address(peer, [",".join([*left, garbage, *on_the_way])], TRUSTED)
    assert parse_ip(counted) == parse_ip(on_the_way[0] if on_the_way else peer)


@given(st.lists(proxies, max_size=4), proxies)
def test_where_there_are_only_proxies_the_first_of_them_counts(on_the_way: list[str], peer: str) -> None:
    counted = caller_address(peer, on_the_way, TRUSTED)
    assert parse_ip(counted) == parse_ip(on_the_way[0] if on_the_way else peer)


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
def test_whatever_arrives_there_is_an_answer(peer: str, forwarded: list[str]) -> None:
    assert isinstance(Client(caller_address(peer, forwarded, TRUSTED)).network, str)


@pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1", "::FFFF:A00:1", "::ffff:10.0.0.1%eth0"])
@pytest.mark.parametrize("named", ["10.0.0.0/8", "10.0.0.1/32", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1/128"])
def test_a_proxy_is_trusted_in_ipv4_and_in_ipv6_clothes_however_it_was_named(peer: str, named: str) -> None:
    assert caller_address(peer, ["198.51.100.7"], networks(named)) == "198.51.100.7"


def test_a_caller_by_way_of_a_unix_socket_has_no_address_and_no_proxy() -> None:
    assert caller_address("", ["198.51.100.7"], TRUSTED) == ""


@given(st.ip_addresses(v=4), st.integers(96, 128))
def test_a_mapped_network_holds_the_same_addresses_as_the_plain_one(ip: ipaddress.IPv4Address, length: int) -> None:
    plain = ipaddress.IPv4Network((ip, length - 96), strict=False)
    assert networks(f"::ffff:{plain.network_address}/{length}") == (plain,)
