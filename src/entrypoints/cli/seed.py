"""`ostiary seed`: people and their histories, for a demonstration and for staging (R91)."""

import asyncio
import json
from typing import TYPE_CHECKING

import click

from entrypoints.cli.asking import as_json, fail, settings_or_fail, table

if TYPE_CHECKING:
    from entrypoints.seeding.sowing import Sown
    from entrypoints.settings import Settings


@click.command()
@click.option("--people", type=click.IntRange(1, 1000), default=25, show_default=True, help="How many.")
@click.option("--more", is_flag=True, help="Although there are users already.")
@as_json
def seed(people: int, more: bool, as_json: bool) -> None:
    """Fill a developer's database with people and their histories."""
    settings = settings_or_fail()
    if not settings.development:
        fail(
            "ostiary seed makes people whose password everybody knows: only for a service that is reached over plain "
            f"http by this machine alone, which {settings.public_url} on {settings.host} is not."
        )
    sown = _sow(settings, people, more=more)
    from entrypoints.seeding.people import PASSWORD

    if as_json:
        everybody = [
            {"email": each.person.email, "story": each.story.words, "signs_in": each.story.gets_in} for each in sown
        ]
        click.echo(json.dumps({"password": PASSWORD, "people": everybody}, indent=2))
        return
    rows = [[each.person.email, each.person.name, each.story.words] for each in sown]
    click.echo(table(["address", "name", "story"], rows))
    click.echo(f"\nAll have the password: {PASSWORD}\nSign in as {sown[0].person.email}, who administers.")


def _sow(settings: "Settings", people: int, *, more: bool) -> "list[Sown]":
    # Imported late, as everything that knows the service.
    from domain.errors import RateLimited, Refusal, Unavailable, ValidationError
    from entrypoints.composition import SchemaMismatch
    from entrypoints.seeding.lives import LetterLost
    from entrypoints.seeding.sowing import NotEmpty, sow
    from entrypoints.settings import SettingsError
    from entrypoints.store_trouble import in_its_words

    done = []

    def tell(sown: "Sown") -> None:
        done.append(sown)
        click.echo(f"{len(done)} of {people}: {sown.person.name}, {sown.story.words}", err=True)

    try:
        return asyncio.run(sow(settings, people, more=more, tell=tell))
    except NotEmpty:
        fail("There are users already: --more adds people to them.")
    except Unavailable as trouble:
        fail(f"The database cannot be used: {in_its_words(trouble)}")
    except (SchemaMismatch, SettingsError) as trouble:
        fail(str(trouble))
    except ValidationError as refusal:
        named = "; ".join(f"{found.field}: {found.message}" for found in refusal.violations)
        fail(f"These settings refuse the people that are made up. {named}")
    except RateLimited as refusal:
        fail(f"A limit stands in the way: {refusal.limit}. It may be switched off while people are made.")
    except Refusal as refusal:
        fail(refusal.detail)
    except LetterLost:
        fail("Letters are taken by a service that runs beside this: stop it and try again.")
