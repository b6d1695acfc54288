"""GET /admin/events."""

from typing import Any

from litestar import Response, route

from application.use_cases.event_history import ListAllEventsCommand
from entrypoints.http.admin.queries import Query
from entrypoints.http.edge import READING, AnyRequest, InjectedEdge
from entrypoints.http.native.sessions import EVENT_EXAMPLE, EventsShape, events_shape
from entrypoints.http.openapi import documented


@route(
    "/admin/events",
    http_method=READING,
    status_code=200,
    opt=documented(
        "allEvents",
        "What happened?",
        "Everybody's events, newest first. For administrators.",
        success=EventsShape,
        success_example={"events": [EVENT_EXAMPLE], "next": None},
        refusals=("validation_error", "unauthenticated", "forbidden", "unavailable"),
        protected=True,
        query={
            "user_id": "Only what concerns this user.",
            "kind": "Only this kind.",
            "failed": "true or false: only what was refused or went wrong, or only the rest.",
            "since": "Only what happened then or later, such as 2026-01-01T12:00:00Z.",
            "before": "The `next` of the page before.",
            "most": "How many at most; 100 if not given.",
        },
    ),
)
async def all_events(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """What happened?"""
    caller, query = await edge.caller_of(request), Query(request)
    user_id, kind, failed = query.id("user_id"), query.kind("kind"), query.switch("failed")
    since, before, most = query.moment("since"), query.id("before"), query.most()
    command = ListAllEventsCommand(
        caller=caller,
        user_id=user_id,
        kind=kind,
        failed=failed,
        since=since,
        before=before,
        most=most,
        malformed=tuple(query.malformed),
    )
    return Response(events_shape(await edge.use_cases.list_all_events(command), most))
