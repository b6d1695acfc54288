"""Keycloak's password credentials, rewritten as PHC strings of PBKDF2 and Argon2.

A credential of type `password` in a realm's export and in the table `credential` has two texts of JSON, `secretData`
with `value` and `salt` in base64, and `credentialData` with `algorithm`, `hashIterations` and `additionalParameters`
(`PasswordCredentialModel.java`, `Pbkdf2PasswordHashProvider.java`, `Argon2PasswordHashProvider.java` and
`Argon2Parameters.java` in github.com/keycloak/keycloak). The algorithms `pbkdf2` (SHA-1), `pbkdf2-sha256`,
`pbkdf2-sha512` and `argon2` are known; the length of a PBKDF2 key is that of the value. Keycloak pads short passwords
with NUL bytes, which is nothing to HMAC, and normalises none.
"""

import base64
import json

from adapters.hashing.argon2 import read_argon2
from adapters.hashing.pbkdf2 import read_pbkdf2_modular
from adapters.hashing.stored import adopted, base64_bytes, unreadable

_PBKDF2 = {"pbkdf2": "pbkdf2-sha1", "pbkdf2-sha256": "pbkdf2-sha256", "pbkdf2-sha512": "pbkdf2-sha512"}
_ARGON2_VERSIONS = {"1.0": 16, "1.3": 19}


def from_keycloak(secret_data: str, credential_data: str) -> str:
    """The hash in a form that says what it is. Raises `Unusable` for another algorithm and for broken JSON."""
    secret, credential = _object(secret_data), _object(credential_data)
    iterations, algorithm = credential.get("hashIterations"), credential.get("algorithm")
    value, salt = (_unpadded(secret.get(name), name) for name in ("value", "salt"))
    if type(iterations) is not int:
        raise unreadable("the number of iterations is missing")
    if algorithm == "argon2":
        costs = _argon2(_additional(credential))
        return adopted(read_argon2, f"${costs[0]},t={iterations},{costs[1]}${salt}${value}")
    if not isinstance(algorithm, str) or algorithm not in _PBKDF2:
        raise unreadable("an algorithm of Keycloak that is not known here")
    return adopted(read_pbkdf2_modular, f"${_PBKDF2[algorithm]}$i={iterations},l={len(value) * 3 // 4}${salt}${value}")


def _argon2(additional: dict[str, str]) -> tuple[str, str]:
    """What comes before and after the iterations in a PHC string. Raises `Unusable`."""
    try:
        version = _ARGON2_VERSIONS[additional["version"]]
        kind, memory, lanes = additional["type"], additional["memory"], additional["parallelism"]
    except KeyError:
        raise unreadable("a parameter of Argon2 is missing, or its version is not known here") from None
    return f"argon2{kind}$v={version}$m={memory}", f"p={lanes}"


def _additional(credential: dict[str, object]) -> dict[str, str]:
    """The first value of each, all of which are lists of texts."""
    found = credential.get("additionalParameters")
    lists = found.items() if isinstance(found, dict) else ()
    return {name: values[0] for name, values in lists if isinstance(values, list) and values and type(values[0]) is str}


def _object(text: str) -> dict[str, object]:
    """Raises `Unusable`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise unreadable("no JSON object")
    return found


def _unpadded(text: object, what: str) -> str:
    """Raises `Unusable`."""
    if not isinstance(text, str):
        raise unreadable(f"the {what} is missing")
    return base64.b64encode(base64_bytes(text, f"the {what}", 1, 128)).decode().rstrip("=")
