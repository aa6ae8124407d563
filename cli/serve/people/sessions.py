"""Who sits at a browser, and whether what it sends was sent from a page of the desk."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.requests import Request

from cli.serve.people.refused import Refused
from cli.serve.service import Service
from cli.serve.settings import Role

CSRF = "x-csrf-token"
MOST_FILES = 50  # of one request


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: what they may do, and what they are called (empty: nobody has said yet)."""

    role: Role
    name: str
    is_named: bool = False  # by a token, which says the name
    can_leave: bool = False  # as they have signed in

    @property
    def decides(self) -> bool:
        """Whether they may decide, not only look."""
        return self.role is Role.REVIEWER


def visitor(request: Request) -> Visitor:
    """Return who asks."""
    name, can_leave = request.state.name, "token" in request.session
    return Visitor(request.state.role, name or str(request.session.get("name", "")), bool(name), can_leave)


def service(request: Request) -> Service:
    """Return what the desk has open."""
    found = request.app.state.service
    assert isinstance(found, Service)
    return found


def csrf_of(request: Request) -> str:
    """Return the secret that each form of this browser holds."""
    if "csrf" not in request.session:
        request.session["csrf"] = secrets.token_urlsafe(16)
    return str(request.session["csrf"])


async def form_of(request: Request, *, max_files: int, max_fields: int) -> FormData:
    """Read a form, whoever sent it; raises Refused where it is none. Of a page, `posted` has to read it."""
    try:
        return await request.form(max_files=max_files, max_fields=max_fields)
    except UnicodeError as error:  # of a charset that the sender named
        raise Refused(400, "This form is not whole: it names letters that cannot be read.") from error


async def posted(request: Request) -> FormData:
    """Read a form that was sent from a page of the desk; raises Refused for any other."""
    form = await form_of(request, max_files=MOST_FILES, max_fields=20_000)
    given = request.headers.get(CSRF) or form.get("csrf") or ""
    expected = str(request.session.get("csrf", ""))
    if not (isinstance(given, str) and expected and hmac.compare_digest(_bytes(given), _bytes(expected))):
        await form.close()
        raise Refused(403, "The page from which this was sent is too old. Go back, read it again, and repeat it.")
    return form


def _bytes(text: str) -> bytes:
    """Return a text as it can be compared: only bytes may hold other letters than ASCII."""
    return text.encode(errors="surrogatepass")


def note(request: Request, did: str, **more: object) -> None:
    """Write into the diary what whoever asks did."""
    who = visitor(request)
    client = request.client.host if request.client else ""
    service(request).diary.note(who.name, did, role=str(who.role), client=client, **more)
