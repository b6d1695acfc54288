"""A back end in Litestar that takes Ostiary's access tokens.

ISSUER=https://auth.example.com ALLOWED_ORIGIN=https://app.example.com uvicorn litestar_app:app --port 9000
"""

import os
from typing import Any

import httpx
import jwt
from litestar import Litestar, Request, delete, get
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException, ServiceUnavailableException

ISSUER = os.environ["ISSUER"]  # OSTIARY_PUBLIC_URL
AUDIENCE = os.environ.get("AUDIENCE", ISSUER)  # OSTIARY_JWT_AUDIENCE, where that is set

# Fetched for the first token, kept for five minutes. An unknown `kid` has it fetched again, every 30 seconds at most.
jwks = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", lifespan=300, cooldown_duration=30, timeout=5)
ostiary = httpx.Client(base_url=ISSUER, timeout=5)


def invalid_token() -> NotAuthorizedException:
    """RFC 6750 section 3.1."""
    return NotAuthorizedException(headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def bearer_token(request: Request[Any, Any, Any]) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthorizedException(headers={"WWW-Authenticate": "Bearer"})
    return token


def access_token_claims(bearer_token: str) -> dict[str, Any]:
    """What the access token says; 401 without a good one."""
    try:
        decoded = jwt.decode_complete(
            bearer_token,
            jwks.get_signing_key_from_jwt(bearer_token),
            algorithms=["ES256"],
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=10,  # seconds by which the clocks of two machines may differ
            options={"require": ["exp", "sub"]},
        )
    except jwt.PyJWKClientConnectionError as trouble:
        raise ServiceUnavailableException(headers={"Retry-After": "5"}) from trouble  # not the token's fault
    except jwt.PyJWTError as refusal:
        raise invalid_token() from refusal
    if decoded["header"].get("typ") != "at+jwt":
        raise invalid_token()
    claims: dict[str, Any] = decoded["payload"]
    return claims


def owner(user_id: str, claims: dict[str, Any]) -> str:
    """The user in the path, if the token is theirs; 403 if it is somebody else's."""
    if claims["sub"] != user_id:
        raise PermissionDeniedException
    return user_id


def living_session(bearer_token: str, owner: str) -> str:
    """The owner again; 401 when the session has ended, which the token itself does not tell."""
    try:
        answer = ostiary.get("/auth/me", headers={"Authorization": f"Bearer {bearer_token}"})
    except httpx.HTTPError as trouble:
        raise ServiceUnavailableException(headers={"Retry-After": "5"}) from trouble
    if answer.status_code == 401:
        raise invalid_token()
    if answer.status_code != 200:
        raise ServiceUnavailableException(headers={"Retry-After": "5"})
    return owner


@get("/users/{user_id:str}/things", sync_to_thread=False)
def things(owner: str) -> dict[str, Any]:
    return {"owner": owner, "things": ["umbrella"]}


@delete("/users/{user_id:str}/things", sync_to_thread=False)
def delete_things(living_session: str) -> None:
    """What a session that has ended must not do any more."""


app = Litestar(
    [things, delete_things],
    dependencies={
        "bearer_token": Provide(bearer_token, sync_to_thread=False),
        "claims": Provide(access_token_claims, sync_to_thread=True),  # it may wait for the key set
        "owner": Provide(owner, sync_to_thread=False),
        "living_session": Provide(living_session, sync_to_thread=True),
    },
    cors_config=CORSConfig(
        allow_origins=[os.environ["ALLOWED_ORIGIN"]],
        allow_methods=["GET", "DELETE"],
        allow_headers=["Authorization"],
    ),
)
