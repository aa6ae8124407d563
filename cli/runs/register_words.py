"""What `index` and `status` say of the statuses of objects: alarms, what is doubtful in them, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from cli.output.text import plain
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.changes import last_changes
from retrieval.catalogue.rows import MetadataChange
from retrieval.catalogue.standing import Register
from retrieval.catalogue.status_words import Status

SHOWN = 20
MANY = {Status.KNOWN_FORGERY: "known forgeries"}


def say_register(catalogue: Catalogue, *, since: int) -> None:
    """Say how many objects raise an alarm, what is doubtful, and what revisions after `since` changed."""
    register = Register.of(catalogue.objects())
    for line in alarm_lines(register):
        typer.echo(line)
    for line in doubt_lines(register):
        typer.echo(line, err=True)
    for line in change_lines([change for change in last_changes(catalogue.db) if change.revision > since]):
        typer.echo(line)


def alarm_lines(register: Register) -> list[str]:
    """Return how many objects are stolen, missing and known forgeries; nothing where there is none."""
    counts = [(len(objects), status) for status, objects in register.alarms.items()]
    words = [f"{count} {MANY.get(status, status) if count > 1 else status}" for count, status in counts]
    return [f"alerts: {', '.join(words)}"] if words else []


def doubt_lines(register: Register) -> list[str]:
    """Return what is doubtful in statuses, object by object."""
    lines = [f"status of {plain(object_id)}: {plain(doubt)}" for object_id, doubt in register.doubts.items()]
    return _first(lines)


def change_lines(changes: Sequence[MetadataChange]) -> list[str]:
    """Return what a revision changed in the metadata, object by object, statuses first."""
    if not changes:
        return []
    count = len({change.object_id for change in changes})
    what = "1 object" if count == 1 else f"{count} objects"
    lines = [
        f"{change.field} of {plain(change.object_id)}: {_value(change.before)} -> {_value(change.after)}"
        for change in changes
    ]
    return [f"metadata of {what} changed in revision {changes[0].revision}:", *_first(lines)]


def register_json(register: Register, changes: Sequence[MetadataChange]) -> Mapping[str, Any]:
    """Return the same for JSON: alerts by status, doubts and changes by object."""
    return {
        "alerts": {str(status): list(objects) for status, objects in register.alarms.items()},
        "doubtful_statuses": dict(register.doubts),
        "metadata_changes": [{name: getattr(change, name) for name in change.__slots__} for change in changes],
    }


def _first(lines: Sequence[str]) -> list[str]:
    more = [f"  ... and {len(lines) - SHOWN} more; `artifact status --format json` has all"]
    return [f"  {line}" for line in lines[:SHOWN]] + (more if len(lines) > SHOWN else [])


def _value(text: str) -> str:
    return repr(" ".join(plain(text).split())) if text else "nothing"
