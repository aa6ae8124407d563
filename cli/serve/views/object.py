"""Show one object: its exemplars, what is known of it, and every photograph that was ever matched to it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.records.alert_words import short_word
from cli.records.lines import offer_words
from cli.serve.object_words import case_of, changes_in_words, known_of, status_words
from cli.serve.pages import below, link_to, page
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import service
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.changes import changes_of
from retrieval.catalogue.standing import FORGERY_OF, Register
from retrieval.errors import CatalogueMissing
from retrieval.moment import day
from retrieval.outcome import Outcome
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.of_object import count_on, verdicts_on
from retrieval.verdicts.reviews import Review, reviews

SHOWN = 24  # verdicts of a page
COMPARED = (Outcome.CONSISTENT, Outcome.DIVERGENT, Outcome.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class CardOnObject:
    """A verdict on a photograph, as an object's page shows it."""

    entry: LogEntry
    name: str
    date: str
    alert: str
    distance: str
    offered: str
    reviews: Sequence[str]
    pictured: bool
    compared: bool
    of_other: bool  # the verdict names another object than the page's


@dataclass(frozen=True, slots=True)
class Verdicts:
    """A page of the verdicts on an object."""

    cards: Sequence[CardOnObject]
    total: int
    on: str | None  # query of the page after
    first: bool


def show(request: Request) -> Response:
    """Show an object."""
    object_id = request.path_params.get("object_id", request.query_params.get("id", ""))
    data = service(request).data
    with Catalogue.reading(data) as catalogue:
        item = catalogue.object(object_id)
        photos, changes = catalogue.photos(object_id), changes_of(catalogue.db, object_id)
        genuine = item.metadata.get(FORGERY_OF, "").strip()
        is_there = bool(genuine) and genuine in catalogue.titles([genuine])
    return page(
        request,
        "object.html",
        tab="objects",
        item=item,
        photos=photos,
        standing=status_words(item.metadata.get("status", "")),
        doubt=Register.of([item]).standing(object_id).doubt,
        known=known_of(item),
        case=case_of(item),
        history=changes_in_words(changes),
        genuine=genuine if is_there else "",
        verdicts=_verdicts(data, object_id, _before(request)),
        here=link_to(request, "object", object_id=object_id).removeprefix(below(request, "")),
    )


def _before(request: Request) -> int | None:
    text = request.query_params.get("before", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise Refused(422, "before is the number of a verdict.")
    return int(text[:19])


def _verdicts(data: Path, object_id: str, before: int | None) -> Verdicts:
    """Return the verdicts on an object; none where nothing was judged yet."""
    with suppress(CatalogueMissing), VerdictLog.reading(data) as log:
        found = verdicts_on(log, object_id, before=before, limit=SHOWN + 1)
        cards = [_card(log, entry, object_id) for entry in found[:SHOWN]]
        on = f"before={cards[-1].entry.number}" if len(found) > SHOWN else None
        return Verdicts(cards, count_on(log, object_id), on, before is None)
    return Verdicts((), 0, None, True)


def _card(log: VerdictLog, entry: LogEntry, object_id: str) -> CardOnObject:
    distance = entry.decisive
    beside = "" if entry.threshold is None else f", threshold {entry.threshold:.3f}"
    return CardOnObject(
        entry=entry,
        name=Path(entry.name).name,
        date=day(entry.date),
        alert=short_word(entry.alert, entry.alert_certainty) if entry.alert else "",
        distance="" if distance is None else f"{entry.decided_by} distance {distance:.3f}{beside}",
        offered=offer_words(entry.lot),
        reviews=[_held(review) for review in reviews(log, entry.number)],
        pictured=entry.has_picture,
        compared=entry.object_id is not None and entry.outcome in COMPARED and entry.together is None,
        of_other=entry.object_id != object_id,
    )


def _held(review: Review) -> str:
    """Return a review in a line."""
    of = f" with {review.object_id}" if review.object_id else ""
    why = f": {review.reason}" if review.reason else ""
    return f"{review.decision} by {review.name} on {day(review.date)}, {review.outcome}{of}{why}"


ROUTES = (
    Route("/object", show, name="object_asked"),
    Route("/objects/{object_id:path}", show, name="object"),
)
