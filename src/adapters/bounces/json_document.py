"""JSON from a provider that has proven who it is, which is no reason to believe that it is whole."""

from typing import Any

import msgspec

from application.ports.bounces import Unreadable


def document_of(body: bytes) -> Any:
    """What it says. Raises `Unreadable`, also for one that is nested deeper than Python goes."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable from None
