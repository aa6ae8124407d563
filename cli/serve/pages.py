"""Fill the pages of the desk."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from cli.pages.templating import environment
from cli.serve.people.sessions import csrf_of, visitor

if TYPE_CHECKING:
    from jinja2 import Environment

TABS = {
    "photograph": "Photograph",
    "queue": "Queue",
    "objects": "Objects",
    "screenings": "Screenings",
    "about": "About",
}
# What errors say of the command line; what the desk says instead, and its page that helps
HINTS = {
    "`artifact verdicts` lists them.": ("The queue lists those that wait for a decision.", "queue"),
    "Run `artifact query PHOTO` first, or name --data.": ("Bring a photograph first.", "photograph"),
    "`artifact list` shows the ids.": ("Search for it among the objects.", "objects"),
}


def page(
    request: Request,
    template: str,
    *,
    tab: str = "",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> Response:
    """Return a page, or a part of one, filled with values."""
    return HTMLResponse(rendered(request, template, tab=tab, **values), status, headers=headers)


def below(request: Request, path: str) -> str:
    """Return the address of a path of the desk, below its prefix."""
    return str(request.scope.get("root_path", "")) + path


def path_of(scope: Scope) -> str:
    """Return the path of a request within the desk, without its prefix."""
    return str(scope["path"]).removeprefix(str(scope.get("root_path", "")))


def link_to(request: Request, name: str, **parts: object) -> str:
    """Return the path of an address of the desk, below its prefix; any id of an object has one.

    An id that browsers or proxies would shorten in a path, as `a/../b`, is asked for instead.
    """
    object_id = str(parts.get("object_id", "-"))
    if not _keeps_in_path(object_id):
        return below(request, f"{request.app.url_path_for(f'{name}_asked')}?{urlencode({'id': object_id})}")
    return below(request, quote(str(request.app.url_path_for(name, **parts))))


def _keeps_in_path(object_id: str) -> bool:
    return object_id.isprintable() and "\\" not in object_id and not {"", ".", ".."} & set(object_id.split("/"))


def rendered(request: Request, template: str, *, tab: str = "", **values: object) -> str:
    """Return a filled template; `link` is `link_to`."""

    def link(name: str, **parts: object) -> str:
        return link_to(request, name, **parts)

    return (
        _environment()
        .get_template(template)
        .render(link=link, csrf=csrf_of(request), visitor=visitor(request), tab=tab, TABS=TABS, **values)
    )


def refusal(request: Request, status: int, sentence: str, *, after: int | None = None) -> Response:
    """Return a refusal as a sentence, on a page or for programs as JSON; `after` is when to come again, in seconds."""
    headers = {"Retry-After": str(after)} if after else None
    if path_of(request.scope).startswith("/api"):
        return JSONResponse({"error": sentence}, status, headers=headers)
    return error_page(request, status, sentence, headers=headers)


def error_page(request: Request, status: int, sentence: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return a page that says in a sentence what went wrong; only the sentence to a script of ours."""
    sentence, name = at_desk(sentence)
    if "hx-request" in request.headers:
        return HTMLResponse(_environment().get_template("error_part.html").render(sentence=sentence), status, headers)
    there = (link_to(request, name), TABS[name]) if name else None
    home = below(request, "/")
    text = _environment().get_template("error.html").render(sentence=sentence, status=status, home=home, there=there)
    return HTMLResponse(text, status, headers=headers)


def at_desk(sentence: str) -> tuple[str, str]:
    """Return what the desk says of an error, and the name of its page that helps; empty where none does."""
    for hint, (words, name) in HINTS.items():
        if hint in sentence:
            return sentence.replace(hint, words), name
    return sentence, ""


@cache
def _environment() -> Environment:
    """Return the environment of the templates of the desk, which know the parts of all pages too."""
    from jinja2 import ChoiceLoader, PackageLoader

    shared = environment()
    assert shared.loader is not None
    return shared.overlay(loader=ChoiceLoader([PackageLoader("cli.serve"), shared.loader]))
