"""The shapes of what the desk says to programs, as JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from retrieval.outcome import UNREADABLE, Outcome
from retrieval.verdicts.reviews import ACCEPT, OVERRULE

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
OUTCOMES = [str(outcome) for outcome in Outcome]


def or_null(schema: Schema) -> Schema:
    """Return the schema of a value that may be missing."""
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    """Return a reference to a shape."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def record(**properties: Schema) -> Schema:
    """Return the schema of an object that has all of some keys, and may come to have more."""
    return {"type": "object", "properties": properties, "required": list(properties)}


_MAYBE_TEXT, _MAYBE_NUMBER, _MAYBE_COUNT = or_null(TEXT), or_null(NUMBER), or_null(COUNT)
_VERDICT: Mapping[str, Schema] = {
    **dict.fromkeys(("date", "photo", "encoder"), TEXT),
    "outcome": {"enum": [*OUTCOMES, UNREADABLE]},
    **dict.fromkeys(("sha256", "asked", "object_id", "exemplar", "alert", "alert_certainty"), _MAYBE_TEXT),
    **dict.fromkeys(("alert_object", "condition", "comparison"), _MAYBE_TEXT),
    "revision": COUNT,
    **dict.fromkeys(("calibration", "picture", "recheck_of"), _MAYBE_COUNT),
    **dict.fromkeys(("global", "local", "combined", "threshold", "likelihood_ratio", "p_value"), _MAYBE_NUMBER),
    "region": or_null(list_of({"type": "integer"})),
    "reasons": list_of(TEXT),
    "lot": or_null({"type": "object", "additionalProperties": TEXT}),
    "together": or_null(list_of(COUNT)),
    "number": COUNT,
}
_REVIEW: Mapping[str, Schema] = {
    "number": COUNT,
    "verdict": COUNT,
    "date": TEXT,
    "name": TEXT,
    "decision": {"enum": [ACCEPT, OVERRULE]},
    "outcome": {"enum": [*OUTCOMES, UNREADABLE]},
    "object_id": _MAYBE_TEXT,
    "reason": TEXT,
}
_OBJECT: Mapping[str, Schema] = {
    "object_id": TEXT,
    "metadata": {"type": "object", "additionalProperties": TEXT},
    "photos": COUNT,
}
_EXEMPLAR = record(file=TEXT, sha256=TEXT, role=TEXT, width=COUNT, height=COUNT)
_STATUS = record(
    data=TEXT,
    revision=COUNT,
    objects=COUNT,
    photos=COUNT,
    folders=list_of(TEXT),
    missing_folders=list_of(TEXT),
    pictures=record(side=COUNT, count=COUNT, bytes=COUNT, exact={"type": "boolean"}),
    searched=record(
        asked=TEXT,
        memory=COUNT,
        shards=record(count=COUNT, asked=COUNT, moving={"type": "boolean"}, missing=list_of(COUNT)),
        segments=list_of({"type": "object"}),
    ),
    encoder=or_null(record(spec=TEXT, fingerprint=TEXT, precision=TEXT, dim=COUNT)),
    thresholds=or_null({"type": "object"}),
    calibrations=list_of({"type": "object"}),
    misfit=_MAYBE_TEXT,
    skipped=list_of(record(file=TEXT, reason=TEXT)),
    alerts={"type": "object", "additionalProperties": list_of(TEXT)},
    doubtful_statuses={"type": "object", "additionalProperties": TEXT},
    metadata_changes=list_of({"type": "object"}),
    left_out=list_of({"type": "object"}),
)
_SCREENING = record(
    number=COUNT,
    source=TEXT,
    state={"enum": ["waiting", "running", "stopping", "stopped", "interrupted", "failed", "done"]},
    **dict.fromkeys(("name", "begun", "ended", "problem"), TEXT),
    **dict.fromkeys(("photographs", "judged", "alerts"), COUNT),
    outcomes={"type": "object", "additionalProperties": COUNT},
)
_DECISION: Schema = {
    "type": "object",
    "properties": {
        "decision": {"enum": [ACCEPT, OVERRULE]},
        "outcome": or_null({"enum": OUTCOMES}) | {"description": "needed to overrule"},
        "object_id": or_null(TEXT) | {"description": "of this object, not the verdict's"},
        "name": or_null(TEXT) | {"description": "who decides; the name of a token counts instead"},
        "reason": or_null(TEXT) | {"description": "needed to overrule"},
        "seen": or_null({"type": "integer"})
        | {"description": "number of the last review that you know of; null: none. Where it is another: 409"},
    },
    "required": ["decision", "seen"],
    "additionalProperties": False,
}


def schemas() -> dict[str, Schema]:
    """Return all shapes by their names; those of a photograph are the published ones of artifact/1."""
    made = {
        "Error": record(error=TEXT),
        "Verdict": record(**_VERDICT),
        "Review": record(**_REVIEW),
        "VerdictWithReviews": record(
            **_VERDICT,
            reviews=list_of(ref("Review")),
            withdrawn=list_of(record(**_REVIEW, withdrawal={"type": "object"})),
            replay={"type": "null"},
        ),
        "Decision": _DECISION,
        "Object": record(**_OBJECT),
        "ObjectWithExemplars": record(**_OBJECT, exemplars=list_of(_EXEMPLAR)),
        "Status": _STATUS,
        "Screening": _SCREENING,
        "Waiting": record(job=TEXT, state={"enum": ["waiting", "running"]}, at=TEXT),
    }
    text = (files("cli.records") / "artifact-1.schema.json").read_text("utf-8")
    published = json.loads(text.replace("#/$defs/", "#/components/schemas/"))["$defs"]
    return made | published
