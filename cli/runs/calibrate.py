"""What `artifact calibrate` does."""

from __future__ import annotations

from pathlib import Path

import typer

from cli.output.progress import progress
from cli.output.terminal import list_notices
from cli.output.text import plain
from cli.output.threshold_words import calibration_lines
from cli.records.artifact_1 import dumps
from cli.runs.judging_options import LookingOptions
from indexer.inputs.labels import read_labels
from indexer.measuring.calibrate import calibrate
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import can_write, check_there
from retrieval.errors import ArtifactError
from retrieval.machine import cpu_count


def run_calibrate(
    labels: Path | None,
    data: Path,
    *,
    judging: LookingOptions,
    false_match: float,
    false_alarm: float,
    as_json: bool,
) -> bool:
    """Calibrate a catalogue, store the calibration and say what it promises; return whether every photo was taken."""
    check_there(data)
    labelled = None if labels is None else read_labels(labels)
    for note in labelled.notes if labelled else ():
        typer.echo(f"{labels}: {plain(note)}", err=True)
    if data.is_dir() and not can_write(data):
        raise ArtifactError(
            f"{data} cannot be written, so the calibration could not be kept. Copy it, or ask its owner."
        )
    edition = judging.open_edition(data, parallel=cpu_count())
    with progress("Measuring") as show:
        found, skipped = calibrate(
            edition,
            labelled,
            false_match=false_match,
            false_alarm=false_alarm,
            max_megapixels=judging.max_megapixels,
            on_progress=show,
        )
    with Catalogue.writing(data) as catalogue:
        calibration = catalogue.add_calibration(found)
    if as_json:
        typer.echo(dumps({"number": calibration.number, **calibration.as_dict()}, indent=2))
    else:
        for line in calibration_lines(calibration):
            typer.echo(line)
    list_notices("left out", [f"{item.path}: {item.reason}" for item in skipped])
    return not skipped
