"""Come in with a token, say who one is, and leave."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cli.serve.pages import below, page
from cli.serve.people.guard import find_token
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import note, posted, service
from cli.serve.settings import digest_of

LONGEST_NAME = 80  # letters


async def sign_in(request: Request) -> Response:
    """Show the form, or let somebody in who sends a token that is known."""
    if request.method != "POST":
        return page(request, "sign_in.html", next=_inside(request.query_params.get("next", "")))
    form = await posted(request)
    digest = digest_of(str(form.get("token", "")).strip())
    token = find_token(service(request).settings.tokens, digest)
    target = _inside(str(form.get("next", "")))
    if token is None:
        return page(request, "sign_in.html", status=403, next=target, problem="This token is not known.")
    enter(request, digest)
    return RedirectResponse(below(request, target), 303)


def enter(request: Request, digest: str) -> None:
    """Begin a session for the token of a hash, and nothing of what the browser held before."""
    request.session.clear()
    request.session["token"] = digest
    request.session["id"] = secrets.token_urlsafe(9)


async def sign_out(request: Request) -> Response:
    """Forget who sits at this browser."""
    await posted(request)
    if session := request.session.get("id"):
        service(request).signed_out.end(str(session))
    request.session.clear()
    return RedirectResponse(below(request, "/"), 303)


async def say_name(request: Request) -> Response:
    """Keep the name of who sits at this browser, once a session."""
    form = await posted(request)
    name = " ".join(str(form.get("name", "")).split())
    if not name or len(name) > LONGEST_NAME:
        raise Refused(422, f"A name has 1 to {LONGEST_NAME} letters.")
    request.session["name"] = name
    note(request, "said their name")
    return RedirectResponse(below(request, _inside(str(form.get("next", "")))), 303)


def _inside(target: str) -> str:
    """Return where to go on, if that is a path of the desk, else its first page."""
    target = target if ".." not in target.partition("?")[0] else "/"
    inside = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if inside else "/"


ROUTES = (
    Route("/sign-in", sign_in, methods=["GET", "POST"], name="sign_in"),
    Route("/sign-out", sign_out, methods=["POST"], name="sign_out"),
    Route("/name", say_name, methods=["POST"], name="say_name"),
)
