"""A back end in FastAPI that takes Ostiary's access tokens.

ISSUER=https://auth.example.com ALLOWED_ORIGIN=https://app.example.com uvicorn fastapi_app:app --port 9000
"""

import os
from typing import Annotated, Any

import httpx
import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER = os.environ["ISSUER"]  # OSTIARY_PUBLIC_URL
AUDIENCE = os.environ.get("AUDIENCE", ISSUER)  # OSTIARY_JWT_AUDIENCE, where that is set

# Fetched for the first token, kept for five minutes. An unknown `kid` has it fetched again, every 30 seconds at most.
jwks = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", lifespan=300, cooldown_duration=30, timeout=5)
ostiary = httpx.Client(base_url=ISSUER, timeout=5)

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=[os.environ["ALLOWED_ORIGIN"]],
    allow_methods=["GET", "DELETE"],
    allow_headers=["Authorization"],
)


def invalid_token() -> HTTPException:
    """RFC 6750 section 3.1."""
    return HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def bearer_token(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> str:
    if credentials is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return credentials.credentials


BearerToken = Annotated[str, Depends(bearer_token)]


def access_token_claims(token: BearerToken) -> dict[str, Any]:
    """What the access token says; 401 without a good one. Not async, because it may wait for the key set."""
    try:
        decoded = jwt.decode_complete(
            token,
            jwks.get_signing_key_from_jwt(token),
            algorithms=["ES256"],
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=10,  # seconds by which the clocks of two machines may differ
            options={"require": ["exp", "sub"]},
        )
    except jwt.PyJWKClientConnectionError as trouble:
        raise HTTPException(503, headers={"Retry-After": "5"}) from trouble  # not the token's fault
    except jwt.PyJWTError as refusal:
        raise invalid_token() from refusal
    if decoded["header"].get("typ") != "at+jwt":
        raise invalid_token()
    claims: dict[str, Any] = decoded["payload"]
    return claims


def owner(user_id: str, claims: Annotated[dict[str, Any], Depends(access_token_claims)]) -> str:
    """The user in the path, if the token is theirs; 403 if it is somebody else's."""
    if claims["sub"] != user_id:
        raise HTTPException(403)
    return user_id


Owner = Annotated[str, Depends(owner)]


def living_session(token: BearerToken, owner: Owner) -> str:
    """The owner again; 401 when the session has ended, which the token itself does not tell."""
    try:
        answer = ostiary.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
    except httpx.HTTPError as trouble:
        raise HTTPException(503, headers={"Retry-After": "5"}) from trouble
    if answer.status_code == 401:
        raise invalid_token()
    if answer.status_code != 200:
        raise HTTPException(503, headers={"Retry-After": "5"})
    return owner


@app.get("/users/{user_id}/things")
def things(owner: Owner) -> dict[str, Any]:
    return {"owner": owner, "things": ["umbrella"]}


@app.delete("/users/{user_id}/things", status_code=204)
def delete_things(owner: Annotated[str, Depends(living_session)]) -> None:
    """What a session that has ended must not do any more."""
