"""`domain`, `application`, `adapters` and `entrypoints` are this application's names: nobody else may own them here."""

from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

NAMES = ("domain", "application", "adapters", "entrypoints")


def foreign_owners() -> list[str]:
    """Which of our package names come from somewhere else, and from whom."""
    owners = []
    home = Path(__file__).parents[1]
    for name in NAMES:
        spec = find_spec(name)
        places = {Path(place) for place in (spec.submodule_search_locations or [])} if spec else set()
        if places != {home / name}:
            owners.append(f"{name} is taken from {', '.join(map(str, places)) or 'nowhere'}")
    for distribution in distributions():
        record = "\n" + (distribution.read_text("RECORD") or "")
        owned = [name for name in NAMES if f"\n{name}/" in record]
        # Only now its name, for which all its metadata is read: every command waits for this.
        if owned and distribution.name.lower() != "ostiary":
            owners += [f"{name} is owned by {distribution.name}" for name in owned]
    return owners
