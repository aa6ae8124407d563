"""What `artifact screen` does: judge a folder, in constant memory, and write the records in one of four forms."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import typer

from cli import output
from cli.journal import Journal, temporary_journal
from cli.options import ScreenFormat
from cli.output import Record, plain
from cli.progress import progress
from cli.recording import recording
from cli.writing import write_whole
from indexer.scan import photographs_below
from retrieval.encoder import cpu_count
from retrieval.errors import ArtifactError
from retrieval.judge import Judge, Verdict, open_judge

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
)
COMBINED = {"distance": "combined", "threshold": "combined_threshold"}
Render = Callable[[Iterable[Record]], Iterator[str]]


def run_screen(
    folder: Path,
    data: Path,
    *,
    k: int,
    format: ScreenFormat | None,
    out: Path | None,
    encoder: str | None,
    device: str,
    max_megapixels: float,
) -> Mapping[str, int]:
    """Judge every photograph below a folder and write the records; return how many there are of each outcome."""
    form = format or _form_of(out)
    if not folder.is_dir():
        raise ArtifactError(f"There is no folder {folder}. Name the folder that holds the photographs.")
    judge = open_judge(data, encoder_spec=encoder, device=device, parallel=cpu_count())
    heading = {
        "folder": str(folder.resolve()),
        "encoder": judge.encoder.fingerprint,
        "revision": judge.revision,
        "calibration": judge.calibration and judge.calibration.number,
        "k": k,
        "max_megapixels": max_megapixels,
    }
    if out is None and form is not ScreenFormat.HTML:
        counts: Counter[str] = Counter()
        found = _counted(_records(folder, judge, k, max_megapixels, done=set()), counts)
        _print(_RENDER[form](found))
    else:
        with Journal.beside(out, heading) if out else temporary_journal(heading) as journal:
            if journal.done:
                typer.echo(f"going on after {len(journal.done)} photographs already judged", err=True)
            for found_one in _records(folder, judge, k, max_megapixels, done=journal.done):
                journal.add(found_one)
            _finish(journal, form, out, folder, data)
            counts = journal.counts
    _say(counts)
    return counts


def _form_of(out: Path | None) -> ScreenFormat:
    """Return the form that a file's ending asks for."""
    endings = {".html": ScreenFormat.HTML, ".htm": ScreenFormat.HTML, ".csv": ScreenFormat.CSV}
    endings |= {".jsonl": ScreenFormat.JSONL, ".json": ScreenFormat.JSONL}
    return endings.get(out.suffix.lower(), ScreenFormat.TABLE) if out else ScreenFormat.TABLE


def _records(folder: Path, judge: Judge, k: int, max_megapixels: float, *, done: set[str]) -> Iterator[Record]:
    """Yield the record of every photograph that is not done, in the order of names."""
    total = sum(1 for _ in photographs_below(folder))
    finished = set(done)
    with progress("Screening") as show, recording(judge) as keep:
        unopened: list[Verdict] = []
        paths = _readable(folder, finished, unopened)
        count = len(finished)
        for verdict in judge.judge_all(paths, k=k, max_megapixels=max_megapixels):
            yield output.record(verdict, judge, keep(verdict, None))
            count += 1
            show(count, total)
        for verdict in unopened:
            yield output.record(verdict, judge, keep(verdict, None))


def _readable(folder: Path, done: set[str], unopened: list[Verdict]) -> Iterator[Path]:
    """Yield the files to be judged; those that cannot even be looked at go to `unopened`."""
    for name, item in photographs_below(folder):
        path = folder / name
        if isinstance(item, str):
            unopened.append(Verdict(path, None, (), item))
        elif str(path) not in done:
            yield path


def _counted(records: Iterable[Record], counts: Counter[str]) -> Iterator[Record]:
    for found in records:
        counts.update(output.outcomes(found))
        yield found


def _finish(journal: Journal, form: ScreenFormat, out: Path | None, folder: Path, data: Path) -> None:
    """Write the whole output from the journal, in one step, and drop the journal."""
    if form is ScreenFormat.HTML:
        from cli.report import render_html

        with progress("Writing the report") as show:
            pieces = render_html(journal.records, journal.counts, folder=folder, data=data, on_progress=show)
            _put(out, pieces)
    else:
        _put(out, _RENDER[form](journal.records()))
    journal.discard()


def _put(out: Path | None, pieces: Iterator[str]) -> None:
    if out is None:
        _print(pieces)
        return
    write_whole(out, (piece.encode() for piece in pieces))


def _print(pieces: Iterable[str]) -> None:
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()


def render_jsonl(records: Iterable[Record]) -> Iterator[str]:
    """Yield a line of JSON a photograph."""
    for found in records:
        yield output.dumps(found) + "\n"


def render_csv(records: Iterable[Record]) -> Iterator[str]:
    """Yield a header and a row a work, for spreadsheets."""
    yield _csv_line(CSV_COLUMNS)
    for found in records:
        for work in found["works"] or [{"outcome": output.UNREADABLE, "reasons": [], "matches": []}]:
            best = work["matches"][0] if work["matches"] else {}
            compared = best.get("divergence") or {}
            local = {f"local_{name}": compared.get(key) for name, key in (("distance", "local"), ("threshold",) * 2)}
            local |= {f"combined_{key}": compared.get(name) for key, name in COMBINED.items()}
            row = {**found, **work, **best, **local, "reasons": "; ".join(work["reasons"])}
            yield _csv_line(["" if row.get(name) is None else str(row[name]) for name in CSV_COLUMNS])


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([cell.encode(errors="replace").decode() for cell in cells])
    return line.getvalue()


def render_table(records: Iterable[Record]) -> Iterator[str]:
    """Yield a line a work, as they come."""
    yield f"{'outcome':<13} {'distance':>8} {'local':>6}  {'object':<16} photo\n"
    for found in records:
        for work in found["works"] or [{"outcome": output.UNREADABLE, "matches": []}]:
            best = work["matches"][0] if work["matches"] else None
            distance, object_id = (f"{best['distance']:.3f}", best["object_id"]) if best else ("", "")
            compared = best.get("divergence") if best else None
            local = f"{compared['local']:.3f}" if compared else ""
            photo = found["photo"] + (f": {found['error']}" if found["error"] else "")
            yield f"{work['outcome']:<13} {distance:>8} {local:>6}  {plain(object_id):<16} {plain(photo)}\n"


_RENDER: dict[ScreenFormat, Render] = {
    ScreenFormat.JSONL: render_jsonl,
    ScreenFormat.CSV: render_csv,
    ScreenFormat.TABLE: render_table,
}


def _say(counts: Mapping[str, int]) -> None:
    total = sum(counts.values())
    parts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    typer.echo(f"{total} works: {parts}" if total else "no photographs there", err=True)
