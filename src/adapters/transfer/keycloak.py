"""Keycloak: what `kc.sh export` writes of a realm, in one file or with the users in files of their own.

The format is that of Keycloak's UserRepresentation and CredentialRepresentation; how passwords are hashed is in its
Pbkdf2PasswordHashProvider and Argon2PasswordHashProvider."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from adapters.hashing.argon2 import as_typed
from adapters.hashing.stored import unpadded
from adapters.transfer.json_rows import read_array
from adapters.transfer.json_values import (
    embedded,
    milliseconds,
    octets,
    plain_object,
    rest,
    string,
    whole,
)
from adapters.transfer.judging import judged
from adapters.transfer.rows import Misread, Row, in_turn
from adapters.transfer.values import Misfit, flag
from application.ports.transfer import Candidate, Entry, SourceUnreadable

_TAKEN = frozenset(
    {"id", "username", "email", "emailVerified", "enabled", "firstName", "lastName", "createdTimestamp"}
    | {"credentials", "disableableCredentialTypes", "access", "userProfileMetadata"}
)

_PBKDF2 = {"pbkdf2": "pbkdf2-sha1", "pbkdf2-sha256": "pbkdf2-sha256", "pbkdf2-sha512": "pbkdf2-sha512"}
_ARGON2_VERSIONS = {"1.0": 16, "1.3": 19}
_MOST = 2**31 - 1

_REALM, _USERS = re.compile(r"(.+)-realm\.json"), re.compile(r"(.+)-users-([0-9]{1,9})\.json", re.ASCII)

_BROKEN = "The password's hash is not written as Keycloak writes it."


def keycloak(path: Path, now: datetime) -> AsyncIterator[Entry]:
    """The users of one realm: from its file, or from the directory of an export, in which lines count on from file to
    file. Whoever is not enabled there is disabled here from `now` on. Raises `SourceUnreadable`."""
    return judged(path.name, in_turn(_rows(path)), (), lambda row: from_keycloak(row, now))


def _rows(path: Path) -> Iterator[Row | Misread]:
    before = line = 0
    for file in _files(path):
        for row in read_array(file, "users"):
            line = before + row.line
            yield replace(row, line=line)
        before = line


def from_keycloak(row: Row, now: datetime) -> Candidate:
    """One user, as a realm's JSON has them. Roles are kept as metadata: what they allow there means nothing here.
    Raises `Misfit`."""
    entry = row.values
    if entry.get("serviceAccountClientId"):
        raise Misfit("This is the service account of a client, and nobody.")
    username, email = string(entry, "username"), string(entry, "email")
    # Realm files written by hand may leave ids out; usernames are unique in a realm.
    who = string(entry, "id") or username
    if who is None or email is None:
        raise Misfit(f"There is no {'id' if who is None else 'e-mail address'}.")
    names = (string(entry, "firstName"), string(entry, "lastName"))
    password_hash, problem = _password(entry)
    return Candidate(
        line=row.line,
        id=who,
        email=email,
        email_verified=flag(entry, "emailVerified"),
        name=" ".join(name for name in names if name) or None,
        username=username if username and username.casefold() != email.casefold() else None,
        created_at=milliseconds(entry, "createdTimestamp"),
        disabled_at=None if flag(entry, "enabled") else now,
        own_fields=_fields(entry.get("attributes")),
        metadata=rest(entry, _TAKEN),
        password_hash=password_hash,
        password_problem=problem,
    )


def _fields(attributes: object) -> dict[str, object]:
    """Attributes are lists there, mostly of one."""
    if not isinstance(attributes, Mapping):
        return {}
    return plain_object({name: v[0] if isinstance(v, list) and len(v) == 1 else v for name, v in attributes.items()})


def _password(entry: Mapping[str, object]) -> tuple[str | None, str | None]:
    credentials = entry.get("credentials")
    for credential in credentials if isinstance(credentials, list) else []:
        if isinstance(credential, Mapping) and credential.get("type") == "password":
            return _hash(credential)
    if entry.get("federationLink"):
        return None, "The password is kept by a directory that Keycloak asks, and not by Keycloak."
    return None, None


def _hash(credential: Mapping[str, object]) -> tuple[str | None, str | None]:
    secret, data = embedded(credential.get("secretData")), embedded(credential.get("credentialData"))
    if secret is None and data is None:  # before Keycloak 8
        if credential.get("value"):
            return None, "The password is written in the clear, as in realm files made by hand, and not hashed."
        secret, data = {**credential, "value": credential.get("hashedSaltedValue")}, {**credential}
    if secret is None or data is None:
        return None, _BROKEN
    salt, value = octets(secret.get("salt")), octets(secret.get("value"))
    iterations, algorithm = whole(data.get("hashIterations"), 1, _MOST), data.get("algorithm")
    if salt is None or value is None or iterations is None or not isinstance(algorithm, str):
        return None, _BROKEN
    if algorithm in _PBKDF2:
        # The key is as long as it was made: 64 bytes, or 32 in what others brought in.
        return f"${_PBKDF2[algorithm]}$i={iterations},l={len(value)}${unpadded(salt)}${unpadded(value)}", None
    if algorithm == "argon2":
        return _argon2(data.get("additionalParameters"), iterations, salt, value)
    return None, "The password is hashed by an algorithm that is not Keycloak's own."


def _argon2(parameters: object, iterations: int, salt: bytes, value: bytes) -> tuple[str | None, str | None]:
    def first(name: str) -> object:
        values = parameters.get(name) if isinstance(parameters, Mapping) else None
        return values[0] if isinstance(values, list) and values else values

    variant, version = first("type"), first("version")
    memory, lanes = whole(first("memory"), 1, _MOST), whole(first("parallelism"), 1, 2**24 - 1)
    if variant == "d":
        return None, "The password is hashed by Argon2d, which is not for passwords."
    if variant not in ("i", "id") or version not in ("1.0", "1.3") or memory is None or lanes is None:
        return None, _BROKEN
    if whole(first("hashLength"), 1, _MOST) != len(value):
        return None, _BROKEN
    costs = f"v={_ARGON2_VERSIONS[str(version)]}$m={memory},t={iterations},p={lanes}"
    return as_typed(f"$argon2{variant}${costs}${unpadded(salt)}${unpadded(value)}"), None


def _files(path: Path) -> list[Path]:
    """The file itself, or the files of an export that hold users, in the order in which they were written."""
    if not path.is_dir():
        return [path]
    try:
        inside = sorted(path.iterdir())
    except OSError as error:
        raise SourceUnreadable(f"{path} cannot be read: {error.strerror}.") from None
    realm_files = [(part[1], file) for file in inside if (part := _REALM.fullmatch(file.name))]
    # Who is in `-federated-users-` is kept elsewhere, and has neither address nor password here.
    users = sorted(
        (part[1], int(part[2]), file)
        for file in inside
        if (part := _USERS.fullmatch(file.name)) and not part[1].endswith("-federated")
    )
    realms = sorted({realm for realm, _ in realm_files} | {realm for realm, _, _ in users})
    if len(realms) > 1:
        raise SourceUnreadable(f"{path} holds more than one realm: {', '.join(realms)}. Export one (--realm).")
    if not realms:
        raise SourceUnreadable(f"{path} holds no REALM-realm.json and no REALM-users-0.json.")
    return [file for _, _, file in users] or [file for _, file in realm_files]
