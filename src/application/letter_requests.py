"""Asking for a letter: what it becomes is decided when it leaves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.ports.environment import Ids, Randomness
from domain.client import Client
from domain.email_address import EmailAddress
from domain.letters import Occasion, QueuedLetter
from domain.locale import Locales


@dataclass(frozen=True, kw_only=True)
class LetterRequests:
    """Makes letters-to-be. Each falls due at a random moment within `jitter` (DESIGN section 2)."""

    ids: Ids
    randomness: Randomness
    jitter: timedelta
    locales: Locales

    def make(
        self,
        occasion: Occasion,
        recipient: EmailAddress,
        subject_id: UUID | None,
        now: datetime,
        *,
        client: Client | None,
        credential_version: int | None = None,
    ) -> QueuedLetter:
        """One, to be queued with the work that gives rise to it. `client` is whose request that was, if anybody's."""
        return QueuedLetter(
            id=self.ids.new(),
            occasion=occasion,
            recipient=recipient,
            subject_id=subject_id,
            created_at=now,
            due_at=now + self.jitter * self.randomness.fraction(),
            expires_at=now + occasion.waiting_time,
            credential_version=credential_version,
            locale=self.locales.best(client.languages) if client is not None and client.languages else None,
        )
