"""What `artifact review` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import typer

from cli.output.streams import STDOUT, print_pieces
from cli.output.terminal import echo_wrapped
from cli.output.text import counted, plain
from cli.output.writing import check_targets, write_whole
from cli.records.artifact_1 import dumps
from cli.records.review_words import figure_lines, misfit_line
from cli.runs.verdicts import print_entries
from indexer.inputs.names import composed
from indexer.inputs.reviewed import ReviewLabels, as_csv, labels_of
from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import ArtifactError, CatalogueMissing
from retrieval.moment import day
from retrieval.outcome import Outcome
from retrieval.verdicts.log import VerdictLog, can_record
from retrieval.verdicts.reviews import (
    ACCEPT,
    BadReview,
    ReviewFigures,
    accepting,
    add_review,
    figures,
    overruling,
    reviewed,
    reviews,
)
from retrieval.verdicts.waiting import open_verdicts
from retrieval.verdicts.withdrawals import withdraw


def check_usage(
    number: int | None,
    *,
    accept: bool,
    overrule: Outcome | None,
    undo: bool,
    object_id: str | None,
    export: Path | None,
    figures: bool,
) -> None:
    """Raise BadParameter where options contradict each other, or say nothing of what to do."""
    if accept and overrule is not None:
        raise typer.BadParameter("a verdict is accepted or overruled, not both")
    if undo and (accept or overrule is not None):
        raise typer.BadParameter("--undo takes the last review back, and decides nothing: leave the decision out")
    if object_id is not None and overrule is None:
        raise typer.BadParameter("--object goes with --overrule")
    if number is None and (accept or undo or overrule is not None):
        raise typer.BadParameter("name the verdict by its number: artifact review NUMBER --accept")
    if number is not None and not (accept or undo) and overrule is None:
        raise typer.BadParameter("say --accept or --overrule OUTCOME; `artifact verdict NUMBER` shows the verdict")
    if sum((number is not None, export is not None, figures)) > 1:
        raise typer.BadParameter("a NUMBER, --export and --figures are done one at a time")


def run_open(data: Path, *, limit: int | None, as_json: bool) -> None:
    """Print the verdicts that wait for a person, alerts first, then the last one."""
    with VerdictLog.reading(data) as log:
        numbers = open_verdicts(log)
        entries = [log.entry(number) for number in numbers[:limit]]
    if as_json:
        typer.echo(dumps([entry.to_json() for entry in entries], indent=2))
        return
    if entries:
        print_entries(entries, data, dated=day)
    shown = f"; the first {len(entries)} are shown, --all shows all" if len(entries) < len(numbers) else ""
    typer.echo(f"{len(numbers)} open{shown}")
    _say_misfit(data)


def run_review(
    number: int, data: Path, *, overrule: Outcome | None, object_id: str | None, name: str, reason: str
) -> None:
    """Keep a review of a verdict, which accepts the verdict unless an outcome overrules it, and print the review."""
    _check_writable(data)
    if object_id is not None:
        with Catalogue.reading(data) as catalogue:
            object_id = catalogue.object(composed(object_id)).object_id
    with VerdictLog.reading(data) as log:
        verdict = log.entry(number)
        if overrule is None:
            review = accepting(verdict, name=name, reason=reason)
        else:
            review = overruling(verdict, overrule, object_id=object_id, name=name, reason=reason)
        kept, count = add_review(log, review), len(reviews(log, number))
    held = "accepted" if overrule is None else f"overruled: {review.outcome}"
    of = f", {review.object_id}" if review.object_id else ""
    earlier = f"; {count - 1} earlier, kept" if count > 1 else ""
    typer.echo(plain(f"review {kept}: verdict {number}, {verdict.outcome}, {held}{of}, by {review.name}{earlier}"))
    _say_misfit(data)


def run_undo(number: int, data: Path, *, name: str, reason: str) -> None:
    """Take the last review of a verdict back, and print which one that was."""
    _check_writable(data)
    with VerdictLog.reading(data) as log:
        log.entry(number)
        counting = reviews(log, number)
        if not counting:
            raise BadReview(f"Verdict {number} has no review that could be taken back.")
        withdraw(log, [counting[-1].number or 0], name=name, reason=reason)
        count = len(reviews(log, number))
    taken = counting[-1]
    more = f"; {count} earlier, kept" if count else ""
    said = "accepted" if taken.decision == ACCEPT else f"overruled: {taken.outcome}"
    typer.echo(plain(f"review {taken.number} taken back: verdict {number}, {said} by {taken.name}{more}"))
    _say_misfit(data)


def _check_writable(data: Path) -> None:
    if data.is_dir() and not can_record(data):
        raise ArtifactError(f"{data} cannot be written, so the review could not be kept. Copy it, or ask its owner.")


def _say_misfit(data: Path) -> None:
    """Say where the calibration no longer fits the photographs; a log may lie by itself, without a catalogue."""
    with suppress(CatalogueMissing):
        with Catalogue.reading(data) as catalogue:
            calibration = catalogue.calibration()
        if line := misfit_line(data, calibration):
            echo_wrapped(line)


def run_export(out: Path, data: Path) -> None:
    """Write what reviewers hold photographs to be as a table of labels, and count the rows and the reviews left out."""
    with VerdictLog.reading(data) as log:
        items = reviewed(log)
    with Catalogue.reading(data) as catalogue:
        labels = labels_of(items, catalogue)
    if not labels.photos:
        raise ArtifactError(
            f"There is no label in {counted(len(items), 'review')}{_left_out(labels)}. Review verdicts as consistent "
            "or divergent."
        )
    if out == STDOUT:
        print_pieces([as_csv(labels)], data=True)
    else:
        check_targets([out], [*(photo.path for photo in labels.photos), *(Path(item.entry.photo) for item in items)])
        write_whole(out, [as_csv(labels).encode()])
    for line in _counted(labels):
        typer.echo(line, err=out == STDOUT)


def _counted(labels: ReviewLabels) -> Iterator[str]:
    """Yield how many labels there are, and which reviews gave none."""
    genuine = sum(photo.genuine for photo in labels.photos)
    yield f"{counted(len(labels.photos), 'label')}, {genuine} genuine and {len(labels.photos) - genuine} of forgeries"
    if labels.exemplars:
        yield f"  {labels.exemplars} of them the exemplar of an object with nothing but forgeries"
    for reason, count in labels.left_out.items():
        yield f"  left out: {count} {reason}"


def _left_out(labels: ReviewLabels) -> str:
    said = ", ".join(f"{count} {reason}" for reason, count in labels.left_out.items())
    return f" ({said})" if said else ""


def run_figures(data: Path, *, as_json: bool) -> None:
    """Print how the verdicts fared with their reviewers."""
    with VerdictLog.reading(data) as log:
        counted = figures(reviewed(log))
    if as_json:
        typer.echo(dumps(_figures_json(counted), indent=2))
        return
    for line in figure_lines(counted) or ["No verdict is reviewed yet; `artifact review` lists those that wait."]:
        typer.echo(line)


def _figures_json(counted: ReviewFigures) -> dict[str, object]:
    shares = {"accepted": counted.accepted, "false_alarms": counted.false_alarms, "misses": counted.misses}
    return {name: share.as_dict() for name, share in shares.items()}
