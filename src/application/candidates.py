"""Judging those who come from another system, one by one: what comes along, and what has to stay."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from application.ports.hashing import PasswordHasher
from application.ports.transfer import Candidate
from domain.declared_fields import DeclaredFields, FieldValue
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.locale import Locales, parse_tag
from domain.newcomer import Newcomer, Origin
from domain.password import NO_PASSWORD, FaultKind, PasswordHash
from domain.role import ORDINARY, parse_role
from domain.user import User
from domain.username import Username
from domain.violations import Broken

Addresses = Literal["as_they_are", "proven", "unproven"]
"""What is believed of addresses: what the other system says, or the operator."""

_LONGEST_ID = 255
LONGEST_SYSTEM = 64
"""Characters of what a system is called."""
_MOST_METADATA = 64 * 1024
"""Bytes of JSON."""

Parsed = TypeVar("Parsed")


class Stays(Exception):
    """Somebody cannot come; the message says why."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Somebody who can come, and what of theirs cannot, in sentences."""

    line: int
    newcomer: Newcomer
    left: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CandidateRules:
    """An address is all that somebody needs. Whatever else does not fit here stays behind, and is told of."""

    hasher: PasswordHasher
    declared: DeclaredFields
    locales: Locales

    def judge(self, candidate: Candidate, system: str, addresses: Addresses, now: datetime) -> Judged:
        """Raises `Stays`."""
        left: list[str] = []

        def take(what: str, given: str | None, parse: Callable[[str], Parsed]) -> Parsed | None:
            if not given or not given.strip():
                return None
            try:
                return parse(given)
            except Broken as broken:
                left.append(f"The {what} stays behind: {broken.message}")
                return None

        email_verified = candidate.email_verified if addresses == "as_they_are" else addresses == "proven"
        origin = _origin(candidate, system, left, email_verified=email_verified)
        created_at = min(candidate.created_at or now, now)
        user = User(
            id=_id(candidate, system),
            email=_email(candidate.email),
            email_verified=email_verified,
            name=take("name", candidate.name, DisplayName.parse),
            username=take("username", candidate.username, Username.parse),
            role=take("role", candidate.role, parse_role) or ORDINARY,
            fields=self._fields(candidate, left),
            created_at=created_at,
            disabled_at=candidate.disabled_at,
            first_signed_in_at=candidate.first_signed_in_at,
            locale=self.locales.best([tag]) if (tag := take("locale", candidate.locale, parse_tag)) else None,
        )
        newcomer = Newcomer(user=user, password_hash=self._password_hash(candidate, left), origin=origin)
        return Judged(candidate.line, newcomer, tuple(left))

    def _fields(self, candidate: Candidate, left: list[str]) -> dict[str, FieldValue]:
        taken = {}
        for field in self.declared.all:
            given = candidate.fields.get(field.name)
            own = candidate.own_fields.get(field.name)
            if given is None and own is not None and not field.input:
                left.append(f"The field {field.name} stays behind: there, everybody could set it; here, nobody can.")
                continue
            given = given if given is not None else own
            if given is None:
                continue
            try:
                value = field.parse(given)
            except Broken as broken:
                left.append(f"The field {field.name} stays behind: {broken.message}")
                continue
            if value is not None:
                taken[field.name] = value
        return taken

    def _password_hash(self, candidate: Candidate, left: list[str]) -> PasswordHash:
        """Read and bounded here, as it will be at each sign-in (R35)."""
        if candidate.password_problem is not None:
            left.append(f"The password stays behind: {candidate.password_problem}")
            return NO_PASSWORD
        stored = PasswordHash(candidate.password_hash) if candidate.password_hash else NO_PASSWORD
        fault = self.hasher.fault_of(stored)
        if fault is None or stored == NO_PASSWORD:
            return stored
        if fault.kind is FaultKind.NO_KEY:
            raise Stays(f"The password's hash is {fault.words}. Once it is, repeat the import.")
        left.append(f"The password stays behind, because of its hash: {fault.words}.")
        return NO_PASSWORD


def _email(given: str | None) -> EmailAddress:
    if not given or not given.strip():
        raise Stays("There is no e-mail address.")
    try:
        return EmailAddress.parse(given)
    except Broken as broken:
        raise Stays(f"The e-mail address is not valid: {broken.message}") from None


def _id(candidate: Candidate, system: str) -> UUID:
    """Theirs, where it is a UUID; else one that is made from it, always the same."""
    if not candidate.id or len(candidate.id) > _LONGEST_ID or "\0" in candidate.id:
        raise Stays(f"The id is missing, or longer than {_LONGEST_ID} characters.")
    try:
        return UUID(candidate.id)
    except ValueError:
        return uuid5(NAMESPACE_URL, f"ostiary:{system}:{candidate.id}")


def _origin(candidate: Candidate, system: str, left: list[str], *, email_verified: bool) -> Origin:
    metadata = candidate.metadata
    if not email_verified and candidate.name:
        # Whoever proves the mailbox by a letter and no password starts with an empty profile (docs/verify-email.md).
        metadata = {"name": candidate.name, **metadata}
    if len(json.dumps(metadata)) > _MOST_METADATA:
        left.append(f"The metadata stays behind: it has more than {_MOST_METADATA // 1024} KiB.")
        metadata = {}
    where, their_id = candidate.origin_system, candidate.origin_id or candidate.id
    if where is None:
        return Origin(system=system, id=candidate.id, metadata=metadata)
    if len(where) > LONGEST_SYSTEM or len(their_id) > _LONGEST_ID:
        left.append(f"Where they were before stays behind: a system has at most {LONGEST_SYSTEM} characters.")
        return Origin(system=system, id=candidate.id, metadata=metadata)
    return Origin(system=where, id=their_id, metadata=metadata)
