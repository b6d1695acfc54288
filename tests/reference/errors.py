"""Every code of a refusal and of a field: from `STATUS`, the refusals' own words, and the source."""

import ast
import importlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from domain.errors import Refusal
from domain.password import CLASSES
from entrypoints.http.problems import STATUS, plain_problem
from tests.reference.endpoints import changes, operations, refusals_of, takes_a_body
from tests.reference.markdown import codes, page, table

SRC = Path(__file__).parents[2] / "src"
FEW = 4
"""So many endpoints are listed beside a code; for more, their own page is better."""

ADVICE = {
    "validation_error": "Show each sentence of `errors` beside its field. The same request is refused again.",
    "token_invalid": "Offer a new letter. Do not try this token again.",
    "token_expired": "Offer a new letter.",
    "malformed_request": "Mend the program: send one JSON object, and a sound `Host`.",
    "invalid_credentials": "Say that they do not go together. Nobody is told which of them is wrong, or whether it is"
    " the account.",
    "unauthenticated": "Refresh once, if there is a session token; else lead to the sign-in page.",
    "forbidden": "Another account has to do it.",
    "reauthentication_required": "Ask for the password and send it along, or let the person sign in again and try"
    " within ten minutes.",
    "foreign_origin": "If the page is yours, put its origin into `OSTIARY_CORS_ORIGINS`.",
    "password_required": "Ask for the password chosen at sign-up, or for a new one, and send the same token with it:"
    " nothing is spent.",
    "not_found": "Check the path. An id may be unknown, or not yours to see.",
    "method_not_allowed": "Mend the program: `Allow` lists what can be done here.",
    "request_timeout": "Try again.",
    "conflict": "Show the sentence of `errors` beside its field: somebody else has it.",
    "already_verified": "Lead to the sign-in page: all is well.",
    "own_account": "Let another administrator do it.",
    "account_disabled": "Enable the account first, if that is meant.",
    "payload_too_large": "Mend the program: nothing here needs so large a body.",
    "unsupported_media_type": "Mend the program: send `Content-Type: application/json`.",
    "rate_limited": "Wait as many seconds as `Retry-After` says, and say so. See [limits](../limits.md).",
    "headers_too_large": "Mend the program, or clear this site's cookies.",
    "server_error": "Try again later. Operators find `fault` in the log, under the answer's `X-Request-Id`.",
    "overloaded": "Try again after `Retry-After` seconds: nothing was done.",
    "unavailable": "Try again after `Retry-After` seconds: nothing is half done. Operators find `store_unavailable` in"
    " the log.",
    "draining": "For load balancers: go to another process.",
    "database_unavailable": "For load balancers. Operators look after the database.",
    "schema_mismatch": "For load balancers. Operators run `ostiary migrate`, or the version that goes with the"
    " database.",
}
"""What a client should do. A new code needs a line here: without it, the page is not written."""

ANY = "any"
OWN = "[fields of your own](../profile.md#fields-of-your-own)"
QUERY = "a parameter of the query"
ABOUT = {
    "declared_fields": (OWN,),
    "decoding": (ANY,),
    "display_name": ("`name`",),
    "edge": (QUERY,),
    "email_address": ("`email`",),
    "fresh_proof": ("`password`", "`current_password`"),
    "locale": ("`locale`",),
    "password": ("`password`", "`new_password`"),
    "plain_text": ("`name`", OWN),
    "queries": (QUERY,),
    "role": ("`role`",),
    "sign_up_form": ("`password_confirm`",),
    "user_directory": ("`search`",),
    "username": ("`username`",),
    "violations": (ANY,),
}
"""Which field a rule is about that leaves naming it to its caller, by the module that has the rule."""


def errors_page() -> str:
    """docs/reference/errors.md."""
    return page(
        "Errors",
        (
            "Whatever is declined is answered with a problem (RFC 9457, `application/problem+json`):",
            "    {\n"
            '      "type": "urn:ostiary:problem:validation_error",\n'
            '      "title": "Bad Request",\n'
            '      "status": 400,\n'
            '      "detail": "Some fields need another look.",\n'
            '      "code": "validation_error",\n'
            '      "errors": [\n'
            '        {"field": "password", "code": "too_short", "message": "Use at least 12 characters."}\n'
            "      ]\n"
            "    }",
            "Programs go by `code`, which is stable; `detail` and `message` are sentences for people. `errors` comes"
            " with `validation_error` and `conflict`, and names everything that is wrong at once. 429 and 503 carry"
            " `Retry-After`.",
            "## Codes of answers",
            *table(("code", "status", "detail", "what a client should do", "from"), map(_answer, STATUS)),
            "## Codes of fields",
            "In `errors`, beside the `field`. An ellipsis stands for what depends on settings, or on what was sent.",
            *table(("code", "field", "message"), _fields()),
        ),
    )


def _answer(code: str) -> tuple[str, str, str, str, str]:
    """A row; the framework's and the perimeter's codes have their words beside `STATUS`."""
    said = {refusal.code: refusal.detail for refusal in Refusal.__subclasses__()}
    detail = said[code] if code in said else _detail_at_the_edge(code)
    return f"`{code}`", str(STATUS[code]), detail, ADVICE[code], _from(code)


def _detail_at_the_edge(code: str) -> str:
    return str(json.loads(plain_problem(code)[2])["detail"])


def _from(code: str) -> str:
    having = [(method, path) for method, path, operation in operations() if code in refusals_of(operation)]
    kinds = {
        "every endpoint": lambda _method, _operation: True,
        "every endpoint that changes something": changes,
        "every endpoint that takes a body": takes_a_body,
    }
    for words, kind in kinds.items():
        if having == [(method, path) for method, path, operation in operations() if kind(method, operation)]:
            return words
    if not having:
        return "any path"
    return codes(f"{method} {path}" for method, path in having) if len(having) <= FEW else "[many](endpoints.md)"


def _fields() -> Iterator[tuple[str, str, str]]:
    about: defaultdict[str, dict[str, None]] = defaultdict(dict)
    sentences: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for code, fields, sentence in (*_in_sources(), *_of_classes()):
        about[code].update(dict.fromkeys(fields))
        sentences[code][sentence] = None
    for code in sorted(about):
        which = [ANY] if ANY in about[code] else about[code]
        yield f"`{code}`", ", ".join(which), "<br>".join(sentences[code])


Rule = tuple[str, tuple[str, ...], str]


def _of_classes() -> Iterator[Rule]:
    for characters in CLASSES.values():
        yield characters.code, ABOUT["password"], characters.message


def _in_sources() -> Iterator[Rule]:
    """The rules in calls of `Violation(field, code, …)`, `violations.add(field, code, …)` and `Broken(code, …)`."""
    for source in sorted(SRC.rglob("*.py")):
        text = source.read_text()
        for node in ast.walk(ast.parse(text if "Broken" in text or "iolation" in text else "")):
            if not isinstance(node, ast.Call):
                continue
            match ast.unparse(node.func).split(".")[-2:], node.args:
                case [*_, "Violation"] | ["violations", "add"], [field, ast.Constant(value=str(code)), words, *_]:
                    yield code, _named(field) or _about(source), _sentence(words, source)
                case [*_, "Broken"], [ast.Constant(value=str(code)), words, *_]:
                    for sentence in _sentences(words, source, code):
                        yield code, _about(source), sentence


def _about(source: Path) -> tuple[str, ...]:
    assert source.stem in ABOUT, f"{source}: say in tests/reference/errors.py, ABOUT, which field its rules are about"
    return ABOUT[source.stem]


def _named(field: ast.expr) -> tuple[str, ...]:
    return (f"`{field.value!s}`",) if isinstance(field, ast.Constant) else ()


def _sentences(words: ast.expr, source: Path, code: str) -> Iterator[str]:
    """The sentence; where a function is given it, as in `_invalid(message)`, every one that it is given."""
    if not isinstance(words, ast.Name):
        yield _sentence(words, source)
        return
    tree = ast.parse(source.read_text())
    (makers,) = [
        [function.name]
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and f"Broken('{code}', {words.id})" in ast.unparse(function)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in makers:
            yield _sentence(node.args[0], source)


def _constant(value: ast.expr, source: Path) -> str:
    """A constant of the module; an ellipsis for what is known at run time only."""
    if not isinstance(value, ast.Name):
        return "…"
    module = importlib.import_module(".".join(source.relative_to(SRC).with_suffix("").parts))
    return str(getattr(module, value.id, "…"))


def _sentence(words: ast.expr, source: Path) -> str:
    """Constants of the module put in, and an ellipsis for what is known at run time only."""
    match words:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call(func=ast.Name(id="Sentence"), args=[first], keywords=figures):
            text = _sentence(first, source)
            said = {each.arg: _constant(each.value, source) for each in figures}
            return text.replace(")d", ")s") % said if said else text
        case ast.Call(args=[first, *_]):
            return _sentence(first, source)
        case _:
            return "…"
