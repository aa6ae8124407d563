"""Begin a screening, stop it and go on with it; list all, and serve what each has written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from cli.pages.parts import SIGNS
from cli.records.lines import render_csv, render_jsonl
from cli.records.triage import triaged
from cli.serve.pages import link_to, page
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import note, posted, service, visitor
from cli.serve.screenings.kept import EVIDENCE, RECORDS, REPORT, Screening, State
from cli.serve.screenings.sources import Offer, chosen, offers
from cli.serve.screenings.standing import records_of
from cli.serve.service import Service
from cli.serve.uploads import sent_name
from cli.serve.written_pages import written_page
from retrieval.moment import shown

LISTED = 200  # screenings
MOST_PATTERNS = 20
EVIDENCE_PAGE = re.compile(r"[0-9a-f]{16}\.html")


def show(request: Request) -> Response:
    """Show where a screening is begun, and all that were."""
    desk = service(request)
    all_of_them = desk.screenings.all()
    rows = [(item, desk.screenings.standing(item)) for item in all_of_them[:LISTED]]
    return page(
        request,
        "screenings.html",
        tab="screenings",
        rows=rows,
        more=len(all_of_them) - len(rows),
        offers=_offers(desk),
        can_write=desk.can_write,
        moment=shown,
    )


def _offers(desk: Service) -> list[Offer]:
    return offers(desk.settings.allowed)


async def begin(request: Request) -> Response:
    """Take in a screening; it runs when those before it have."""
    desk = service(request)
    if not desk.can_write:
        raise Refused(409, "The data folder cannot be written, so nothing could be recorded. Copy the folder.")
    if not desk.settings.allowed:
        raise Refused(403, "No folder is allowed: begin the desk with `--allow DIR`.")
    form = await posted(request)
    table = form.get("table")
    sent = table if isinstance(table, UploadFile) and table.filename else None
    made = await run_in_threadpool(_asked, desk, form, sent_name(sent) if sent else "", visitor(request).name)
    kept = await run_in_threadpool(desk.screenings.begin, made, sent.file if sent else None)
    await form.close()
    note(request, "began a screening", screening=kept.number, source=kept.name, photographs=kept.total)
    return _to(request, kept.number)


def _asked(desk: Service, form: FormData, table: str | None, who: str) -> Screening:
    """Return the screening that a form asks for; raises ArtifactError."""
    value = str(form.get("folder", ""))
    folder = chosen(desk.settings.allowed, value)
    patterns = tuple(line.strip() for line in str(form.get("exclude", "")).splitlines() if line.strip())
    if len(patterns) > MOST_PATTERNS or any(len(one) > 200 or not one.isprintable() for one in patterns):
        raise Refused(422, f"What is left out are at most {MOST_PATTERNS} patterns such as *_old.jpg, one a line.")
    name = next((offer.shown for offer in _offers(desk) if offer.value == value), folder.name)
    closely = form.get("closely") == "yes"
    return Screening(
        number=0, folder=str(folder), shown=name, table=table or "", who=who, exclude=patterns, closely=closely
    )


def watch(request: Request) -> Response:
    """Show how far a screening has come, and what was found."""
    screening = found(request)
    return page(request, "screening.html", tab="screenings", moment=shown, **told(service(request), screening))


def told(desk: Service, screening: Screening) -> dict[str, Any]:
    """Return what the page of a screening says, and each part of it that is sent while somebody watches."""
    standing = desk.screenings.standing(screening)
    total = max(screening.total, standing.count)
    left = (total - standing.count) / standing.rate if standing.rate and screening.state is State.RUNNING else None
    folder = desk.screenings.folders.of(screening.number)
    return {
        "screening": screening,
        "standing": standing,
        "total": total,
        "left": None if left is None else time_words(left),
        "ahead": desk.screenings.ahead_of(screening.number) if screening.state is State.WAITING else 0,
        "is_here": desk.screenings.is_here(screening.number) and not screening.state.is_over,  # it is being put away
        "has_report": (folder / REPORT).is_file() and screening.state.is_over,
        "outcomes": SIGNS,
    }


def time_words(seconds: float) -> str:
    """Return in words how long something takes still."""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    return f"about {round(minutes / 60)} hours"


async def stop(request: Request) -> Response:
    """End a screening; what it has done is kept."""
    return await _have(request, service(request).screenings.stop, "stopped a screening")


async def go_on(request: Request) -> Response:
    """Take up a screening where it was ended."""
    return await _have(request, service(request).screenings.go_on, "went on with a screening")


async def _have(request: Request, done: Callable[[int], None], words: str) -> Response:
    await posted(request)
    screening = await run_in_threadpool(found, request)
    await run_in_threadpool(done, screening.number)
    note(request, words, screening=screening.number)
    return _to(request, screening.number)


def report(request: Request) -> Response:
    """Serve the report of a screening."""
    return written_page(_folder(request) / REPORT)


def evidence(request: Request) -> Response:
    """Serve a page of evidence of a screening."""
    name = request.path_params["name"]
    if not EVIDENCE_PAGE.fullmatch(name):
        raise Refused(404, "There is no such page here.")
    return written_page(_folder(request) / EVIDENCE / name)


def records(request: Request) -> Response:
    """Send the records of a screening, a line of JSON each."""
    screening, folder = found(request), _folder(request)
    headers = {"Content-Disposition": f'attachment; filename="screening-{screening.number}.jsonl"'}
    if screening.state is State.DONE and (folder / RECORDS).is_file():
        return FileResponse(folder / RECORDS, media_type="application/x-ndjson", headers=headers)
    return StreamingResponse(render_jsonl(records_of(folder)), media_type="application/x-ndjson", headers=headers)


def spreadsheet(request: Request) -> Response:
    """Send the works of a screening as CSV, what needs a person first."""
    screening, folder = found(request), _folder(request)
    headers = {"Content-Disposition": f'attachment; filename="screening-{screening.number}.csv"'}
    pieces: Iterator[str] = render_csv(triaged(partial(records_of, folder)), bom=True)
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)


def found(request: Request) -> Screening:
    """Return the screening of an address; raises Refused."""
    screening = service(request).screenings.get(request.path_params["number"])
    if screening is None:
        raise Refused(404, "There is no such screening.")
    return screening


def _folder(request: Request) -> Any:
    return service(request).screenings.folders.of(found(request).number)


def _to(request: Request, number: int) -> Response:
    return RedirectResponse(link_to(request, "screening", number=number), 303)


ROUTES = (
    Route("/screenings", show, name="screenings"),
    Route("/screenings/new", begin, methods=["POST"], name="begin_screening"),
    Route("/screenings/{number:int}", watch, name="screening"),
    Route("/screenings/{number:int}/stop", stop, methods=["POST"], name="stop_screening"),
    Route("/screenings/{number:int}/go-on", go_on, methods=["POST"], name="go_on_screening"),
    Route("/screenings/{number:int}/report.html", report, name="screening_report"),
    Route(f"/screenings/{{number:int}}/{EVIDENCE}/{{name}}", evidence, name="screening_evidence"),
    Route("/screenings/{number:int}/records.jsonl", records, name="screening_records"),
    Route("/screenings/{number:int}/works.csv", spreadsheet, name="screening_csv"),
)
