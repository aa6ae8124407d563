"""Describe the addresses for programs, in OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cli.serve.api.answers import MOST, USUAL, answer
from cli.serve.api.photographs import LONGEST_WAIT, WAITS
from cli.serve.api.schemas import OUTCOMES, TEXT, Schema, list_of, ref, schemas
from cli.serve.pages import below
from retrieval.catalogue.database import LARGEST
from retrieval.extras import program_version
from retrieval.outcome import UNREADABLE

WORDS = {
    400: "What was sent cannot be read.",
    401: "A token is needed.",
    403: "Not allowed: by this token, or from this page.",
    404: "There is none.",
    409: "Somebody decided meanwhile, or nothing can be written.",
    413: "More than is taken at once.",
    415: "Not in a form that is understood.",
    422: "Understood, but it cannot be done: the sentence says why.",
    500: "A mistake of the program.",
    503: "Too much to do, or a server is away: come again after Retry-After seconds.",
}
ALWAYS = (400, 401, 403, 422, 500, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """What can be done at an address."""

    method: str
    path: str
    name: str
    summary: str
    answers: dict[int, Schema]
    parameters: Sequence[Schema] = ()
    body: dict[str, Any] | None = None
    errors: Sequence[int] = ()


def query(name: str, schema: Schema, description: str) -> Schema:
    """Return a parameter that stands behind the question mark."""
    return {"name": name, "in": "query", "schema": schema, "description": description}


def part(name: str, schema: Schema) -> Schema:
    """Return a parameter that is part of the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


_NUMBER = {"type": "integer", "minimum": 0, "maximum": LARGEST}
_LIMIT = query("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, "how many at most")
_FROM = query("from", {"type": "integer", "minimum": 0, "maximum": LARGEST // 2}, "how many to pass over")
_BEFORE = query("before", _NUMBER, "only those of lower numbers")
_ID = query("id", TEXT | {"minLength": 1}, "of the object") | {"required": True}
_BYTES: Schema = {"type": "string", "format": "binary"}
_FORM: Schema = {"type": "object", "properties": {"photo": _BYTES}, "required": ["photo"]}
_PHOTOGRAPH = {"multipart/form-data": {"schema": _FORM}, "image/*": {"schema": {}}, "application/pdf": {"schema": {}}}
_WAIT = query("wait", {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": WAITS}, "seconds")

OPERATIONS = (
    Operation(
        "post", "/api/photographs", "judge", "Judge a photograph, as `artifact query`; 202 where it takes longer.",
        {200: ref("PhotographRecord"), 202: ref("Waiting")},
        (_WAIT, query("object", TEXT, "compare with one object only"), query("name", TEXT, "of the file")),
        {"required": True, "content": _PHOTOGRAPH}, (404, 409, 413, 415),
    ),
    Operation(
        "get", "/api/photographs/{job}", "judged", "The record of a photograph that was sent, once it is judged.",
        {200: ref("PhotographRecord"), 202: ref("Waiting")}, (part("job", TEXT),), errors=(404,),
    ),
    Operation(
        "get", "/api/verdicts", "verdicts", "Recorded verdicts, the last one first, as `artifact verdicts`.",
        {200: list_of(ref("Verdict"))},
        (
            query("outcome", {"enum": [*OUTCOMES, UNREADABLE]}, "only of this outcome"),
            query("photo", TEXT, "only with this text in the path of the photograph"),
            query("object", TEXT, "only on this object"), _BEFORE, _LIMIT,
        ),
    ),
    Operation(
        "get", "/api/verdicts/{number}", "verdict", "One verdict with its reviews, as `artifact verdict NUMBER`.",
        {200: ref("VerdictWithReviews")}, (part("number", _NUMBER),), errors=(404,),
    ),
    Operation(
        "post", "/api/verdicts/{number}/reviews", "review", "Accept a verdict, or overrule it.",
        {201: ref("VerdictWithReviews")}, (part("number", _NUMBER),),
        {"required": True, "content": {"application/json": {"schema": ref("Decision")}}}, (404, 409, 413, 415),
    ),
    Operation(
        "get", "/api/review", "waiting", "What waits for a person, alerts first, as `artifact review`.",
        {200: list_of(ref("Verdict"))}, (_FROM, _LIMIT),
    ),
    Operation(
        "get", "/api/objects", "objects", "The catalogue, as `artifact list`.", {200: list_of(ref("Object"))},
        (
            query("search", TEXT, "only with these words in their metadata, the best first"),
            query("after", TEXT, "only those whose ids come after this one; without search"),
            _FROM | {"description": "how many to pass over; with search"}, _LIMIT,
        ),
    ),
    Operation(
        "get", "/api/objects/{object_id}", "object", "An object with its exemplars, as `artifact show`.",
        {200: ref("ObjectWithExemplars")}, (part("object_id", TEXT),), errors=(404,),
    ),
    Operation(
        "get", "/api/object", "object_asked", "The same for any id, also one that no path can hold, as `..`.",
        {200: ref("ObjectWithExemplars")}, (_ID,), errors=(404,),
    ),
    Operation("get", "/api/status", "status", "What the catalogue holds, as `artifact status`.", {200: ref("Status")}),
    Operation(
        "get", "/api/screenings", "screenings", "The screenings of this desk, the newest first.",
        {200: list_of(ref("Screening"))}, (_BEFORE | {"schema": _NUMBER | {"maximum": 10**9}}, _LIMIT),
    ),
    Operation(
        "get", "/api/screenings/{number}", "screening", "One screening, and how far it has come.",
        {200: ref("Screening")}, (part("number", _NUMBER),), errors=(404,),
    ),
)  # fmt: skip


def show(request: Request) -> Response:
    """Answer with the description."""
    return answer(description() | {"servers": [{"url": below(request, "") or "/"}]})


@cache
def description() -> dict[str, Any]:
    """Return the description of all addresses."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    bearer = {"type": "http", "scheme": "bearer", "description": "not asked for where the desk has no --token-file"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "artifact",
            "version": program_version(),
            "summary": "The desk for programs; docs/api.md has examples.",
        },
        "paths": paths,
        "components": {"schemas": schemas(), "securitySchemes": {"token": bearer}},
        "security": [{"token": []}, {}],
    }


def _described(operation: Operation) -> dict[str, Any]:
    answers = {str(status): _answered(status, schema) for status, schema in operation.answers.items()}
    errors = {str(status): _answered(status, ref("Error")) for status in sorted({*ALWAYS, *operation.errors})}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": list(operation.parameters),
        "responses": answers | errors,
    }
    return described | ({"requestBody": operation.body} if operation.body else {})


def _answered(status: int, schema: Schema) -> dict[str, Any]:
    words = WORDS.get(status, "Done." if status != 202 else "Not yet: look again at Location.")
    return {"description": words, "content": {"application/json": {"schema": schema}}}
