"""What a provider is put to before it is taken in."""

import inspect

from adapters.hashing.forms import ALL_FORMS
from adapters.hashing.stored import read_by
from application.ports.stored_hashes import HashAlgorithm, Unusable
from application.whereabouts import whereabouts
from domain.password import Password


class Broken(Exception):
    """Why a provider cannot be used, in words that follow its name."""


def demand(made: object, *methods: str, awaited: bool) -> None:
    """That an object has these methods. Raises `Broken`."""
    for name in methods:
        method = getattr(made, name, None)
        if not callable(method):
            raise Broken(f"its factory made a {type(made).__qualname__}, which has no method {name}")
        if inspect.iscoroutinefunction(method) is not awaited:
            raise Broken(f"its method {name} must{'' if awaited else ' not'} be asynchronous (async def)")


def try_out(algorithm: HashAlgorithm) -> None:
    """That what makes new hashes will let people in again, and them alone. Raises `Broken`."""
    demand(algorithm, "hash", "made", awaited=False)
    password = Password("a password to try it out")
    try:
        encoded, another = algorithm.hash(password), algorithm.hash(password)
        if not isinstance(encoded, str):
            raise Broken(f"its hash returns a {type(encoded).__qualname__}, not a str")
        if encoded == another:
            raise Broken("makes the same hash of a password twice; it needs a salt")
        found = read_by((*ALL_FORMS, algorithm.read), encoded)
        if found.matches(password) is not True:
            raise Broken("makes hashes that do not match the password they were made of")
        if found.matches(Password("another password")) is not False:
            raise Broken("makes hashes that match another password as well")
        if algorithm.made(encoded) is not True:
            raise Broken("does not know what it made itself, so every sign-in would make a new hash")
    except Broken:
        raise
    except Unusable as unusable:
        raise Broken(f"makes hashes that cannot be read: {unusable.fault.words}") from unusable
    except Exception as error:
        raise Broken(f"failed when it was tried out: {whereabouts(error)}") from error
