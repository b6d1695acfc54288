"""Providers: somebody else's mail senders, password hashers and breach checks, found by their names and taken in.

Nothing is imported that the settings do not choose. A broken one is told by the variable that chose it, its name and
the reason, all of them together.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from types import TracebackType
from typing import Any

import structlog

from application.ports.hashing import BreachCheck
from application.ports.letters import MailSender
from application.ports.providers import CannotProvide, Surroundings
from application.ports.stored_hashes import HashAlgorithm, HashReader
from application.whereabouts import whereabouts
from entrypoints.composition.trials import Broken, demand, try_out
from entrypoints.provider_names import BREACH_CHECKS, MAIL_SENDERS, PASSWORD_HASHERS, is_place
from entrypoints.settings import Settings, SettingsError

_SECONDS = 20.0
"""How long a provider may take to come up, and to go."""

_log = structlog.get_logger("ostiary.providers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What one port asks of its providers."""

    variable: str
    group: str
    """Of entry points."""
    built_in: tuple[str, ...]
    methods: tuple[str, ...]
    awaited: bool
    """Whether these are `async def`."""


_MAIL_SENDER = Kind(
    variable="OSTIARY_MAIL_SENDERS",
    group="ostiary.mail_senders",
    built_in=MAIL_SENDERS,
    methods=("send",),
    awaited=True,
)
_HASH_READER = Kind(
    variable="OSTIARY_PASSWORD_HASHERS",
    group="ostiary.password_hashers",
    built_in=PASSWORD_HASHERS,
    methods=("read",),
    awaited=False,
)
_BREACH_CHECK = Kind(
    variable="OSTIARY_PASSWORD_BREACH_CHECK",
    group="ostiary.breach_checks",
    built_in=BREACH_CHECKS,
    methods=("contains",),
    awaited=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """The providers that the settings choose, by their names. Built-in ones are not among them."""

    mail_senders: dict[str, MailSender]
    hashers: dict[str, HashReader]
    algorithm: HashAlgorithm | None
    """The one of them that makes new hashes, tried out; None for Argon2id."""
    breach_check: BreachCheck | None


@asynccontextmanager
async def provided(
    settings: Settings, *, mail_senders: bool = True, hashers: bool = True, breach_checks: bool = True
) -> AsyncIterator[Provided]:
    """Make the providers of these kinds and let go of them afterwards. Raises `SettingsError`."""
    surroundings = Surroundings(environment=settings.surroundings, sender=settings.email_from, brand=settings.brand)
    problems: list[str] = []
    async with AsyncExitStack() as stack:

        async def taken_in(kind: Kind, names: Iterable[str], wanted: bool) -> dict[str, Any]:
            found = {}
            for name in names if wanted else ():
                try:
                    if (place := _place_of(kind, name)) is not None:
                        made = await _entered(stack, _factory_at(place), surroundings)
                        demand(made, *kind.methods, awaited=kind.awaited)
                        found[name] = made
                except Broken as broken:
                    problems.append(f"{kind.variable}: {name}: {broken}")
            return found

        checks = (settings.password_breach_check,)
        senders = await taken_in(_MAIL_SENDER, settings.senders, mail_senders)
        readers = await taken_in(_HASH_READER, settings.password_hashers, hashers)
        first = settings.password_hashers[0]
        if (algorithm := readers.get(first)) is not None:
            try:
                try_out(algorithm)
            except Broken as broken:
                problems.append(f"{_HASH_READER.variable}: {first}: {broken}")
        asked = await taken_in(_BREACH_CHECK, checks, breach_checks)
        if problems:
            raise SettingsError(problems)
        yield Provided(
            mail_senders=senders,
            hashers=readers,
            algorithm=algorithm,
            breach_check=asked.get(settings.password_breach_check),
        )


def _place_of(kind: Kind, name: str) -> str | None:
    """Where the factory is, as `package.module:factory`; None for what is built in. Raises `Broken`."""
    if is_place(name):
        return name
    registered = entry_points(group=kind.group)
    found = registered.select(name=name)
    owners = " and ".join(sorted(entry.dist.name if entry.dist else "?" for entry in found))
    if name in kind.built_in:
        if found:
            raise Broken(f"is built in, and {owners} registers another under {kind.group}; that one needs its own name")
        return None
    if not found:
        raise Broken(f"is not installed; there are {_listed(kind, registered)}")
    if len(found) > 1:
        raise Broken(f"is registered twice under {kind.group}, by {owners}; uninstall one of them")
    [entry] = found
    if not is_place(entry.value):
        raise Broken(f"is registered by {owners} as something else than package.module:factory")
    return entry.value


def _listed(kind: Kind, registered: EntryPoints) -> str:
    names = ", ".join(sorted(registered.names)) or "none"
    return f"{', '.join(kind.built_in)}, and registered under {kind.group}: {names}"


def _factory_at(place: str) -> Callable[[Surroundings], object]:
    """Raises `Broken`."""
    module_name, _, path = place.partition(":")
    try:
        module = import_module(module_name)
    except (ImportError, SyntaxError) as error:
        raise Broken(f"its module cannot be imported: {' '.join(str(error).split())}") from error
    except Exception as error:
        raise Broken(f"its module cannot be imported: {whereabouts(error)}") from error
    try:
        factory: Any = reduce(getattr, path.split("."), module)
    except AttributeError as error:
        raise Broken(f"there is no {path} in {module_name}") from error
    if not callable(factory):
        raise Broken(f"{path} in {module_name} is no factory, as it cannot be called")
    with suppress(ValueError):  # some of what is written in C tells nobody
        try:
            inspect.signature(factory).bind(None)
        except TypeError as error:
            raise Broken(f"{path} in {module_name} must take one argument, the surroundings") from error
    return factory  # type: ignore[no-any-return]


async def _entered(
    stack: AsyncExitStack, factory: Callable[[Surroundings], object], surroundings: Surroundings
) -> object:
    """What the factory makes, entered if that can be done. Raises `Broken`."""
    try:
        made = factory(surroundings)
        if inspect.iscoroutine(made):
            made.close()
            raise Broken("its factory must not be asynchronous; what it returns may be an asynchronous context manager")
        if isinstance(made, AbstractAsyncContextManager):
            async with asyncio.timeout(_SECONDS):
                entered = await made.__aenter__()
            stack.push_async_exit(_Leaving(made))
            return entered
    except Broken:
        raise
    except TimeoutError:
        raise Broken(f"it took more than {_SECONDS:.0f} s to come up") from None
    except CannotProvide as words:
        raise Broken(" ".join(str(words).split())) from words
    except Exception as error:  # without its words: they may quote what is secret
        raise Broken(f"its factory failed: {whereabouts(error)}") from error
    return made


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Leaves a provider. What fails then is noted, without its words: the work is done, and others are to be left."""

    provider: AbstractAsyncContextManager[object]

    async def __call__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                await self.provider.__aexit__(kind, error, trace)
        except Exception as fault:
            if fault is not error:
                _log.error("provider_not_left", provider=type(self.provider).__name__, fault=whereabouts(fault))
