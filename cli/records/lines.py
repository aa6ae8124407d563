"""Write the records of a screening as lines: JSON, CSV for spreadsheets, and a table for the terminal."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cli.output.terminal import alarming
from cli.output.text import plain
from cli.records.alert_words import entry_words, short_word
from cli.records.artifact_1 import (
    MatchRecord,
    PhotographRecord,
    SeenRecord,
    TogetherRecord,
    WorkRecord,
    alerted,
    dumps,
    name_of,
)
from cli.records.client_words import client_words
from cli.records.review_words import earlier_review
from cli.records.triage import deciding, priority, shows_object, together_with
from retrieval.moment import day
from retrieval.outcome import UNREADABLE

LOT_COLUMNS = ("lot", "title", "sale", "house", "claim", "maker", "url")
CSV_COLUMNS = (
    "photo",
    "outcome",
    "object_id",
    "distance",
    "match_threshold",
    "authenticity_threshold",
    "local_distance",
    "local_threshold",
    "reasons",
    "sha256",
    "error",
    "combined_distance",
    "combined_threshold",
    "likelihood_ratio",
    "p_value",
    "priority",
    "alert",
    "status",
    "lot",
    "sale",
    "house",
    "claim",
    "claim_outcome",
    "maker",
    "url",
    "lot_columns",
    "same_as",
    "seen_before",
    "region",
    "picture",
    "decided_by",
    "deciding_distance",
    "deciding_threshold",
    "title",
    "review",
    "said",
    "alert_certainty",
    "alert_object",
    "register_entry",
    "lead",
    "together_outcome",
    "together_photos",
    "together_distance",
    "together_threshold",
    "together_reasons",
)
BOM = "\ufeff"
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # a cell that starts so is run; the last are the wide = + - @
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def render_jsonl(records: Iterable[PhotographRecord]) -> Iterator[str]:
    """Yield a line of JSON a photograph."""
    for record in records:
        yield dumps(record) + "\n"


def each_work(records: Iterable[PhotographRecord]) -> Iterator[tuple[PhotographRecord, int | None]]:
    """Yield each record with the index of a work, or None where it is unreadable, in the order of the records."""
    for record in records:
        if not record["works"]:
            yield record, None
        yield from ((record, index) for index in range(len(record["works"])))


def render_csv(works: Iterable[tuple[PhotographRecord, int | None]], *, bom: bool) -> Iterator[str]:
    """Yield a header and a row a work, for spreadsheets; `bom` tells spreadsheets of Windows that the file is UTF-8."""
    yield (BOM if bom else "") + _csv_line(CSV_COLUMNS)
    for record, index in works:
        row = _row(record, None if index is None else record["works"][index])
        yield _csv_line(["" if row.get(name) is None else str(row[name]) for name in CSV_COLUMNS])


def _row(record: PhotographRecord, work: WorkRecord | None) -> dict[str, Any]:
    """Return what there is to say in each column of a work; of the photograph where it is unreadable (no work)."""
    row = _lot(record) | {
        "photo": record["photo"],
        "sha256": record["sha256"],
        "error": record["error"],
        "priority": str(priority(record, work)),
        "same_as": record["same_as"],
        "said": client_words(record, work).what,
        "picture": f"{picture['number']} of {picture['of']}" if (picture := record.get("picture")) else "",
        "seen_before": "; ".join(map(seen_words, record["seen_before"])),
    }
    if work is None:
        return row | {"outcome": UNREADABLE}
    row |= {
        "outcome": work["outcome"],
        "alert": work["alert"],
        "status": work["status"],
        "reasons": "; ".join(work["reasons"]),
        "likelihood_ratio": work["likelihood_ratio"],
        "p_value": work["p_value"],
        "region": " ".join(map(str, work["region"])),
        "review": earlier_review(review) if (review := work["review"]) else "",
        "alert_certainty": work["alert_certainty"],
        "alert_object": alerted(work) if work["alert"] else "",
        "register_entry": entry_words(work["register_entry"]),
        "lead": lead["object_id"] if (lead := work["lead"]) else "",
    }
    row |= _together(said) if (said := together_with(record, work)) else {}
    if not work["matches"]:
        return row
    best = work["matches"][0]
    return row | _match(best) | {"object_id": best["object_id"] if shows_object(work) else None}


def _together(said: TogetherRecord) -> dict[str, Any]:
    """Return the columns of what is said of a work together with other photographs of it."""
    return {
        "together_outcome": said["outcome"],
        "together_photos": len(said["photos"]),
        "together_distance": said["combined"],
        "together_threshold": said["combined_threshold"],
        "together_reasons": "; ".join(said["reasons"]),
    }


def _match(best: MatchRecord) -> dict[str, Any]:
    """Return the columns of the distances to the first match, the one that decides by its name once more."""
    name, judged = deciding(best)
    row: dict[str, Any] = {
        "decided_by": name,
        "deciding_distance": judged["distance"],
        "deciding_threshold": judged["authenticity_threshold"],
        "distance": best["distance"],
        "match_threshold": best["match_threshold"],
        "authenticity_threshold": best["authenticity_threshold"],
    }
    if divergence := best["divergence"]:
        row |= {
            "local_distance": divergence["local"],
            "local_threshold": divergence["threshold"],
            "combined_distance": divergence["combined"],
            "combined_threshold": divergence["combined_threshold"],
        }
    return row


def _lot(record: PhotographRecord) -> dict[str, Any]:
    """Return the columns of the lot, those without a column of their own as JSON, and what became of its claim."""
    lot, claim = record["lot"] or {}, record["claim"]
    row: dict[str, Any] = {name: lot.get(name) for name in LOT_COLUMNS}
    others = {name: text for name, text in lot.items() if name not in LOT_COLUMNS}
    row["lot_columns"] = json.dumps(others, ensure_ascii=False) if others else ""
    if claim is not None:
        row["claim"] = claim["claimed"]
        row["claim_outcome"] = claim["work"]["outcome"] if claim["work"] else claim["reason"]
    return row


def lot_words(lot: Mapping[str, str] | None) -> str:
    """Return what a person calls a lot: its number and its title, as far as its table has them."""
    known = lot or {}
    named = (f"lot {known['lot']}" if known.get("lot") else "", known.get("title", ""))
    return ", ".join(text for text in named if text)


def offer_words(lot: Mapping[str, str] | None) -> str:
    """Return where something was offered: lot, sale and house, as far as they are known."""
    known = lot or {}
    return ", ".join(f"{name} {known[name]}" for name in ("lot", "sale", "house") if known.get(name))


def together_words(said: TogetherRecord) -> str:
    """Return what is said of several photographs together, in a few words."""
    return (
        f"{len(said['photos'])} photographs of {said['object_id']} together {said['outcome']}, {said['combined']:.3f}"
    )


def seen_words(seen: SeenRecord) -> str:
    """Return when and where a photograph, or a work on it, was seen before: its offer, or else its file."""
    offer = offer_words(seen["lot"])
    what = {"photo": "this photograph", "work": "this work", "object": "this object"}[seen["by"]]
    return f"{what} on {day(seen['date'])}: {offer or seen['photo']}, verdict {seen['verdict']}"


def seen_line(seen: Sequence[SeenRecord]) -> str:
    """Return in one line where something was seen before: the first of the sightings, and how many more there are."""
    more = f" (and {len(seen) - 1} more)" if len(seen) > 1 else ""
    return f"seen before, {seen_words(seen[0])}{more}"


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([defused(cell.encode(errors="replace").decode()) for cell in cells])
    return line.getvalue()


def defused(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe before it, unless it is a number."""
    return f"'{cell}" if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell) else cell


def render_table(works: Iterable[tuple[PhotographRecord, int | None]], *, colour: bool = False) -> Iterator[str]:
    """Yield a line a work, and below it what else is known.

    An alert stands in place of the outcome, in capitals, and in red where `colour` is wanted.
    """
    yield f"{'outcome':<13} {'distance':<14} {'object':<12} photo\n"
    for record, index in works:
        work = None if index is None else record["works"][index]
        said, distance, object_id = _cells(work)
        line = f"{said:<13} {distance:<14} {plain(object_id):<12} {plain(name_of(record))}"
        yield (alarming(line) if colour and work and work["alert"] else line) + "\n"
        if remarks := "; ".join(_remarks(record, work)):
            yield f"{'':<4}{plain(remarks)}\n"


def _cells(work: WorkRecord | None) -> tuple[str, str, str]:
    """Return what the table says of a work: alert or outcome, the distance that decided with its name, object."""
    if work is None:
        return UNREADABLE, "", ""
    said = short_word(work["alert"], work["alert_certainty"]) if work["alert"] else work["outcome"]
    if not work["matches"]:
        return said, "", ""
    name, judged = deciding(work["matches"][0])
    object_id = alerted(work) if work["alert"] else work["matches"][0]["object_id"] if shows_object(work) else ""
    return said, f"{name} {judged['distance']:.3f}", object_id


def _remarks(record: PhotographRecord, work: WorkRecord | None) -> Iterator[str]:
    """Yield what else the table says of a photograph, and of a work on it."""
    if lot := lot_words(record["lot"]):
        yield lot
    if record["error"]:
        yield record["error"]
    if work and work["alert"] and (case := entry_words(work["register_entry"])):
        yield case
    if work and (lead := work["lead"]):
        yield f"lead, near to {lead['object_id']}, {lead['status']}"
    if record["same_as"]:
        yield f"same file as {record['same_as']}"
    if claim := record["claim"]:
        yield f"claimed {claim['claimed']}, {claim['work']['outcome'] if claim['work'] else claim['reason']}"
    for said in record["together"]:
        yield together_words(said)
    if record["seen_before"]:
        yield seen_line(record["seen_before"])
    if work and (review := work["review"]):
        yield earlier_review(review)
