"""What `artifact query` does, and what it says."""

from __future__ import annotations

from pathlib import Path

import typer

from cli import output
from retrieval.catalogue import Catalogue
from retrieval.decision import Outcome
from retrieval.errors import UnreadableImage
from retrieval.judge import open_judge


def run_query(
    photo: Path, data: Path, *, k: int, as_json: bool, encoder: str | None, device: str, max_megapixels: float
) -> bool:
    """Judge one photograph and print the verdict; return whether it is divergent. Raises UnreadableImage."""
    judge = open_judge(data, encoder_spec=encoder, device=device)
    (verdict,) = judge.judge_all([photo], k=k, max_megapixels=max_megapixels)
    found = output.record(verdict, judge)
    if as_json:
        typer.echo(output.dumps(found, indent=2))
    if verdict.error is not None:
        raise UnreadableImage(f"{photo}: {verdict.error}")
    if not as_json:
        with Catalogue.reading(data) as catalogue:
            ids = [match.object_id for work in verdict.works for match in work.matches]
            output.print_query(found, catalogue.titles(ids))
    return Outcome.DIVERGENT in output.outcomes(found)
