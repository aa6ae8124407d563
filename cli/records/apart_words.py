"""Say why photographs that were to be judged together were not, or not all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from cli.records.artifact_1 import PhotographRecord, TogetherRecord, name_of
from cli.records.triage import shows_object

MOST = 3  # photographs that are named where they show the same


def apart_words(records: Sequence[PhotographRecord]) -> str:
    """Return a sentence on what was not judged together, and why; empty where all photographs were."""
    files = {record["sha256"] for record in records}
    together = [{name_of(record) for record in records if said in record["together"]} for said in _said(records)]
    if any({record["sha256"] for record in records if name_of(record) in names} == files for names in together):
        return ""
    some = "all " if together else ""
    shown: dict[str, list[str]] = defaultdict(list)
    for record in records:
        shown[_shown(record)].append(_file(record))
    if len(shown) > 1:
        each = "; ".join(f"{_named(names)}: {what}" for what, names in shown.items())
        return f"The photographs were not {some}judged together, because they do not show the same object. {each}."
    if len(files) == 1:
        return "The photographs were not judged together, because they are the same file."
    return (
        f"The photographs were not {some}judged together, because they could not be compared with one photograph of "
        f"the same genuine object. Each: {next(iter(shown))}."
    )


def _said(records: Sequence[PhotographRecord]) -> list[TogetherRecord]:
    found = {said["object_id"]: said for record in records for said in record["together"]}
    return list(found.values())


def _shown(record: PhotographRecord) -> str:
    """Return which objects a photograph shows, in a few words."""
    if record["error"] is not None:
        return "could not be read"
    objects = [work["matches"][0]["object_id"] for work in record["works"] if work["matches"] and shows_object(work)]
    return " and ".join(dict.fromkeys(objects)) or "nothing that is known to the catalogue"


def _file(record: PhotographRecord) -> str:
    return name_of(record).replace("\\", "/").rpartition("/")[2]


def _named(names: Sequence[str]) -> str:
    more = len(names) - MOST
    return ", ".join([*names[:MOST], *([f"{more} more"] if more > 0 else [])])
