"""Hashing at test cost."""

from adapters.hashing.argon2 import Argon2id, Argon2Parameters, read_argon2
from adapters.hashing.keyring import Keyring
from adapters.hashing.slots import HashingSlots

CHEAP = Argon2Parameters(memory_kib=8, time=1)


def quick_keyring(slots: HashingSlots, parameters: Argon2Parameters = CHEAP) -> Keyring:
    """A keyring that has read no database."""
    return Keyring(Argon2id(parameters), (read_argon2,), slots, decoy_key=bytes(32))
