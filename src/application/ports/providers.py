"""What a provider, somebody else's mail sender, password hasher or breach check, is given to begin with.

A provider is made by a factory that is called once, with `Surroundings`, and returns an object that satisfies its port
(`letters.MailSender`, `stored_hashes.HashReader` or `HashAlgorithm`, `hashing.BreachCheck`), or an asynchronous context
manager of one, which is entered when the service starts and left when it ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a provider finds itself."""

    environment: Mapping[str, str] = field(repr=False)
    """The environment, with `.env` behind it, but for Ostiary's own settings. A provider's variables are its own: their
    names begin with anything but `OSTIARY_`."""
    sender: Address | None
    """Who letters are from: EMAIL_FROM. Always there for a mail sender."""
    brand: str
    """The name of the product."""


class CannotProvide(Exception):
    """A factory raises it when it cannot do its work in these surroundings. The service does not start, and the words
    are told to the operator: they name the variable that is missing or wrong, and never its value."""
