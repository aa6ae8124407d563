"""Look again in parts, at twice the resolution: small inscriptions and repainted faces live there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from retrieval.comparing.alignment import SIDE, AlignedPair, align_closely
from retrieval.comparing.evidence import PLACES_ACROSS, evidence_of
from retrieval.comparing.logits import logits_of
from retrieval.machine import import_cv2
from retrieval.photographs.photograph import Photograph

TIMES = 2  # the resolution of the whole
LEAST_ACROSS = 400  # pixels of both across the whole work; with fewer, a part holds no more than the whole did
APART = SIDE // 2  # pixels between the parts, each SIDE across: what lies at the edge of one is inside another
NEAR = 3  # places across: what stands out in a part stands out on the whole there, or beside it
DOUBT = 1.0  # logit less than the mean of both: parts have less around them; `python -m tests.bench.sources`


@dataclass(frozen=True, slots=True)
class TooSmall:
    """Why parts would show no more than the whole, as a part of a sentence for people."""

    reason: str


def why_not_closely(exemplar: Photograph, pixels: float) -> TooSmall | None:
    """Return why it is no use to look closely, for a work that is so many pixels across on the probe."""
    own = (exemplar.image.width * exemplar.image.height) ** 0.5
    if min(pixels, own) >= LEAST_ACROSS:
        return None
    where = "on the photograph" if pixels <= own else "on the exemplar"
    least = min(pixels, own)
    return TooSmall(f"it is only {least:.0f} pixels across {where}, {LEAST_ACROSS} are needed to look closely")


def closer_logits(
    exemplar: Photograph, probe: Photograph, aligned: AlignedPair, hidden: np.ndarray, logits: np.ndarray
) -> np.ndarray:
    """Return the logits of places, float32 (rows, columns), raised where a place stands out closely as well.

    `aligned` is the pair of which `logits` were found as a whole, and `hidden`, bool, what is left out of it. A place
    gets what the whole says of it, or the mean of that and what its part says, whichever is more.
    """
    cv2 = import_cv2()
    side = TIMES * SIDE
    pair = align_closely(exemplar, probe, aligned.homography, side=side)
    left_out = cv2.resize(hidden.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST) > 0
    fine = np.full_like(logits, -np.inf)
    for part, shown, rows, columns in _parts(pair, pair.seen & ~left_out):
        evidence = evidence_of(part, shown)
        found = np.where(evidence.inside, logits_of(evidence), np.float32(-np.inf))
        np.maximum.at(fine, (rows[:, None], columns[None, :]), found)
    low = np.where(np.isfinite(logits), logits, -np.inf).astype(np.float32)
    around = cv2.dilate(low, np.ones((NEAR, NEAR), np.uint8))
    both = (around + fine) / 2 - DOUBT
    return np.where(np.isfinite(logits), np.maximum(low, both), logits).astype(np.float32)


def _parts(pair: AlignedPair, shown: np.ndarray) -> Iterator[tuple[AlignedPair, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each part of a pair that shows something, and on which places of the whole its rows and columns lie."""
    side = len(shown)
    within = (np.arange(PLACES_ACROSS) + 0.5) * SIDE / PLACES_ACROSS
    for top in range(0, side - SIDE + 1, APART):
        for left in range(0, side - SIDE + 1, APART):
            cut = np.s_[top : top + SIDE, left : left + SIDE]
            if not shown[cut].any():
                continue
            part = replace(pair, exemplar=pair.exemplar[cut], probe=pair.probe[cut], seen=pair.seen[cut])
            rows, columns = (((start + within) * PLACES_ACROSS / side).astype(int) for start in (top, left))
            yield part, shown[cut], rows, columns
