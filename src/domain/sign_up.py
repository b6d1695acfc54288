"""A sign-up is not a user: it waits, apart, until the mailbox is proven (DESIGN section 2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.declared_fields import FieldValue
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.limits import Unit
from domain.password import PasswordHash
from domain.username import Username

WAITING_TIME = timedelta(hours=48)
"""How long a sign-up waits to be proven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpRequest:
    """One person's attempt to join under an address nobody has proven yet. Its id becomes the user's id.

    Any number may wait for one address; the one whose letter is opened, with its second fact, becomes the user.
    `client_unit` is the unit of the client's limit that this sign-up took, given back when its own browser proves it.
    """

    id: UUID
    email: EmailAddress
    name: DisplayName | None
    username: Username | None
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    password_hash: PasswordHash | None
    cookie_digest: bytes
    client_unit: Unit | None
    created_at: datetime
    expires_at: datetime
    proven_at: datetime | None = None
    locale: str | None = None
    """The language that its asker reads."""
