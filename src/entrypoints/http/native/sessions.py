"""GET /auth/sessions, DELETE /auth/sessions/{id} and GET /auth/events."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, route
from litestar.params import FromPath
from msgspec import Meta, Struct

from application.use_cases.event_history import ListEventsCommand
from application.use_cases.sessions import EndSessionCommand, ListedSession, ListSessionsCommand
from domain.errors import NotFound
from domain.events import RecordedEvent
from entrypoints.http.edge import READING, AnyRequest, InjectedEdge
from entrypoints.http.languages import language_of
from entrypoints.http.openapi import documented


class SessionShape(Struct, frozen=True, kw_only=True):
    """One signed-in browser or client."""

    id: str
    current: Annotated[bool, Meta(description="Whether it is the one that asks.")]
    device: Annotated[str, Meta(description="Browser and system, in words of Accept-Language.")]
    address: Annotated[str, Meta(description="Where it began, shortened.")]
    transport: Annotated[str, Meta(description="`cookie` or `token`.")]
    remember: Annotated[bool, Meta(description="Whether it outlives the browser's.")]
    created_at: datetime
    last_seen_at: Annotated[datetime, Meta(description="Up to five minutes behind.")]
    expires_at: Annotated[datetime, Meta(description="When it ends, if it is not used until then.")]


class SessionsShape(Struct, frozen=True, kw_only=True):
    """The caller's living sessions, last seen first."""

    sessions: list[SessionShape]


class EventShape(Struct, frozen=True, kw_only=True):
    """Something that happened."""

    id: str
    at: datetime
    kind: Annotated[str, Meta(description="A name from docs/events.md.")]
    failed: Annotated[bool, Meta(description="Whether it was refused or went wrong.")]
    user_id: Annotated[str | None, Meta(description="Whom it is about; null where that is nobody in particular.")]
    actor_id: Annotated[str | None, Meta(description="Who did it, where that was somebody else: an administrator.")]
    reason: Annotated[str | None, Meta(description="More exactly, where the kind says too little.")]
    address: Annotated[str, Meta(description="The client's; shortened after a while.")]
    user_agent: Annotated[str, Meta(description="As the client sent it.")]


class EventsShape(Struct, frozen=True, kw_only=True):
    """A page of events, newest first; `next` goes into `before` for the one after."""

    events: list[EventShape]
    next: str | None


EVENT_EXAMPLE = {
    "id": "0d6a4b53-6e0b-4b4e-8d2e-3f6f6f1f2f10",
    "at": "2026-01-01T12:00:00Z",
    "kind": "signed_in",
    "failed": False,
    "user_id": "6f1b0c52-5d0e-4d3f-9a53-0c2f1b7c9e11",
    "actor_id": None,
    "reason": None,
    "address": "192.0.2.1",
    "user_agent": "Mozilla/5.0",
}


@route(
    "/auth/sessions",
    http_method=READING,
    status_code=200,
    opt=documented(
        "sessions",
        "Where am I signed in?",
        "The caller's living sessions.",
        success=SessionsShape,
        refusals=("unauthenticated", "unavailable"),
        protected=True,
    ),
)
async def sessions(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Where am I signed in?"""
    listed = await edge.use_cases.list_sessions(ListSessionsCommand(caller=await edge.caller_of(request)))
    return Response(SessionsShape(sessions=session_shapes(listed, language_of(edge.ostiary, request).say)))


def session_shapes(listed: list[ListedSession], say: Callable[[str], str] = str) -> list[SessionShape]:
    """Sessions on the wire, their devices in the words of a language: English, unless one is given."""
    return [
        SessionShape(
            id=str(session.id),
            current=session.current,
            device=say(session.device),
            address=session.masked_address,
            transport=session.transport.value,
            remember=session.remember,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.expires_at,
        )
        for session in listed
    ]


@delete(
    "/auth/sessions/{session_id:str}",
    status_code=204,
    opt=documented(
        "endSession",
        "End a session",
        "One's own; 404 for every other id, whether or not there is such a session. Others than this one are told to "
        "the owner.",
        refusals=("unauthenticated", "not_found", "unavailable"),
        protected=True,
    ),
)
async def end_session(request: AnyRequest, edge: InjectedEdge, session_id: FromPath[str]) -> Response[None]:
    """End a session."""
    caller = await edge.caller_of(request)
    command = EndSessionCommand(caller=caller, session_id=_id_from(session_id), client=edge.client_of(request))
    await edge.use_cases.end_session(command)
    this = command.session_id == caller.session.id
    return Response(None, status_code=204, cookies=edge.cookies.expired() if this else [])


@route(
    "/auth/events",
    http_method=READING,
    status_code=200,
    opt=documented(
        "events",
        "What happened to my account?",
        "The caller's own events, newest first.",
        success=EventsShape,
        success_example={"events": [EVENT_EXAMPLE], "next": None},
        refusals=("validation_error", "unauthenticated", "unavailable"),
        protected=True,
        query={"before": "The `next` of the page before.", "most": "How many at most; 100 if not given."},
    ),
)
async def events(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """What happened to my account?"""
    caller = await edge.caller_of(request)
    before, most = edge.page_of(request)
    found = await edge.use_cases.list_events(ListEventsCommand(caller=caller, before=before, most=most))
    return Response(events_shape(found, most))


def events_shape(found: list[RecordedEvent], most: int) -> EventsShape:
    """A page on the wire."""
    return EventsShape(
        events=[
            EventShape(
                id=str(event.id),
                at=event.at,
                kind=event.kind,
                failed=event.failed,
                user_id=str(event.user_id) if event.user_id else None,
                actor_id=str(event.actor_id) if event.actor_id else None,
                reason=event.reason,
                address=event.address,
                user_agent=event.user_agent,
            )
            for event in found
        ],
        next=str(found[-1].id) if len(found) == most else None,
    )


def _id_from(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
