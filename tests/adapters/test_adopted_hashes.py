"""Hashes whose original does not say what they are get a form that does, when they are brought in (R33, R36)."""

import json
from typing import Any

import pytest

from adapters.hashing.aspnet_identity import from_aspnet_identity
from adapters.hashing.firebase import from_firebase
from adapters.hashing.keycloak import from_keycloak
from adapters.hashing.scrypt import from_better_auth, from_node_scrypt
from adapters.hashing.stored import Unusable
from domain.password import FaultKind, Password
from tests.support.hash_vectors import BY_FORM, TYPED
from tests.support.hashing import read

NODE = BY_FORM["scrypt-node"].encoded.removeprefix("$scrypt-node$")
NODE_TRIM = BY_FORM["scrypt-node-trim"].encoded.removeprefix("$scrypt-node-trim$")
BETTER_AUTH = BY_FORM["scrypt-better-auth"].encoded.removeprefix("$scrypt-better-auth$")
ASPNET = BY_FORM["ASP.NET Identity sha1"].encoded.removeprefix("$aspnet-identity-v3$")

NO_SALT_AND_KEY = ["", ":", NODE[:-1], NODE + "0", NODE.replace(":", ""), NODE.replace(":", "$"), "x" + NODE[1:]]
NO_SALT_AND_KEY += [NODE + "\n", " " + NODE, NODE + ":", BY_FORM["bcrypt 2b"].encoded, "$scrypt-node$" + NODE]


def matches(encoded: str, password: str) -> bool:
    return read(encoded).matches(Password.parse(password))


def test_the_tutorials_salt_and_key_come_in_either_order() -> None:
    salt, _, key = NODE.partition(":")
    adopted = from_node_scrypt(f"{salt}:{key}", trims=False)
    assert adopted == from_node_scrypt(f"{key}:{salt}", trims=False) == BY_FORM["scrypt-node"].encoded
    assert matches(adopted, TYPED)
    assert not matches(adopted, f" {TYPED} ")


def test_where_the_tutorials_trimmed_people_get_in_as_before() -> None:
    adopted = from_node_scrypt(NODE_TRIM, trims=True)
    assert matches(adopted, TYPED)
    assert matches(adopted, f" {TYPED}\u00a0\ufeff\n")


def test_better_auths_are_told_apart_from_the_tutorials_by_who_brings_them() -> None:
    assert matches(from_better_auth(BETTER_AUTH), TYPED)
    assert not matches(from_node_scrypt(BETTER_AUTH, trims=False), TYPED)
    assert not matches(from_better_auth(NODE), TYPED)


@pytest.mark.parametrize("raw", NO_SALT_AND_KEY, ids=range(len(NO_SALT_AND_KEY)))
def test_what_is_no_salt_and_key_is_not_taken(raw: str) -> None:
    for trims in (False, True):
        with pytest.raises(Unusable):
            from_node_scrypt(raw, trims=trims)
    with pytest.raises(Unusable):
        from_better_auth(raw)


def test_asp_nets_come_as_they_stand() -> None:
    assert matches(from_aspnet_identity(ASPNET), "my password")
    for raw in ("", "AQAAAA", ASPNET[4:], "ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A=="):
        with pytest.raises(Unusable):
            from_aspnet_identity(raw)


FIREBASE: dict[str, Any] = {
    "password_hash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    "salt": "42xEC+ixf3L2lw==",
    "signer_key": "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
    "salt_separator": "Bw==",
    "rounds": 8,
    "mem_cost": 14,
}
"""As the README of firebase/scrypt has them."""


def test_firebases_are_put_together_with_their_projects_parameters() -> None:
    assert from_firebase(**FIREBASE) == BY_FORM["fbscrypt"].encoded
    web_safe = {
        key: value.translate(str.maketrans("+/", "-_")) for key, value in FIREBASE.items() if type(value) is str
    }
    assert from_firebase(**FIREBASE | web_safe) == BY_FORM["fbscrypt"].encoded


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"mem_cost": 63}, FaultKind.IMMODERATE),
        ({"rounds": 10**30}, FaultKind.UNREADABLE),
        ({"rounds": 0}, FaultKind.IMMODERATE),
        ({"password_hash": ""}, FaultKind.IMMODERATE),
        ({"password_hash": "c2hvcnQ="}, FaultKind.IMMODERATE),
        ({"salt": ""}, FaultKind.IMMODERATE),
        ({"salt": "§"}, FaultKind.UNREADABLE),
        ({"signer_key": "x,y"}, FaultKind.UNREADABLE),
    ],
    ids=str,
)
def test_what_firebase_would_not_say_is_not_taken(change: dict[str, Any], fault: FaultKind) -> None:
    with pytest.raises(Unusable) as unusable:
        from_firebase(**FIREBASE | change)
    assert unusable.value.fault.kind is fault


ADDITIONAL = {"hashLength": ["32"], "memory": ["7168"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}
ARGON2 = {"hashIterations": 5, "algorithm": "argon2", "additionalParameters": ADDITIONAL}
ARGON2_SECRET = {"value": "xKjWvB9+0sSP6wTqI1JoEI7w+iA0x9VDhPgmrOHRG80=", "salt": "LRScGShC7shkdoU5B1UgUQ=="}
PBKDF2 = {"hashIterations": 27500, "algorithm": "pbkdf2-sha256", "additionalParameters": {}}
PBKDF2_SECRET = {
    "value": "JsfNbCOIdZUbyBJ+BT+VoGI91Ec2rWLOvkLPDaX8e9k=",
    "salt": "P5rtFkGtPfoaryJ6PizUJw==",
    "additionalParameters": {},
}


@pytest.mark.parametrize(
    ("secret", "credential", "password"),
    [(ARGON2_SECRET, ARGON2, "secret"), (PBKDF2_SECRET, PBKDF2, "password")],
    ids=["argon2, written by Keycloak 26", "pbkdf2, written by Keycloak"],
)
def test_keycloaks_become_phc_strings(secret: dict[str, Any], credential: dict[str, Any], password: str) -> None:
    adopted = from_keycloak(json.dumps(secret), json.dumps(credential))
    assert matches(adopted, password)
    assert not matches(adopted, password + " ")


def test_keycloaks_early_keys_of_64_bytes_are_taken_whole() -> None:
    value = "UsKAhMJtom6iw6vtMcMmJYIUqafeauEd6gaBKpJXByIc7SkJxJACkNlKOAEFci6cnoxU9jUPLATLk+PMno143g=="
    adopted = from_keycloak(json.dumps({"value": value, "salt": "kAzT9d8gCl6l5DjQ+D8Vlw=="}), json.dumps(PBKDF2))
    assert adopted == f"$pbkdf2-sha256$i=27500,l=64$kAzT9d8gCl6l5DjQ+D8Vlw${value.rstrip('=')}"


@pytest.mark.parametrize(
    ("secret", "credential"),
    [
        ({}, PBKDF2),
        (PBKDF2_SECRET, {}),
        (PBKDF2_SECRET | {"value": None}, PBKDF2),
        (PBKDF2_SECRET | {"value": "§"}, PBKDF2),
        (PBKDF2_SECRET | {"value": ""}, PBKDF2),
        (PBKDF2_SECRET | {"value": "c2hvcnQ="}, PBKDF2),
        (PBKDF2_SECRET | {"salt": ["x"]}, PBKDF2),
        (PBKDF2_SECRET, PBKDF2 | {"hashIterations": 10**30}),
        (PBKDF2_SECRET, PBKDF2 | {"hashIterations": 10**9}),
        (PBKDF2_SECRET, PBKDF2 | {"hashIterations": -1}),
        (PBKDF2_SECRET, PBKDF2 | {"hashIterations": "27500"}),
        (PBKDF2_SECRET, PBKDF2 | {"hashIterations": True}),
        (PBKDF2_SECRET, PBKDF2 | {"algorithm": "bcrypt"}),
        (PBKDF2_SECRET, PBKDF2 | {"algorithm": ["argon2"]}),
        (PBKDF2_SECRET, ARGON2 | {"additionalParameters": {}}),
        (PBKDF2_SECRET, ARGON2 | {"additionalParameters": None}),
        (PBKDF2_SECRET, ARGON2 | {"additionalParameters": ADDITIONAL | {"memory": ["4194304"]}}),
        (PBKDF2_SECRET, ARGON2 | {"additionalParameters": ADDITIONAL | {"memory": []}}),
        (PBKDF2_SECRET, ARGON2 | {"additionalParameters": ADDITIONAL | {"type": ["d"]}}),
        (PBKDF2_SECRET, ARGON2 | {"additionalParameters": ADDITIONAL | {"version": ["2.0"]}}),
    ],
    ids=range(20),
)
def test_what_keycloak_would_not_write_is_not_taken(secret: dict[str, Any], credential: dict[str, Any]) -> None:
    with pytest.raises(Unusable):
        from_keycloak(json.dumps(secret), json.dumps(credential))


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "[" * 100_000], ids=range(5))
def test_broken_json_is_not_taken(text: str) -> None:
    with pytest.raises(Unusable):
        from_keycloak(text, json.dumps(PBKDF2))
    with pytest.raises(Unusable):
        from_keycloak(json.dumps(PBKDF2_SECRET), text)
