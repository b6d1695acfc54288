"""Fills a database with people."""

from collections.abc import Callable
from dataclasses import dataclass

from application.administrators import CommandLine
from application.use_cases.user_directory import ListUsersCommand, ShowUserCommand
from domain.email_address import EmailAddress
from domain.errors import NotFound
from entrypoints.composition import Ostiary
from entrypoints.composition.past import compose_past
from entrypoints.seeding.lives import Life
from entrypoints.seeding.people import Person, everybody
from entrypoints.seeding.stories import Story, stories
from entrypoints.settings import Settings


class NotEmpty(Exception):
    """The database has users already."""


@dataclass(frozen=True, slots=True)
class Sown:
    """Somebody who is there now."""

    person: Person
    story: Story


async def sow(settings: Settings, people: int, *, more: bool, tell: Callable[[Sown], None]) -> list[Sown]:
    """Make so many people, each told of when done. Raises `NotEmpty` unless `more` may come to those who are there,
    and what `compose` and the use cases raise."""
    done: list[Sown] = []
    async with compose_past(settings) as (ostiary, clock, letters):
        if not more and await ostiary.use_cases.list_users(ListUsersCommand(caller=CommandLine(), most=1)):
            raise NotEmpty
        strangers = everybody()
        for number, story in enumerate(stories(people)):
            person = next(strangers)
            while await _is_here(ostiary, person):
                person = next(strangers)
            usernames = settings.username == "required" or (settings.username == "optional" and number % 2 == 0)
            life = Life(
                person=person,
                use_cases=ostiary.use_cases,
                clock=clock,
                letters=letters,
                usernames=usernames,
            )
            await story.happens(life)
            done.append(Sown(person, story))
            tell(done[-1])
    return done


async def _is_here(ostiary: Ostiary, person: Person) -> bool:
    try:
        await ostiary.use_cases.show_user(ShowUserCommand(caller=CommandLine(), whom=EmailAddress(person.email)))
    except NotFound:
        return False
    return True
