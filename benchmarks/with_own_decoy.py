"""Ostiary as it must not be: every decoy is of its own make, whatever hashes there are. The timing probe must tell."""

from entrypoints.cli.main import announce
from entrypoints.composition import Replacements, choices
from entrypoints.server import serve
from entrypoints.settings import read_settings

if __name__ == "__main__":
    settings = read_settings()
    with choices.hashing_slots(settings) as slots:
        # A keyring that is brought along counts nothing, so its decoys stay what they are before the first count.
        hasher = choices.keyring(settings, slots, decoy_key=bytes(32))
        serve(settings, Replacements(hasher=hasher), announce=announce)
