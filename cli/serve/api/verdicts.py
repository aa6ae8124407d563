"""Verdicts and their reviews, for programs."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cli.runs.verdicts import verdict_record
from cli.serve.api.answers import answer, check_sender, choice_of, limit_of, listed, number_of
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import note, service, visitor
from cli.serve.views.sign_in import LONGEST_NAME
from indexer.inputs.names import composed
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import LARGEST
from retrieval.errors import CatalogueMissing
from retrieval.outcome import UNREADABLE, Outcome
from retrieval.verdicts.deciding import DecidedMeanwhile, Proposal, decide
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.of_object import verdicts_on
from retrieval.verdicts.reviews import ACCEPT, OVERRULE, Review, accepting, overruling
from retrieval.verdicts.waiting import open_verdicts
from retrieval.verdicts.withdrawals import history

LONGEST_BODY = 100_000  # bytes of a review
FIELDS = {"decision": str, "outcome": str, "object_id": str, "name": str, "reason": str, "seen": int}


def verdicts(request: Request) -> Response:
    """Answer as `artifact verdicts`, page by page."""
    limit, before = limit_of(request), number_of(request, "before", LARGEST)
    outcome = choice_of(request, "outcome", [*Outcome, UNREADABLE])
    photo, object_id = request.query_params.get("photo") or None, request.query_params.get("object") or None
    entries = []
    with suppress(CatalogueMissing), VerdictLog.reading(service(request).data) as log:
        if object_id:
            entries = verdicts_on(log, object_id, outcome=outcome, photo=photo, before=before, limit=limit + 1)
        else:
            entries = log.entries(outcome=outcome, photo=photo, before=before, limit=limit + 1)
    on = {"before": entries[limit - 1].number} if len(entries) > limit else None
    return listed(request, [entry.to_json() for entry in entries[:limit]], on=on)


def verdict(request: Request) -> Response:
    """Answer as `artifact verdict NUMBER`, without making it again."""
    number = min(request.path_params["number"], LARGEST)
    with VerdictLog.reading(service(request).data) as log:
        return answer(verdict_record(log.entry(number), history(log, number)) | {"replay": None})


def waiting(request: Request) -> Response:
    """Answer as `artifact review`: what waits for a person, alerts first."""
    limit, place = limit_of(request), number_of(request, "from", 0, most=LARGEST // 2)
    numbers, entries = [], []
    with suppress(CatalogueMissing), VerdictLog.reading(service(request).data) as log:
        numbers = open_verdicts(log)
        entries = [log.entry(number) for number in numbers[place : place + limit]]
    on = {"from": place + limit} if place + limit < len(numbers) else None
    return listed(request, [entry.to_json() for entry in entries], on=on)


async def review(request: Request) -> Response:
    """Keep a decision on a verdict; refuse where somebody decided after what the sender has seen."""
    check_sender(request)
    said = await _body(request)
    kept = await run_in_threadpool(_decide, request, said)
    return answer(kept, 201)


async def _body(request: Request) -> dict[str, Any]:
    """Return what was sent; raises Refused."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Send the review as application/json.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise Refused(413, "This is no review: it is too long.")
    try:
        said = json.loads(body)
        dumped = json.dumps(said, ensure_ascii=False).encode()  # no half of a letter, which no database holds
    except (ValueError, RecursionError) as error:
        raise Refused(400, "This is no JSON.") from error
    if not isinstance(said, dict) or not dumped:
        raise Refused(422, "A review is a JSON object.")
    for name, value in said.items():
        if name not in FIELDS:
            raise Refused(422, f"A review has no {name!a}; it has {', '.join(FIELDS)}.")
        if value is not None and (not isinstance(value, FIELDS[name]) or isinstance(value, bool)):
            raise Refused(422, f"{name} is {'a number' if FIELDS[name] is int else 'a text'}, or null.")
    if not 0 <= (said.get("seen") or 0) <= LARGEST:
        raise Refused(422, "seen is the number of a review, or null.")
    return said


def _decide(request: Request, said: dict[str, Any]) -> dict[str, Any]:
    """Keep a review, and return the verdict with all its reviews."""
    data, number = service(request).data, min(request.path_params["number"], LARGEST)
    if not service(request).can_write:
        raise Refused(409, "The data folder cannot be written, so the review could not be kept.")
    if "seen" not in said:
        raise Refused(422, "seen is missing: the number of the last review that you know of, or null for none.")
    object_id = said.get("object_id") or None
    if object_id is not None:
        with Catalogue.reading(data) as catalogue:
            object_id = catalogue.object(composed(object_id)).object_id
    with VerdictLog.reading(data) as log:
        made = _made(request, log, number, said, object_id)
        try:
            kept = decide(log, [Proposal(log.entry(number), made, said["seen"] or 0)])
        except DecidedMeanwhile as meanwhile:
            raise Refused(409, _decided_words(meanwhile)) from meanwhile
        if kept.numbers:  # else it was sent twice
            note(request, "decided", verdict=number, outcome=made.outcome, decision=made.decision, reviews=kept.numbers)
        return verdict_record(log.entry(number), history(log, number)) | {"replay": None}


def _decided_words(meanwhile: DecidedMeanwhile) -> str:
    """Say who decided on the same photograph and object since the sender looked."""
    last = meanwhile.items[0].reviews[-1]
    held = f"{last.review.decision}, {last.review.outcome}"
    undone = f", and {last.withdrawal.name} took it back" if last.withdrawal else ""
    return (
        f"{last.review.name} decided meanwhile on verdict {last.review.verdict} ({held}), by review "
        f"{last.review.number}{undone}. Look again; to decide nevertheless, send it with seen: {last.review.number}."
    )


def _made(request: Request, log: VerdictLog, number: int, said: dict[str, Any], object_id: str | None) -> Review:
    """Return the review that was sent; raises ArtifactError or Refused."""
    entry, reason = log.entry(number), said.get("reason") or ""
    name = " ".join((visitor(request).name or said.get("name") or "").split())
    if not name or len(name) > LONGEST_NAME:
        raise Refused(422, f"name is missing: who decides, in 1 to {LONGEST_NAME} letters.")
    if said.get("decision") == ACCEPT:
        if said.get("outcome") not in (None, entry.outcome) or object_id not in (None, entry.object_id):
            raise Refused(422, "To accept names no other outcome or object; to say another is to overrule.")
        return accepting(entry, name=name, reason=reason)
    if said.get("decision") != OVERRULE:
        raise Refused(422, "decision is accept or overrule.")
    if said.get("outcome") not in tuple(Outcome):
        raise Refused(422, f"To overrule names an outcome: {', '.join(Outcome)}.")
    return overruling(entry, Outcome(said["outcome"]), object_id=object_id, name=name, reason=reason)
