"""Bring photographs, have them judged, and see what was found on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cli.pages.parts import DistanceBar
from cli.records.alert_words import alert_sentence, alert_words
from cli.records.artifact_1 import PhotographRecord, WorkRecord
from cli.records.client_words import ClientWords, client_words
from cli.records.of_verdict import photograph_record
from cli.records.recorder import recording
from cli.records.review_words import earlier_review
from cli.records.triage import deciding, shows_object
from cli.serve.jobs import Job
from cli.serve.pages import page
from cli.serve.refused import Refused
from cli.serve.service import Service
from cli.serve.sessions import note, posted, service
from cli.serve.uploads import Upload
from retrieval.catalogue.catalogue import Catalogue
from retrieval.judging.edition import Edition
from retrieval.judging.judge import compare, judge_all

NEAREST = 5  # objects shown beside a work


@dataclass(frozen=True, slots=True)
class NearObject:
    """An object near a work: its title, and the exemplar to show."""

    object_id: str
    title: str
    photo_id: int | None
    distance: float


@dataclass(frozen=True, slots=True)
class WorkCard:
    """What the page says of one work on a photograph."""

    record: WorkRecord
    said: ClientWords
    alert: str
    named: bool  # whether the work may show the first of the objects near it
    judged_by: str
    bar: DistanceBar | None
    near: Sequence[NearObject]
    review: str
    verdict: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A photograph that was brought, and what was said of it."""

    upload: Upload
    record: PhotographRecord


def bring(request: Request) -> Response:
    """Show where photographs are brought."""
    desk = service(request)
    with Catalogue.reading(desk.data) as catalogue:
        objects, exemplars = catalogue.counts()
    return page(request, "bring.html", tab="photograph", objects=objects, exemplars=exemplars, can_write=desk.can_write)


async def take(request: Request) -> Response:
    """Take photographs, and have each judged in its turn."""
    desk = service(request)
    if not desk.can_write:
        raise Refused(409, "The data folder cannot be written, so verdicts could not be recorded. Copy the folder.")
    form = await posted(request)
    files = [item for item in form.getlist("photo") if isinstance(item, UploadFile) and item.filename]
    object_id = str(form.get("object", "")).strip() or None
    if not files:
        raise Refused(422, "No photograph was sent. Choose one, or drop it on the page.")
    if object_id is not None:
        await run_in_threadpool(_check_object, desk, object_id)
    numbers = []
    for file in files:
        upload = await run_in_threadpool(desk.uploads.take, file.file, file.filename or "")
        job = desk.jobs.submit(upload.path.name, partial(judge, desk, upload, object_id))
        numbers.append(job.number)
        note(request, "brought a photograph", photo=upload.path.name, sha256=upload.sha256)
    await form.close()
    target = f"{request.scope.get('root_path', '')}{request.app.url_path_for('judged')}?{_query(numbers)}"
    if request.headers.get("accept", "").startswith("application/json"):  # of our script, which shows the progress
        return JSONResponse({"next": target})
    return RedirectResponse(target, 303)


def _query(numbers: Sequence[str]) -> str:
    return "&".join(f"job={quote(number)}" for number in numbers)


def _check_object(desk: Service, object_id: str) -> None:
    with Catalogue.reading(desk.data) as catalogue:
        catalogue.object(object_id)


def judge(desk: Service, upload: Upload, object_id: str | None = None) -> Judged:
    """Judge a photograph against all objects, or one, and record the verdict as `artifact query` does."""
    edition, limit = desk.editions.current(), desk.settings.judging.max_megapixels
    if object_id is None:
        (verdict,) = judge_all(
            edition, [upload.path], k=desk.settings.k, several=True, read=desk.reader, max_megapixels=limit
        )
    else:
        verdict = compare(edition, upload.path, object_id, read=desk.reader, max_megapixels=limit)
    with recording(edition) as recorder:
        record = photograph_record(verdict, edition, recorder.keep(verdict, asked=object_id))
        recorder.add_reviews(record)
    return Judged(upload, record)


def judged(request: Request) -> Response:
    """Show how far photographs have come, and what was found on those that are judged."""
    desk = service(request)
    jobs = [job for number in request.query_params.getlist("job") if (job := desk.jobs.get(number))]
    if not jobs:
        raise Refused(404, "These photographs are no longer at hand. Their verdicts are recorded: see the queue.")
    waiting = not all(job.is_over for job in jobs)
    query = _query([job.number for job in jobs])
    return page(
        request, "judged.html", tab="photograph", cards=[_card(desk, job) for job in jobs], waiting=waiting, query=query
    )


def progress(request: Request) -> Response:
    """Show one photograph as far as it has come, to be put into the page."""
    desk = service(request)
    job = desk.jobs.get(request.path_params["number"])
    if job is None:
        raise Refused(404, "This photograph is no longer at hand. Its verdict is recorded: see the queue.")
    return page(request, "judged_part.html", card=_card(desk, job))


async def keep(request: Request) -> Response:
    """Keep the photograph of a job also after the desk is closed."""
    await posted(request)
    desk = service(request)
    job = desk.jobs.get(request.path_params["number"])
    if job is None or not isinstance(job.result, Judged):
        raise Refused(404, "This photograph is no longer at hand. Bring it once more.")
    desk.uploads.keep(job.result.upload.sha256)
    note(request, "kept a photograph", photo=job.result.upload.path.name, sha256=job.result.upload.sha256)
    if "hx-request" in request.headers:
        return page(request, "judged_part.html", card=_card(desk, job))
    return RedirectResponse(
        f"{request.scope.get('root_path', '')}{request.app.url_path_for('judged')}?{_query([job.number])}", 303
    )


@dataclass(frozen=True, slots=True)
class Card:
    """One photograph on the page: its job, and its works where it is judged."""

    job: Job
    ahead: int
    kept: bool
    works: Sequence[WorkCard]
    said: ClientWords | None  # of a photograph that could not be read


def _card(desk: Service, job: Job) -> Card:
    done = job.result if isinstance(job.result, Judged) else None
    if done is None:
        return Card(job, desk.jobs.ahead_of(job), False, (), None)
    record, edition = done.record, desk.editions.current()
    works = [_work(record, number, edition) for number in range(len(record["works"]))]
    said = client_words(record, None) if record["error"] is not None else None
    return Card(job, 0, desk.uploads.is_kept(done.upload.sha256), works, said)


def _work(record: PhotographRecord, number: int, edition: Edition) -> WorkCard:
    work, verdicts = record["works"][number], record["verdicts"]
    with Catalogue.reading(edition.data) as catalogue:
        titles = catalogue.titles([match["object_id"] for match in work["matches"]])
    near = [
        NearObject(
            match["object_id"],
            titles.get(match["object_id"], ""),
            _photo_id(edition, match["object_id"], match["exemplar"]),
            match["distance"],
        )
        for match in work["matches"][:NEAREST]
    ]
    name, distance = deciding(work["matches"][0]) if work["matches"] else ("", None)
    return WorkCard(
        record=work,
        said=client_words(record, work),
        alert=alert_sentence(alert_words(work), work["register_entry"]) if work["alert"] else "",
        named=shows_object(work),
        judged_by=name,
        bar=DistanceBar.of(distance) if distance else None,
        near=near,
        review=earlier_review(review) if (review := work["review"]) else "",
        verdict=verdicts[number] if number < len(verdicts) else None,
    )


def _photo_id(edition: Edition, object_id: str, exemplar: str) -> int | None:
    photos = edition.exemplars.get(object_id, ())
    return next((photo.photo_id for photo in photos if photo.file == Path(exemplar)), None)


ROUTES = (
    Route("/", bring, name="photograph"),
    Route("/photographs", take, methods=["POST"], name="take"),
    Route("/photographs", judged, methods=["GET"], name="judged"),
    Route("/photographs/{number}", progress, methods=["GET"], name="progress"),
    Route("/photographs/{number}/keep", keep, methods=["POST"], name="keep"),
)
