"""What a sign-up is asked about the person: the operator's choice."""

from dataclasses import dataclass, field

from domain.declared_fields import DeclaredFields
from domain.email_address import EmailAddress
from domain.locale import Locales


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRules:
    """Which fields of a profile are asked for."""

    name_required: bool = True
    username: str = "off"
    """`off`, `optional` or `required` (R05)."""
    refused_domains: frozenset[str] = frozenset()
    """Mail domains, with all below them, that nobody may sign up with (R04)."""
    declared: DeclaredFields = field(default_factory=DeclaredFields)
    """The operator's own (R12)."""
    locales: Locales = field(default_factory=Locales)
    """The languages that are offered."""

    def refuses(self, email: EmailAddress) -> bool:
        """Whether the address belongs to a refused domain."""
        labels = email.domain.split(".")
        return any(".".join(labels[start:]) in self.refused_domains for start in range(len(labels)))
