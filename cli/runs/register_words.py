"""What `index` and `status` say of the statuses of objects: alarms, what is doubtful in them, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import typer

from cli.output.text import plain
from cli.records.pieces import Keyed, Listed
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.changes import count_last_changes, last_changes
from retrieval.catalogue.rows import MetadataChange
from retrieval.catalogue.status_words import Status
from retrieval.catalogue.statuses import Statuses

SHOWN = 20
MANY = {Status.KNOWN_FORGERY: "known forgeries"}


def say_register(catalogue: Catalogue, *, since: int) -> None:
    """Say how many objects raise an alarm, what is doubtful, and what revisions after `since` changed."""
    statuses = Statuses.of(catalogue)
    for line in alarm_lines(statuses):
        typer.echo(line)
    for line in doubt_lines(statuses):
        typer.echo(line, err=True)
    for line in change_lines(catalogue, since=since):
        typer.echo(line)


def alarm_lines(statuses: Statuses) -> list[str]:
    """Return how many objects are stolen, missing and known forgeries; nothing where there is none."""
    words = [
        f"{count} {MANY.get(status, status) if count > 1 else status}" for status, count in statuses.alarms().items()
    ]
    return [f"alerts: {', '.join(words)}"] if words else []


def doubt_lines(statuses: Statuses) -> list[str]:
    """Return what is doubtful in statuses, object by object."""
    first = statuses.doubts(limit=SHOWN)
    lines = [f"status of {plain(object_id)}: {plain(doubt)}" for object_id, doubt in first]
    return _first(lines, statuses.count(statuses.doubtful))


def change_lines(catalogue: Catalogue, *, since: int = 0) -> list[str]:
    """Return what the last revision with changes in the metadata changed, object by object, statuses first.

    Nothing where it came before `since`.
    """
    revision, objects, values = count_last_changes(catalogue.db)
    if revision <= since:
        return []
    what = "1 object" if objects == 1 else f"{objects} objects"
    lines = [
        f"{change.field} of {plain(change.object_id)}: {_value(change.before)} -> {_value(change.after)}"
        for change in islice(last_changes(catalogue.db), SHOWN)
    ]
    return [f"metadata of {what} changed in revision {revision}:", *_first(lines, values)]


def register_json(catalogue: Catalogue, statuses: Statuses) -> Mapping[str, Any]:
    """Return the same for JSON: alerts by status, doubts and changes by object, which come one at a time."""
    return {
        "alerts": Keyed((str(status), Listed(statuses.ids(status))) for status in statuses.alarming),
        "doubtful_statuses": Keyed(statuses.doubts()),
        "metadata_changes": Listed(map(_change, last_changes(catalogue.db))),
    }


def _change(change: MetadataChange) -> dict[str, Any]:
    return {name: getattr(change, name) for name in change.__slots__}


def _first(lines: Sequence[str], count: int) -> list[str]:
    """Return the first lines, and how many more there are."""
    more = [f"  ... and {count - SHOWN} more; `artifact status --format json` has all"] if count > SHOWN else []
    return [f"  {line}" for line in lines] + more


def _value(text: str) -> str:
    return repr(" ".join(plain(text).split())) if text else "nothing"
