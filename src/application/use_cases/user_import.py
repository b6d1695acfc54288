"""Bringing people in from another system with their passwords (R36)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from application.candidates import Addresses, CandidateRules, Judged, Stays
from application.ports.environment import Clock, EventLog
from application.ports.transfer import Candidate, Emigration, Immigration, Notice, Residents, Seen, Source, Unfit
from application.ports.units_of_work import Opens
from domain.events import Event, EventKind
from domain.newcomer import Newcomer
from domain.password import NO_PASSWORD
from domain.role import ADMINISTRATOR
from domain.user import User

BATCH = 500
"""People who come in one transaction: all of them or none."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What an operator is told of one entry: that somebody stays, or what of theirs does."""

    line: int
    whom: str
    stays: bool
    reason: str


@dataclass(slots=True)
class ImportReport:
    """What has become of a source so far. Everybody who was read comes, is here already, or stays."""

    read: int = 0
    come: int = 0
    here: int = 0
    stay: int = 0
    with_password: int = 0
    """Of those who come."""
    unproven: int = 0
    """Of those who come: their addresses have to be proven yet."""
    disabled: int = 0
    administrators: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportUsersCommand:
    """A source, what to call it, and whether to write: otherwise everything is found out, and nothing written.

    `seen` is fresh. `tell` hears each remark, in no order, `progress` the report after each batch.
    """

    source: Source
    system: str
    seen: Seen
    write: bool = False
    addresses: Addresses = "as_they_are"
    tell: Callable[[Remark], None] = lambda _: None
    progress: Callable[[ImportReport], None] = lambda _: None


@dataclass(frozen=True, kw_only=True)
class ImportUsers:
    """Makes users of those whom another system holds, with their ids, hashes and times.

    Whoever is here already, by id, is left as they are: so an import that was cut off is repeated. Two who claim one
    address do not both come: the first in the source does, and whoever has it here keeps it. Who has deleted their
    account here does not come back. Nobody is told by letter.
    Raises `SourceUnreadable` and `Unavailable`; what was written before stays.
    """

    emigration: Opens[Emigration]
    immigration: Opens[Immigration]
    rules: CandidateRules
    clock: Clock
    events: EventLog

    async def __call__(self, command: ImportUsersCommand) -> ImportReport:
        report = ImportReport()
        batch: list[Judged] = []
        async for entry in command.source:
            if isinstance(entry, Notice):
                command.tell(Remark(entry.line, "everybody", False, entry.words))
                continue
            report.read += 1
            judged = self._judge(entry, command, report)
            if judged is not None:
                batch.append(judged)
            if len(batch) == BATCH:
                await self._settle(batch, command, report)
                batch = []
            elif report.read % BATCH == 0:
                command.progress(report)
        await self._settle(batch, command, report)
        if command.write:
            counts = (("come", report.come), ("here", report.here), ("stay", report.stay))
            self.events.record(Event(kind=EventKind.USER_IMPORTED, reason=command.system, counts=counts))
        return report

    def _judge(self, entry: Candidate | Unfit, command: ImportUsersCommand, report: ImportReport) -> Judged | None:
        try:
            if isinstance(entry, Unfit):
                raise Stays(entry.reason)
            judged = self.rules.judge(entry, command.system, command.addresses, self.clock.now())
            return _first_of_its_kind(judged, command.seen)
        except Stays as reason:
            whom = entry.whom if isinstance(entry, Unfit) else entry.email or entry.id
            _stays(entry.line, whom, str(reason), command, report)
            return None

    async def _settle(self, batch: list[Judged], command: ImportUsersCommand, report: ImportReport) -> None:
        if batch:
            async with self.emigration() as unit:
                coming = await self._separate(unit.residents, batch, command, report)
            if command.write and coming:
                coming = await self._write(coming, command, report)
            for judged in coming:
                _count(judged.newcomer, report)
                for reason in judged.left:
                    command.tell(Remark(judged.line, str(judged.newcomer.user.email), False, reason))
        command.progress(report)

    async def _separate(
        self, residents: Residents, batch: list[Judged], command: ImportUsersCommand, report: ImportReport
    ) -> list[Judged]:
        users = [judged.newcomer.user for judged in batch]
        ids = {user.id for user in users}
        here, gone = await residents.here(ids), await residents.gone(ids)
        taken = await residents.with_emails({user.email for user in users})
        names = {user.username for user in users if user.username is not None}
        held = await residents.with_usernames(names, self.clock.now())
        coming = []
        for judged in batch:
            user = judged.newcomer.user
            if user.id in here:
                report.here += 1
            elif user.id in gone:
                _stays(judged.line, str(user.email), "They have deleted their account here.", command, report)
            elif user.email in taken:
                _stays(judged.line, str(user.email), "Somebody else here has this address.", command, report)
            elif user.username in held:
                coming.append(_without_username(judged, "it is taken here."))
            else:
                coming.append(judged)
        return coming

    async def _write(self, coming: list[Judged], command: ImportUsersCommand, report: ImportReport) -> list[Judged]:
        async with self.immigration() as unit:
            added = await unit.newcomers.add([judged.newcomer for judged in coming], self.clock.now())
            await unit.commit()
        for judged in coming:
            user = judged.newcomer.user
            if user.id not in added:
                _stays(judged.line, str(user.email), "Somebody took this address meanwhile.", command, report)
        return [judged for judged in coming if judged.newcomer.user.id in added]


def _first_of_its_kind(judged: Judged, seen: Seen) -> Judged:
    """Raises `Stays` for the second who has an id or an address."""
    user = judged.newcomer.user
    for what, value in (("address", str(user.email)), ("id", str(user.id))):
        if (line := seen.first(what, value, judged.line)) is not None:
            raise Stays(f"Line {line} has the same {what}.")
    if user.username is not None and (line := seen.first("username", user.username.name, judged.line)) is not None:
        return _without_username(judged, f"line {line} has it.")
    return judged


def _without_username(judged: Judged, reason: str) -> Judged:
    user: User = replace(judged.newcomer.user, username=None)
    left = (*judged.left, f"The username {judged.newcomer.user.username} stays behind: {reason}")
    return replace(judged, newcomer=replace(judged.newcomer, user=user), left=left)


def _stays(line: int, whom: str, reason: str, command: ImportUsersCommand, report: ImportReport) -> None:
    report.stay += 1
    command.tell(Remark(line, whom, True, reason))


def _count(newcomer: Newcomer, report: ImportReport) -> None:
    report.come += 1
    report.with_password += newcomer.password_hash != NO_PASSWORD
    report.unproven += not newcomer.user.email_verified
    report.disabled += newcomer.user.disabled
    report.administrators += newcomer.user.role == ADMINISTRATOR
