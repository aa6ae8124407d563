"""Browse and search the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.serve.object_words import StatusWords, status_words
from cli.serve.pages import page
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import service
from retrieval.catalogue.browsing import StatusCount, first_photos, ids_after, ids_before, status_counts
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.lookups import objects_of
from retrieval.catalogue.rows import Object
from retrieval.catalogue.search import count_matching, matching

SHOWN = 48  # objects of a page
OTHER = "other"  # statuses that mean nothing known
FARTHEST = 10**7  # place among what was found


@dataclass(frozen=True, slots=True)
class ObjectsAsked:
    """What of the catalogue is asked for: words, a status, and where the page begins."""

    text: str
    status: str
    after: str  # id
    before: str  # id
    place: int  # of the first one among what a search found

    @classmethod
    def of(cls, request: Request) -> ObjectsAsked:
        """Read the query of an address; raises Refused."""
        query = request.query_params
        place = query.get("from", "0")
        if not (place.isascii() and place.isdigit() and int(place[:9]) <= FARTHEST):
            raise Refused(422, "from is a number.")
        return cls(
            " ".join(query.get("q", "").split()),
            query.get("status", ""),
            query.get("after", ""),
            query.get("before", ""),
            int(place[:9]),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the catalogue."""

    objects: Sequence[Object]
    total: int
    back: str | None  # query of the page before
    on: str | None  # of the page after


@dataclass(frozen=True, slots=True)
class ObjectCard:
    """One object among many."""

    item: Object
    photo_id: int | None
    status: StatusWords | None

    @property
    def made(self) -> str:
        """By whom it was made, and when, as far as that is known."""
        return ", ".join(filter(None, (self.item.metadata.get(name) for name in ("maker", "date"))))


def browse(request: Request) -> Response:
    """Show the objects of the catalogue, or those that are searched for."""
    asked = ObjectsAsked.of(request)
    with Catalogue.reading(service(request).data) as catalogue:
        counts = status_counts(catalogue)
        chosen = _chosen(asked.status, counts)
        everything, _ = catalogue.counts()
        found = _searched(catalogue, asked, chosen) if asked.text else _browsed(catalogue, asked, chosen)
        photos = first_photos(catalogue, [item.object_id for item in found.objects])
    cards = [
        ObjectCard(item, photos.get(item.object_id), status_words(item.metadata.get("status", "")))
        for item in found.objects
    ]
    return page(
        request,
        "objects.html",
        tab="objects",
        asked=asked,
        found=found,
        cards=cards,
        statuses=[(str(count.status or OTHER), count.count) for count in counts],
        everything=everything,
        query=request.url.query,
    )


def _chosen(status: str, counts: Sequence[StatusCount]) -> StatusCount | None:
    """Return the status that is asked for, with how it is written; None: any. Raises Refused."""
    if not status:
        return None
    for count in counts:
        if str(count.status or OTHER) == status:
            return count
    raise Refused(404, "No object has this status now.")


def _searched(catalogue: Catalogue, asked: ObjectsAsked, chosen: StatusCount | None) -> Found:
    texts = chosen.texts if chosen else None
    total = count_matching(catalogue, asked.text, statuses=texts)
    ids = matching(catalogue, asked.text, limit=SHOWN, after=asked.place, statuses=texts)
    back = _query(asked, {"from": str(max(0, asked.place - SHOWN))}) if asked.place else None
    on = _query(asked, {"from": str(asked.place + SHOWN)}) if asked.place + SHOWN < total else None
    return Found(objects_of(catalogue, ids), total, back, on)


def _browsed(catalogue: Catalogue, asked: ObjectsAsked, chosen: StatusCount | None) -> Found:
    texts = chosen.texts if chosen else None
    if asked.before:
        ids = ids_before(catalogue, asked.before, limit=SHOWN, statuses=texts)
    else:
        ids = ids_after(catalogue, asked.after, limit=SHOWN, statuses=texts)
    back = on = None
    if ids:
        back = _query(asked, {"before": ids[0]}) if ids_before(catalogue, ids[0], limit=1, statuses=texts) else None
        on = _query(asked, {"after": ids[-1]}) if ids_after(catalogue, ids[-1], limit=1, statuses=texts) else None
    total = chosen.count if chosen else catalogue.counts()[0]
    return Found(objects_of(catalogue, ids), total, back, on)


def _query(asked: ObjectsAsked, place: dict[str, str]) -> str:
    known = {"q": asked.text, "status": asked.status}
    return urlencode({name: value for name, value in known.items() if value} | place)


ROUTES = (Route("/objects", browse, name="objects"),)
