"""What `artifact evaluate` does, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import typer

from cli.output.progress import progress
from cli.output.terminal import echo_wrapped, print_table
from cli.output.text import counted
from cli.pages.parts import outcome_columns
from cli.records.artifact_1 import dumps
from cli.records.figure_names import Section, sections
from cli.runs.judging_options import LookingOptions
from indexer.inputs.queries import Query, check_source, read_queries
from indexer.measuring.evaluate import Evaluation, NothingToEvaluate, evaluate
from indexer.measuring.served import told_apart
from retrieval.judging.edition import Edition
from retrieval.machine import cpu_count
from retrieval.moment import day, now, shown
from retrieval.statistics.calibration import Calibration


def run_evaluate(
    queries: Path,
    data: Path,
    *,
    judging: LookingOptions,
    as_json: bool,
    report: Path | None,
    with_calibrated: bool = False,
) -> bool:
    """Evaluate a catalogue on photographs with their truth and say how it does; return whether all could be read.

    Photographs that served the calibration are left out, unless they are asked for `with_calibrated`.
    """
    check_source(queries)
    edition = judging.open_edition(data, parallel=cpu_count())
    asked: Sequence[Query] = read_queries(queries, edition.exemplars, on_note=partial(typer.echo, err=True))
    asked = _not_served(asked, edition.calibration, with_calibrated=with_calibrated)
    if report is not None:
        from cli.output.writing import check_targets

        check_targets([report], [query.path for query in asked])
    with progress("Evaluating") as show:
        found = evaluate(edition, asked, max_megapixels=judging.max_megapixels, on_progress=show)
    about = _about(edition, queries, found)
    figures = sections(found.figures)
    if as_json:
        typer.echo(dumps(as_dict(about, found), indent=2))
    else:
        _print(about, figures, found)
    if report is not None:
        from cli.output.writing import write_whole
        from cli.pages.evaluation import evaluation_page

        pieces = evaluation_page(queries.name, about | {"written": shown(about["written"])}, figures, found, edition)
        write_whole(report, (piece.encode() for piece in pieces))
    return not found.counts["unreadable"]


def _not_served(asked: Sequence[Query], calibration: Calibration | None, *, with_calibrated: bool) -> Sequence[Query]:
    """Return the photographs to evaluate on, and say which of them served the calibration; raises NothingToEvaluate."""
    apart = told_apart(asked, calibration)
    if calibration is None or not (apart.served or apart.of_its_objects):
        return asked
    if not apart.others and not with_calibrated:
        every = "The only photograph" if len(asked) == 1 else f"All {len(asked)} photographs"
        raise NothingToEvaluate(
            f"{every} served calibration {calibration.number}, so that figures on them say "
            "nothing of others. Name others, or measure on them all the same: --with-calibrated."
        )
    what = "measured all the same" if with_calibrated else "left out; --with-calibrated measures them too"
    if apart.served:
        served = f"{len(apart.served)} of {counted(len(asked), 'photograph')}"
        typer.echo(f"{served} served calibration {calibration.number}: {what}", err=True)
    if apart.of_its_objects:
        others = "1 other shows" if apart.of_its_objects == 1 else f"{apart.of_its_objects} others show"
        typer.echo(f"{others} an object that served it by another photograph", err=True)
    return asked if with_calibrated else apart.others


def _about(edition: Edition, queries: Path, found: Evaluation) -> dict[str, str]:
    """Return what was evaluated on what, in words."""
    counts, calibration = found.counts, edition.calibration
    thresholds = "provisional thresholds, not calibrated"
    if calibration is not None:
        out_of_date = calibration.out_of_date(edition.measured_by, len(edition.exemplars))
        thresholds = f"calibration {calibration.number} of {day(calibration.date)}"
        thresholds += f", out of date: {out_of_date}" if out_of_date else ""
        thresholds += ", which no longer fits your photographs" if edition.misfit else ""
    return {
        "photographs": f"{counts['photographs']} of {queries}: {counts['known']} of {counts['objects']} catalogued "
        f"works, {counts['copies']} of copies, {counts['unknown']} of unknown works, {counts['unreadable']} unreadable",
        "catalogue": f"{counted(len(edition.exemplars), 'object')}, revision {edition.revision}, in {edition.data}",
        "thresholds": thresholds,
        "encoder": edition.encoder.fingerprint,
        "intervals": f"95%, by bootstrap over {counted(counts['groups'], 'group')} of photographs that share no object",
        "written": now(),
    }


def as_dict(about: dict[str, str], found: Evaluation) -> dict[str, Any]:
    """Return all figures for JSON."""
    return {
        "about": about,
        "counts": dict(found.counts),
        "confusion": {truth: dict(row) for truth, row in found.confusion.items()},
        "figures": {name: asdict(estimate) for name, estimate in found.figures.items()},
        "pairs": [
            {
                "kind": trial.kind,
                "photo": str(trial.photo),
                "object_id": trial.object_id,
                "relative": round(trial.relative, 6),
                "likelihood_ratio": trial.ratio,
            }
            for trial in found.trials
        ],
    }


def _print(about: dict[str, str], shown: list[Section], found: Evaluation) -> None:
    for name in ("photographs", "catalogue", "thresholds", "intervals"):
        echo_wrapped(f"{name}: {about[name]}")
    outcomes = outcome_columns(found.confusion)
    columns: dict[str, str] = {"truth": "left", **dict.fromkeys(outcomes, "right")}
    print_table(
        columns, [(truth, *(str(row.get(name, 0)) for name in outcomes)) for truth, row in found.confusion.items()]
    )
    for section in shown:
        typer.echo(section.title)
        rows = [
            (
                row.name,
                f"{row.estimate.value:.3f}",
                f"{row.estimate.low:.3f} to {row.estimate.high:.3f}",
                str(row.estimate.n),
            )
            for row in section.rows
        ]
        print_table({"figure": "left", "value": "right", "95% interval": "right", "objects": "right"}, rows)
