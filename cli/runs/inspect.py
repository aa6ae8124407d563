"""What `artifact status` and `check` say of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Any

import typer

from cli.output.left_out_words import left_out_lines
from cli.output.streams import print_pieces
from cli.output.text import counted, plain
from cli.output.threshold_words import calibration_lines, threshold_lines
from cli.records.artifact_1 import dumps
from cli.records.pieces import Listed, json_lines
from cli.records.review_words import misfit_line
from cli.runs.register_words import alarm_lines, change_lines, doubt_lines, register_json
from cli.runs.segment_lines import memory_lines, searching_json, searching_lines
from indexer.building.reading import left_out_of
from indexer.inputs.walk import LeftOut
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.exemplar_files import in_time
from retrieval.catalogue.folder_photos import photo_folders
from retrieval.catalogue.lookups import count_skipped
from retrieval.catalogue.pictures import picture_side, pictures_size
from retrieval.catalogue.rows import EncoderRecord
from retrieval.catalogue.statuses import Statuses
from retrieval.comparing.network import is_closely, measured_by
from retrieval.statistics.calibration import Calibration, Thresholds

SKIPPED = 1000  # files that were left out, in the lines for people
WRONG = 1000  # of what a check found, in the lines for people


@dataclass(frozen=True, slots=True)
class Holding:
    """What an open catalogue holds: as JSON, of which long lists come one item at a time, and for people."""

    catalogue: Catalogue
    record: dict[str, Any]
    left_out: Mapping[str, LeftOut]
    gone: Sequence[str]
    thresholds: Thresholds | None
    encoder: EncoderRecord | None
    calibrations: Sequence[Calibration]
    statuses: Statuses


def holding_of(catalogue: Catalogue) -> Holding:
    """Return what a catalogue holds, to be read while it is open; its objects and exemplars are only counted."""
    data = catalogue.data
    objects, photos = catalogue.counts()
    gone = [folder for folder in catalogue.folders() if not in_time(Path(folder).is_dir)]
    folders, statuses = photo_folders(catalogue), Statuses.of(catalogue)
    thresholds, encoder, calibrations = catalogue.thresholds(), catalogue.encoder, catalogue.calibrations()
    left_out = {folder: left_out_of(catalogue, folder) for folder in folders}
    found: dict[str, Any] = {
        "data": str(data),
        "revision": catalogue.revision,
        "objects": objects,
        "photos": photos,
        "folders": folders,
        "missing_folders": [folder for folder in folders if folder in gone],
        "pictures": {"side": picture_side(catalogue), **asdict(pictures_size(data))},
        "searched": searching_json(catalogue),
        "encoder": encoder and {name: getattr(encoder, name) for name in encoder.__slots__},
        "thresholds": thresholds and asdict(thresholds),
        "calibrations": [{"number": item.number, **item.as_dict()} for item in calibrations],
        "misfit": misfit_line(data, calibrations[0] if calibrations else None),
        "skipped": Listed({"file": file, "reason": reason} for file, reason in catalogue.skipped(gone=gone)),
        **register_json(catalogue, statuses),
        "left_out": [
            {"folder": folder, "why": why, "what": what, "count": count}
            for folder, counts in left_out.items()
            for (why, what), count in counts.items()
        ],
    }
    return Holding(catalogue, found, left_out, gone, thresholds, encoder, calibrations, statuses)


def run_status(data: Path, *, as_json: bool) -> None:
    """Print what the catalogue holds."""
    with Catalogue.reading(data) as catalogue:
        holding = holding_of(catalogue)
        if as_json:
            print_pieces(json_lines(holding.record), data=False)
            return
        for line in _status_lines(holding):
            typer.echo(line)


def _status_lines(holding: Holding) -> Iterator[str]:
    """Yield what the catalogue holds, for people."""
    found, thresholds, encoder = holding.record, holding.thresholds, holding.encoder
    objects, held = found["objects"], counted(found["photos"], "photograph")
    yield f"{counted(objects, 'object')}, {held}; revision {found['revision']} in {plain(found['data'])}"
    yield from (*alarm_lines(holding.statuses), *doubt_lines(holding.statuses))
    yield from _folder_lines(holding.left_out, holding.gone)
    yield _pictures_line(found["pictures"])
    yield from searching_lines(found["searched"])
    yield from (f"  {line}" for line in memory_lines(holding.catalogue))
    yield f"encoder: {encoder.fingerprint} ({plain(encoder.spec)})" if encoder else "encoder: none yet"
    yield from threshold_lines(thresholds) if thresholds else ["thresholds: none; run `artifact index` again"]
    yield from _calibrated(holding.calibrations, encoder, objects, found["misfit"])
    yield from change_lines(holding.catalogue)
    yield from _skipped_lines(holding)


def _skipped_lines(holding: Holding) -> Iterator[str]:
    """Yield how many files were left out, and the first of them with the reasons."""
    if count := count_skipped(holding.catalogue, gone=holding.gone):
        yield f"left out by the last index: {count}"
    for file, reason in islice(holding.catalogue.skipped(gone=holding.gone), SKIPPED):
        yield f"  {plain(file)}: {plain(reason)}"
    if count > SKIPPED:
        yield f"  ... and {count - SKIPPED} more; `artifact status --format json` has all"


def _folder_lines(left_out: Mapping[str, LeftOut], gone: Sequence[str]) -> Iterator[str]:
    """Yield the lines on each folder, with what was left out of it, and whether it is there."""
    for folder, counts in left_out.items():
        moved = f"if it has moved: artifact move {quote(plain(folder))} NEW"
        missing = f"  (not there now; {moved})" if folder in gone else ""
        yield f"folder: {plain(folder)}{missing}"
        yield from (f"  {line}" for line in left_out_lines(counts))


def _pictures_line(pictures: Mapping[str, int]) -> str:
    to_come = f"{pictures['side']} px" if pictures["side"] else "none from now on"
    about = "" if pictures["exact"] else "about "
    count, size = f"{about}{pictures['count']:,}", f"{about}{pictures['bytes'] / 1e6:,.1f} MB"
    photos = "photograph" if pictures["count"] == 1 else "photographs"
    return f"working pictures: of {count} {photos}, {size}; {to_come}"


def _calibrated(
    calibrations: Sequence[Calibration], encoder: EncoderRecord | None, objects: int, misfit: str | None
) -> list[str]:
    """Return what there is to say of the last calibration."""
    if not calibrations or encoder is None:
        return ["no calibration; `artifact calibrate` sets thresholds on your photographs"]
    out_of_date = calibrations[0].out_of_date(
        measured_by(encoder.fingerprint, closely=is_closely(calibrations[0].encoder)), objects
    )
    warning = [f"  calibration out of date: {out_of_date}; run `artifact calibrate` again"] if out_of_date else []
    warning += [f"  {misfit}"] if misfit else []
    return [*calibration_lines(calibrations[0]), *warning]


def run_check(data: Path, *, quick: bool, as_json: bool) -> bool:
    """Print what does not agree, repaired or not; return whether nothing is left wrong."""
    from cli.output.progress import progress
    from indexer.building.check import check_catalogue
    from indexer.building.quick_check import check_quickly

    if quick:
        report = check_quickly(data)
    else:
        with progress("Checking") as show:
            report = check_catalogue(data, on_progress=show)
    if as_json:
        typer.echo(dumps(asdict(report), indent=2))
    else:
        for line in (*_first("repaired", report.repaired), *_first("wrong", report.wrong)):
            typer.echo(line)
        if not report.wrong:
            typer.echo(_all_agree(report.photos, report.looked_at, quick))
    return not report.wrong


def _first(what: str, lines: Sequence[str]) -> Iterator[str]:
    yield from (f"{what}: {plain(line)}" for line in lines[:WRONG])
    if len(lines) > WRONG:
        yield f"  ... and {len(lines) - WRONG} more; `artifact check --format json` has all"


def _all_agree(photos: int, looked_at: int, quick: bool) -> str:
    if not quick:
        its = "its vector, file" if photos == 1 else "their vectors, files"
        return f"{counted(photos, 'photograph')}, {its} and FAISS index agree"
    of = "" if looked_at == photos else f" of {photos}, taken by chance,"
    agree = "agrees with its vector" if looked_at == 1 else "agree with their vectors"
    found = counted(looked_at, "photograph")
    return f"{found}{of} {agree}, features, pictures and files; --full compares all"
