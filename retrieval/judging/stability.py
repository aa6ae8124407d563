"""Measure a flag again on the photograph made a little different: a flag that does not hold is inconclusive."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from retrieval.catalogue.status_words import Status
from retrieval.comparing.divergence import Divergence, NotCompared
from retrieval.comparing.registration import Registration, outline
from retrieval.finding.finder import Finder
from retrieval.finding.frames import cut_out
from retrieval.finding.match import Again, Match
from retrieval.judging.decision import Basis, Decision, decide
from retrieval.judging.edition import Edition
from retrieval.judging.work import Work
from retrieval.machine import import_cv2
from retrieval.outcome import Outcome
from retrieval.photographs.photograph import Photograph

QUALITY = 85  # of the JPEG, on the pixels that are compared
CROPPED = 0.02  # of the photograph, along each side
RESCALED = 0.8  # of the pixels along a side


@dataclass(frozen=True, slots=True)
class Variant:
    """A photograph made a little different, and its first pixel on the photograph: x and y."""

    name: str
    photograph: Photograph
    origin: tuple[float, float] = (0.0, 0.0)

    def moved(self, registration: Registration, exemplar: tuple[int, int], size: tuple[int, int]) -> Registration:
        """Return a registration on a photograph of `size` as it is on the variant; no points are looked for again."""
        onto = np.array([[1.0, 0.0, -self.origin[0]], [0.0, 1.0, -self.origin[1]], [0.0, 0.0, 1.0]])
        homography, own = onto @ registration.homography, (self.photograph.width, self.photograph.height)
        before, after = _area(registration.homography, exemplar, size), _area(homography, exemplar, own)
        kept = max(after / max(before, 1e-6), 1e-6)  # of what was on the photograph
        return replace(
            registration,
            homography=homography,
            matched=registration.matched - np.array([0.0, 0.0, *self.origin], np.float32),
            overlap_exemplar=registration.overlap_exemplar * kept,
            overlap_probe=registration.overlap_probe * kept * (size[0] * size[1]) / (own[0] * own[1]),
        )


def variants(photograph: Photograph) -> tuple[Variant, ...]:
    """Return the photograph recompressed, cropped and rescaled: always the same for the same pixels."""
    return (
        Variant("recompressed", replace(photograph, image=_recompressed(photograph.image))),
        _cropped(photograph),
        Variant("rescaled", replace(photograph, image=_rescaled(photograph.image))),
    )


def is_flag(work: Work) -> bool:
    """Say whether a work is divergent by its distance; a known forgery is so whatever the distance."""
    return work.decision.outcome is Outcome.DIVERGENT and work.alert is not Status.KNOWN_FORGERY


def measured_again(
    match: Match,
    photograph: Photograph,
    quad: np.ndarray | None,
    *,
    edition: Edition,
    finder: Finder,
    compare: Callable[[Match, Registration, Photograph], Divergence | NotCompared],
) -> list[tuple[str, Match]]:
    """Return a match on each variant of the photograph; its exemplar and where that lies are not looked for.

    `quad`, float64 (4, 2), is what of the photograph is encoded; None: all of it.
    """
    shown, exemplar = variants(photograph), edition.exemplar(match.object_id, match.exemplar)
    vectors = edition.encoder.encode(
        [one.photograph.image if quad is None else cut_out(one.photograph, quad - one.origin) for one in shown]
    )
    found = []
    for one, vector in zip(shown, vectors, strict=True):
        again = replace(
            finder.match(match.object_id, vector), registration=match.registration, condition=match.condition
        )
        if match.registered is not None:
            size = photograph.width, photograph.height
            there = one.moved(match.registered, (exemplar.width, exemplar.height), size)
            again = replace(again, registration=there, exemplar=match.exemplar)
            again = replace(again, divergence=compare(again, there, one.photograph))
        found.append((one.name, again))
    return found


def steadied(work: Work, again: Sequence[tuple[str, Match]], basis: Basis) -> Work:
    """Return a flagged work with what its best match is on each variant; inconclusive where an outcome changes."""
    best = work.matches[0]
    measured = tuple(
        Again(
            name, None if _is_compared(match) != _is_compared(best) else match.decisive, decide([match], basis).outcome
        )
        for name, match in again
    )
    best = replace(best, again=measured)
    work = replace(work, matches=(best, *work.matches[1:]))
    decision, said = work.decision, _said(best)
    if all(one.outcome is Outcome.DIVERGENT for one in measured):
        return replace(work, decision=replace(decision, reasons=(*decision.reasons, said)))
    changed = ", ".join(f"{one.outcome} {one.variant}" for one in measured if one.outcome is not Outcome.DIVERGENT)
    reason = f"the flag does not hold: the photograph is {changed}; a larger or sharper one would help"
    return replace(work, decision=Decision(Outcome.INCONCLUSIVE, (reason, *decision.reasons, said)))


def _said(best: Match) -> str:
    """Say how far the deciding distance moves."""
    name = "combined" if best.compared else "global"
    least, most = best.range
    return f"measured again on it recompressed, cropped and rescaled, the {name} distance is {least:.3f} to {most:.3f}"


def _is_compared(match: Match) -> bool:
    return match.compared is not None


def _area(homography: np.ndarray, exemplar: tuple[int, int], size: tuple[int, int]) -> float:
    """Return the area of an exemplar on a photograph of `size`, in its pixels."""
    polygon = outline(homography, exemplar, size).astype(np.float32)
    return float(import_cv2().contourArea(polygon)) if len(polygon) else 0.0


def _recompressed(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return Image.open(file).convert("RGB")


def _cropped(photograph: Photograph) -> Variant:
    """Return the photograph without its outermost pixels."""
    image = photograph.image
    left, top = (max(1, round(CROPPED * side)) for side in image.size)
    inner = image.crop((left, top, image.width - left, image.height - top))
    across, down = photograph.width / image.width, photograph.height / image.height
    shown = replace(photograph, image=inner, width=round(inner.width * across), height=round(inner.height * down))
    return Variant("cropped", shown, (left * across, top * down))


def _rescaled(image: Image.Image) -> Image.Image:
    """Return fewer pixels of the same photograph, as if it had been read smaller."""
    size = (max(1, round(RESCALED * image.width)), max(1, round(RESCALED * image.height)))
    return image.resize(size, Image.Resampling.BICUBIC)
