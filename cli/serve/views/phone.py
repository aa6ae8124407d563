"""Sign in at a phone by a picture on the screen, so that its camera can be used."""

from __future__ import annotations

from urllib.parse import urljoin

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cli.serve.pages import link_to, page
from cli.serve.people.guard import find_token
from cli.serve.people.invitations import GOOD_FOR
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import note, posted, service, visitor
from cli.serve.views.sign_in import enter


async def show_code(request: Request) -> Response:
    """Show how a phone gets here; what is sent asks for a code."""
    desk = service(request)
    code = None
    if request.method == "POST":
        await posted(request)
        digest = str(request.session.get("token", ""))
        if find_token(desk.settings.tokens, digest) is None:
            raise Refused(422, "Sign in with your token first: only then there is somebody to sign in as.")
        code = desk.invitations.invite(digest, visitor(request).name)
        note(request, "asked for a code to sign in at another device")
    address = urljoin(desk.settings.link, link_to(request, "invited", code=code)) if code else ""
    return page(
        request,
        "phone.html",
        tab="photograph",
        by_token=bool(desk.settings.tokens),
        address=address,
        drawn=_drawn(address) if address else None,
        minutes=round(GOOD_FOR / 60),
    )


async def invited(request: Request) -> Response:
    """Ask whoever comes with a code whether to sign in, and sign them in where that is sent."""
    code = request.path_params["code"]
    if request.method != "POST":
        return page(request, "invited.html", code=code)
    await posted(request)
    found = service(request).invitations.take(code)
    if found is None:
        raise Refused(403, "This code was used, or is too old. Ask for another one at the desk.")
    enter(request, found.digest)
    if found.name:
        request.session["name"] = found.name
    return RedirectResponse(link_to(request, "photograph"), 303)


def _drawn(address: str) -> Markup:
    """Return an address as a picture that the camera of a phone reads."""
    import segno

    drawn = segno.make(address, error="m").svg_inline(omitsize=True, svgclass="code", lineclass=None, light="#fff")
    return Markup(drawn)


ROUTES = (
    Route("/phone", show_code, methods=["GET", "POST"], name="phone"),
    Route("/invited/{code}", invited, methods=["GET", "POST"], name="invited"),
)
