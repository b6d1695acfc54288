"""Who is calling (DESIGN section 4): docs/sign-in.md and docs/sessions.md."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.client import Client


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_counted_by_itself_also_when_mapped_into_ipv6(address: ipaddress.IPv4Address) -> None:
    assert Client(str(address)).network == Client(f"::ffff:{address}").network == str(address)


@given(st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_ipv6_addresses_are_counted_by_their_64_bit_network(prefix: int, one: int, other: int) -> None:
    first, second = ipaddress.IPv6Address(prefix << 64 | one), ipaddress.IPv6Address(prefix << 64 | other)
    neighbour = ipaddress.IPv6Address((prefix ^ 1) << 64 | one)
    assert Client(str(first)).network == Client(str(second)).network
    assert Client(str(first)).network != Client(str(neighbour)).network


@pytest.mark.parametrize(
    ("address", "network", "masked"),
    [
        ("192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:DB8:0001:0002::", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("::ffff:192.0.2.77%eth0", "192.0.2.77", "192.0.2.0/24"),
        ("testclient", "testclient", ""),
        ("", "", ""),
    ],
)
def test_limits_see_a_network_and_session_lists_a_masked_address(address: str, network: str, masked: str) -> None:
    client = Client(address)
    assert (client.network, client.masked_address) == (network, masked)


@given(st.ip_addresses())
def test_a_masked_address_is_never_the_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    masked = ipaddress.ip_network(Client(str(address)).masked_address)
    assert masked.num_addresses >= 256


@given(st.text())
def test_a_browser_name_is_printable_and_short(user_agent: str) -> None:
    browser = Client("192.0.2.1", user_agent * 10).browser
    assert browser.isprintable()
    assert len(browser) <= 256


def test_a_browser_name_cannot_begin_a_new_line_in_a_log_or_a_terminal() -> None:
    assert Client("192.0.2.1", "Fire\r\nfox\x1b[2J\u2028").browser == "Firefox[2J"
