"""What this machine tells."""

import asyncio
import sys
import time
from collections.abc import Iterator

from application.ports.hashing import CommonPasswords, PasswordHasher
from domain.password import OWASPS_LEAST, Password, least_memory_kib
from entrypoints.doctor.finding import Finding, fail, ok, warn
from entrypoints.settings import Settings
from entrypoints.settings_check import hashes_too_cheaply

_SLOW_MILLISECONDS = 1000
_FEW_FILES = 1024


async def check_hashing(settings: Settings, hasher: PasswordHasher, slots: int) -> Finding:
    """How long a hash takes here, alone and with all slots at work (ASVS 11.4.2)."""
    password = Password("a password to measure with")
    await hasher.hash(password)  # the first one pays for memory that the others find
    started = time.monotonic()
    await hasher.hash(password)
    alone = (time.monotonic() - started) * 1000
    started, number = time.monotonic(), max(2 * slots, 4)
    await asyncio.gather(*(hasher.hash(password) for _ in range(number)))
    rate = number / (time.monotonic() - started)
    text = f"{alone:.0f} ms each, {rate:.0f} a second in {slots} slots"
    if not settings.makes_argon2id:
        by = settings.password_hashers[0]
        if alone > _SLOW_MILLISECONDS:
            return warn("hashing", f"{text}, by {by}: people wait; give it other parameters")
        return ok("hashing", f"{text}, by {by}")
    text += f", {settings.argon2_memory_kib * slots // 1024} MiB at most"
    if hashes_too_cheaply(settings):
        floor = f"{text}; below {OWASPS_LEAST}"
        return warn("hashing", floor) if settings.development else fail("hashing", floor)
    if alone > _SLOW_MILLISECONDS:
        least = least_memory_kib(settings.argon2_time)
        return warn("hashing", f"{text}: people wait; lower OSTIARY_ARGON2_MEMORY_KIB, but not below {least}")
    return ok("hashing", f"{text}; at or above OWASP's least")


def check_passwords(settings: Settings, common: CommonPasswords) -> Finding:
    """Whether the list of common passwords can be read."""
    try:
        found = common.contains("1234567890") and common.contains("password")
    except Exception as trouble:
        return fail("common passwords", f"the list cannot be read ({type(trouble).__name__}); install Ostiary anew")
    if not found:
        return fail("common passwords", "the list is empty; install Ostiary anew")
    if not settings.password_refuse_common:
        return warn("common passwords", "are accepted: OSTIARY_PASSWORD_REFUSE_COMMON is off")
    return ok("common passwords", "the list is there")


def check_open_files() -> Iterator[Finding]:
    """How many connections the system lets a process hold."""
    if sys.platform == "win32":
        return
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY and limit < _FEW_FILES:
        yield warn("open files", f"at most {limit}, each connection being one: raise it (ulimit -n, LimitNOFILE=)")
    else:
        yield ok("open files", f"at most {limit if limit != resource.RLIM_INFINITY else 'any number'}")
