"""Make a recorded verdict again, to see whether it still holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import UnknownVerdict
from retrieval.judging.edition import Edition
from retrieval.judging.judge import compare, judge_all
from retrieval.verdicts.recorded import Recorded, recorded

TOLERANCE = 1e-3  # between distances on different machines


@dataclass(frozen=True, slots=True)
class Replayed:
    """A verdict that was made again: how far it is from the recorded one."""

    recorded: Recorded
    now: Recorded
    largest: float | None  # difference of a distance; None where one of them has a distance that the other has not
    remarks: tuple[str, ...]  # what has changed since

    @property
    def identical(self) -> bool:
        """Whether it holds bit for bit."""
        return self._same_words and self.largest == 0.0

    @property
    def holds(self) -> bool:
        """Whether outcome and object are the same, and all distances within TOLERANCE."""
        return self._same_words and self.largest is not None and self.largest <= TOLERANCE

    @property
    def _same_words(self) -> bool:
        one, other = self.recorded, self.now
        return (one.outcome, one.object_id) == (other.outcome, other.object_id)


def replay(item: Recorded, edition: Edition, *, max_megapixels: float) -> Replayed:
    """Make a recorded verdict again, with the calibration of then; raises UnknownVerdict where that cannot be done."""
    remarks = []
    if item.encoder != edition.encoder.fingerprint:
        raise UnknownVerdict(
            f"verdict {item.number} was made with the encoder {item.encoder}; this catalogue has "
            f"{edition.encoder.fingerprint}, whose distances do not compare"
        )
    if item.revision != edition.revision:
        remarks.append(f"the catalogue has changed since: revision {item.revision} then, {edition.revision} now")
    with Catalogue.reading(edition.data) as catalogue:
        calibration = None if item.calibration is None else catalogue.calibration(item.calibration)
    if item.calibration is not None and calibration is None:
        remarks.append(f"calibration {item.calibration} is no longer there")
    edition = replace(edition, calibration=calibration)
    photo = Path(item.photo)
    if item.asked is None:
        (verdict,) = judge_all(edition, [photo], k=1, max_megapixels=max_megapixels)
    else:
        verdict = compare(edition, photo, item.asked, max_megapixels=max_megapixels)
    if verdict.sha256 != item.sha256:
        problem = verdict.error if verdict.sha256 is None else "it is no longer the same file"
        raise UnknownVerdict(f"verdict {item.number} cannot be made again from {photo}: {problem}")
    works = recorded(verdict, edition, asked=item.asked)
    now = next((work for work in works if work.region == item.region), works[0])
    return Replayed(item, now, _largest_difference(item, now), tuple(remarks))


def _largest_difference(one: Recorded, other: Recorded) -> float | None:
    pairs: Sequence[tuple[float | None, float | None]] = [
        (getattr(one, name), getattr(other, name)) for name in ("whole", "local", "combined", "threshold")
    ]
    if any((first is None) != (second is None) for first, second in pairs):
        return None
    return max(
        (abs(first - second) for first, second in pairs if first is not None and second is not None), default=0.0
    )
