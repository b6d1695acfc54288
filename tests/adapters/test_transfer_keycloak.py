"""Keycloak's users, as `kc.sh export` writes them.

Three credentials are published with their passwords: the Argon2 one of peter, in Lakekeeper's realm `iceberg`, another
by Keycloak 26, and the PBKDF2 one of user1, in solo.io's realm `workshop`. The rest is made here with the standard
library, as Keycloak's sources say, and so are the documents around all of them."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.transfer.keycloak import from_keycloak, keycloak
from application.ports.transfer import Candidate, SourceUnreadable, Unfit
from tests.support.hash_vectors import BY_FORM
from tests.support.transfers import gathered, judged_alone, lets_in, lets_nobody_in, only

NOW = datetime(2026, 3, 1, tzinfo=UTC)

ARGON2 = {
    "type": "password",
    "secretData": json.dumps(
        {
            "value": "BuViHNDGmCq80fvpty/QoggTI8NSt0CuNDGgeoa5f5A=",
            "salt": "RJ0aLMQ2qKbZuROs7qQhcA==",
            "additionalParameters": {},
        }
    ),
    "credentialData": json.dumps(
        {
            "hashIterations": 5,
            "algorithm": "argon2",
            "additionalParameters": {
                "hashLength": ["32"],
                "memory": ["7168"],
                "type": ["id"],
                "version": ["1.3"],
                "parallelism": ["1"],
            },
        }
    ),
}
PBKDF2 = {
    "type": "password",
    "secretData": '{"value":"JsfNbCOIdZUbyBJ+BT+VoGI91Ec2rWLOvkLPDaX8e9k=","salt":"P5rtFkGtPfoaryJ6PizUJw=="}',
    "credentialData": '{"hashIterations":27500,"algorithm":"pbkdf2-sha256","additionalParameters":{}}',
}
OTP = {"type": "otp", "secretData": '{"value":"JBSWY3DPEHPK3PXP"}', "credentialData": '{"subType":"totp","digits":6}'}

PETER: dict[str, Any] = {
    "id": "cfb55bf6-fcbb-4a1e-bfec-30c6649b52f8",
    "username": "peter",
    "firstName": "Peter",
    "lastName": "Cold",
    "email": "peter@example.com",
    "emailVerified": True,
    "createdTimestamp": 1733666693123,
    "enabled": True,
    "totp": False,
    "attributes": {"phone": ["+49301234"], "teams": ["red", "blue"]},
    "credentials": [OTP, ARGON2],
    "disableableCredentialTypes": [],
    "requiredActions": [],
    "realmRoles": ["default-roles-iceberg", "admin"],
    "notBefore": 0,
    "groups": ["/staff"],
}


def realm(path: Path, *users: object, **more: object) -> Path:
    document = {"id": "x", "realm": "iceberg", "roles": {"realm": [{"users": []}]}, "users": users, **more}
    path.write_text(json.dumps(document, indent=2))
    return path


def read(entry: dict[str, Any]) -> Candidate | Unfit:
    return judged_alone(entry, lambda row: from_keycloak(row, NOW))


def with_credential(*credentials: object) -> Candidate:
    found = read({**PETER, "credentials": list(credentials)})
    assert isinstance(found, Candidate)
    return found


def made(algorithm: str, digest: str, length: int, iterations: int = 1000) -> dict[str, str]:
    """A credential as Pbkdf2PasswordHashProvider makes it, of "engine of difference"."""
    key = hashlib.pbkdf2_hmac(digest, b"engine of difference", b"0123456789abcdef", iterations, length)
    secret = {"value": base64.b64encode(key).decode(), "salt": base64.b64encode(b"0123456789abcdef").decode()}
    data = {"hashIterations": iterations, "algorithm": algorithm, "additionalParameters": {}}
    return {"type": "password", "secretData": json.dumps(secret), "credentialData": json.dumps(data)}


def test_everything_about_a_user_comes_along(tmp_path: Path) -> None:
    found = only(keycloak(realm(tmp_path / "realm.json", PETER), NOW))

    assert (found.id, found.email, found.username, found.name) == (
        *(PETER["id"], "peter@example.com", "peter", "Peter Cold"),
    )
    assert found.email_verified
    assert found.created_at == datetime(2024, 12, 8, 14, 4, 53, 123000, tzinfo=UTC)
    assert found.disabled_at is None
    assert found.own_fields == {"phone": "+49301234", "teams": ["red", "blue"]}
    assert found.metadata["realmRoles"] == ["default-roles-iceberg", "admin"]
    assert found.metadata["groups"] == ["/staff"]
    assert found.role == "user"


def test_no_secret_is_kept_beside(tmp_path: Path) -> None:
    found = only(keycloak(realm(tmp_path / "realm.json", PETER), NOW))

    assert "JBSWY3DPEHPK3PXP" not in repr(found)
    assert "BuViHNDGmCq8" not in repr(found)


def test_argon2_written_by_keycloak_is_the_published_password() -> None:
    found = with_credential(OTP, ARGON2)

    assert str(found.password_hash).startswith("argon2$argon2id$v=19$m=7168,t=5,p=1$RJ0aLMQ2qKbZuROs7qQhcA$")
    assert lets_in(found, "iceberg")
    assert not lets_in(found, "glacier")


def test_argon2_written_by_keycloak_26_is_the_published_password() -> None:
    secret = {"value": "xKjWvB9+0sSP6wTqI1JoEI7w+iA0x9VDhPgmrOHRG80=", "salt": "LRScGShC7shkdoU5B1UgUQ=="}

    assert lets_in(with_credential({**ARGON2, "secretData": json.dumps(secret)}), "secret")


def test_pbkdf2_written_by_keycloak_is_the_published_password() -> None:
    found = with_credential(PBKDF2)

    assert found.password_hash == BY_FORM["PHC pbkdf2-sha256"].encoded
    assert lets_in(found, "password")
    assert not lets_in(found, "password ")


def test_early_keys_of_64_bytes_are_taken_whole() -> None:
    value = "UsKAhMJtom6iw6vtMcMmJYIUqafeauEd6gaBKpJXByIc7SkJxJACkNlKOAEFci6cnoxU9jUPLATLk+PMno143g=="
    secret = {"value": value, "salt": "kAzT9d8gCl6l5DjQ+D8Vlw=="}

    found = with_credential({**PBKDF2, "secretData": json.dumps(secret)})

    assert found.password_hash == f"$pbkdf2-sha256$i=27500,l=64$kAzT9d8gCl6l5DjQ+D8Vlw${value.rstrip('=')}"


@pytest.mark.parametrize(
    ("algorithm", "digest", "length"),
    [("pbkdf2", "sha1", 64), ("pbkdf2-sha256", "sha256", 64), ("pbkdf2-sha512", "sha512", 64)],
)
def test_each_pbkdf2_of_keycloak_says_its_digest_and_its_length(algorithm: str, digest: str, length: int) -> None:
    found = with_credential(made(algorithm, digest, length))

    assert str(found.password_hash).startswith(f"$pbkdf2-{digest}$i=1000,l={length}$")
    assert lets_in(found, "engine of difference")


def test_credentials_as_before_keycloak_8_are_the_same() -> None:
    new = made("pbkdf2-sha256", "sha256", 64)
    secret = json.loads(new["secretData"])
    old = {
        "type": "password",
        "hashedSaltedValue": secret["value"],
        "salt": secret["salt"],
        "hashIterations": 1000,
        "counter": 0,
        "algorithm": "pbkdf2-sha256",
        "digits": 0,
        "period": 0,
    }

    assert with_credential(old).password_hash == with_credential(new).password_hash


@pytest.mark.parametrize(
    ("parameters", "start"),
    [
        ({"version": ["1.0"]}, "argon2$argon2id$v=16$"),
        ({"type": ["i"]}, "argon2$argon2i$v=19$"),
        ({"type": "id"}, "argon2$argon2id$v=19$"),
    ],
    ids=str,
)
def test_argon2_says_its_version_and_type(parameters: dict[str, Any], start: str) -> None:
    assert str(with_credential(argon2_with(**parameters)).password_hash).startswith(start)


def argon2_with(**parameters: object) -> dict[str, Any]:
    data = json.loads(ARGON2["credentialData"])
    data["additionalParameters"] |= parameters
    return {**ARGON2, "credentialData": json.dumps(data)}


@pytest.mark.parametrize(
    ("credential", "problem"),
    [
        (argon2_with(type=["d"]), "Argon2d"),
        (argon2_with(version=["2.0"]), "not written as Keycloak"),
        (argon2_with(memory=["lots"]), "not written as Keycloak"),
        (argon2_with(hashLength=["31"]), "not written as Keycloak"),
        (argon2_with(parallelism=[]), "not written as Keycloak"),
        ({**PBKDF2, "secretData": '{"value":"'}, "not written as Keycloak"),
        ({**PBKDF2, "secretData": '{"value":"####","salt":"####"}'}, "not written as Keycloak"),
        ({**PBKDF2, "credentialData": '{"hashIterations":0,"algorithm":"pbkdf2"}'}, "not written as Keycloak"),
        ({**PBKDF2, "credentialData": '{"hashIterations":9,"algorithm":"bcrypt"}'}, "not Keycloak's own"),
        ({"type": "password", "value": "in the open"}, "written in the clear"),
        ({"type": "password"}, "not written as Keycloak"),
    ],
    ids=lambda part: str(part)[:0] or None,
)
def test_a_password_that_cannot_come_is_named_with_the_reason(credential: dict[str, Any], problem: str) -> None:
    found = with_credential(credential)

    assert found.password_hash is None
    assert problem in str(found.password_problem)
    assert "in the open" not in repr(found)


def changed(credential: dict[str, Any], part: str, **change: object) -> dict[str, Any]:
    """A credential with other values in one of its two pieces of JSON."""
    return {**credential, part: json.dumps(json.loads(credential[part]) | change)}


@pytest.mark.parametrize(
    "credential",
    [
        {**PBKDF2, "secretData": "{}"},
        {**PBKDF2, "credentialData": "{}"},
        changed(PBKDF2, "secretData", value=None),
        changed(PBKDF2, "secretData", value="§"),
        changed(PBKDF2, "secretData", value=""),
        changed(PBKDF2, "secretData", value="c2hvcnQ="),
        changed(PBKDF2, "secretData", salt=["x"]),
        changed(PBKDF2, "credentialData", hashIterations=10**30),
        changed(PBKDF2, "credentialData", hashIterations=10**9),
        changed(PBKDF2, "credentialData", hashIterations=-1),
        changed(PBKDF2, "credentialData", hashIterations=True),
        changed(PBKDF2, "credentialData", algorithm=["argon2"]),
        changed(PBKDF2, "credentialData", algorithm="argon2"),
        changed(ARGON2, "credentialData", additionalParameters=None),
        argon2_with(memory=["4194304"]),
        argon2_with(memory=[]),
        *({**PBKDF2, part: text} for part in ("secretData", "credentialData") for text in ("", "null", "[]", "{")),
        {**PBKDF2, "secretData": "[" * 100_000},
        {**PBKDF2, "credentialData": "[" * 100_000},
    ],
    ids=range(26),
)
def test_what_keycloak_would_not_write_lets_nobody_in(credential: dict[str, Any]) -> None:
    assert lets_nobody_in(with_credential(credential))


def test_who_has_only_a_one_time_code_or_nothing_has_no_password() -> None:
    for credentials in ([OTP], []):
        found = with_credential(*credentials)

        assert (found.password_hash, found.password_problem) == (None, None)


def test_who_is_kept_in_a_directory_comes_without_the_password_there() -> None:
    found = read({**PETER, "credentials": [], "federationLink": "7c1e"})

    assert isinstance(found, Candidate)
    assert "directory" in str(found.password_problem)


@pytest.mark.parametrize("enabled", [False, None])
def test_who_is_not_enabled_stays_disabled(enabled: bool | None) -> None:
    found = read({**PETER, "enabled": enabled})

    assert isinstance(found, Candidate)
    assert found.disabled_at == NOW


def test_an_address_is_no_username() -> None:
    found = read({**PETER, "username": "peter@example.com", "email": "Peter@Example.com"})

    assert isinstance(found, Candidate)
    assert found.username is None


def test_a_realm_file_made_by_hand_may_leave_ids_out() -> None:
    found = read({name: value for name, value in PETER.items() if name != "id"})

    assert isinstance(found, Candidate)
    assert found.id == "peter"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"serviceAccountClientId": "spark"}, "This is the service account of a client, and nobody."),
        ({"email": None}, "There is no e-mail address."),
        ({"email": ["a"]}, "email is no text."),
        ({"id": None, "username": None}, "There is no id."),
        ({"enabled": 2}, "enabled is neither true nor false."),
        ({"createdTimestamp": 1.5}, "createdTimestamp is no instant in milliseconds."),
    ],
    ids=str,
)
def test_who_is_not_as_promised_is_named_with_the_reason(change: dict[str, Any], reason: str) -> None:
    found = read(PETER | change)

    assert isinstance(found, Unfit)
    assert found.reason == reason


def test_users_in_files_of_their_own_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "my-users-realm.json").write_text('{"realm": "my-users"}')
    for number in (10, 9, 0):
        realm(tmp_path / f"my-users-users-{number}.json", {**PETER, "id": f"{number}a"}, {**PETER, "id": f"{number}b"})
    (tmp_path / "my-users-federated-users-0.json").write_text('{"realm": "my-users", "federatedUsers": [{"id": "f"}]}')
    (tmp_path / "notes.txt").write_text("not Keycloak's")

    found = gathered(keycloak(tmp_path, NOW))

    assert [entry.id for entry in found if isinstance(entry, Candidate)] == ["0a", "0b", "9a", "9b", "10a", "10b"]
    lines = [entry.line for entry in found]
    assert lines == sorted(set(lines))


def test_a_directory_with_users_in_the_realm_file_is_read_too(tmp_path: Path) -> None:
    realm(tmp_path / "iceberg-realm.json", PETER)

    assert only(keycloak(tmp_path, NOW)).username == "peter"


def test_two_realms_are_not_mixed(tmp_path: Path) -> None:
    for name in ("master", "iceberg"):
        realm(tmp_path / f"{name}-realm.json", PETER)

    with pytest.raises(SourceUnreadable, match="more than one realm: iceberg, master"):
        gathered(keycloak(tmp_path, NOW))


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"realm":"x"}', '{"users":7}', '{"users":[{"id":"1"}', '{"users":[{"id":1' + "0" * 9000 + "}]}"],
    ids=["empty", "no users", "only a realm", "a number", "cut off", "too long a number"],
)
def test_a_document_that_is_none_ends_the_reading(tmp_path: Path, text: str) -> None:
    path = tmp_path / "realm.json"
    path.write_text(text)

    with pytest.raises(SourceUnreadable, match=r"realm\.json"):
        gathered(keycloak(path, NOW))


def test_nothing_and_an_empty_directory_end_the_reading(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(SourceUnreadable):
            gathered(keycloak(path, NOW))


def test_entries_that_are_no_users_are_nobody(tmp_path: Path) -> None:
    found = gathered(keycloak(realm(tmp_path / "realm.json", 7, None, "x", PETER), NOW))

    assert [type(entry) for entry in found] == [Unfit, Unfit, Unfit, Candidate]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.just("{}")
    | st.just('{"salt":1}'),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "value", "salt", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(PETER)), value=ANYTHING)
@settings(max_examples=100, deadline=None)
def test_whatever_stands_in_a_field_somebody_or_nobody_comes_of_it(name: str, value: object) -> None:
    found = read({**PETER, name: value})

    assert isinstance(found, Candidate | Unfit)
    if isinstance(found, Candidate):
        json.dumps([found.metadata, found.own_fields], allow_nan=False).encode()


@given(
    name=st.sampled_from(["secretData", "credentialData", "type", "hashedSaltedValue"]),
    value=ANYTHING | ANYTHING.map(json.dumps),
)
@settings(max_examples=100, deadline=None)
def test_whatever_stands_in_a_credential_a_person_comes(name: str, value: object) -> None:
    with_credential({**PBKDF2, name: value})
    with_credential(value)
