"""What `artifact query` and `artifact compare` do, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from cli.output.terminal import echo_wrapped, print_table, styled
from cli.output.text import plain
from cli.records.artifact_1 import PhotographRecord, dumps, outcomes
from cli.records.of_verdict import photograph_record
from cli.records.recorder import recording
from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import UnreadableImage
from retrieval.judging.edition import open_edition
from retrieval.judging.judge import compare, judge_all
from retrieval.outcome import Outcome


def run_query(
    photo: Path,
    data: Path,
    *,
    object_id: str | None = None,
    k: int = 1,
    several: bool = False,
    as_json: bool,
    report: Path | None,
    png: Path | None,
    encoder: str | None,
    device: str,
    max_megapixels: float,
) -> bool:
    """Judge one photograph, against one object or against all, and print the verdict; return whether it is divergent.

    Raises UnreadableImage, and UnknownObject where there is no such object.
    """
    edition = open_edition(data, encoder_spec=encoder, device=device)
    if report is not None or png is not None:
        from cli.output.writing import check_targets

        check_targets([report, png], [photo, *(exemplar.file for exemplar in edition.photos.values())])
    if object_id is None:
        (verdict,) = judge_all(edition, [photo], k=k, several=several, max_megapixels=max_megapixels)
    else:
        verdict = compare(edition, photo, object_id, max_megapixels=max_megapixels)
    with recording(edition) as keep:
        numbers = keep.keep(verdict, asked=object_id)
    found = photograph_record(verdict, edition, numbers)
    if as_json:
        typer.echo(dumps(found, indent=2))
    if verdict.error is not None:
        raise UnreadableImage(f"{photo}: {verdict.error}")
    if not as_json:
        with Catalogue.reading(data) as catalogue:
            ids = [match.object_id for work in verdict.works for match in work.matches]
            print_query(found, catalogue.titles(ids))
        if numbers:
            typer.echo(f"recorded as verdict {numbers[0]}", err=True)
    if report is not None or png is not None:
        from cli.evidence.gather import write_evidence

        write_evidence(verdict, edition, report=report, png=png, max_megapixels=max_megapixels)
    return Outcome.DIVERGENT in outcomes(found)


def print_query(found: PhotographRecord, titles: Mapping[str, str]) -> None:
    """Print one photograph's verdict for a person."""
    for work in found["works"]:
        typer.echo(f"{plain(found['photo'])}: " + styled(work["outcome"], colour=True))
        for reason in work["reasons"]:
            echo_wrapped(reason)
        rows = [
            (
                str(match["rank"]),
                match["object_id"],
                titles.get(match["object_id"], ""),
                f"{match['distance']:.3f}",
                f"{1 - match['distance'] ** 2 / 2:.3f}",
                f"{match['divergence']['local']:.3f}" if match["divergence"] else "",
                work["outcome"] if match["rank"] == 1 else "",
            )
            for match in work["matches"]
        ]
        columns = {
            "rank": "right",
            "object": "left",
            "title": "left",
            "distance": "right",
            "similarity": "right",
            "local": "right",
        }
        print_table(columns | {"outcome": "left"}, rows)
