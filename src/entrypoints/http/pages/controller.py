"""Serving the built-in pages and their assets. A GET or HEAD never changes anything."""

import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from litestar import MediaType, Response, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect
from markupsafe import Markup, escape

from application.ports.languages import Sentences
from domain.sentence import filled, isolated
from entrypoints.composition import Ostiary
from entrypoints.http.edge import READING, AnyRequest, InjectedEdge
from entrypoints.http.languages import language_of

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGES = {
    "/auth/signup": "signup.html",
    "/auth/check-inbox": "check_inbox.html",
    "/auth/verify": "verify.html",
    "/auth/signin": "signin.html",
    "/auth/account": "account.html",
    "/auth/forgot": "forgot.html",
    "/auth/reset": "reset.html",
    "/auth/confirm-email-change": "confirm_email_change.html",
    "/auth/undo": "undo.html",
}
_SCRIPTS = ("ostiary.js", "account.js", "api.js", "forms.js", "letters.js", "rules.js", "sentences.js", "words.js")
_SENTENCE = re.compile(r'\bt\("([^"]+)"')
_ASSETS = {"ostiary.css": "text/css", **dict.fromkeys(_SCRIPTS, "text/javascript")}


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("entrypoints.http.pages"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
    )
    environment.globals.update(
        _=_say,
        link=Markup('<a href="{}">').format,
        link_end=Markup("</a>"),
        strong_start=Markup("<strong>"),
        strong_end=Markup("</strong>"),
    )
    environment.filters["unbroken"] = _unbroken
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "ensure_ascii": False}
    return environment


@pass_context
def _say(context: Context, sentence: str, **figures: object) -> Markup:
    """In the page's language. A translation is text: only figures may be markup."""
    return Markup(filled(escape(context["language"].say(sentence)), figures))  # noqa: S704 - escaped, but for figures


def _unbroken(text: Markup) -> Markup:
    """No line ends at a hyphen."""
    whole = Markup('<span class="whole">{}</span>')
    return Markup(" ").join(whole.format(word) if "-" in word else word for word in text.split(" "))


@cache
def _english_of_scripts() -> frozenset[str]:
    assets = files("entrypoints.http.pages").joinpath("assets")
    return frozenset(
        found for name in _SCRIPTS for found in _SENTENCE.findall(assets.joinpath(name).read_text("utf-8"))
    )


def sentences_of_scripts(language: Sentences) -> dict[str, str]:
    """What the scripts say, where it differs from the English that stands in them."""
    said = {sentence: language.say(sentence) for sentence in sorted(_english_of_scripts())}
    return {sentence: text for sentence, text in said.items() if text != sentence}


def html(template: str, context: dict[str, Any], *, policy: str = _POLICY) -> Response[str]:
    """A page. Nothing in it comes from another host, and nothing in it runs that is not ours."""
    text = _templates().get_template(template).render(context)
    return Response(text, media_type=MediaType.HTML, headers={"Content-Security-Policy": policy})


def common_context(ostiary: Ostiary, language: Sentences | None = None) -> dict[str, Any]:
    """What every page may show; in English, unless in another language."""
    settings = ostiary.settings
    language = language or ostiary.languages.of(None)
    return {
        "language": language,
        "sentences": sentences_of_scripts(language),
        "locales": ostiary.profile.locales.offered,
        "brand": isolated(settings.brand, language.direction),
        "support_address": settings.support_address,
        "app_url": settings.app_url,
        "username_mode": settings.username,
        "asked_for": [field for field in settings.declared.asked_for if field.required],
        "name_required": settings.name == "required",
        "privacy_url": settings.privacy_url,
        "dev": ostiary.dev_inbox is not None,
        "has_product": settings.app_url != settings.public_url,
        "opaque": settings.disclosure == "opaque",
        "verification": settings.verification,
        # Asked for by the pages that say it: it takes more than a page without letters needs.
        "validity": lambda: language.duration(settings.token_lifetime),
    }


def page_handlers() -> list[HTTPRouteHandler]:
    """The routes of the pages and assets."""
    return [front_door, asset, *(_page(path, template) for path, template in _PAGES.items())]


def _page(path: str, template: str) -> HTTPRouteHandler:
    @route(path, http_method=READING, sync_to_thread=False)
    def page(edge: InjectedEdge, request: AnyRequest) -> Response[str]:
        return html(template, common_context(edge.ostiary, language_of(edge.ostiary, request)))

    return page


@route("/", http_method=READING, status_code=302, sync_to_thread=False)
def front_door() -> Redirect:
    """Where there is no product yet, its address leads to the account page."""
    return Redirect("/auth/account")


@route("/auth/assets/{name:str}", http_method=READING, sync_to_thread=False)
def asset(name: FromPath[str]) -> Response[bytes]:
    """The style sheet or a script."""
    if name not in _ASSETS:
        raise NotFoundException
    content = files("entrypoints.http.pages").joinpath("assets", name).read_bytes()
    return Response(content, media_type=f"{_ASSETS[name]}; charset=utf-8")
