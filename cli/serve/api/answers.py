"""Read what a program asks for, and answer in JSON.

Whoever sends a token needs nothing more. Without one, a request may come from a page of another site in somebody's
browser, which sends their cookies along. Three things keep such a page out: the guard refuses a foreign `Origin` or
`Sec-Fetch-Site`, which a browser adds to every POST; the cookie is `SameSite=lax`, so that a browser sends it from
another site only where somebody follows a link, which changes nothing; and a POST with a cookie but without an
`Origin` of the desk is refused here, unless it carries a header that only the desk's own pages can send
(`X-CSRF-Token`, any value: a browser asks the desk before it sends such a header from elsewhere, and the desk says no).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from cli.records.artifact_1 import dumps
from cli.serve.pages import link_to
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import CSRF
from retrieval.catalogue.database import LARGEST

MOST = 1000  # records of an answer
USUAL = 100


def answer(value: Any, status: int = 200, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value as JSON, written as the command line writes it."""
    return Response(dumps(value) + "\n", status, headers, media_type="application/json")


def listed(request: Request, records: Sequence[Any], *, on: Mapping[str, object] | None) -> Response:
    """Return a list; the address of what comes after it, where there is more, stands in the header `Link`."""
    if on is None:
        return answer(records)
    query = {name: text for name, text in request.query_params.items() if name not in on} | dict(on)
    path = link_to(request, request.scope["route"].name)
    return answer(records, headers={"Link": f'<{path}?{urlencode(query)}>; rel="next"'})


def number_of(request: Request, name: str, usual: int, *, least: int = 0, most: int = LARGEST) -> int:
    """Return a number of the query; raises Refused."""
    text = request.query_params.get(name, "")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and least <= int(text) <= most):
        raise Refused(422, f"{name} is a number from {least} to {most}.")
    return int(text)


def limit_of(request: Request) -> int:
    """Return how many records are asked for; raises Refused."""
    return number_of(request, "limit", USUAL, least=1, most=MOST)


def choice_of(request: Request, name: str, choices: Sequence[str]) -> str | None:
    """Return one of some words of the query, None where none is given; raises Refused."""
    text = request.query_params.get(name, "")
    if text and text not in choices:
        raise Refused(422, f"{name} is one of: {', '.join(choices)}.")
    return text or None


def check_sender(request: Request) -> None:
    """Raise Refused for a POST that a page of another site may have sent; see the top of this file."""
    if request.state.by_token or "cookie" not in request.headers:
        return
    if "origin" not in request.headers and CSRF not in request.headers:
        raise Refused(403, "With a cookie this needs an Origin of the desk or the header X-CSRF-Token.")
