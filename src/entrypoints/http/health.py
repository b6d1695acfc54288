"""GET /health/live and /health/ready, for whoever starts and watches processes."""

from typing import Any

from litestar import Response, get
from msgspec import Struct

from domain.errors import Unavailable
from entrypoints.http.edge import InjectedEdge
from entrypoints.http.openapi import documented


class HealthShape(Struct, frozen=True):
    """All is well."""

    status: str


@get(
    "/health/live",
    opt=documented("live", "Is the process alive?", "Asks nothing else.", success=HealthShape, refusals=()),
)
async def live() -> Response[Any]:
    """Is the process alive?"""
    return Response(HealthShape("ok"))


@get(
    "/health/ready",
    opt=documented("ready", "Can it serve?", "Asks the database.", success=HealthShape, refusals=("unavailable",)),
)
async def ready(edge: InjectedEdge) -> Response[Any]:
    """Can it serve?"""
    if not await edge.ostiary.ready():
        raise Unavailable
    return Response(HealthShape("ok"))
