"""Acme's own list of breached passwords: a file with the SHA-1 of one on each line, in capitals, sorted."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from application.ports.hashing import BreachCheck, BreachCheckFailed
from application.ports.providers import CannotProvide, Surroundings
from domain.password import Password

_LINE = 41
"""Forty digits and a line feed: every line is as long as the other, so the file can be searched by halves."""


@dataclass(frozen=True, slots=True)
class AcmeList:
    """Looks passwords up in the file."""

    file: Path

    async def contains(self, password: Password) -> bool:
        """Whether it is on the list. Raises `BreachCheckFailed` with a code: the password is let pass then."""
        digest = hashlib.sha1(password.text.encode(), usedforsecurity=False).hexdigest().upper().encode()
        try:
            # In a thread: while a disk is slow, the event loop serves others.
            return await asyncio.to_thread(self._search, digest)
        except OSError:
            raise BreachCheckFailed("list_unreadable") from None

    def _search(self, digest: bytes) -> bool:
        low, high = 0, self.file.stat().st_size // _LINE
        with self.file.open("rb") as lines:
            while low < high:
                middle = (low + high) // 2
                lines.seek(middle * _LINE)
                found = lines.read(_LINE - 1)
                if found == digest:
                    return True
                low, high = (middle + 1, high) if found < digest else (low, middle)
        return False


def acme_list(surroundings: Surroundings) -> BreachCheck:
    """The factory."""
    name = surroundings.environment.get("ACME_BREACH_LIST")
    if not name or not Path(name).is_file():
        raise CannotProvide("ACME_BREACH_LIST: expected the list of breached passwords")
    return AcmeList(Path(name))
