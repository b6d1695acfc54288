"""The form that somebody joins with: judged and charged in the same way whoever answers it."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from application.admission import SessionWish
from application.new_password import NewPasswordRules
from application.ports.environment import Clock, EventLog
from application.ports.limits import Limits
from domain.client import Client
from domain.declared_fields import FieldValue, changed_fields
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.errors import Conflict, Overloaded, Unavailable, Violation
from domain.events import Event, EventKind
from domain.limits import Charge, Quotas, Unit
from domain.locale import parse_tag
from domain.password import Password
from domain.profile import ProfileRules
from domain.sentence import Sentence
from domain.username import Username
from domain.violations import Broken, Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpCommand:
    """What was typed, unjudged. `malformed` are fields the edge could not even read, to be reported with the rest.

    `fields` is what was given for declared fields; `session` says who is calling, and how they want it where signing up
    begins one.
    """

    email: str | None
    password: str | None = field(repr=False)
    name: str | None = None
    username: str | None = None
    password_confirm: str | None = field(default=None, repr=False)
    fields: Mapping[str, object] = field(default_factory=dict)
    locale: str | None = None
    """A language tag; without one, or with one of a language that is not offered, what the client reads decides."""
    session: SessionWish
    malformed: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Applicant:
    """What was typed, judged."""

    email: EmailAddress
    password: Password
    name: DisplayName | None
    username: Username | None
    fields: Mapping[str, FieldValue]
    locale: str
    """The one of the languages offered that they read best."""


@dataclass(frozen=True, kw_only=True)
class SignUpForm:
    """Judges what was typed and counts it. Knows nobody: what it says depends on the form alone."""

    limits: Limits
    clock: Clock
    events: EventLog
    new_passwords: NewPasswordRules
    profile: ProfileRules
    quotas: Quotas

    async def judge(self, command: SignUpCommand) -> Applicant:
        """Who asks to join. Raises `ValidationError` with everything that is wrong with everything."""
        violations = Violations(command.malformed)
        email = violations.parse("email", command.email, EmailAddress.parse)
        if email is not None and self.profile.refuses(email):
            violations.add(
                "email", "disposable_domain", Sentence("Addresses of this mail provider are not accepted here.")
            )
        password = violations.parse("password", command.password, Password.parse)
        name = username = None
        if command.name or self.profile.name_required:
            name = violations.parse("name", command.name, DisplayName.parse)
        if self.profile.username == "off" and command.username is not None:
            violations.add("username", "unknown_field", Sentence("Usernames are not used here."))
        elif self.profile.username == "required" or command.username is not None:
            username = violations.parse("username", command.username, Username.parse)
        fields = self.profile.declared.judge(violations, command.fields, joining=True)
        tag = violations.parse_optional("locale", command.locale, parse_tag)
        if password is not None:
            about = (command.email, command.name, command.username, email, name, username)
            await self.new_passwords.judge(violations, "password", password, about=about)
            if command.password_confirm is not None:
                violations.parse("password_confirm", command.password_confirm, _equal_to(password))
        violations.settle()
        assert email is not None  # noqa: S101 - settled above
        assert password is not None  # noqa: S101 - settled above
        languages = command.session.client.languages
        locale = self.profile.locales.best([tag, *languages] if tag is not None else languages)
        return Applicant(email, password, name, username, changed_fields({}, fields), locale)

    @asynccontextmanager
    async def charged(self, applicant: Applicant, client: Client) -> AsyncIterator[list[Unit]]:
        """The units that one sign-up takes, given back as far as a refusal of the work within uses none up.

        Raises `RateLimited` and `Unavailable`.
        """
        email = applicant.email
        charges = (
            Charge(self.quotas.limit("sign_up_client"), client.network, email.canonical),
            Charge(self.quotas.limit("sign_up_address"), email.canonical, email.canonical),
            Charge(self.quotas.limit("letter_day"), f"sign_up:{email}", email.canonical),
        )
        units = await self.limits.spend(charges, self.clock.now())
        try:
            yield units
        except (Overloaded, Unavailable):
            # Turned away by us, not used up by them.
            await self.limits.give_back(units)
            raise
        except Conflict:
            self.events.record(Event(kind=EventKind.SIGN_UP_CONFLICT, client=client, email=email))
            # No letter was written, so nothing of the address is used up: it is not the caller's to use up.
            await self.limits.give_back([unit for unit in units if unit.limit != "sign_up_client"])
            raise


_TAKEN = {
    "email": Violation("email", "taken", Sentence("This address has an account already.")),
    "username": Violation("username", "taken", Sentence("This username is taken.")),
}


def conflict(taken: Iterable[str]) -> Conflict:
    """The refusal that names these fields, in the order of the form."""
    return Conflict(violation for field, violation in _TAKEN.items() if field in set(taken))


def _equal_to(password: Password) -> Callable[[str], Password]:
    def parse(text: str) -> Password:
        if Password.parse(text) != password:
            raise Broken("mismatch", Sentence("The two passwords differ."))
        return password

    return parse
