"""Somebody who comes from another system with their password, or is carried out to one (R36)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.password import NO_PASSWORD, PasswordHash
from domain.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where somebody was before, and what they had there that has no place here."""

    system: str
    id: str
    """Theirs there."""
    metadata: Mapping[str, object] = field(default_factory=dict)
    """As JSON has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A user with all that belongs to them."""

    user: User
    password_hash: PasswordHash = NO_PASSWORD
    origin: Origin | None = None
