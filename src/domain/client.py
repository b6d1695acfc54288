"""Who is calling, as far as the network tells."""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_USER_AGENT_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Client:
    """The address and browser a request came from; already resolved through trusted proxies."""

    address: str
    user_agent: str = ""
    languages: tuple[str, ...] = ()
    """Language tags that its user reads, the best first."""

    @property
    def network(self) -> str:
        """What limits are keyed on: the IPv4 address, or the /64 of an IPv6 address; IPv4-mapped is unwrapped."""
        ip = parse_ip(self.address)
        if isinstance(ip, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((ip, 64), strict=False))
        return str(ip or self.address)

    @property
    def masked_address(self) -> str:
        """Enough for an owner to recognise a session by, not enough to follow a person: /24 and /48."""
        ip = parse_ip(self.address)
        if ip is None:
            return ""
        return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))

    @property
    def browser(self) -> str:
        """The User-Agent, printable and cut to a length that a row can hold."""
        return "".join(char for char in self.user_agent if char.isprintable())[:_USER_AGENT_LENGTH]


@lru_cache(maxsize=4096)
def parse_ip(text: str) -> IpAddress | None:
    """The address that is meant: an IPv4 address in IPv6 clothes is that IPv4 address, and a zone is left off."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    return ip if isinstance(ip, ipaddress.IPv4Address) else ip.ipv4_mapped or ipaddress.IPv6Address(int(ip))
