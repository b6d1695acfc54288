"""GET /health/live and /health/ready, for whoever starts and watches processes."""

from collections.abc import Iterator
from typing import Any, Literal

from litestar import Response, route
from msgspec import Struct

from entrypoints.http.edge import READING, InjectedEdge
from entrypoints.http.openapi import documented
from entrypoints.http.problems import EdgeRefusal
from entrypoints.readiness import Checks


class HealthShape(Struct, frozen=True):
    """All is well."""

    status: str


class ChecksShape(Struct, frozen=True):
    """What was looked at."""

    database: Literal["ok"]
    schema: Literal["ok"]
    letters: Literal["ok", "late"]
    """late: a letter should have been tried more than five minutes ago. No reason to send requests elsewhere."""


class ReadyShape(Struct, frozen=True):
    """It can serve."""

    status: Literal["ok"]
    checks: ChecksShape


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
    opt=documented(
        "ready",
        "Can it serve?",
        "Asks the database, at most once a second; the problem's `code` says what is wrong. `letters` is `late` when "
        "one should have been tried more than five minutes ago, which is reported and changes nothing else.",
        success=ReadyShape,
        success_example={"status": "ok", "checks": {"database": "ok", "schema": "ok", "letters": "ok"}},
        refusals=("draining", "database_unavailable", "schema_mismatch"),
    ),
)
async def ready(edge: InjectedEdge) -> Response[Any]:
    """Can it serve?"""
    if edge.ostiary.draining():
        raise EdgeRefusal("draining")
    checks = await edge.ostiary.readiness()
    for code in _obstacles(checks):
        raise EdgeRefusal(code)
    letters: Literal["ok", "late"] = "late" if checks.letters == "late" else "ok"
    return Response(ReadyShape("ok", ChecksShape(database="ok", schema="ok", letters=letters)))


def _obstacles(checks: Checks) -> Iterator[str]:
    """What keeps this process from serving, the weightiest first."""
    if checks.database != "ok":
        yield "database_unavailable"
    if checks.schema == "mismatch":
        yield "schema_mismatch"
