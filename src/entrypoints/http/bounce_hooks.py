"""POST /hooks/…: mail providers report what became of letters. There only for providers that the settings name."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from litestar import MediaType, Response, post
from litestar.handlers import HTTPRouteHandler

from application.ports.bounces import BounceHook, NotAuthentic, Unreadable
from application.use_cases.suppressions import NoteBouncesCommand
from domain.errors import Unauthenticated
from domain.sentence import Sentence
from entrypoints.http.edge import AnyRequest, InjectedEdge
from entrypoints.http.problems import EdgeRefusal, problem_response

MOST_BYTES = 960 * 1024
"""Reports come in batches: SendGrid's are 768 KiB at most. Still less than a connection carries for one request."""

_STRANGER = Sentence("This does not come from the mail provider that is set up here.")


def hook_handlers(hooks: Mapping[str, BounceHook]) -> Iterator[HTTPRouteHandler]:
    """One for each provider. Not part of the API's description: what they take is the provider's to say."""
    for provider, hook in hooks.items():
        yield _handler(f"/hooks/{provider}", hook)


def _handler(path: str, hook: BounceHook) -> HTTPRouteHandler:
    # 200 and nothing else is what Postmark takes for an answer; it sends the report again otherwise.
    @post(path, status_code=200, request_max_body_size=MOST_BYTES)
    async def bounces(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
        edge.client_of(request)  # so that the log knows who was refused
        try:
            found = hook.read(_given_once(request), await request.body())
        except NotAuthentic:
            return problem_response(Unauthenticated.code, _STRANGER, headers={"WWW-Authenticate": hook.challenge})
        except Unreadable:
            raise EdgeRefusal("malformed_request") from None
        await edge.use_cases.note_bounces(NoteBouncesCommand(bounces=found))
        return Response(b"", status_code=200, media_type=MediaType.TEXT)

    return bounces


def _given_once(request: AnyRequest) -> dict[str, str]:
    """Of a header that is given twice, whoever stands before us may have gone by the other one."""
    headers = request.scope["headers"]
    times = Counter(name for name, _ in headers)
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if times[name] == 1}
