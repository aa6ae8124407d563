"""What `artifact calibrate` does."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from cli.output.progress import progress
from cli.output.terminal import list_notices
from cli.output.text import plain
from cli.output.threshold_words import calibration_lines
from cli.records.artifact_1 import dumps
from cli.runs.judging_options import LookingOptions
from indexer.inputs.labels import LabelledPhotos, read_labels
from indexer.measuring.calibrate import calibrate
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import can_write, check_there
from retrieval.errors import ArtifactError
from retrieval.judging.edition import Edition
from retrieval.machine import cpu_count
from retrieval.statistics.calibration import share, smallest_rate

HANDFUL = 20  # objects; fewer cannot promise less than 14 % false alarms


def run_calibrate(
    labels: Path | None,
    data: Path,
    *,
    judging: LookingOptions,
    false_match: float,
    false_alarm: float,
    as_json: bool,
    yes: bool = False,
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
    if not yes:
        _ask_about_a_handful(edition, labelled, false_alarm)
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


def _ask_about_a_handful(edition: Edition, labelled: LabelledPhotos | None, false_alarm: float) -> None:
    """Ask before few objects take the place of the thresholds that hold now; raises ArtifactError where that is no."""
    photos = () if labelled is None else labelled.photos
    shown = {photo.object_id for photo in photos if photo.genuine} & edition.exemplars.keys()
    count = len(edition.exemplars) if labelled is None else len(shown)
    if not 0 < count < HANDFUL:
        return
    objects = "1 object" if count == 1 else f"{count} objects"
    few = (
        f"{objects} can promise at most {share(max(false_alarm, smallest_rate(count)))} false alarms, and take the "
        "place of the thresholds that hold now"
    )
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ArtifactError(f"{few}. To calibrate all the same: --yes.")
    if not typer.confirm(f"{few}. Calibrate all the same?", err=True):
        raise ArtifactError("not calibrated; nothing has changed")
