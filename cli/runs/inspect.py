"""What `artifact status` and `check` say of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any

import typer

from cli.output.left_out_words import left_out_lines
from cli.output.text import plain
from cli.output.threshold_words import calibration_lines, threshold_lines
from cli.records.artifact_1 import dumps
from cli.records.review_words import misfit_line
from cli.runs.register_words import alarm_lines, change_lines, doubt_lines, register_json
from indexer.building.reading import left_out_of
from indexer.inputs.walk import LeftOut
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.changes import last_changes
from retrieval.catalogue.exemplar_files import in_time
from retrieval.catalogue.pictures import picture_side, pictures_size
from retrieval.catalogue.rows import EncoderRecord, MetadataChange
from retrieval.catalogue.standing import Register
from retrieval.comparing.network import is_closely, measured_by
from retrieval.statistics.calibration import Calibration, Thresholds


@dataclass(frozen=True, slots=True)
class Holding:
    """What a catalogue holds: as JSON, and what only the lines for people need."""

    record: dict[str, Any]
    left_out: Mapping[str, LeftOut]
    gone: Sequence[str]
    thresholds: Thresholds | None
    encoder: EncoderRecord | None
    calibrations: Sequence[Calibration]
    register: Register
    changes: Sequence[MetadataChange]


def holding_of(data: Path) -> Holding:
    """Return what the catalogue holds."""
    with Catalogue.reading(data) as catalogue:
        objects, photos = catalogue.counts()
        gone = [folder for folder in catalogue.folders() if not in_time(Path(folder).is_dir)]
        thresholds, encoder, skipped = catalogue.thresholds(), catalogue.encoder, catalogue.skipped(gone=gone)
        calibrations = catalogue.calibrations()
        found: dict[str, Any] = {
            "data": str(data),
            "revision": catalogue.revision,
            "objects": objects,
            "photos": photos,
            "folders": sorted({photo.folder for photo in catalogue.photos()}),
            "missing_folders": sorted({photo.folder for photo in catalogue.photos()} & set(gone)),
            "pictures": _pictures(catalogue),
            "encoder": encoder and {name: getattr(encoder, name) for name in encoder.__slots__},
            "thresholds": thresholds and asdict(thresholds),
            "calibrations": [{"number": item.number, **item.as_dict()} for item in calibrations],
            "misfit": misfit_line(data, calibrations[0] if calibrations else None),
            "skipped": [{"file": file, "reason": reason} for file, reason in skipped],
        }
        left_out = {folder: left_out_of(catalogue, folder) for folder in found["folders"]}
        register, changes = Register.of(catalogue.objects()), last_changes(catalogue.db)
        found |= register_json(register, changes)
        found["left_out"] = [
            {"folder": folder, "why": why, "what": what, "count": count}
            for folder, counts in left_out.items()
            for (why, what), count in counts.items()
        ]
    return Holding(found, left_out, gone, thresholds, encoder, calibrations, register, changes)


def run_status(data: Path, *, as_json: bool) -> None:
    """Print what the catalogue holds."""
    holding = holding_of(data)
    if as_json:
        typer.echo(dumps(holding.record, indent=2))
    else:
        for line in _status_lines(holding):
            typer.echo(line)


def _status_lines(holding: Holding) -> Iterator[str]:
    """Yield what the catalogue holds, for people."""
    found, thresholds, encoder, skipped = holding.record, holding.thresholds, holding.encoder, holding.record["skipped"]
    objects = found["objects"]
    yield f"{objects} objects, {found['photos']} photographs; revision {found['revision']} in {plain(found['data'])}"
    yield from (*alarm_lines(holding.register), *doubt_lines(holding.register))
    yield from _folder_lines(holding.left_out, holding.gone)
    yield _pictures_line(found["pictures"])
    yield f"encoder: {encoder.fingerprint} ({plain(encoder.spec)})" if encoder else "encoder: none yet"
    yield from threshold_lines(thresholds) if thresholds else ["thresholds: none; run `artifact index` again"]
    yield from _calibrated(holding.calibrations, encoder, objects, found["misfit"])
    yield from change_lines(holding.changes)
    if skipped:
        yield f"left out by the last index: {len(skipped)}"
    yield from (f"  {plain(item['file'])}: {plain(item['reason'])}" for item in skipped)


def _folder_lines(left_out: Mapping[str, LeftOut], gone: Sequence[str]) -> Iterator[str]:
    """Yield the lines on each folder, with what was left out of it, and whether it is there."""
    for folder, counts in left_out.items():
        moved = f"if it has moved: artifact move {quote(plain(folder))} NEW"
        missing = f"  (not there now; {moved})" if folder in gone else ""
        yield f"folder: {plain(folder)}{missing}"
        yield from (f"  {line}" for line in left_out_lines(counts))


def _pictures(catalogue: Catalogue) -> dict[str, int]:
    """Return the long side of working pictures to come, of how many contents there are some, and their size."""
    count, size = pictures_size(catalogue.data)
    return {"side": picture_side(catalogue), "count": count, "bytes": size}


def _pictures_line(pictures: Mapping[str, int]) -> str:
    to_come = f"{pictures['side']} px" if pictures["side"] else "none from now on"
    return f"working pictures: of {pictures['count']:,} photographs, {pictures['bytes'] / 1e6:,.1f} MB; {to_come}"


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


def run_check(data: Path, *, as_json: bool) -> bool:
    """Print what does not agree, repaired or not; return whether nothing is left wrong."""
    from cli.output.progress import progress
    from indexer.building.check import check_catalogue

    with progress("Checking") as show:
        report = check_catalogue(data, on_progress=show)
    if as_json:
        typer.echo(dumps(asdict(report), indent=2))
    else:
        for line in report.repaired:
            typer.echo(f"repaired: {plain(line)}")
        for line in report.wrong:
            typer.echo(f"wrong: {plain(line)}")
        if not report.wrong:
            typer.echo(f"{report.photos} photographs, their vectors, files and FAISS index agree")
    return not report.wrong
