"""A back end in FastAPI that shares a secret with whoever issues its tokens.

BETTER_AUTH_SECRET=… uvicorn shared_secret_app:app --port 9000
"""

import os
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

secret = os.environ["BETTER_AUTH_SECRET"]  # the text that OSTIARY_JWT_SHARED_SECRET has

app = FastAPI()


def verify_jwt(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> dict[str, Any]:
    if credentials is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    token = credentials.credentials
    try:
        payload: dict[str, Any] = jwt.decode(token, secret, algorithms=["HS256"])
    except jwt.InvalidTokenError as refusal:
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}) from refusal
    return payload


@app.get("/users/{user_id}/things")
def things(user_id: str, payload: Annotated[dict[str, Any], Depends(verify_jwt)]) -> dict[str, Any]:
    if payload["sub"] != user_id:
        raise HTTPException(403)
    return {"owner": user_id, "things": ["umbrella"]}
