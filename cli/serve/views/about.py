"""Stands where the about will be."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.serve.refused import Refused


def show(request: Request) -> Response:
    """Say that there is nothing yet."""
    raise Refused(404, "There is nothing here yet.")


ROUTES = (Route("/about", show, name="about"),)
