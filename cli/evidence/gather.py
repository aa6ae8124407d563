"""Gather the evidence behind a verdict, and write it as a page and as a picture."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image

from cli.evidence.evidence import UNKNOWN, Evidence, EvidenceAlert, Origin
from cli.evidence.page import render_evidence
from cli.evidence.picture import draw_evidence
from cli.output.writing import write_whole
from cli.records.alert_words import alert_sentence, words_of
from cli.records.of_verdict import entry_record
from retrieval.catalogue.pictures import read_exemplar
from retrieval.comparing.alignment import lay_over
from retrieval.errors import UnreadableImage
from retrieval.finding.match import Match
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict
from retrieval.judging.work import Work
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.reader_process import Running, run_here

SHORT_SIDE, LONG_SIDE = 1000, 2000


def write_evidence(
    verdict: Verdict,
    edition: Edition,
    *,
    report: Path | None,
    png: Path | None,
    max_megapixels: float,
    quiet: bool = False,
    origin: Origin = UNKNOWN,
) -> None:
    """Write what speaks for the verdict on the first object named, as a page, as a picture, or both."""
    evidence = replace(gather(verdict, edition, max_megapixels=max_megapixels), origin=origin)
    if report is not None:
        write_whole(report, (piece.encode() for piece in render_evidence(evidence)), quiet=quiet)
    if png is not None:
        file = io.BytesIO()
        draw_evidence(evidence).save(file, "PNG")
        write_whole(png, [file.getvalue()], quiet=quiet)


def gather(verdict: Verdict, edition: Edition, *, max_megapixels: float, run: Running = run_here) -> Evidence:
    """Return the evidence behind a verdict; raises UnreadableImage if the photograph has changed since.

    `run` reads the photographs, here or elsewhere.
    """
    work = verdict.works[0]
    match = work.matches[0]
    read = partial(read_photograph, short_side=SHORT_SIDE, max_megapixels=max_megapixels, picture=verdict.picture)
    probe = run(partial(read, verdict.photo))
    if probe.sha256 != verdict.sha256:
        raise UnreadableImage(f"{verdict.photo} has changed since it was judged")
    exemplar = _exemplar(match, edition, run)
    return Evidence(
        match=match,
        decision=work.decision,
        basis=edition.basis,
        probe=probe,
        exemplar=exemplar,
        pair=_pair(exemplar, probe, match),
        metadata=edition.metadata(match.object_id),
        encoder=edition.encoder.fingerprint,
        revision=edition.revision,
        exemplar_sha256=edition.exemplar(match.object_id, match.exemplar).sha256,
        alert=_alert(work),
    )


def _alert(work: Work) -> EvidenceAlert | None:
    """Return the alert of a work, as the page of a screening words it."""
    if work.alert is None:
        return None
    words = words_of(work.alert, work.certainty, work.entry.object_id if work.entry else work.matches[0].object_id)
    return EvidenceAlert(str(work.alert), alert_sentence(words, entry_record(work.entry) if work.entry else None))


def _exemplar(match: Match, edition: Edition, run: Running) -> Photograph | UnreadableImage:
    """Return the exemplar as it was indexed, or why not."""
    photo = edition.exemplar(match.object_id, match.exemplar)
    try:
        return run(partial(read_exemplar, edition.data, photo, short_side=SHORT_SIDE, max_megapixels=math.inf))
    except UnreadableImage as error:
        return error


def _pair(
    exemplar: Photograph | UnreadableImage, probe: Photograph, match: Match
) -> tuple[Image.Image, Image.Image] | None:
    """Return the exemplar and the probe laid over the exemplar, where the two are registered."""
    alignment = match.compared or match.registered
    if isinstance(exemplar, UnreadableImage) or alignment is None:
        return None
    return lay_over(exemplar, probe, alignment.homography, long_side=LONG_SIDE)
