"""Ostiary as it must not be: nobody's password is verified where there is nobody. The timing probe must tell."""

from domain.password import Password
from entrypoints.cli.main import announce
from entrypoints.composition import Replacements, choices
from entrypoints.server import serve
from entrypoints.settings import read_settings


async def _at_once(password: Password, identifier: str) -> None:
    """Do nothing."""


if __name__ == "__main__":
    settings = read_settings()
    with choices.hashing_slots(settings) as slots:
        hasher = choices.keyring(settings, slots, decoy_key=bytes(32))
        hasher.verify_decoy = _at_once  # type: ignore[method-assign]
        serve(settings, Replacements(hasher=hasher), announce=announce)
