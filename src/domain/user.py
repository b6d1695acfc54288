"""People whose mailbox is proven, and the credential each of them signs in with (R19)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.declared_fields import FieldValue
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.password import PasswordHash
from domain.username import Username


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person. Holds no secret: the hash lives in the credential, apart (R19)."""

    id: UUID
    email: EmailAddress
    email_verified: bool
    name: DisplayName | None
    username: Username | None
    created_at: datetime
    role: str = "user"
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    """What the operator's declared fields hold (R12)."""
    disabled_at: datetime | None = None
    first_signed_in_at: datetime | None = None
    locale: str | None = None
    """The language of letters to them (BCP 47); None for the default."""

    @property
    def disabled(self) -> bool:
        """Whether an administrator shut this account out; its sessions are dead from that moment."""
        return self.disabled_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """How a user proves who they are. `version` rises when it changes, and sessions of an older one are dead."""

    user_id: UUID
    password_hash: PasswordHash
    version: int = 1
