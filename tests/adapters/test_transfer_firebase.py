"""Firebase's users, as `firebase auth:export` writes them.

Project parameters, hash and password are those that Firebase publishes (the README of its scrypt repository); the
documents around them are written here, by the exporter's source and documentation."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.transfer.firebase import FirebaseHashConfig, firebase_csv, firebase_json, from_firebase
from application.ports.transfer import Candidate, SourceUnreadable, Unfit
from tests.support.hash_vectors import BY_FORM
from tests.support.transfers import gathered, judged_alone, lets_in, lets_nobody_in, only

NOW = datetime(2026, 3, 1, tzinfo=UTC)

DIALOG = """hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}
"""
SIGNER_KEY = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
CONFIG = FirebaseHashConfig.parse(DIALOG)
HASH = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
SALT = "42xEC+ixf3L2lw=="
PUBLISHED_LINE = f"kYi4EvWQlQTKSfnJ3dRSP6IH3ed2,user1@test.com,false,{HASH},{SALT},Test User 1" + (
    ",,,,,,,,,,,,,,,,,,1508893925000,1508893925000,,\n"
)

USER: dict[str, Any] = {
    "localId": "kYi4EvWQlQTKSfnJ3dRSP6IH3ed2",
    "email": "user1@test.com",
    "emailVerified": True,
    "passwordHash": HASH,
    "salt": SALT,
    "displayName": "Test User 1",
    "photoUrl": "https://example.org/1.png",
    "lastSignedInAt": "1508893926000",
    "createdAt": "1508893925000",
    "phoneNumber": "+4930123456",
    "disabled": False,
    "customAttributes": '{"plan":"gold","seats":3}',
    "providerUserInfo": [{"providerId": "google.com", "rawId": "108", "email": "user1@test.com"}],
}


def document(tmp_path: Path, *users: object) -> Path:
    path = tmp_path / "users.json"
    path.write_text(json.dumps({"users": users}, indent=2))
    return path


def read(entry: dict[str, Any]) -> Candidate | Unfit:
    return judged_alone(entry, lambda row: from_firebase(row, CONFIG, NOW))


def test_everything_about_a_user_comes_along(tmp_path: Path) -> None:
    found = only(firebase_json(document(tmp_path, USER), CONFIG, NOW))

    assert (found.id, found.email, found.name) == (USER["localId"], "user1@test.com", "Test User 1")
    assert found.email_verified
    assert found.created_at == datetime(2017, 10, 25, 1, 12, 5, tzinfo=UTC)
    assert found.disabled_at is None
    assert found.metadata == {
        "photoUrl": "https://example.org/1.png",
        "lastSignedInAt": "1508893926000",
        "phoneNumber": "+4930123456",
        "customAttributes": {"plan": "gold", "seats": 3},
        "providerUserInfo": [{"providerId": "google.com", "rawId": "108", "email": "user1@test.com"}],
    }


def test_the_password_is_the_one_that_firebase_publishes(tmp_path: Path) -> None:
    found = only(firebase_json(document(tmp_path, USER), CONFIG, NOW))

    assert found.password_hash == f"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={SIGNER_KEY}${SALT}${HASH}"
    assert lets_in(found, "user1password")
    assert not lets_in(found, "user2password")


@pytest.mark.parametrize(
    "change",
    [
        {"passwordHash": "c2hvcnQ="},
        {"passwordHash": "§"},
        {"salt": ""},
        {"salt": None},
        {"salt": "§"},
        {"salt": "c2Fs" * 40},
    ],
    ids=str,
)
def test_what_firebase_would_not_write_lets_nobody_in(change: dict[str, Any]) -> None:
    found = read(USER | change)

    assert isinstance(found, Candidate)
    assert lets_nobody_in(found)


def test_the_parameters_may_be_given_one_by_one() -> None:
    separate = FirebaseHashConfig.of(signer_key=SIGNER_KEY, salt_separator="Bw==", rounds="8", mem_cost=14)

    assert separate == CONFIG


def test_parameters_without_a_separator_have_none_in_the_hash() -> None:
    config = FirebaseHashConfig.of(signer_key=SIGNER_KEY, salt_separator="", rounds=8, mem_cost=14)

    assert "ss=" not in config.encoded(b"salt", b"hash")


def test_the_signer_key_is_in_no_representation() -> None:
    assert SIGNER_KEY[:8] not in repr(CONFIG)
    assert repr(CONFIG.signer_key) not in repr(CONFIG)


@pytest.mark.parametrize(
    "text",
    [
        "",
        DIALOG.replace("SCRYPT", "BCRYPT"),
        DIALOG.replace("jxspr8", "jx$spr8"),
        DIALOG.replace("rounds: 8", "rounds: eight"),
        DIALOG.replace("mem_cost: 14", "mem_cost: 99999999999"),
        DIALOG.replace("base64_salt_separator: Bw==", "base64_salt_separator: B"),
    ],
    ids=["nothing", "another algorithm", "a broken key", "words", "too much", "a broken separator"],
)
def test_parameters_that_are_none_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(SourceUnreadable) as refusal:
        FirebaseHashConfig.parse(text)

    assert "spr8" not in str(refusal.value)


def test_without_parameters_people_come_and_their_passwords_do_not(tmp_path: Path) -> None:
    found = only(firebase_json(document(tmp_path, USER), None, NOW))

    assert found.password_hash is None
    assert found.password_problem == "The hash parameters of the Firebase project were not given."


def test_who_signs_in_elsewhere_has_no_password() -> None:
    found = read({**USER, "passwordHash": None, "salt": None})

    assert isinstance(found, Candidate)
    assert (found.password_hash, found.password_problem) == (None, None)


def test_url_safe_base64_is_understood_too() -> None:
    spelt = str.maketrans("+/", "-_")
    config = FirebaseHashConfig.parse(DIALOG.translate(spelt))
    change = {"passwordHash": HASH.translate(spelt), "salt": SALT.translate(spelt)}

    found = judged_alone(USER | change, lambda row: from_firebase(row, config, NOW))

    assert isinstance(found, Candidate)
    assert found.password_hash == BY_FORM["fbscrypt"].encoded


def test_who_is_disabled_stays_disabled() -> None:
    found = read({**USER, "disabled": True})

    assert isinstance(found, Candidate)
    assert found.disabled_at == NOW


def test_what_no_database_can_hold_is_replaced_in_metadata() -> None:
    found = read({**USER, "a\0b": ["\ud800", 2**70, float("inf"), {"c\0": None}]})

    assert isinstance(found, Candidate)
    assert found.metadata["a\ufffdb"] == ["\ufffd", str(2**70), "inf", {"c\ufffd": None}]


def test_metadata_that_nests_without_end_is_nobodys() -> None:
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]

    found = read({**USER, "deep": deep})

    assert isinstance(found, Unfit)
    assert found.reason == "Something nests too deep."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"email": None}, "There is no e-mail address."),
        ({"email": " "}, "There is no e-mail address."),
        ({"email": 7}, "email is no text."),
        ({"localId": None}, "There is no localId."),
        ({"disabled": "perhaps"}, "disabled is neither true nor false."),
        ({"emailVerified": 2}, "emailVerified is neither true nor false."),
        ({"createdAt": "soon"}, "createdAt is no instant in milliseconds."),
        ({"createdAt": 10**16}, "createdAt is no instant in milliseconds."),
        ({"displayName": "a\0b"}, "displayName is no text."),
    ],
    ids=str,
)
def test_who_is_not_as_promised_is_named_with_the_reason(change: dict[str, Any], reason: str) -> None:
    found = read(USER | change)

    assert isinstance(found, Unfit)
    assert found.reason == reason
    assert found.whom in (USER["localId"], USER["email"])


def test_the_published_csv_line_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text(PUBLISHED_LINE)

    found = only(firebase_csv(path, CONFIG, NOW))

    assert (found.id, found.email, found.name) == (USER["localId"], "user1@test.com", "Test User 1")
    assert not found.email_verified
    assert found.created_at == datetime(2017, 10, 25, 1, 12, 5, tzinfo=UTC)
    assert lets_in(found, "user1password")


def test_a_lone_quotation_mark_in_the_csv_costs_its_own_line_and_swallows_nobody(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    lines = [PUBLISHED_LINE.replace("Test User 1", name) for name in ('"Bob', '"Al', "Cy", '"Doe, Di"', 'Ed "E" Em')]
    path.write_text("".join(lines))

    found = gathered(firebase_csv(path, CONFIG, NOW))

    assert [entry.name if isinstance(entry, Candidate) else entry.line for entry in found] == [
        *(1, 2, "Cy", "Doe, Di", 'Ed "E" Em')
    ]


def test_a_csv_line_of_another_width_is_nobody(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("id,email\n" + PUBLISHED_LINE)

    nobody, somebody = gathered(firebase_csv(path, CONFIG, NOW))

    assert nobody == Unfit(line=1, whom="?", reason="It has 2 columns, and Firebase writes 28.")
    assert isinstance(somebody, Candidate)


def test_claims_and_providers_are_read_from_the_csv(tmp_path: Path) -> None:
    values = [""] * 28
    values[0], values[1], values[2], values[26] = "1", "a@example.org", "true", "true"
    values[11:15] = ["99", "f@example.org", "F", ""]
    values[27] = '"{""plan"":""gold""}"'
    path = tmp_path / "users.csv"
    path.write_text(",".join(values) + ",\n")

    found = only(firebase_csv(path, CONFIG, NOW))

    assert found.disabled_at == NOW
    assert found.metadata["customAttributes"] == {"plan": "gold"}
    assert found.metadata["providerUserInfo"] == [
        {"providerId": "facebook.com", "rawId": "99", "email": "f@example.org", "displayName": "F", "photoUrl": ""}
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "null",
        '{"users":{}}',
        '{"users":[{"localId":"1","email":"a@example.org"}',
        '{"users":[{"localId":"1",}]}',
        '{"users":[' + "[" * 100_000,
        '{"users":[' + "1" * 20_000 + "]}",
    ],
    ids=["empty", "no list", "a list", "null", "an object", "cut off", "no JSON", "too deep", "too long a number"],
)
def test_a_document_that_is_none_ends_the_reading(tmp_path: Path, text: str) -> None:
    path = tmp_path / "users.json"
    path.write_text(text)

    with pytest.raises(SourceUnreadable, match=r"users\.json"):
        gathered(firebase_json(path, CONFIG, NOW))


def test_a_file_that_is_not_there_ends_the_reading(tmp_path: Path) -> None:
    for reader in (firebase_json, firebase_csv):
        with pytest.raises(SourceUnreadable, match="not there"):
            gathered(reader(tmp_path / "none.json", CONFIG, NOW))


def test_no_fault_quotes_a_hash(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    path.write_text(json.dumps({"users": [USER]})[:-40] + "\x01")

    with pytest.raises(SourceUnreadable) as refusal:
        gathered(firebase_json(path, CONFIG, NOW))

    assert HASH[:12] not in str(refusal.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(USER)), value=ANYTHING)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_a_field_somebody_or_nobody_comes_of_it(name: str, value: object) -> None:
    found = read({**USER, name: value})

    assert isinstance(found, Candidate | Unfit)
    if isinstance(found, Candidate):
        json.dumps(found.metadata, allow_nan=False).encode()
        assert HASH not in json.dumps(found.metadata)
