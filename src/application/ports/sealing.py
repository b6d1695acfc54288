"""Keeping what must be readable again, and by nobody who has only the database."""

from typing import Protocol
from uuid import UUID

from domain.reversal import AsItWas


class RecordSeal(Protocol):
    """Authenticated encryption under a key that is not in the database."""

    def seal(self, record: AsItWas, about: UUID) -> bytes:
        """The record, to be stored under the id `about` and no other."""

    def open(self, sealed: bytes, about: UUID) -> AsItWas | None:
        """What was sealed under this id by any accepted key; None for anything else."""
