"""Bring photographs, have them judged, and see what was found on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cli.pages.parts import DistanceBar
from cli.records.alert_words import alert_sentence, alert_words
from cli.records.apart_words import apart_words
from cli.records.artifact_1 import MatchRecord, PhotographRecord, TogetherRecord, WorkRecord
from cli.records.client_words import ClientWords, client_words
from cli.records.review_words import earlier_review
from cli.records.triage import deciding, shows_object
from cli.serve.jobs import WAITING, Job
from cli.serve.judging import Judged, check_object, judge, judge_lot
from cli.serve.pages import link_to, page
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import note, posted, service
from cli.serve.service import Service
from cli.serve.uploads import sent_name
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.lookups import exemplar_of

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
    together = bool(form.get("together")) and len(files) > 1 and object_id is None
    if not together and len(files) > WAITING:
        raise Refused(422, f"At most {WAITING} photographs are brought at once. A screening takes a whole folder.")
    if object_id is not None:
        await run_in_threadpool(check_object, desk, object_id)
    uploads = [await run_in_threadpool(desk.uploads.take, file.file, sent_name(file)) for file in files]
    if together:
        jobs = [desk.jobs.submit(f"{len(uploads)} photographs of one thing", partial(judge_lot, desk, uploads))]
    else:
        jobs = desk.jobs.submit_all([(one.path.name, partial(judge, desk, one, object_id)) for one in uploads])
    for upload in uploads:
        note(request, "brought a photograph", photo=upload.path.name, sha256=upload.sha256)
    await form.close()
    target = f"{link_to(request, 'judged')}?{_query([job.number for job in jobs])}"
    if request.headers.get("accept", "").startswith("application/json"):  # of our script, which shows the progress
        return JSONResponse({"next": target})
    return RedirectResponse(target, 303)


def _query(numbers: Sequence[str]) -> str:
    return "&".join(f"job={quote(number)}" for number in numbers)


def judged(request: Request) -> Response:
    """Show how far photographs have come, and what was found on those that are judged."""
    desk = service(request)
    jobs = [job for number in request.query_params.getlist("job") if (job := desk.jobs.get(number))]
    if not jobs:
        raise Refused(404, "These photographs are no longer at hand. Their verdicts are recorded: see the queue.")
    query = _query([job.number for job in jobs])
    cards = [_card(desk, job) for job in jobs]
    waiting = not all(card.is_over for card in cards)
    return page(request, "judged.html", tab="photograph", cards=cards, waiting=waiting, query=query)


def progress(request: Request) -> Response:
    """Show one photograph as far as it has come, to be put into the page."""
    desk = service(request)
    job = desk.jobs.get(request.path_params["number"])
    if job is None:
        raise Refused(404, "This photograph is no longer at hand. Its verdict is recorded: see the queue.")
    return page(request, "judged_part.html", card=_card(desk, job))


async def keep(request: Request) -> Response:
    """Keep a photograph of a job also after the desk is closed."""
    form = await posted(request)
    return await run_in_threadpool(_keep, request, str(form.get("sha256", "")))


def _keep(request: Request, sha256: str) -> Response:
    desk = service(request)
    job = desk.jobs.get(request.path_params["number"])
    found = {one.upload.sha256: one.upload for one in _results(job)} if job else {}
    upload = found.get(sha256)
    if job is None or upload is None:
        raise Refused(404, "This photograph is no longer at hand. Bring it once more.")
    desk.uploads.keep(upload.sha256)
    note(request, "kept a photograph", photo=upload.path.name, sha256=upload.sha256)
    if "hx-request" in request.headers:
        return page(request, "judged_part.html", card=_card(desk, job))
    return RedirectResponse(f"{link_to(request, 'judged')}?{_query([job.number])}", 303)


@dataclass(frozen=True, slots=True)
class PhotographCard:
    """One photograph that is judged, with the works on it."""

    name: str
    sha256: str
    kept: bool
    works: Sequence[WorkCard]
    said: ClientWords | None  # of a photograph that could not be read


@dataclass(frozen=True, slots=True)
class Card:
    """One job on the page, with its photographs where they are judged."""

    job: Job
    is_over: bool  # when this was made; the job may be over by the time that the page is filled
    ahead: int
    photographs: Sequence[PhotographCard]
    together: Sequence[TogetherRecord]  # what is said of all of them
    apart: str = ""  # why they were not judged together, or not all, where they were to be


def _results(job: Job) -> list[Judged]:
    """Return the photographs that a job has judged."""
    found = job.result if isinstance(job.result, list) else [job.result]
    return [one for one in found if isinstance(one, Judged)]


def _card(desk: Service, job: Job) -> Card:
    is_over = job.is_over  # first: what is over has its results
    found = _results(job)
    if not is_over or not found:
        return Card(job, is_over, desk.jobs.ahead_of(job), (), ())
    joint = {said["object_id"]: said for one in found for said in one.record["together"]}
    apart = apart_words([one.record for one in found]) if len(found) > 1 else ""
    with Catalogue.reading(desk.data) as catalogue:
        return Card(job, True, 0, [_photograph(desk, one, catalogue) for one in found], list(joint.values()), apart)


def _photograph(desk: Service, one: Judged, catalogue: Catalogue) -> PhotographCard:
    record, upload = one.record, one.upload
    works = [_work(record, number, catalogue) for number in range(len(record["works"]))]
    said = client_words(record, None) if record["error"] is not None else None
    return PhotographCard(upload.path.name, upload.sha256, desk.uploads.is_kept(upload.sha256), works, said)


def _near(match: MatchRecord, catalogue: Catalogue) -> NearObject:
    object_id = match["object_id"]
    photo = exemplar_of(catalogue, object_id, match["exemplar"])
    title = catalogue.titles([object_id])[object_id]
    return NearObject(object_id, title, photo.photo_id if photo else None, match["distance"])


def _work(record: PhotographRecord, number: int, catalogue: Catalogue) -> WorkCard:
    work, verdicts = record["works"][number], record["verdicts"]
    name, distance = deciding(work["matches"][0]) if work["matches"] else ("", None)
    return WorkCard(
        record=work,
        said=client_words(record, work),
        alert=alert_sentence(alert_words(work), work["register_entry"]) if work["alert"] else "",
        named=shows_object(work),
        judged_by=name,
        bar=DistanceBar.of(distance) if distance else None,
        near=[_near(match, catalogue) for match in work["matches"][:NEAREST]],
        review=earlier_review(review) if (review := work["review"]) else "",
        verdict=verdicts[number] if number < len(verdicts) else None,
    )


ROUTES = (
    Route("/", bring, name="photograph"),
    Route("/photographs", take, methods=["POST"], name="take"),
    Route("/photographs", judged, methods=["GET"], name="judged"),
    Route("/photographs/{number}", progress, methods=["GET"], name="progress"),
    Route("/photographs/{number}/keep", keep, methods=["POST"], name="keep"),
)
