"""Compare a photograph with the exemplar: side by side, one on the other, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cli.pages.parts import DistanceBar
from cli.pictures.maps import ramp
from cli.records.alert_words import words_of
from cli.serve.comparing.tiles import KEY
from cli.serve.pages import below, link_to, page
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import service
from cli.serve.service import Service
from cli.serve.verdict_cards import exemplar_to_show
from cli.serve.written_pages import written_page
from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import UnknownObject
from retrieval.outcome import UNREADABLE, Outcome
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog

DAY = 86_400  # seconds
KINDS = {"compare": "comparison", "evidence": "evidence"}  # by the names of their addresses
GONE = (
    "The photograph is no longer here: it was brought to the desk and not kept. Bring it once more, and the desk "
    "judges it anew; under a verdict just made, a photograph can be kept."
)


@dataclass(frozen=True, slots=True)
class Beside:
    """The verdicts on the same object before and after one; None: there is none."""

    before: int | None
    after: int | None


def show(request: Request) -> Response:
    """Show photograph and exemplar as far as they are there, or what has to be waited for."""
    desk = service(request)
    with VerdictLog.reading(desk.data) as log:
        entry = log.entry(request.path_params["number"])
        beside = _beside(log, entry)
    problem = _why_not(desk, entry)
    title, exemplar = _of_object(desk, entry)
    record: Mapping[str, Any] | None = None
    step = ""
    if not problem and (record := desk.comparisons.find(entry)) is None:
        making = desk.comparisons.make(entry)
        problem, step = (making.job.error if making.job else ""), making.step
    return page(
        request,
        "compare.html",
        tab="queue",
        entry=entry,
        kind="compare",
        title=title,
        exemplar=exemplar,
        alert=_alert(entry),
        name=Path(entry.photo).name,
        bar=_bar(entry),
        beside=beside,
        problem=problem,
        step="" if problem else step,
        record=record,
        ramp=[f"#{bytes(colour).hex()}" for colour in ramp(20)] if record else (),
        shown=_for_script(request, record) if record else None,
    )


def evidence(request: Request) -> Response:
    """Show the page of evidence, as `artifact verdict --report` writes it, or that it is being written."""
    desk, entry = service(request), _entry(request)
    if problem := _why_not(desk, entry):
        raise Refused(404, problem)
    if (file := desk.comparisons.find_evidence(entry)) is not None:
        return written_page(file)
    making = desk.comparisons.make_evidence(entry)
    if making.job and making.job.error:
        raise making.job.failure or Refused(422, making.job.error)
    return page(request, "evidence_waiting.html", tab="queue", number=entry.number, kind="evidence", step=making.step)


def progress(request: Request) -> Response:
    """Say how far a comparison, or a page of evidence, has come; have the page read again when it is there."""
    kind, entry = request.path_params["kind"], _entry(request)
    if kind not in KINDS:
        raise Refused(404, "There is nothing at this address.")
    making = service(request).comparisons.on_its_way(entry, KINDS[kind])
    if making is None:
        if "hx-request" in request.headers:
            return Response(headers={"HX-Refresh": "true"})
        return RedirectResponse(link_to(request, kind, number=entry.number), 303)
    return page(request, "compare_part.html", number=entry.number, kind=kind, step=making.step)


def _entry(request: Request) -> LogEntry:
    with VerdictLog.reading(service(request).data) as log:
        return log.entry(request.path_params["number"])


def tile(request: Request) -> Response:
    """Send a tile, by the key that the desk gave it and whole numbers."""
    key, numbers = request.path_params["key"], request.path_params
    if KEY.fullmatch(key):
        name = f"{numbers['column']}-{numbers['row']}"
        for suffix, kind in ((".jpg", "image/jpeg"), (".png", "image/png")):
            try:
                content = (
                    service(request).comparisons.tiles.file(key, str(numbers["level"]), name + suffix).read_bytes()
                )
            except OSError:
                continue
            return Response(content, media_type=kind, headers={"Cache-Control": f"private, max-age={DAY}"})
    return Response("There is no such tile.", 404, media_type="text/plain")


def _why_not(desk: Service, entry: LogEntry) -> str:
    """Return why there is nothing to compare, as a sentence; empty where there is."""
    if entry.together is not None:
        return "This verdict is on several photographs together. Compare each of them by its own verdict:"
    if entry.outcome == UNREADABLE or entry.sha256 is None:
        return f"The photograph could not be read, so there is nothing to compare: {'; '.join(entry.reasons)}."
    if entry.object_id is None:
        return "This verdict names no object, so there is nothing to lay beside the photograph."
    photo = Path(entry.photo)
    if not photo.is_file():
        if photo.is_relative_to(desk.data / "desk"):
            return GONE
        return f"The photograph is no longer at {photo}. Bring it back to that place, and read this page again."
    try:
        with Catalogue.reading(desk.data) as catalogue:
            catalogue.object(entry.object_id)
    except UnknownObject:
        return f"The object {entry.object_id} is no longer in the catalogue, so there is no exemplar to compare with."
    return ""


def _beside(log: VerdictLog, entry: LogEntry) -> Beside:
    """Return the verdicts on the same object that can be compared, before and after one."""
    found, single = [], "together IS NULL" if log.has_together else "1"
    for sign, order in (("<", "DESC"), (">", "ASC")):
        sql = f"""SELECT number FROM verdicts WHERE object_id = ? AND number {sign} ? AND sha256 IS NOT NULL
                  AND outcome != ? AND condition IS NOT NULL AND {single} ORDER BY number {order} LIMIT 1"""
        row = log.db.execute(sql, [entry.object_id, entry.number, str(Outcome.NO_MATCH)]).fetchone()
        found.append(None if row is None else int(row[0]))
    return Beside(*found)


def _of_object(desk: Service, entry: LogEntry) -> tuple[str, int | None]:
    """Return the title of the object that a verdict names, and the id of the exemplar to show."""
    if entry.object_id is None:
        return "", None
    with Catalogue.reading(desk.data) as catalogue:
        title = catalogue.titles([entry.object_id]).get(entry.object_id, "")
        return title, exemplar_to_show(catalogue, entry, entry.object_id)


def _alert(entry: LogEntry) -> str:
    return words_of(entry.alert, entry.alert_certainty, entry.alerted) if entry.alert else ""


def _bar(entry: LogEntry) -> DistanceBar | None:
    return None if entry.decisive is None else DistanceBar(entry.decisive, entry.threshold, None)


def _for_script(request: Request, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the script of the page needs of a comparison."""
    names = ("full", "probe", "registered", "places", "overlays", "points", "outline")
    pictures = {
        name: {part: picture[part] for part in ("key", "width", "height", "tile", "levels")}
        for name, picture in record["pictures"].items()
    }
    wanted = {name: record[name] for name in names} | {"homography": record.get("homography"), "pictures": pictures}
    return wanted | {"tiles": below(request, "/tiles")}


ROUTES = (
    Route("/verdicts/{number:int}/compare", show, name="compare"),
    Route("/verdicts/{number:int}/evidence", evidence, name="evidence"),
    Route("/verdicts/{number:int}/{kind}/progress", progress, name="compare_progress"),
    Route("/tiles/{key}/{level:int}/{column:int}/{row:int}", tile, name="tile"),
)
