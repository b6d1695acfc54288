"""One mailbox, one spelling (R02, R03): the only place where an address is judged or changed."""

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from domain.sentence import Sentence
from domain.violations import Broken

MAX_LENGTH = 254
"""Octets of a whole address in its canonical form (RFC 5321 section 4.5.3.1.3, less the angle brackets)."""

_MAX_LOCAL_OCTETS = 64
_REFUSED_IN_LOCAL = ("%", "!", "=?")
"""Source routes, and the opening of an encoded word, which mail libraries decode into other recipients (M15)."""

_REASONS = (
    Sentence("An email address must have an @-sign."),
    Sentence("There must be something before the @-sign."),
    Sentence("There must be something after the @-sign."),
    Sentence("There can't be anything after the email address."),
    Sentence("An email address cannot start with a period."),
    Sentence("An email address cannot end with a period."),
    Sentence("An email address cannot end with a hyphen."),
    Sentence("An email address cannot have a period immediately before the @-sign."),
    Sentence("An email address cannot have a period immediately after the @-sign."),
    Sentence("An email address cannot have a hyphen immediately after the @-sign."),
    Sentence("An email address cannot have two periods in a row."),
    Sentence("An email address cannot have a period and a hyphen next to each other."),
    Sentence("The email address contains invalid characters before the @-sign: %(characters)s.", characters=""),
    Sentence("The email address contains unsafe characters: %(characters)s.", characters=""),
    Sentence("The part after the @-sign contains invalid characters: %(characters)s.", characters=""),
)
"""What `validate_email` says of typing errors, but that it puts the full stop behind what it names."""

_SPECIAL_USE = "The part after the @-sign is a special-use or reserved name that cannot be used with email."

_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address in canonical form: trimmed, NFC, ASCII lower case, the domain as A-label.

    Two spellings are the same mailbox exactly when their canonical forms are the same bytes; the database compares
    nothing else (M16). Mail goes to this form, never to what was typed.
    """

    canonical: str

    @classmethod
    def parse(cls, text: str) -> "EmailAddress":
        """Read what a person typed. Raises `Broken` (code `invalid_email`) with the reason."""
        trimmed = text.strip()
        if len(trimmed) > MAX_LENGTH:
            raise _invalid(Sentence("An address has at most %(most)d characters.", most=MAX_LENGTH))
        typed_local = trimmed.rpartition("@")[0]
        if _changes_meaning(typed_local):
            raise _invalid(Sentence("The part before the @ has characters that look like others."))
        try:
            # Syntax only: no DNS, and intranet or reserved domains are the operator's business, not ours.
            parsed = validate_email(trimmed, check_deliverability=False, globally_deliverable=False)
        except EmailNotValidError as error:
            raise _invalid(_reason(str(error))) from None
        domain = (parsed.ascii_domain or "").translate(_ASCII_LOWER)
        # Composed again at the end: some accents have a character of their own with the small letter only (`ẘ`).
        local = unicodedata.normalize("NFC", parsed.local_part.translate(_ASCII_LOWER))
        if "." not in domain or domain.endswith(".") or domain.startswith("["):
            raise _invalid(Sentence("The part after the @ needs a full domain name."))
        if len(local.encode()) > _MAX_LOCAL_OCTETS:
            raise _invalid(Sentence("The part before the @ has at most %(most)d characters.", most=_MAX_LOCAL_OCTETS))
        if local.startswith("-") or any(part in local for part in _REFUSED_IN_LOCAL):
            raise _invalid(Sentence("The part before the @ has characters that mail systems misread."))
        canonical = f"{local}@{domain}"
        if len(canonical.encode()) > MAX_LENGTH:
            raise _invalid(Sentence("An address has at most %(most)d characters.", most=MAX_LENGTH))
        return cls(canonical)

    @property
    def local_part(self) -> str:
        """What stands before the @."""
        return self.canonical.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """What stands after the @, as A-label."""
        return self.canonical.rpartition("@")[2]

    def __str__(self) -> str:
        return self.canonical


def _changes_meaning(local: str) -> bool:
    """Whether normalisation would turn one character into another: `ﬁ`, full-width letters, the Kelvin sign."""
    if unicodedata.normalize("NFKC", local) != unicodedata.normalize("NFC", local):
        return True
    return any(not char.isascii() and unicodedata.normalize("NFC", char).isascii() for char in local)


def _invalid(message: Sentence) -> Broken:
    return Broken("invalid_email", message)


def _reason(text: str) -> Sentence:
    if text == _SPECIAL_USE:
        return Sentence("The part after the @ is a name reserved for special use.")
    start, colon, characters = text.partition(": ")
    for reason in _REASONS:
        if reason == text:
            return reason
        if reason.figures and reason == f"{start}{colon}.":
            named = characters.removesuffix(".")
            return Sentence(reason.template, characters=Sentence("a space") if named == "SPACE" else named)
    # What else it says is so rare that nobody translates it.
    return Sentence("This e-mail address does not work here.")
