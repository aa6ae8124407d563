"""The screenings of the desk, for programs."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cli.serve.api.answers import answer, limit_of, listed, number_of
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import service
from cli.serve.screenings.kept import Screening
from cli.serve.service import Service


def screenings(request: Request) -> Response:
    """Answer with the screenings of the desk, the newest first."""
    desk, limit, before = service(request), limit_of(request), number_of(request, "before", 10**9, most=10**9)
    found = [screening for screening in desk.screenings.all() if screening.number < before]
    on = {"before": found[limit - 1].number} if len(found) > limit else None
    return listed(request, [_record(desk, screening) for screening in found[:limit]], on=on)


def screening(request: Request) -> Response:
    """Answer with one screening, and how far it has come."""
    desk = service(request)
    found = desk.screenings.get(request.path_params["number"])
    if found is None:
        raise Refused(404, "There is no such screening.")
    return answer(_record(desk, found))


def _record(desk: Service, screening: Screening) -> dict[str, Any]:
    standing = desk.screenings.standing(screening)
    return {
        "number": screening.number,
        "source": screening.name,
        "state": str(screening.state),
        "name": screening.who,
        "begun": screening.begun,
        "ended": screening.ended,
        "photographs": max(screening.total, standing.count),
        "judged": standing.count,
        "outcomes": dict(standing.outcomes),
        "alerts": standing.alert_count,
        "problem": screening.problem,
    }
