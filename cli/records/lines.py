"""Write the records of a screening as lines: JSON, CSV for spreadsheets, and a table for the terminal."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from cli.output.text import plain
from cli.records.artifact_1 import Record, dumps
from cli.records.triage import priority
from retrieval.outcome import UNREADABLE

LOT_COLUMNS = ("lot", "sale", "house", "claim", "maker", "url")
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
)
BOM = "\ufeff"
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # a cell that starts so is run; the last are the wide = + - @
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def render_jsonl(records: Iterable[Record]) -> Iterator[str]:
    """Yield a line of JSON a photograph."""
    for found in records:
        yield dumps(found) + "\n"


def each_work(records: Iterable[Record]) -> Iterator[tuple[Record, int | None]]:
    """Yield each record with the index of a work, or None where it is unreadable, in the order of the records."""
    for found in records:
        if not found["works"]:
            yield found, None
        yield from ((found, index) for index in range(len(found["works"])))


def render_csv(works: Iterable[tuple[Record, int | None]], *, bom: bool) -> Iterator[str]:
    """Yield a header and a row a work, for spreadsheets; `bom` tells those of Windows that it is UTF-8."""
    yield (BOM if bom else "") + _csv_line(CSV_COLUMNS)
    for found, index in works:
        row = _row(found, None if index is None else found["works"][index])
        yield _csv_line(["" if row.get(name) is None else str(row[name]) for name in CSV_COLUMNS])


def _row(found: Record, work: Record | None) -> dict[str, Any]:
    """Return what there is to say in each column of a work; of the photograph where it is unreadable (no work)."""
    row: dict[str, Any] = {"photo": found["photo"], "sha256": found["sha256"], "error": found["error"]}
    row |= _lot(found) | {"priority": str(priority(found, work)), "same_as": found.get("same_as")}
    row["seen_before"] = "; ".join(seen_words(seen) for seen in found.get("seen_before") or ())
    if work is None:
        return row | {"outcome": UNREADABLE}
    best = work["matches"][0] if work["matches"] else {}
    compared = best.get("divergence") or {}
    local = {f"local_{name}": compared.get(key) for name, key in (("distance", "local"), ("threshold", "threshold"))}
    combined = {"combined_distance": compared.get("combined"), "combined_threshold": compared.get("combined_threshold")}
    said = {"reasons": "; ".join(work["reasons"]), "region": " ".join(map(str, work["region"]))}
    return row | work | best | local | combined | said


def _lot(found: Record) -> dict[str, Any]:
    """Return the columns of the lot, those without a column of their own as JSON, and what became of its claim."""
    lot, claim = found.get("lot") or {}, found.get("claim") or {}
    row: dict[str, Any] = {name: lot.get(name) for name in LOT_COLUMNS}
    others = {name: text for name, text in lot.items() if name not in LOT_COLUMNS}
    row["lot_columns"] = json.dumps(others, ensure_ascii=False) if others else ""
    row["claim"] = claim.get("claimed") or row["claim"]
    row["claim_outcome"] = claim["work"]["outcome"] if claim.get("work") else claim.get("reason")
    return row


def seen_words(seen: Record) -> str:
    """Return when and where a photograph, or a work on it, was seen before."""
    lot = seen.get("lot") or {}
    where = ", ".join(f"{name} {lot[name]}" for name in ("lot", "sale", "house") if lot.get(name))
    what = {"photo": "this photograph", "work": "this work", "object": "this object"}[seen["by"]]
    return f"{what} on {seen['date'][:10]}: {seen['photo']}{f' ({where})' if where else ''}, verdict {seen['verdict']}"


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([defused(cell.encode(errors="replace").decode()) for cell in cells])
    return line.getvalue()


def defused(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe before it, unless it is a number."""
    return f"'{cell}" if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell) else cell


def render_table(works: Iterable[tuple[Record, int | None]]) -> Iterator[str]:
    """Yield a line a work, as they come; an alert stands in place of the outcome, in capitals."""
    yield f"{'outcome':<13} {'distance':>8} {'local':>6}  {'object':<16} photo\n"
    for found, index in works:
        work: Record = {"outcome": UNREADABLE, "matches": []} if index is None else found["works"][index]
        best = work["matches"][0] if work["matches"] else None
        distance, object_id = (f"{best['distance']:.3f}", best["object_id"]) if best else ("", "")
        compared = best.get("divergence") if best else None
        local = f"{compared['local']:.3f}" if compared else ""
        said = (work.get("alert") or "").upper() or work["outcome"]
        photo = ": ".join([found["photo"], *_remarks(found)])
        yield f"{said:<13} {distance:>8} {local:>6}  {plain(object_id):<16} {plain(photo)}\n"


def _remarks(found: Record) -> Iterator[str]:
    """Yield what the table says of a photograph beside its works."""
    if found["error"]:
        yield found["error"]
    if found.get("same_as"):
        yield f"same file as {found['same_as']}"
    claim = found.get("claim") or {}
    if claim:
        yield f"claimed {claim['claimed']}, {claim['work']['outcome'] if claim['work'] else claim['reason']}"
    for seen in found.get("seen_before") or ():
        yield f"seen before, {seen_words(seen)}"
