"""What `index` and `status` say of the statuses of objects: alarms, what is doubtful in them, what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from cli.output.text import plain
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.changes import last_changes
from retrieval.catalogue.lookups import count_saying, first_saying, said_statuses
from retrieval.catalogue.rows import MetadataChange
from retrieval.catalogue.standing import Register
from retrieval.catalogue.status_words import ALARMS, Status, understood

SHOWN = 20
MANY = {Status.KNOWN_FORGERY: "known forgeries"}


def say_register(catalogue: Catalogue, *, since: int) -> None:
    """Say how many objects raise an alarm, what is doubtful, and what revisions after `since` changed.

    Each status is looked at once, as it is written, whatever the number of objects that have it.
    """
    meant = {text: understood(text.strip()) for text in said_statuses(catalogue)}
    counts: Counter[Status] = Counter()
    for text, found in meant.items():
        if found.status in ALARMS:
            counts[found.status] += count_saying(catalogue, text)
    for line in _alarm_lines(counts):
        typer.echo(line)
    doubtful = [text for text, found in meant.items() if found.doubt]
    first = {object_id: meant[text].doubt for object_id, text in first_saying(catalogue, doubtful, SHOWN)}
    for line in _doubt_lines(first, count=sum(count_saying(catalogue, text) for text in doubtful)):
        typer.echo(line, err=True)
    for line in change_lines(last_changes(catalogue.db, since=since)):
        typer.echo(line)


def alarm_lines(register: Register) -> list[str]:
    """Return how many objects are stolen, missing and known forgeries; nothing where there is none."""
    return _alarm_lines({status: len(objects) for status, objects in register.alarms.items()})


def _alarm_lines(counts: Mapping[Status, int]) -> list[str]:
    some = [(counts[status], status) for status in ALARMS if counts.get(status)]
    words = [f"{count} {MANY.get(status, status) if count > 1 else status}" for count, status in some]
    return [f"alerts: {', '.join(words)}"] if words else []


def doubt_lines(register: Register) -> list[str]:
    """Return what is doubtful in statuses, object by object."""
    return _doubt_lines(register.doubts, count=len(register.doubts))


def _doubt_lines(doubts: Mapping[str, str], *, count: int) -> list[str]:
    return _first([f"status of {plain(object_id)}: {plain(doubt)}" for object_id, doubt in doubts.items()], count)


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
    return [f"metadata of {what} changed in revision {changes[0].revision}:", *_first(lines, len(lines))]


def register_json(register: Register, changes: Sequence[MetadataChange]) -> Mapping[str, Any]:
    """Return the same for JSON: alerts by status, doubts and changes by object."""
    return {
        "alerts": {str(status): list(objects) for status, objects in register.alarms.items()},
        "doubtful_statuses": dict(register.doubts),
        "metadata_changes": [{name: getattr(change, name) for name in change.__slots__} for change in changes],
    }


def _first(lines: Sequence[str], count: int) -> list[str]:
    more = [f"  ... and {count - SHOWN} more; `artifact status --format json` has all"]
    return [f"  {line}" for line in lines[:SHOWN]] + (more if count > SHOWN else [])


def _value(text: str) -> str:
    return repr(" ".join(plain(text).split())) if text else "nothing"
