"""Declared fields and the profile over HTTP, and the file that declares them (R12): docs/profile.md."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from playwright.sync_api import expect

from domain.declared_fields import DeclaredField, FieldType
from entrypoints.fields_file import MOST_BYTES_IN_TOKENS, RESERVED, squashed
from entrypoints.http.native.shapes import UserShape
from entrypoints.http.native.sign_up import OpenSignUpBody
from entrypoints.http.native.users import ChangeProfileBody
from entrypoints.settings import Settings, SettingsError, read_settings
from tests.entrypoints.test_openapi import misfits, resolve
from tests.support.browser import run_browser, visit
from tests.support.http_requests import (
    PASSWORD,
    assert_problem,
    cookies_set,
    free_port,
    new_address,
    run_command,
    sign_in,
)
from tests.support.server import Server, run_server

FIELDS = """
[company]
type = "string"
label = "Your company"
required = true
max_length = 40
in_token = true

[team_size]
type = "string"
choices = ["1 to 10", "more"]

[seats]
type = "integer"
minimum = 1
maximum = 500

[news]
type = "boolean"
required = true

[plan]
type = "string"
choices = ["free", "pro"]
input = false
in_token = true
"""
GIVEN: dict[str, Any] = {"company": " Zoë & Co ", "news": False, "seats": 3}
SHOWN = {"company": "Zoë & Co", "team_size": None, "seats": 3, "news": False, "plan": None}


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with fields of its own, where usernames are optional."""
    folder = tmp_path_factory.mktemp("declared")
    (folder / "fields.toml").write_text(FIELDS)
    with run_server(folder, {"OSTIARY_FIELDS": "fields.toml", "OSTIARY_USERNAME": "optional"}) as running:
        yield running


@pytest.fixture(scope="module")
def document(declared: Server) -> dict[str, Any]:
    with declared.client() as client:
        return dict(client.get("/openapi.json").json())


@pytest.fixture
def client(declared: Server) -> Iterator[httpx.Client]:
    """Somebody's browser."""
    with declared.client() as client:
        yield client


@pytest.fixture(scope="module")
def ada(declared: Server) -> Iterator[httpx.Client]:
    """The browser of somebody who is refused everything, and stays as she was."""
    with declared.client() as client:
        before = join(declared, client)["user"]
        yield client
        assert client.get("/auth/me").json() == before


def ask(client: httpx.Client, email: str, **fields: Any) -> httpx.Response:
    """Ask to join, with these fields."""
    return client.post("/auth/signup", json={"email": email, "password": PASSWORD, "name": "Ada", **fields})


def join(server: Server, client: httpx.Client, **fields: Any) -> dict[str, Any]:
    """Somebody who signed up with these fields and proved their mailbox: the answer to that."""
    email = new_address()
    answer = ask(client, email, **{**GIVEN, **fields})
    assert answer.status_code == 202, answer.text
    answer = client.post("/auth/verify-email", json={"token": server.token(email)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def errors(answer: httpx.Response) -> set[tuple[str, str]]:
    """Every field that was refused, with the code."""
    return {(error["field"], error["code"]) for error in assert_problem(answer, 400, "validation_error")["errors"]}


def claims(token: str) -> dict[str, Any]:
    """What an access token says."""
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


# Signing up with them


def test_what_is_given_at_sign_up_is_in_every_answer_about_the_user(declared: Server, client: httpx.Client) -> None:
    signed_in = join(declared, client)
    user = signed_in["user"]
    assert {name: user[name] for name in SHOWN} == SHOWN
    assert client.get("/auth/me").json() == user
    assert client.get(f"/auth/users/{user['id']}").json() == user
    assert client.post("/auth/refresh", json={}).json()["user"] == user
    assert sign_in(client, user["email"]).json()["user"] == user
    assert "fields" not in user


def test_the_token_says_what_was_asked_to_be_in_it_and_there_is(declared: Server, client: httpx.Client) -> None:
    signed_in = join(declared, client)
    said = claims(signed_in["access_token"])
    assert said["company"] == "Zoë & Co"
    assert {"plan", "seats", "news", "team_size"}.isdisjoint(said)
    declared.sql(
        "UPDATE users SET fields = json_set(fields, '$.plan', 'pro') WHERE email = :email",
        email=signed_in["user"]["email"],
    )
    again = sign_in(client, signed_in["user"]["email"]).json()
    assert claims(again["access_token"])["plan"] == "pro"
    assert again["user"]["plan"] == "pro"


def test_everything_wrong_is_named_at_once(client: httpx.Client) -> None:
    given = {"email": "x", "seats": "3", "team_size": "huge", "company": None, "surprise": 1}
    assert errors(client.post("/auth/signup", json=given)) == {
        ("email", "invalid_email"),
        ("password", "required"),
        ("name", "required"),
        ("seats", "invalid_type"),
        ("team_size", "not_a_choice"),
        ("company", "invalid_type"),
        ("news", "required"),
        ("surprise", "unknown_field"),
    }


@pytest.mark.parametrize(
    "value",
    ["x" * 41, "", " ", "a\x00b", "a\u202eb", 1, True, ["x"], {"a": 1}, None, 1e308, 2**63],
    ids=lambda value: repr(value)[:12],
)
def test_a_value_that_does_not_belong_there_is_refused_by_name(client: httpx.Client, value: Any) -> None:
    [(field, _)] = errors(ask(client, new_address(), **{**GIVEN, "company": value}))
    assert field == "company"


@pytest.mark.parametrize("value", [0, 501, -1, 2**63, 2**200, 1.0, 1.5, True, "1", "", [], {}])
def test_a_number_is_a_whole_number_within_its_bounds(client: httpx.Client, value: Any) -> None:
    [(field, _)] = errors(ask(client, new_address(), **{**GIVEN, "seats": value}))
    assert field == "seats"


@pytest.mark.parametrize(
    "field", ["role", "id", "email_verified", "created_at", "disabled_at", "fields", "sub", "Plan"]
)
def test_nobody_signs_up_with_what_is_not_asked_for(client: httpx.Client, field: str) -> None:
    """R12: mass assignment."""
    assert errors(ask(client, new_address(), **GIVEN, **{field: "admin"})) == {(field, "unknown_field")}


@pytest.mark.parametrize("value", ["pro", "free", None, 1])
def test_nobody_sets_what_administrators_set(ada: httpx.Client, client: httpx.Client, value: Any) -> None:
    refused = errors(ask(client, new_address(), **GIVEN, plan=value))
    assert ("plan", "server_only") in refused
    assert {field for field, _ in refused} == {"plan"}
    assert errors(ada.patch("/auth/me", json={"plan": value})) == {("plan", "server_only")}


def test_where_verification_is_optional_joining_answers_with_them(tmp_path: Path) -> None:
    (tmp_path / "fields.toml").write_text(FIELDS)
    variables = {"OSTIARY_FIELDS": "fields.toml", "OSTIARY_VERIFICATION": "optional"}
    with run_server(tmp_path, variables) as server, server.client() as client:
        answer = ask(client, new_address(), **GIVEN)
        assert answer.status_code == 201
        assert {name: answer.json()["user"][name] for name in SHOWN} == SHOWN
        document = client.get("/openapi.json").json()
        operation = document["paths"]["/auth/signup"]["post"]
        content = operation["responses"]["201"]["content"]["application/json"]
        assert misfits(document, content["schema"], answer.json()) == []
        body = resolve(document, operation["requestBody"]["content"]["application/json"]["schema"])
        assert {"company", "transport"} <= body["properties"].keys()


# Changing the profile


def test_only_what_is_given_changes(declared: Server, client: httpx.Client) -> None:
    before = join(declared, client)["user"]
    answer = client.patch("/auth/me", json={"name": "Countess", "seats": None, "team_size": "more"})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {**before, "name": "Countess", "seats": None, "team_size": "more"}
    assert client.get("/auth/me").json() == answer.json()
    assert "set-cookie" not in answer.headers
    assert client.patch("/auth/me", json={}).json() == answer.json()
    assert [event["kind"] for event in client.get("/auth/events").json()["events"]].count("profile_changed") == 1


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"role": "admin"}, {("role", "unknown_field")}),
        ({"email": "eve@example.com"}, {("email", "unknown_field")}),
        ({"id": "x", "email_verified": True}, {("id", "unknown_field"), ("email_verified", "unknown_field")}),
        ({"password": "x", "created_at": 1}, {("password", "unknown_field"), ("created_at", "unknown_field")}),
        ({"fields": {"plan": "pro"}}, {("fields", "unknown_field")}),
        ({"disabled_at": None, "__proto__": None}, {("disabled_at", "unknown_field"), ("__proto__", "unknown_field")}),
        ({"name": None, "company": None, "news": None}, {(field, "required") for field in ("name", "company", "news")}),
        ({"name": 1, "username": ["x"]}, {("name", "invalid_type"), ("username", "invalid_type")}),
        ({"name": "a\nb", "seats": 0}, {("name", "invalid_characters"), ("seats", "out_of_range")}),
    ],
)
def test_what_cannot_be_changed_is_refused_by_name(
    ada: httpx.Client, given: dict[str, Any], refused: set[tuple[str, str]]
) -> None:
    assert errors(ada.patch("/auth/me", json=given)) == refused


def test_a_profile_is_changed_by_who_is_signed_in_and_from_our_own_pages(
    declared: Server, client: httpx.Client
) -> None:
    assert_problem(client.patch("/auth/me", json={"name": "Eve"}), 401, "unauthenticated")
    token = join(declared, client)["access_token"]
    foreign = client.patch("/auth/me", json={"name": "Eve"}, headers={"origin": "https://evil.example"})
    assert_problem(foreign, 403, "foreign_origin")
    text = client.patch("/auth/me", content=b'{"name": "Eve"}', headers={"content-type": "text/plain"})
    assert_problem(text, 415, "unsupported_media_type")
    with declared.client() as native:
        answer = native.patch("/auth/me", json={"name": "Countess"}, headers={"authorization": f"Bearer {token}"})
        assert answer.json()["name"] == "Countess"


def test_a_username_that_is_taken_is_a_conflict_and_a_new_one_marks_the_device(
    declared: Server, client: httpx.Client
) -> None:
    join(declared, client, username="ada.first")
    with declared.client() as other:
        join(declared, other, username="countess")
        problem = assert_problem(other.patch("/auth/me", json={"username": "ada.first"}), 409, "conflict")
        assert [(error["field"], error["code"]) for error in problem["errors"]] == [("username", "taken")]
    answer = client.patch("/auth/me", json={"username": "ada.second"})
    assert answer.json()["username"] == "ada.second"
    assert cookies_set(answer).keys() == {"ostiary-device"}
    by_name = {"username": "ada.second", "password": PASSWORD}
    assert client.post("/auth/signin", json=by_name).status_code == 200
    by_old_name = {"username": "ada.first", "password": PASSWORD}
    assert_problem(client.post("/auth/signin", json=by_old_name), 401, "invalid_credentials")


def test_a_native_client_reads_its_device_mark_in_a_header(declared: Server, client: httpx.Client) -> None:
    email = join(declared, client)["user"]["email"]
    with declared.client() as native:
        signed_in = sign_in(native, email, transport="token").json()
        headers = {
            "authorization": f"Bearer {signed_in['access_token']}",
            "x-ostiary-device": signed_in["device_token"],
        }
        answer = native.patch("/auth/me", json={"username": "native.ada"}, headers=headers)
        assert answer.headers["x-ostiary-device"] != signed_in["device_token"]
        assert "set-cookie" not in answer.headers


def test_the_limit_of_usernames_says_when_to_come_back(tmp_path: Path) -> None:
    variables = {"OSTIARY_USERNAME": "optional", "OSTIARY_LIMIT_USERNAME_CHANGE": "1/1d"}
    with run_server(tmp_path, variables) as server, server.client() as client:
        email = new_address()
        assert ask(client, email).status_code == 202
        client.post("/auth/verify-email", json={"token": server.token(email)})
        assert client.patch("/auth/me", json={"username": "one"}).status_code == 200
        limited = client.patch("/auth/me", json={"username": "two"})
        assert_problem(limited, 429, "rate_limited")
        assert 86_000 < int(limited.headers["retry-after"]) <= 86_400


# What front ends and back ends are told


def test_the_policy_lists_them_in_their_order(client: httpx.Client) -> None:
    fields = client.get("/auth/policy").json()["fields"]
    assert [field["name"] for field in fields] == ["company", "team_size", "seats", "news", "plan"]
    assert fields[0] == {
        "name": "company",
        "type": "string",
        "label": "Your company",
        "required": True,
        "input": True,
        "max_length": 40,
        "choices": None,
        "minimum": None,
        "maximum": None,
    }
    assert (fields[1]["label"], fields[1]["choices"]) == ("Team size", ["1 to 10", "more"])
    assert (fields[2]["minimum"], fields[2]["maximum"]) == (1, 500)
    assert [field["input"] for field in fields] == [True, True, True, True, False]


def test_the_document_has_them_with_their_real_types(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    joining, changing, user = (schemas[name] for name in ("SignUpBody", "ChangeProfileBody", "UserShape"))
    assert joining["properties"]["company"] == {
        "type": "string",
        "description": "Your company",
        "maxLength": 40,
        "minLength": 1,
    }
    assert joining["properties"]["team_size"]["enum"] == ["1 to 10", "more"]
    assert joining["properties"]["seats"] == {
        "type": "integer",
        "description": "Seats",
        "minimum": 1,
        "maximum": 500,
    }
    assert set(joining["required"]) == {"email", "password", "name", "company", "news"}
    assert "plan" not in joining["properties"]
    assert "plan" not in changing["properties"]
    assert {"type": "null"} in changing["properties"]["seats"]["anyOf"]
    assert {"type": "null"} in changing["properties"]["username"]["anyOf"]
    assert changing["properties"]["company"]["type"] == "string"
    assert changing["properties"]["name"]["type"] == "string"
    assert changing["required"] == []
    assert {"company", "team_size", "seats", "news", "plan"} <= set(user["required"])
    assert "role" not in {*joining["properties"], *changing["properties"]}


def test_every_example_fits_and_real_answers_are_as_described(
    declared: Server, client: httpx.Client, document: dict[str, Any]
) -> None:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            contents = [response.get("content", {}) for response in operation["responses"].values()]
            contents += [operation["requestBody"]["content"]] if "requestBody" in operation else []
            for content in contents:
                for media in content.values():
                    for example in media.get("examples", {}).values():
                        assert misfits(document, media["schema"], example["value"]) == [], (method, path)
    signed_in = join(declared, client)
    shapes = document["components"]["schemas"]
    assert misfits(document, shapes["SignedInShape"], signed_in) == []
    assert misfits(document, shapes["UserShape"], client.patch("/auth/me", json={"seats": 4}).json()) == []
    assert misfits(document, shapes["PolicyShape"], client.get("/auth/policy").json()) == []


def test_the_sign_up_page_asks_for_what_is_required(client: httpx.Client) -> None:
    page = client.get("/auth/signup").text
    assert 'data-declared="company"' in page
    assert "Your company" in page
    assert 'data-declared="news"' in page
    assert 'data-declared="seats"' not in page
    assert "plan" not in page


@pytest.mark.browser
def test_somebody_signs_up_on_the_page_with_fields_of_ours(tmp_path: Path) -> None:
    (tmp_path / "fields.toml").write_text(
        '[status]\ntype = "string"\nrequired = true\n[team_size]\ntype = "string"\nchoices = ["few", "many"]\n'
        'required = true\n[seats]\ntype = "integer"\nmaximum = 500\nrequired = true\n'
        '[news]\ntype = "boolean"\nlabel = "Send me news"\nrequired = true'
    )
    variables = {"OSTIARY_FIELDS": "fields.toml", "OSTIARY_PORT": str(free_port())}
    with run_server(tmp_path, variables) as server, run_browser() as browser, visit(browser, server.url) as ada:
        email, page = new_address("browser"), ada.open("/auth/signup")
        page.get_by_label("Name", exact=True).fill("Ada")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Team size").select_option("many")
        page.get_by_label("Seats").fill("many")
        page.get_by_label("Send me news").check()
        page.get_by_role("button", name="Sign up").click()
        expect(page.locator("#field-status-error")).to_have_text("Fill this in.")
        expect(page.locator("#field-seats-error")).to_have_text("Enter a whole number.")
        page.get_by_label("Status").fill("Countess")
        page.get_by_label("Seats").fill("501")
        page.get_by_role("button", name="Sign up").click()
        expect(page.locator("#field-seats-error")).to_contain_text("whole number from")
        page.get_by_label("Seats").fill("42")
        page.get_by_role("button", name="Sign up").click()
        page.wait_for_url("**/auth/check-inbox")
        with server.client() as client:
            body = {"token": server.token(email), "password": PASSWORD}
            user = client.post("/auth/verify-email", json=body).json()["user"]
    said = {"status": "Countess", "team_size": "many", "seats": 42, "news": True}
    assert {name: user[name] for name in said} == said


def test_without_a_declaration_everything_is_as_it_was(server: Server) -> None:
    with server.client() as client:
        assert client.get("/auth/policy").json()["fields"] == []
        assert errors(ask(client, new_address(), company="x")) == {("company", "unknown_field")}


# The file


def read(folder: Path, text: str | bytes) -> Settings:
    """The settings with this file."""
    file = folder / "fields.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_settings({"OSTIARY_FIELDS": str(file)}, dotenv=None)


def refused(folder: Path, text: str | bytes) -> list[str]:
    """What is said about this file, line by line."""
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    start = f"OSTIARY_FIELDS: {folder / 'fields.toml'}: "
    assert all(problem.startswith(start) for problem in caught.value.problems), caught.value.problems
    return [problem.removeprefix(start) for problem in caught.value.problems]


def test_a_file_says_what_it_means(tmp_path: Path) -> None:
    company, team_size, *_, plan = read(tmp_path, FIELDS).declared.all
    assert company == DeclaredField(
        name="company", type=FieldType.STRING, label="Your company", required=True, in_token=True, max_length=40
    )
    assert (team_size.label, team_size.required, team_size.input, team_size.in_token) == (
        "Team size",
        False,
        True,
        False,
    )
    assert (plan.choices, plan.input, plan.in_token) == (("free", "pro"), False, True)
    assert read(tmp_path, '[x]\ntype = "string"').declared.all[0].max_length == 200
    assert read(tmp_path, "").declared.all == ()


@pytest.mark.parametrize(
    ("text", "field", "hint"),
    [
        ("[x]", "x", "type is missing"),
        ('[x]\ntype = "text"', "x", "expected string, integer or boolean"),
        ("[x]\ntype = 1", "x", "expected string"),
        ('x = "string"', "x", "a table of its own"),
        ('[x]\ntype = "string"\ntpye = 1', "x", "tpye"),
        ('[x]\ntype = "boolean"\nmax_length = 3', "x", "max_length"),
        ('[x]\ntype = "string"\nminimum = 3', "x", "minimum"),
        ('[x]\ntype = "string"\nmax_length = 0', "x", "1 to 1000"),
        ('[x]\ntype = "string"\nmax_length = 1001', "x", "1 to 1000"),
        ('[x]\ntype = "string"\nmax_length = true', "x", "1 to 1000"),
        ('[x]\ntype = "string"\nchoices = ["a"]\nmax_length = 3', "x", "max_length"),
        ('[x]\ntype = "string"\nchoices = []', "x", "choices"),
        ('[x]\ntype = "string"\nchoices = ["a", "a"]', "x", "choices"),
        ('[x]\ntype = "string"\nchoices = ["a", " b"]', "x", "choices"),
        ('[x]\ntype = "string"\nchoices = ["a", 1]', "x", "choices"),
        ('[x]\ntype = "string"\nchoices = ["a\\u0000"]', "x", "choices"),
        ('[x]\ntype = "string"\nrequired = "yes"', "x", "true or false"),
        ('[x]\ntype = "string"\ninput = 0', "x", "true or false"),
        ('[x]\ntype = "string"\nlabel = ""', "x", "label"),
        ('[x]\ntype = "string"\nlabel = 1', "x", "label"),
        ('[x]\ntype = "integer"\nminimum = 2\nmaximum = 1', "x", "no number fits"),
        ('[x]\ntype = "integer"\nminimum = 1.0', "x", "64 bits"),
        ('[x]\ntype = "integer"\nmaximum = 9223372036854775808', "x", "64 bits"),
        ('[x]\ntype = "string"\nrequired = true\ninput = false', "x", "drop one"),
        ('["x y"]\ntype = "string"', "x y", "a name has"),
        ('[1x]\ntype = "string"', "1x", "a name has"),
        ('[_x]\ntype = "string"', "_x", "a name has"),
        (f'[{"x" * 33}]\ntype = "string"', "x" * 32, "a name has"),
        ('["é"]\ntype = "string"', "é", "a name has"),
        ('[role]\ntype = "string"\ninput = false', "role", "choose another"),
        ('[emailVerified]\ntype = "string"', "emailVerified", "choose another"),
        ('[Sub]\ntype = "string"', "Sub", "choose another"),
        ('[jobTitle]\ntype = "string"\n[job_title]\ntype = "string"', "job_title", "too much like jobTitle"),
    ],
)
def test_what_a_file_gets_wrong_is_said_with_file_and_field(tmp_path: Path, text: str, field: str, hint: str) -> None:
    [problem] = refused(tmp_path, text)
    assert problem.startswith(f"{field}: ")
    assert hint in problem


def test_everything_a_file_gets_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = '[role]\ntype = "text"\nrequired = 1\n[x]\nmax_length = 3\n[y]\ntype = "string"\nchoices = 1'
    said = refused(tmp_path, text)
    assert [problem.partition(":")[0] for problem in said] == ["role", "role", "role", "x", "y"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[x", "not TOML"),
        ("[x]\n[x]", "not TOML"),
        (b"\xff\xfe", "UTF-8"),
        ("".join(f'[x{number}]\ntype = "boolean"\n' for number in range(21)), "at most 20"),
        ("".join(f'[x{number}]\ntype = "string"\nmax_length = 1000\n' for number in range(4)), "lower some max_length"),
        ('[x]\ntype = "string"\nmax_length = 1000\nin_token = true', "access token"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_to_be_so(tmp_path: Path, text: str | bytes, hint: str) -> None:
    [problem] = refused(tmp_path, text)
    assert hint in problem


def test_a_file_that_is_not_there_or_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="OSTIARY_FIELDS: no such file"):
        read_settings({"OSTIARY_FIELDS": str(tmp_path / "nowhere.toml")}, dotenv=None)


def test_the_program_refuses_to_start_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "fields.toml").write_text('[role]\ntype = "string"')
    done = run_command("serve", folder=tmp_path, variables={"OSTIARY_FIELDS": "fields.toml"})
    assert done.returncode == 2
    assert "OSTIARY_FIELDS: fields.toml: role: " in done.stderr
    (tmp_path / "fields.toml").write_text(FIELDS)
    shown = run_command("settings", folder=tmp_path, variables={"OSTIARY_FIELDS": "fields.toml"})
    assert "OSTIARY_FIELDS = fields.toml  (environment)" in shown.stdout


def test_no_declared_field_takes_the_place_of_one_of_ours(declared: Server, client: httpx.Client) -> None:
    shapes: list[type[msgspec.Struct]] = [UserShape, OpenSignUpBody, ChangeProfileBody]
    ours = {field.encode_name for shape in shapes for field in msgspec.structs.fields(shape)}
    ours |= claims(join(declared, client)["access_token"]).keys() - SHOWN.keys()
    assert {name for name in ours | {"user_id"} if squashed(name) not in RESERVED} == set()


def test_the_longest_that_a_token_may_carry_is_still_a_token(tmp_path: Path) -> None:
    """Ostiary refuses tokens of more than 4 KiB, and no cookie holds them."""
    long = (MOST_BYTES_IN_TOKENS - len('"abc":,""')) // 4
    (tmp_path / "fields.toml").write_text(f'[abc]\ntype = "string"\nmax_length = {long}\nin_token = true')
    variables = {
        "OSTIARY_FIELDS": "fields.toml",
        "OSTIARY_JWT_USER_ID": "on",
        "OSTIARY_ACCESS_TOKEN_COOKIE": "on",
        "OSTIARY_JWT_AUDIENCE": "https://a-rather-long-name-of-an-audience.example.com/" + "x" * 100,
    }
    with run_server(tmp_path, variables) as server, server.client() as client:
        email = "ż" * 32 + "@" + ".".join(["x" * 60] * 3) + ".com"
        assert ask(client, email, abc="🧮" * long).status_code == 202
        answer = client.post("/auth/verify-email", json={"token": server.token(email)})
        token = answer.json()["access_token"]
        assert len(token) < 4000
        assert claims(token)["abc"] == "🧮" * long
        with server.client() as other:
            assert other.get("/auth/me", headers={"authorization": f"Bearer {token}"}).status_code == 200
