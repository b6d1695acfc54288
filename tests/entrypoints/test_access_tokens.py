"""Access tokens as another back end sees them: by the published keys, or by a shared secret (R51-R53, A 9)."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest

from tests.support.forgeries import encode, forgeries
from tests.support.http_requests import assert_problem, make_member, new_address, sign_in
from tests.support.server import Server, run_server

SHARED = "a shared secret of thirty-two and more characters 8c1"
STRONG = "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"
NEWER = "mX3bN8cV5zL1kJ6hG9fD2sA7pQ4wE0rT"


@pytest.fixture(scope="module")
def email(server: Server) -> str:
    """Somebody's address."""
    address = new_address("bearer")
    make_member(server, address)
    return address


@pytest.fixture
def signed_in(server: Server, email: str) -> dict[str, Any]:
    """A session just begun."""
    with server.client() as client:
        return dict(sign_in(client, email, transport="token").json())


def key_set(server: Server) -> jwt.PyJWKSet:
    """The published keys."""
    answer = httpx.get(f"{server.url}/.well-known/jwks.json")
    assert answer.headers["content-type"] == "application/json"
    return jwt.PyJWKSet.from_dict(answer.json())


def verified(server: Server, token: str) -> dict[str, Any]:
    """What another back end reads that knows the key set, the issuer and the audience."""
    key = key_set(server)[jwt.get_unverified_header(token)["kid"]]
    issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
    return dict(jwt.decode(token, key.key, algorithms=["ES256"], issuer=issuer, audience=issuer))


def test_another_back_end_verifies_with_the_published_keys(server: Server, signed_in: dict[str, Any]) -> None:
    claims = verified(server, signed_in["access_token"])
    user = signed_in["user"]
    assert claims["sub"] == user["id"]
    assert (claims["email"], claims["email_verified"], claims["role"]) == (user["email"], True, "user")
    assert claims["exp"] - claims["iat"] == signed_in["expires_in"] == 900
    assert abs(claims["iat"] - time.time()) < 30
    assert UUID(claims["sid"]) != UUID(claims["jti"])
    assert claims.keys() == {
        "iss",
        "aud",
        "sub",
        "sid",
        "iat",
        "exp",
        "jti",
        "email",
        "email_verified",
        "role",
    }
    header = jwt.get_unverified_header(signed_in["access_token"])
    assert header.keys() == {"alg", "typ", "kid"}
    assert (header["alg"], header["typ"]) == ("ES256", "at+jwt")


def test_the_published_keys_are_public(server: Server) -> None:
    for key in httpx.get(f"{server.url}/.well-known/jwks.json").json()["keys"]:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")


def test_no_two_tokens_are_the_same(server: Server, email: str) -> None:
    with server.client() as client:
        tokens = [sign_in(client, email).json()["access_token"] for _ in range(3)]
    assert len({jwt.decode(token, options={"verify_signature": False})["jti"] for token in tokens}) == 3


def test_no_forgery_is_believed(server: Server, signed_in: dict[str, Any]) -> None:
    token = signed_in["access_token"]
    with server.client() as client:
        for what, forged in forgeries(server, token):
            answer = client.get("/auth/me", headers={"authorization": f"Bearer {forged}"})
            assert answer.status_code == 401, what
            assert_problem(answer, 401, "unauthenticated")
        assert client.get("/auth/me", headers={"authorization": f"Bearer {token}"}).status_code == 200
        assert client.get("/auth/me", headers={"authorization": f"bearer {token}"}).status_code == 200


def test_a_bad_bearer_is_not_made_good_by_a_good_cookie(server: Server, email: str) -> None:
    with server.client() as client:
        sign_in(client, email)
        assert client.get("/auth/me").status_code == 200
        assert client.get("/auth/me", headers={"authorization": "Bearer x"}).status_code == 401


# -- A shared secret, as F's back end has it --


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in HS256 mode."""
    variables = {
        "OSTIARY_JWT_ALGORITHM": "HS256",
        "OSTIARY_JWT_SHARED_SECRET": SHARED,
        "OSTIARY_JWT_USER_ID": "on",
        "OSTIARY_JWT_LIFETIME": "7d",
    }
    with run_server(tmp_path_factory.mktemp("shared"), variables) as running:
        yield running


def test_a_back_end_with_the_secret_verifies_as_it_always_has(shared: Server) -> None:
    """R52, R53: `jwt.decode(token, secret, algorithms=["HS256"])`, and nothing more."""
    member = make_member(shared, new_address("hs"))
    claims = jwt.decode(member["access_token"], SHARED, algorithms=["HS256"])
    assert claims["sub"] == claims["user_id"] == member["user"]["id"]
    assert claims["email"] == member["user"]["email"]
    assert "aud" not in claims
    assert claims["exp"] - claims["iat"] == 7 * 86400 == member["expires_in"]
    assert SHARED not in str(jwt.get_unverified_header(member["access_token"]))
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(member["access_token"], SHARED + "x", algorithms=["HS256"])
    with shared.client() as client:
        bearer = {"authorization": f"Bearer {member['access_token']}"}
        assert client.get("/auth/me", headers=bearer).json() == member["user"]


def test_a_shared_secret_is_not_published(shared: Server) -> None:
    answer = httpx.get(f"{shared.url}/.well-known/jwks.json")
    assert answer.json() == {"keys": []}


def test_whoever_shares_the_secret_cannot_make_a_session_of_nothing(shared: Server) -> None:
    """A token needs a living session besides a good signature; another purpose's token is refused (A 9.2.2)."""
    member = make_member(shared, new_address("hs"))
    claims = jwt.decode(member["access_token"], SHARED, algorithms=["HS256"])
    changes: list[tuple[dict[str, Any], str]] = [
        ({"sid": claims["sub"]}, "at+jwt"),
        ({"sub": claims["sid"]}, "at+jwt"),
        ({"exp": int(time.time()) - 1}, "at+jwt"),
        ({"exp": str(claims["exp"])}, "at+jwt"),
        ({"exp": float("1e300")}, "at+jwt"),
        ({"exp": None}, "at+jwt"),
        ({"iss": "https://elsewhere.example"}, "at+jwt"),
        ({"iss": None}, "at+jwt"),
        ({"aud": "another"}, "at+jwt"),
        ({"sub": None}, "at+jwt"),
        ({"sub": 1}, "at+jwt"),
        ({}, "JWT"),
        ({}, "at+JWT2"),
        ({}, "refresh+jwt"),
    ]
    with shared.client() as client:
        for change, kind in changes:
            forged = {name: value for name, value in {**claims, **change}.items() if value is not None}
            plain = f"{encode({'alg': 'HS256', 'typ': kind})}.{encode(forged)}"
            token = f"{plain}.{encode(hmac.digest(SHARED.encode(), plain.encode(), hashlib.sha256))}"
            answer = client.get("/auth/me", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == 401, (change, kind)


def test_an_audience_may_be_named(tmp_path: Path) -> None:
    variables = {
        "OSTIARY_JWT_ALGORITHM": "HS256",
        "OSTIARY_JWT_SHARED_SECRET": SHARED,
        "OSTIARY_JWT_AUDIENCE": "shop",
    }
    with run_server(tmp_path, variables) as server:
        member = make_member(server, new_address("aud"))
        assert jwt.decode(member["access_token"], SHARED, algorithms=["HS256"], audience="shop")["aud"] == "shop"
        with pytest.raises(jwt.InvalidAudienceError):
            jwt.decode(member["access_token"], SHARED, algorithms=["HS256"])
        bearer = {"authorization": f"Bearer {member['access_token']}"}
        assert httpx.get(f"{server.url}/auth/me", headers=bearer).status_code == 200


# -- Rotation (R58) --


def test_the_secret_is_rotated_without_signing_anybody_out(tmp_path: Path) -> None:
    """DESIGN section 3: publish the new one, swap, drop the old."""
    steps = [
        {"OSTIARY_SECRET": STRONG},
        {"OSTIARY_SECRET": STRONG, "OSTIARY_ACCEPTED_SECRETS": NEWER},
        {"OSTIARY_SECRET": NEWER, "OSTIARY_ACCEPTED_SECRETS": STRONG},
        {"OSTIARY_SECRET": NEWER},
    ]
    address, ids, cookie, token = new_address("rotate"), [], "", ""
    issuer = {"OSTIARY_PUBLIC_URL": "http://127.0.0.1:8000"}  # as the issuer is to stay the same on any port
    for number, step in enumerate(steps):
        with run_server(tmp_path, {**step, **issuer}) as server, server.client() as client:
            if number == 0:
                token = make_member(server, address)["access_token"]
                sign_in(client, address)
                cookie = client.cookies["ostiary"]
            ids.append([key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]])
            client.cookies.clear()
            good = 200 if number < 3 else 401
            assert client.get("/auth/me", headers={"cookie": f"ostiary={cookie}"}).status_code == good, number
            bearer = {"authorization": f"Bearer {token}"}
            assert client.get("/auth/me", headers=bearer).status_code == good, number
            fresh = sign_in(client, address).json()["access_token"]
            assert jwt.get_unverified_header(fresh)["kid"] == ids[number][0]
    assert ids[1] == [*ids[0], *ids[3]]
    assert ids[2] == [*ids[3], *ids[0]]
