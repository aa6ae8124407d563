"""What the catalogue holds, for programs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from cli.records.pieces import value_of
from cli.runs.inspect import holding_of
from cli.runs.listing import object_record, shown_record
from cli.serve.api.answers import answer, limit_of, listed, number_of
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import service
from retrieval.catalogue.browsing import ids_after
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import LARGEST
from retrieval.catalogue.lookups import objects_of
from retrieval.catalogue.search import matching


def objects(request: Request) -> Response:
    """Answer as `artifact list`, page by page; with words as `artifact list --search`."""
    limit, text = limit_of(request), request.query_params.get("search", "")
    place, after = number_of(request, "from", 0, most=LARGEST // 2), request.query_params.get("after", "")
    on: dict[str, object] | None = None
    with Catalogue.reading(service(request).data) as catalogue:
        if text.strip():
            ids = matching(catalogue, text, limit=limit + 1, after=place)
            on = {"from": place + limit}
        else:
            ids = ids_after(catalogue, after, limit=limit + 1)
            on = {"after": ids[limit - 1]} if len(ids) > limit else None
        found = [object_record(item) for item in objects_of(catalogue, ids[:limit])]
    return listed(request, found, on=on if len(ids) > limit else None)


def one_object(request: Request) -> Response:
    """Answer as `artifact show`."""
    object_id = request.path_params.get("object_id", request.query_params.get("id", ""))
    if not object_id:
        raise Refused(422, "Name the object: id=ID.")
    with Catalogue.reading(service(request).data) as catalogue:
        return answer(shown_record(catalogue.object(object_id), catalogue.photos(object_id)))


def status(request: Request) -> Response:
    """Answer as `artifact status`."""
    with Catalogue.reading(service(request).data) as catalogue:
        return answer(value_of(holding_of(catalogue).record))
