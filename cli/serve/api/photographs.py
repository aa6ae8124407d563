"""Have photographs judged by a program."""

from __future__ import annotations

import time
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from cli.serve.api.answers import answer, check_sender, number_of
from cli.serve.jobs import Job, JobState
from cli.serve.judging import Judged, check_object, judge
from cli.serve.pages import link_to
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import form_of, note, service
from cli.serve.uploads import Upload, sent_name

OWNER = "api"
WAITS, LONGEST_WAIT = 20, 60  # seconds
IN_MEMORY = 1 << 20  # bytes of a photograph that is being sent
OFTEN = 0.05  # seconds between two looks at a job
RAW = ("image/", "application/octet-stream", "application/pdf")  # beginnings of the types of bare photographs


async def take(request: Request) -> Response:
    """Judge a photograph as `artifact query` does, and answer with its record, or where that will be."""
    check_sender(request)
    desk, wait = service(request), number_of(request, "wait", WAITS, most=LONGEST_WAIT)
    if not desk.can_write:
        raise Refused(409, "The data folder cannot be written, so verdicts could not be recorded. Copy the folder.")
    object_id = request.query_params.get("object") or None
    if object_id is not None:
        await run_in_threadpool(check_object, desk, object_id)
    upload = await _upload(request)
    job = desk.jobs.submit(upload.path.name, partial(judge, desk, upload, object_id), owner=OWNER)
    note(request, "brought a photograph", photo=upload.path.name, sha256=upload.sha256)
    until = time.monotonic() + wait
    while not job.is_over and time.monotonic() < until:
        await anyio.sleep(OFTEN)
    if job.failure is not None:
        raise job.failure
    return _told(request, job)


def judged(request: Request) -> Response:
    """Answer with the record of a photograph that was sent, once it is judged."""
    job = service(request).jobs.get(request.path_params["job"])
    if job is None or job.owner != OWNER:
        raise Refused(404, "This photograph is no longer at hand; /api/verdicts has its verdicts.")
    return _told(request, job)


def _told(request: Request, job: Job) -> Response:
    if job.mistake is not None:
        raise job.mistake  # the guard answers, as wherever the program is mistaken
    if job.state is JobState.FAILED:
        raise Refused(422, job.error)  # also where a server was away: to ask again would not judge it again
    if isinstance(job.result, Judged) and job.is_over:
        return answer(job.result.record)
    at = link_to(request, "api_photograph", job=job.number)
    waits = {"job": job.number, "state": str(JobState.WAITING if job.state is JobState.WAITING else JobState.RUNNING)}
    return answer(waits | {"at": at}, 202, headers={"Location": at, "Retry-After": "1"})


async def _upload(request: Request) -> Upload:
    """Return the photograph of a request: the file `photo` of a form, or the body itself; raises Refused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    uploads = service(request).uploads
    if kind == "multipart/form-data":
        form = await form_of(request, max_files=1, max_fields=10)
        try:
            sent = form.get("photo")
            if not isinstance(sent, UploadFile) or not sent.size:
                raise Refused(422, "No photograph was sent: a form has it as the file photo.")
            return await run_in_threadpool(uploads.take, sent.file, sent_name(sent))
        finally:
            await form.close()
    if not kind.startswith(RAW):
        raise Refused(415, "Send the photograph as multipart/form-data, or its bytes as image/jpeg or the like.")
    with SpooledTemporaryFile(IN_MEMORY) as file:
        size = 0
        async for part in request.stream():
            size += len(part)
            await run_in_threadpool(file.write, part)
        if not size:
            raise Refused(422, "No photograph was sent: the body is empty.")
        file.seek(0)
        name = request.query_params.get("name", "")
        return await run_in_threadpool(uploads.take, cast(BinaryIO, file), name)
