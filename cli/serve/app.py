"""The desk as an application of ASGI: its addresses, its guard, and how errors become sentences."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from cli.serve.api.routes import ROUTES as API
from cli.serve.jobs import Busy
from cli.serve.pages import refusal
from cli.serve.people.guard import Guard
from cli.serve.people.refused import Refused
from cli.serve.service import Service
from cli.serve.settings import Settings
from cli.serve.views import (
    about,
    compare,
    decisions,
    object,
    objects,
    phone,
    photographs,
    pictures,
    queue,
    screening_events,
    screenings,
    sign_in,
    verdict,
)
from retrieval.errors import ArtifactError, CatalogueBusy, CatalogueMissing, StoreAway, UnknownObject, UnknownVerdict

VIEWS = (
    photographs,
    phone,
    pictures,
    sign_in,
    queue,
    verdict,
    decisions,
    compare,
    objects,
    object,
    screenings,
    screening_events,
    about,
)
STATIC = Path(__file__).parent / "static"
DAY = 86_400  # seconds


def make_app(settings: Settings) -> Starlette:
    """Return the application, which opens what it needs when it starts and closes that when it ends."""
    service = Service(settings)

    @asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(service.get_ready)
        yield
        await run_in_threadpool(service.close)

    sessions = Middleware(
        SessionMiddleware,
        secret_key=service.key(),
        session_cookie="artifact",
        max_age=30 * DAY,
        path=settings.prefix or "/",
        same_site="lax",  # a link from elsewhere finds its reader signed in
        https_only=settings.is_secure,
    )
    routes = [*(route for view in VIEWS for route in view.ROUTES), *API]
    app = Starlette(
        routes=[*routes, Mount("/static", StaticFiles(directory=STATIC), name="static")],
        middleware=[sessions, Middleware(Guard, settings=settings, signed_out=service.signed_out)],
        exception_handlers={ArtifactError: _said, HTTPException: _not_found, Refused: _refused},
        lifespan=running,
    )
    app.state.service = service
    return app


def _said(request: Request, error: Exception) -> Response:
    if isinstance(error, Busy):
        return refusal(request, 503, str(error), after=error.after)
    if isinstance(error, CatalogueBusy | StoreAway):
        return refusal(request, 503, str(error), after=Busy.after)
    missing = isinstance(error, UnknownVerdict | UnknownObject | CatalogueMissing)
    return refusal(request, 404 if missing else 422, str(error))


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(request, error.status, error.sentence, after=error.after)


def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "There is nothing at this address.", 405: "That cannot be done at this address."}
    return refusal(request, error.status_code, words.get(error.status_code, str(error.detail)))
