"""Tell whoever watches a screening what comes of it, as server-sent events, until it is over."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from cli.serve.pages import rendered
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import service
from cli.serve.views.screenings import found, told

MOST_WATCHERS = 20
EVERY = 1.0  # seconds
HEARTBEAT = 15.0  # seconds, after which something is sent all the same


_seats = threading.BoundedSemaphore(MOST_WATCHERS)


async def events(request: Request) -> Response:
    """Send the changing part of a screening's page whenever it has changed."""
    await run_in_threadpool(found, request)
    if not _seats.acquire(blocking=False):
        raise Refused(503, "Too many watch already. This page reads itself again by and by.", after=10)
    headers = {"X-Accel-Buffering": "no"}  # nginx would keep it back
    return _Stream(_sent(request), media_type="text/event-stream", headers=headers)


class _Stream(StreamingResponse):
    """A stream that gives its seat free however it ends, also where it never began."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            _seats.release()


async def _sent(request: Request) -> AsyncIterator[str]:
    desk, before, spoke = service(request), "", time.monotonic()
    while not desk.is_ending():
        part, is_over = await run_in_threadpool(_part, request)
        if part != before:
            before, spoke = part, time.monotonic()
            yield f"event: part\ndata: {json.dumps(part)}\n\n"
        elif time.monotonic() - spoke > HEARTBEAT:
            spoke = time.monotonic()
            yield ": still there\n\n"
        if is_over:
            yield "event: over\ndata: {}\n\n"
            return
        await asyncio.sleep(EVERY)


def _part(request: Request) -> tuple[str, bool]:
    """Return what of the page changes, and whether it changes no more."""
    screening = found(request)
    values = told(service(request), screening)
    return rendered(request, "screening_part.html", **values), screening.state.is_over


ROUTES = (Route("/screenings/{number:int}/events", events, name="screening_events"),)
