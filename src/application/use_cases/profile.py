"""The profile: somebody changes their name, their username and what the operator asks them for (R01, R12, R17)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from application.ports.environment import Clock, EventLog
from application.ports.limits import Limits
from application.ports.tokens import DeviceMarks
from application.ports.units_of_work import AccountKeeping, Opens
from application.recognition import Caller
from application.sign_up_form import conflict
from domain.client import Client
from domain.declared_fields import FieldValue, changed_fields
from domain.display_name import DisplayName
from domain.errors import Unauthenticated, Unavailable, Violation
from domain.events import Event, EventKind
from domain.limits import Charge, Quotas, Unit
from domain.locale import parse_tag
from domain.profile import ProfileRules
from domain.sentence import Sentence
from domain.user import Credential, User
from domain.username import Username
from domain.violations import Violations

NAME_KEPT = timedelta(days=7)
"""How long a username that was given up stays its last holder's: nobody poses as them at once, and a change of mind is
free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProfileCommand:
    """Who asks, and what is to change: `typed` holds what was given of name, username and locale, `fields` what was
    given for declared fields, None in either clears; `malformed` are fields the edge could not read."""

    caller: Caller
    typed: Mapping[str, str | None]
    fields: Mapping[str, object]
    device_marks: str | None = field(default=None, repr=False)
    client: Client
    malformed: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class ProfileChanged:
    """The user as they are now, and what their device is to hold from now on if their username is another."""

    user: User
    device_marks: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What was given, judged. `given` names those of name, username and locale that change."""

    given: frozenset[str]
    name: DisplayName | None
    username: Username | None
    locale: str | None
    fields: Mapping[str, FieldValue | None]

    def of(self, user: User) -> User:
        """The user with what was given, and everything else as it is."""
        return replace(
            user,
            name=self.name if "name" in self.given else user.name,
            username=self.username if "username" in self.given else user.username,
            locale=self.locale if "locale" in self.given else user.locale,
            fields=changed_fields(user.fields, self.fields),
        )


@dataclass(frozen=True, kw_only=True)
class ChangeProfile:
    """Changes what is given and nothing else, so that of two changes of different fields at once both stay.

    A username is claimed by insert: `Conflict` when another user or a waiting sign-up holds it, which counts against
    the caller's own limit as a change does. The old one stays theirs for `NAME_KEPT`. Nothing is written, recorded or
    counted when everything is as it was. Raises `ValidationError`, `Conflict`, `RateLimited`, `Unauthenticated`,
    `Unavailable`.
    """

    keeping: Opens[AccountKeeping]
    limits: Limits
    profile: ProfileRules
    device_marks: DeviceMarks
    clock: Clock
    events: EventLog
    quotas: Quotas

    async def __call__(self, command: ChangeProfileCommand) -> ProfileChanged:
        change = self._judge(command)
        user = command.caller.user
        units: list[Unit] = []
        if change.of(user).username == user.username:
            # Nor is it changed below, where it may be another by then: a change that is not counted is not made.
            change = replace(change, given=change.given - {"username"})
        else:
            charge = Charge(self.quotas.limit("username_change"), str(user.id), user.email.canonical)
            units = await self.limits.spend([charge], self.clock.now())
        try:
            before, after, credential = await self._make(change, command)
        except (Unauthenticated, Unavailable):
            await self.limits.give_back(units)
            raise
        if after.username == before.username:
            await self.limits.give_back(units)
            return ProfileChanged(after, None)
        marks = self.device_marks.mark(after, credential.version, command.device_marks, self.clock.now())
        return ProfileChanged(after, marks)

    def _judge(self, command: ChangeProfileCommand) -> _Change:
        violations = Violations(command.malformed)
        typed = command.typed
        name = username = None
        if typed.get("name") or ("name" in typed and self.profile.name_required):
            name = violations.parse("name", typed["name"], DisplayName.parse)
        if self.profile.username == "off" and "username" in typed:
            violations.add("username", "unknown_field", Sentence("Usernames are not used here."))
        elif typed.get("username") is not None or ("username" in typed and self.profile.username == "required"):
            username = violations.parse("username", typed["username"], Username.parse)
        fields = self.profile.declared.judge(violations, command.fields)
        tag = violations.parse_optional("locale", typed.get("locale"), parse_tag)
        violations.settle()
        locale = self.profile.locales.best([tag]) if tag is not None else None
        return _Change(given=frozenset(typed), name=name, username=username, locale=locale, fields=fields)

    async def _make(self, change: _Change, command: ChangeProfileCommand) -> tuple[User, User, Credential]:
        """The user before and after; nothing is written when they are the same."""
        session, now = command.caller.session, self.clock.now()
        async with self.keeping() as unit:
            credential = await unit.accounts.hold(session.user_id)
            before = await unit.users.hold(session.user_id)
            if (
                credential is None
                or before is None
                or before.disabled
                or credential.version != session.credential_version
            ):
                raise Unauthenticated
            after = change.of(before)
            if after == before:
                return before, after, credential
            await self._rename(unit, before, after, now)
            if not await unit.users.save(after):
                raise conflict({"username"})
            reason = "username" if after.username != before.username else None
            event = Event(
                kind=EventKind.PROFILE_CHANGED,
                client=command.client,
                email=after.email,
                user_id=after.id,
                reason=reason,
            )
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)
        return before, after, credential

    async def _rename(self, unit: AccountKeeping, before: User, after: User, now: datetime) -> None:
        """Claim the new name, and let go of the old one for later."""
        if after.username == before.username:
            return
        if after.username is not None and not await unit.usernames.claim(
            after.username, holder=after.id, now=now, expires_at=None
        ):
            raise conflict({"username"})
        if before.username is not None:
            await unit.usernames.release(before.username, holder=before.id, expires_at=now + NAME_KEPT)
