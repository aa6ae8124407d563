"""Let in who may come in, and nothing that another site sends."""

from __future__ import annotations

import asyncio
import hmac
import os
import time
from collections import Counter, OrderedDict
from urllib.parse import quote

import typer
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cli.output.text import plain
from cli.output.unforeseen import TRACEBACK, unforeseen_words
from cli.serve.pages import below, path_of, refusal
from cli.serve.people.refused import Refused
from cli.serve.people.signed_out import SignedOut
from cli.serve.settings import Role, Settings, Token, digest_of

SAFE_METHODS = ("GET", "HEAD")
PUBLIC = ("/sign-in", "/static/", "/invited/")  # beginnings of paths that need no token
FOR_VIEWERS = ("/sign-in", "/sign-out", "/name", "/phone")  # that may be sent by whoever only looks
AT_ONCE, OF_ONE = 128, 32  # requests that are answered at the same time, and those of one client
SMALL = 20_000  # bytes of what somebody may send who has not signed in
LONGEST = 2000  # letters of a path; a number of 4,301 digits is more than Python reads
SLOWEST, WHOLE = 30.0, 600.0  # seconds, in which a part of what is sent has to come, and all of it
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
UNFORESEEN = "This is a mistake of the program. Whoever runs the desk sees more of it in the terminal."
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Stands before all that answers: hosts, origins, tokens, roles, rates and sizes; adds the headers of safety.

    What it lets through has `state.role`, `state.name` (of the token) and `state.by_token` (no cookie was used).
    """

    def __init__(self, app: ASGIApp, settings: Settings, signed_out: SignedOut) -> None:
        self.app, self.settings, self._signed_out = app, settings, signed_out
        self._rates = Rates(per_second=100.0, burst=600.0)
        self._tries = Rates(per_second=0.2, burst=10.0)
        self._wrong = Rates(per_second=0.2, burst=10.0)  # tokens in a header
        self._running: Counter[str] = Counter()  # by client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, path = Request(scope), path_of(scope)  # now: routing changes the scope
        caching = "no-cache" if path.startswith("/static/") else "no-store"  # the former has a mark to ask for it by
        begun = False

        async def send_safely(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", caching)
            await send(message)

        client = request.client.host if request.client else ""
        self._running[client] += 1
        try:
            self._check(request, scope, client)
            known = not path.startswith(PUBLIC)
            within = _limited(receive, self.settings.most_bytes if known else SMALL, WHOLE if known else SLOWEST)
            await self.app(scope, within, send_safely)
        except Refused as refused:
            await _answer(request, refused)(scope, receive, send_safely)
        except ClientDisconnect:
            return
        except Exception as error:
            if os.environ.get(TRACEBACK):
                raise
            typer.echo(plain(f"artifact: {request.method} {path}: {unforeseen_words(error)}"), err=True)
            if not begun:
                await _answer(request, Refused(500, UNFORESEEN))(scope, receive, send_safely)
        finally:
            self._running[client] -= 1
            self._running += Counter()  # without those that have gone

    def _check(self, request: Request, scope: Scope, client: str) -> None:
        """Note who comes; raises Refused."""
        settings, headers, path = self.settings, request.headers, path_of(scope)
        if settings.hosts is not None and headers.get("host", "").lower() not in settings.hosts:
            raise Refused(400, f"This desk is at {settings.link}, and answers to no other name.")
        if len(path) > LONGEST:
            raise Refused(414, f"An address has at most {LONGEST} letters.")
        too_many = self._running[client] > OF_ONE or self._running.total() > AT_ONCE
        if too_many or not self._rates.allows(client):
            raise Refused(503, "Too many requests at once. Try again in a few seconds.", after=3)
        changes = request.method not in SAFE_METHODS
        if changes and not self._is_own(headers):
            raise Refused(403, "This was sent by a page of another site, and was not done.")
        if not changes and not self._is_shown(headers):
            raise Refused(403, "A page of another site asked for this. Open the desk by itself.")
        if path.startswith(("/sign-in", "/invited/")) and changes and not self._tries.allows(client):
            raise _too_many_tries()
        if int(headers.get("content-length", "0") or 0) > settings.most_bytes:
            raise _too_much(settings.most_bytes)
        self._admit(request, path, client, changes)

    def _is_own(self, headers: Headers) -> bool:
        """Say whether a request comes from a page of the desk, or from no page at all."""
        if origin := headers.get("origin"):
            own = self.settings.origins if self.settings.hosts is not None else {f"http://{headers.get('host')}"}
            return origin.lower() in own
        return headers.get("sec-fetch-site", "none") in ("same-origin", "none")

    def _is_shown(self, headers: Headers) -> bool:
        """Say whether what is only looked at goes to a window, or to a page of the desk, and not into another's page.

        A link from elsewhere leads here; a picture or a script of another's page would make the desk work for it.
        """
        own = headers.get("sec-fetch-site", "none") in ("same-origin", "none")
        return own or (headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document")

    def _admit(self, request: Request, path: str, client: str, changes: bool) -> None:
        state = request.state
        state.role, state.name, state.by_token = Role.REVIEWER, "", False
        if not self.settings.tokens:
            return
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        state.by_token = kind.lower() == "bearer"
        if state.by_token and not self._wrong.allows(client, counted=False):  # a right one neither, else it would show
            raise _too_many_tries()
        known = digest_of(given.strip()) if state.by_token else str(request.session.get("token", ""))
        token = find_token(self.settings.tokens, known)
        if token is not None and not state.by_token and self._signed_out.holds(str(request.session.get("id", ""))):
            token = None
        if token is None:
            if state.by_token:
                self._wrong.allows(client)
            if path.startswith(PUBLIC):
                state.role = Role.VIEWER
                return
            raise Refused(401, "Who are you? Sign in with your token.")
        state.role, state.name = token.role, token.name
        if changes and token.role is Role.VIEWER and not path.startswith("/invited/") and path not in FOR_VIEWERS:
            raise Refused(403, "You may look, and decide nothing: your token is a viewer's.")


def find_token(tokens: tuple[Token, ...], digest: str) -> Token | None:
    """Return the token of a hash, in a time that does not tell which; None where there is none."""
    found = None
    for token in tokens:
        if hmac.compare_digest(token.digest, digest):
            found = token
    return found


class Rates:
    """Buckets of tokens, one for each client: so many requests a second, and so many at once."""

    def __init__(self, *, per_second: float, burst: float, most: int = 10_000) -> None:
        self._per_second, self._burst, self._most = per_second, burst, most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when that was so

    def allows(self, client: str, *, counted: bool = True) -> bool:
        """Say whether a client may send one more request now, and count it where it is to be `counted`."""
        now = time.monotonic()
        left, then = self._left.pop(client, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._per_second)
        self._left[client] = (left - 1 if left >= 1 and counted else left, now)
        while len(self._left) > self._most:
            self._left.popitem(last=False)
        return left >= 1


def _too_many_tries() -> Refused:
    return Refused(503, "Too many tries. Wait a minute.", after=60)


def _too_much(most: int) -> Refused:
    return Refused(413, f"More than {most / 1e6:,g} MB at once; `--max-upload` sets the limit.")


def _limited(receive: Receive, most: int, seconds: float) -> Receive:
    """Return what receives a body, no more of it and no slower than is allowed; raises Refused."""
    left, whole = most, False
    until = time.monotonic() + seconds

    async def limited() -> Message:
        nonlocal left, whole
        if whole:  # from here on it only says that somebody has gone
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), min(SLOWEST, max(0.0, until - time.monotonic())))
        except TimeoutError as error:
            raise Refused(408, "What was sent came too slowly. Send it again.") from error
        left -= len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if left < 0:
            raise _too_much(most)
        return message

    return limited


def _answer(request: Request, refused: Refused) -> Response:
    """Return how somebody is told that a request is not answered; whoever looks and is not known is led to sign in."""
    path = path_of(request.scope)
    is_looked_at = request.method in SAFE_METHODS and "hx-request" not in request.headers
    if refused.status == 401 and is_looked_at and not path.startswith("/api"):
        wanted = f"{path}?{query}" if (query := request.url.query) else path
        return RedirectResponse(below(request, "/sign-in" + (f"?next={quote(wanted)}" if wanted != "/" else "")), 303)
    return refusal(request, refused.status, refused.sentence, after=refused.after)
