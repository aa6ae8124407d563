"""Make a verdict of the log again, to see whether it still holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.catalogue.catalogue import Catalogue
from retrieval.comparing.network import comparison_name, is_closely
from retrieval.encoder.stream import Reading
from retrieval.errors import UnknownVerdict
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict, compare, judge_all
from retrieval.judging.together import judge_together, part_of
from retrieval.photographs.numbered import NumberedPicture, picture_in
from retrieval.photographs.reader_process import read_here
from retrieval.verdicts.entry import LogEntry, entries_of, entry_together

TOLERANCE = 1e-3  # between distances on different machines


@dataclass(frozen=True, slots=True)
class Replay:
    """A verdict made again: its entry of now beside the entry of then."""

    then: LogEntry
    now: LogEntry
    largest: float | None  # difference of a distance; None where only one of the two entries has some distance
    remarks: tuple[str, ...]  # what has changed since

    @property
    def identical(self) -> bool:
        """Whether the verdict holds bit for bit."""
        return self._same_words and self.largest == 0.0

    @property
    def holds(self) -> bool:
        """Whether outcome and object are the same, and all distances within TOLERANCE."""
        return self._same_words and self.largest is not None and self.largest <= TOLERANCE

    @property
    def _same_words(self) -> bool:
        one, other = self.then, self.now
        return (one.outcome, one.object_id) == (other.outcome, other.object_id)


@dataclass(frozen=True, slots=True)
class JudgedAgain:
    """The photograph of an entry judged again, by the calibration of then; `work` is the entry's."""

    verdict: Verdict
    edition: Edition
    work: int
    remarks: tuple[str, ...]  # what has changed since


def replay(entry: LogEntry, edition: Edition, *, max_megapixels: float, parts: Sequence[LogEntry] = ()) -> Replay:
    """Make the verdict of an entry again, with the calibration of then.

    `parts` are the entries of the single photographs, where it is one on several. Raises UnknownVerdict where the
    encoder or a photograph is no longer the same.
    """
    if entry.together is not None:
        return _together_again(entry, parts, edition, max_megapixels)
    made = judged_again(entry, edition, max_megapixels=max_megapixels)
    now = entries_of(made.verdict, made.edition, asked=entry.asked)[made.work]
    return Replay(entry, now, _largest_difference(entry, now), made.remarks)


def judged_again(entry: LogEntry, edition: Edition, *, max_megapixels: float, read: Reading = read_here) -> JudgedAgain:
    """Judge the photograph of an entry again, with the calibration of then; raises UnknownVerdict as `replay` does."""
    if entry.together is not None:
        single = ", ".join(map(str, entry.together))
        raise UnknownVerdict(
            f"verdict {entry.number} is on several photographs together; the verdicts {single} are on each of them"
        )
    edition, remarks = _as_then(entry, edition)
    photo = picture_in(Path(entry.photo), entry.picture)
    for verdict in _again(entry, photo, edition, max_megapixels, read):
        if verdict.sha256 != entry.sha256:
            problem = verdict.error if verdict.sha256 is None else "it is no longer the same file"
            raise UnknownVerdict(f"verdict {entry.number} cannot be made again from {photo}: {problem}")
        regions = [work.region for work in verdict.works]
        if entry.region in regions:
            return JudgedAgain(verdict, edition, regions.index(entry.region), remarks)
    return JudgedAgain(verdict, edition, 0, remarks)


def _together_again(entry: LogEntry, parts: Sequence[LogEntry], edition: Edition, max_megapixels: float) -> Replay:
    """Make a verdict on several photographs again, by all of them; raises UnknownVerdict."""
    found = []
    for one in parts:
        made = judged_again(one, edition, max_megapixels=max_megapixels)
        if made.verdict.works:
            found.append(part_of(made.verdict.works[made.work], made.verdict, photo=one.name, verdict=one.number))
    edition, remarks = _as_then(entry, edition)
    for said in judge_together([part for part in found if part is not None], edition.basis):
        if said.object_id == entry.object_id:
            now = entry_together(said, edition)
            return Replay(entry, now, _largest_difference(entry, now), remarks)
    raise UnknownVerdict(f"verdict {entry.number} cannot be made again: its photographs no longer show one object")


def _as_then(entry: LogEntry, edition: Edition) -> tuple[Edition, tuple[str, ...]]:
    """Return an edition with the calibration of then, and what has changed since; raises UnknownVerdict."""
    remarks = []
    if entry.encoder != edition.encoder.fingerprint:
        raise UnknownVerdict(
            f"verdict {entry.number} was made with the encoder {entry.encoder}; this catalogue has "
            f"{edition.encoder.fingerprint}, whose distances do not compare"
        )
    if entry.revision != edition.revision:
        remarks.append(f"the catalogue has changed since: revision {entry.revision} then, {edition.revision} now")
    with Catalogue.reading(edition.data) as catalogue:
        calibration = None if entry.calibration is None else catalogue.calibration(entry.calibration)
    if entry.calibration is not None and calibration is None:
        remarks.append(f"calibration {entry.calibration} is no longer there")
    closely = is_closely(entry.comparison)
    edition = replace(edition, calibration=calibration, misfit=False, closely=closely)
    if entry.combined is not None and entry.comparison != comparison_name(closely=closely):
        then = "an earlier comparison" if entry.comparison is None else f"the comparison {entry.comparison}"
        remarks.append(f"compared by {then} then, by {comparison_name(closely=closely)} now")
    return edition, tuple(remarks)


def _again(
    entry: LogEntry, photo: Path | NumberedPicture, edition: Edition, max_megapixels: float, read: Reading
) -> Iterator[Verdict]:
    """Yield the photograph judged in the ways that the entry may come from: work by work, or as a whole."""
    if entry.asked is not None:
        yield compare(edition, photo, entry.asked, read=read, max_megapixels=max_megapixels)
        return
    for several in (True, False):
        yield from judge_all(edition, [photo], k=1, several=several, read=read, max_megapixels=max_megapixels)


def _largest_difference(one: LogEntry, other: LogEntry) -> float | None:
    pairs: Sequence[tuple[float | None, float | None]] = [
        (getattr(one, name), getattr(other, name)) for name in ("whole", "local", "combined", "threshold")
    ]
    if any((first is None) != (second is None) for first, second in pairs):
        return None
    return max(
        (abs(first - second) for first, second in pairs if first is not None and second is not None), default=0.0
    )
