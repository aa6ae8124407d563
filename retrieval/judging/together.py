"""Judge the photographs of one thing together, beside what is said of each by itself."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from retrieval.catalogue.status_words import Status
from retrieval.comparing.joint import Joint, joined
from retrieval.comparing.overlays import COVER
from retrieval.judging.decision import MOST_HIDDEN, Basis, unseen_words
from retrieval.judging.judge import Verdict
from retrieval.judging.unsure import LEAST_COMPARED
from retrieval.judging.work import Work
from retrieval.outcome import Outcome

FEWEST, MOST = 2, 50  # photographs that are judged together; more are hardly of one thing
MAPS = ("map", "resolved")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one photograph of several says of an object that it shows."""

    photo: str  # its name
    content: str  # what tells it from other photographs: a file given twice is one
    verdict: int | None  # its number in the log
    object_id: str
    exemplar: str
    outcome: str
    alert: str | None
    condition: str | None
    hidden: float
    detail: float
    covered: bool
    map: np.ndarray
    resolved: np.ndarray

    def to_bytes(self) -> bytes:
        """Return what is kept of it, some 5 kB: what is said in JSON, its length before it, then the two maps."""
        said = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in MAPS}
        head = json.dumps(said | {"shape": self.map.shape}).encode()
        maps = np.stack([self.map, self.resolved]).astype("<f4").tobytes()
        return len(head).to_bytes(4) + head + zlib.compress(maps)

    @classmethod
    def from_bytes(cls, kept: bytes) -> Part:
        """Return what was kept of a photograph."""
        start = 4 + int.from_bytes(kept[:4])
        said = json.loads(kept[4:start])
        maps = np.frombuffer(zlib.decompress(kept[start:]), "<f4").reshape(2, *said.pop("shape"))
        return cls(**said, map=maps[0], resolved=maps[1])


@dataclass(frozen=True, slots=True)
class Together:
    """What is said of several photographs of one object together."""

    object_id: str
    exemplar: str
    photos: tuple[str, ...]
    contents: tuple[str, ...]
    verdicts: tuple[int, ...]  # of the single photographs, where they are recorded
    outcome: Outcome
    alert: str | None
    reasons: tuple[str, ...]
    combined: float
    local: float
    threshold: float
    compared: float
    condition: str | None


def part_of(work: Work, shown: Verdict, *, photo: str, verdict: int | None) -> Part | None:
    """Return what a work on a photograph says of its object together with others; None where it was not compared.

    `photo` is the name of the photograph, `verdict` the number of the work in the log. What is held to be a known
    forgery is one by itself.
    """
    if not work.matches or (found := work.matches[0].compared) is None or work.alert is Status.KNOWN_FORGERY:
        return None
    best = work.matches[0]
    return Part(
        photo=photo,
        content=f"{shown.sha256}#{shown.picture}",
        verdict=verdict,
        object_id=best.object_id,
        exemplar=str(best.exemplar),
        outcome=str(work.decision.outcome),
        alert=work.alert and str(work.alert),
        condition=best.condition,
        hidden=found.hidden,
        detail=found.detail,
        covered=any(overlay.kind == COVER for overlay in found.overlays),
        map=found.map,
        resolved=found.resolved,
    )


def judge_together(parts: Iterable[Part], basis: Basis) -> Iterator[Together]:
    """Yield what is said of the photographs of each object that several of them show, by the exemplar of most."""
    shown: dict[str, dict[str, Part]] = defaultdict(dict)
    for part in parts:
        shown[part.object_id].setdefault(part.content, part)
    for some in shown.values():
        if len(some) < FEWEST:
            continue
        on: dict[str, list[Part]] = defaultdict(list)
        for part in some.values():
            on[part.exemplar].append(part)
        most = max(on.values(), key=len)
        if len(most) >= FEWEST and (found := _judged(most, basis)) is not None:
            yield found


def _judged(parts: Sequence[Part], basis: Basis) -> Together | None:
    """Return what is said of photographs on one exemplar; None where no threshold limits the combined distance."""
    sharpest = min(parts, key=lambda part: part.detail)
    limit = basis.thresholds.combined_of(sharpest.condition) if basis.thresholds else None
    if limit is None or limit.value is None:
        return None
    joint = joined([part.map for part in parts], [part.resolved for part in parts])
    outcome, said = _decided(parts, joint, limit.value)
    alone = ", ".join(f"{_name(part)} {part.outcome}" for part in parts)
    return Together(
        object_id=parts[0].object_id,
        exemplar=parts[0].exemplar,
        photos=tuple(part.photo for part in parts),
        contents=tuple(part.content for part in parts),
        verdicts=tuple(part.verdict for part in parts if part.verdict is not None),
        outcome=outcome,
        alert=next((part.alert for part in parts if part.alert), None),
        reasons=(f"{len(parts)} photographs together: {said}", f"each alone: {alone}", unseen_words(sharpest.detail)),
        combined=joint.combined_distance,
        local=joint.local_distance,
        threshold=limit.value,
        compared=joint.compared,
        condition=sharpest.condition,
    )


def _decided(parts: Sequence[Part], joint: Joint, threshold: float) -> tuple[Outcome, str]:
    """Judge as a single photograph is judged: what hides a place counts only where it does so on every photograph."""
    distance = f"the combined distance {joint.combined_distance:.3f}"
    within = f"{distance} is within the authenticity threshold {threshold:.3f}"
    if (hidden := min(part.hidden for part in parts)) > MOST_HIDDEN:
        return Outcome.INCONCLUSIVE, f"plates, glare or plain things hide {hidden:.0%} of its detail or more on each"
    if joint.combined_distance > threshold:
        beyond = f"{distance} is beyond the authenticity threshold {threshold:.3f}"
        if any(part.outcome == Outcome.DIVERGENT for part in parts):
            return Outcome.DIVERGENT, beyond
        return Outcome.INCONCLUSIVE, f"{beyond}, but none of them is divergent by itself"
    if all(part.covered for part in parts):
        return Outcome.INCONCLUSIVE, f"{within}, but something plain lies over it on each"
    if joint.compared < LEAST_COMPARED:
        return Outcome.INCONCLUSIVE, f"{within}, but only {joint.compared:.0%} of it could be compared on them"
    if all(part.outcome == Outcome.INCONCLUSIVE for part in parts):
        return Outcome.INCONCLUSIVE, f"{within}, but each of them is inconclusive by itself"
    return Outcome.CONSISTENT, within


def _name(part: Part) -> str:
    return part.photo.replace("\\", "/").rpartition("/")[2]
