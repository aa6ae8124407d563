"""What `artifact query` and `artifact compare` do."""

from __future__ import annotations

from pathlib import Path

import typer

from cli.output.writing import check_targets
from cli.records.artifact_1 import PhotographRecord, dumps, outcomes
from cli.records.of_verdict import photograph_record
from cli.records.printed import print_photograph
from cli.records.recorder import recording
from cli.runs.judging_options import JudgingOptions
from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import UnreadableImage
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict, compare, judge_all
from retrieval.outcome import Outcome


def run_query(
    photo: Path,
    data: Path,
    *,
    judging: JudgingOptions,
    object_id: str | None = None,
    k: int = 1,
    several: bool = False,
    as_json: bool,
    report: Path | None,
    png: Path | None,
) -> bool:
    """Judge one photograph, against one object or against all, and print the verdict; return whether it is divergent.

    Raises UnreadableImage, and UnknownObject where there is no such object.
    """
    edition = judging.open_edition(data)
    _check_targets(report, png, photo, edition)
    if object_id is None:
        (verdict,) = judge_all(edition, [photo], k=k, several=several, max_megapixels=judging.max_megapixels)
    else:
        verdict = compare(edition, photo, object_id, max_megapixels=judging.max_megapixels)
    with recording(edition) as recorder:
        record = photograph_record(verdict, edition, recorder.keep(verdict, asked=object_id))
    _print(record, data, as_json=as_json)
    _write_evidence(verdict, edition, report, png, judging.max_megapixels)
    return Outcome.DIVERGENT in outcomes(record)


def _check_targets(report: Path | None, png: Path | None, photo: Path, edition: Edition) -> None:
    """Refuse to write over the photograph or an exemplar."""
    if report is not None or png is not None:
        check_targets([report, png], [photo, *(exemplar.file for exemplar in edition.photos.values())])


def _print(record: PhotographRecord, data: Path, *, as_json: bool) -> None:
    """Print a record as JSON or for a person; raises UnreadableImage where no work could be judged."""
    if as_json:
        typer.echo(dumps(record, indent=2))
    if record["error"] is not None:
        raise UnreadableImage(f"{record['photo']}: {record['error']}")
    if not as_json:
        with Catalogue.reading(data) as catalogue:
            titles = catalogue.titles([match["object_id"] for work in record["works"] for match in work["matches"]])
        print_photograph(record, titles)
        if record["verdicts"]:
            typer.echo(f"recorded as verdict {record['verdicts'][0]}", err=True)


def _write_evidence(
    verdict: Verdict, edition: Edition, report: Path | None, png: Path | None, max_megapixels: float
) -> None:
    if report is not None or png is not None:
        from cli.evidence.gather import write_evidence

        write_evidence(verdict, edition, report=report, png=png, max_megapixels=max_megapixels)
