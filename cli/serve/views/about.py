"""Say what this catalogue is, how far its thresholds can be trusted, and who did what at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.output.text import counted
from cli.output.threshold_words import calibration_lines, threshold_lines
from cli.records.review_words import misfit_line, review_lines
from cli.serve.pages import page
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import service, visitor
from cli.serve.service import REPORTS
from cli.serve.written_pages import written_page
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.exemplar_files import in_time
from retrieval.comparing.network import is_closely, measured_by
from retrieval.extras import program_version
from retrieval.moment import day, shown
from retrieval.outcome import Outcome
from retrieval.statistics.calibration import Calibration, Threshold, share, sources

ENTRIES = 40  # of the diary
MEANING = {  # of the outcomes, for people
    Outcome.CONSISTENT: "It matches an object, and lies as near to the genuine exemplar as genuine photographs do.",
    Outcome.DIVERGENT: "It depicts or imitates an object, and differs more than genuine photographs do: look at it.",
    Outcome.INCONCLUSIVE: "The photograph or the calibration is too poor to say. What would help is said with it.",
    Outcome.NO_MATCH: "Nothing in the catalogue is near enough. An unknown object is no sign of a forgery.",
}


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the thresholds can be trusted: sentences, then what is wrong with them, then the lines of `status`."""

    sentences: tuple[str, ...]
    problems: tuple[str, ...]
    lines: tuple[str, ...]


def show(request: Request) -> Response:
    """Show what the catalogue holds, and what its verdicts rest on."""
    desk, who = service(request), visitor(request)
    with Catalogue.reading(desk.data) as catalogue:
        objects, exemplars = catalogue.counts()
        held: dict[str, Any] = {
            "objects": objects,
            "exemplars": exemplars,
            "revision": catalogue.revision,
            "encoder": catalogue.encoder,
            "folders": {folder: bool(in_time(Path(folder).is_dir)) for folder in catalogue.folders()},
        }
        trust = _trust(catalogue, desk.data, objects)
    return page(
        request,
        "about.html",
        tab="about",
        **held,
        trust=trust,
        meaning=MEANING,
        reviews=review_lines(desk.data),
        reports=sorted(_reports(desk.data)),
        entries=[_line(entry) for entry in desk.diary.last(ENTRIES)] if who.decides else [],
        version=program_version(),
    )


def _trust(catalogue: Catalogue, data: Path, objects: int) -> Trust:
    last, encoder, provisional = catalogue.calibration(), catalogue.encoder, catalogue.thresholds()
    if last is None or encoder is None:
        said = (
            "The thresholds are provisional: no photograph of yours has confirmed them, and no rate of errors can be "
            "promised.",
            "The command artifact calibrate sets thresholds on photographs of yours, and says what can be promised.",
        )
        return Trust(said, (), tuple(threshold_lines(provisional)) if provisional else ())
    outdated = last.out_of_date(measured_by(encoder.fingerprint, closely=is_closely(last.encoder)), objects)
    problems = [f"The calibration is out of date: {outdated}. Run artifact calibrate again."] if outdated else []
    if misfit := misfit_line(data, last):
        problems.append(f"{misfit[0].upper()}{misfit[1:]}.")
    return Trust(tuple(_promises(last)), tuple(problems), tuple(calibration_lines(last)))


def _promises(calibration: Calibration) -> list[str]:
    """Return what a calibration promises, for people who are no statisticians."""
    said = [f"The thresholds were set on {day(calibration.date)}, on {sources(calibration)}."]
    if (alarms := _rate(calibration.combined.threshold)) is not None:
        said.append(f"Of genuine objects photographed so, at most {alarms} are flagged as divergent by mistake.")
    if (matches := _rate(calibration.match)) is not None:
        said.append(f"Of photographs of other objects, at most {matches} are taken for one in the catalogue.")
    confidence = calibration.combined.threshold.confidence
    if confidence is not None:
        said.append(
            f"That holds with {confidence:.0%} confidence, and only for photographs like those it was measured on."
        )
    if calibration.copies:
        copies, were = counted(calibration.copies, "photograph"), "was" if calibration.copies == 1 else "were"
        said.append(f"{copies} of copies {were} there too, to say how often a copy is noticed.")
    return said


def _rate(threshold: Threshold) -> str | None:
    return None if threshold.value is None else share(threshold.rate)


def report(request: Request) -> Response:
    """Serve a page that a command has written into the folder of reports."""
    data, name = service(request).data, request.path_params["file"]
    if name not in _reports(data):
        raise Refused(404, "There is no such page here.")
    return written_page(data / REPORTS / name)


def _reports(data: Path) -> set[str]:
    """Return the names of the pages in the folder of reports; a link is none."""
    try:
        items = list((data / REPORTS).iterdir())
    except OSError:
        return set()
    return {item.name for item in items if _is_report(item)}


def _is_report(item: Path) -> bool:
    return item.suffix.lower() == ".html" and item.name.isprintable() and item.is_file() and not item.is_symlink()


def _line(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return an entry of the diary as the page shows it."""
    known = ("date", "name", "role", "from", "did", "sha256")
    more = ", ".join(f"{name} {value}" for name, value in entry.items() if name not in known)
    return {"date": shown(str(entry["date"])), "name": str(entry["name"]), "did": str(entry["did"]), "more": more[:200]}


ROUTES = (
    Route("/about", show, name="about"),
    Route("/reports/{file}", report, name="report"),
)
