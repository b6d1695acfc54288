"""What administrators ask for, each given exactly what it needs."""

from application.candidates import CandidateRules
from application.use_cases.administration import ChangeUser, EndAllSessions, EndUserSessions
from application.use_cases.event_history import ListAllEvents
from application.use_cases.started_reset import StartReset
from application.use_cases.user_creation import CreateUser
from application.use_cases.user_directory import ListUsers, ShowUser
from application.use_cases.user_export import ExportUsers
from application.use_cases.user_import import ImportUsers
from entrypoints.composition.parts import Parts


def list_users(parts: Parts) -> ListUsers:
    """Who is here."""
    return ListUsers(oversight=parts.store.units.oversight)


def show_user(parts: Parts) -> ShowUser:
    """One of them."""
    return ShowUser(oversight=parts.store.units.oversight, device_names=parts.device_names, clock=parts.clock)


def list_all_events(parts: Parts) -> ListAllEvents:
    """What happened."""
    return ListAllEvents(oversight=parts.store.units.oversight)


def change_user(parts: Parts) -> ChangeUser:
    """Role, declared fields, disabled or not."""
    return ChangeUser(
        administration=parts.store.units.administration,
        declared=parts.profile.declared,
        clock=parts.clock,
        events=parts.events,
    )


def end_user_sessions(parts: Parts) -> EndUserSessions:
    """One user's."""
    return EndUserSessions(administration=parts.store.units.administration, clock=parts.clock, events=parts.events)


def end_all_sessions(parts: Parts) -> EndAllSessions:
    """Everybody's."""
    return EndAllSessions(administration=parts.store.units.administration, clock=parts.clock, events=parts.events)


def start_reset(parts: Parts) -> StartReset:
    """A letter to choose a new password."""
    return StartReset(
        administration=parts.store.units.administration,
        letters=parts.letters,
        clock=parts.clock,
        events=parts.events,
    )


def create_user(parts: Parts) -> CreateUser:
    """At the command line."""
    return CreateUser(
        administration=parts.store.units.administration,
        hasher=parts.hasher,
        new_passwords=parts.new_passwords,
        profile=parts.profile,
        letters=parts.letters,
        clock=parts.clock,
        ids=parts.ids,
        events=parts.events,
    )


def import_users(parts: Parts) -> ImportUsers:
    """From another system."""
    return ImportUsers(
        emigration=parts.store.units.emigration,
        immigration=parts.store.units.immigration,
        rules=CandidateRules(hasher=parts.hasher, declared=parts.profile.declared, locales=parts.profile.locales),
        clock=parts.clock,
        events=parts.events,
    )


def export_users(parts: Parts) -> ExportUsers:
    """To another system."""
    return ExportUsers(
        emigration=parts.store.units.emigration,
        journal=parts.store.units.journal,
        clock=parts.clock,
        events=parts.events,
    )
