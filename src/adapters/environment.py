"""The machine's own clock, chance and ids."""

import secrets
from datetime import UTC, datetime
from uuid import UUID, uuid4


class SystemClock:
    """`application.ports.environment.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class RandomIds:
    """`application.ports.environment.Ids`: version 4, so that an id tells neither order nor number (M8)."""

    def new(self) -> UUID:
        return uuid4()


class SystemRandomness:
    """`application.ports.environment.Randomness`, from the operating system."""

    def bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def fraction(self) -> float:
        return secrets.randbelow(1 << 53) / (1 << 53)
