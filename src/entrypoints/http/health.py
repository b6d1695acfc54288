"""GET /health/live and /health/ready, for whoever starts and watches processes."""

from typing import Any

from litestar import Response, route
from msgspec import Struct

from domain.errors import Unavailable
from entrypoints.http.edge import READING, InjectedEdge
from entrypoints.http.openapi import documented


class HealthShape(Struct, frozen=True):
    """All is well."""

    status: str


@route(
    "/health/live",
    http_method=READING,
    status_code=200,
    opt=documented("live", "Is the process alive?", "Asks nothing else.", success=HealthShape, refusals=()),
)
async def live() -> Response[Any]:
    """Is the process alive?"""
    return Response(HealthShape("ok"))


@route(
    "/health/ready",
    http_method=READING,
    status_code=200,
    opt=documented("ready", "Can it serve?", "Asks the database.", success=HealthShape, refusals=("unavailable",)),
)
async def ready(edge: InjectedEdge) -> Response[Any]:
    """Can it serve?"""
    if not await edge.ostiary.ready():
        raise Unavailable
    return Response(HealthShape("ok"))
