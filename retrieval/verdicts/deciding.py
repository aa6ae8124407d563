"""Decide on verdicts at once, unless somebody has decided on the same photograph and object meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.catalogue.database import writing
from retrieval.errors import ArtifactError
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.opening import CONTENT
from retrieval.verdicts.reviews import Review, insert_review
from retrieval.verdicts.waiting import refresh
from retrieval.verdicts.withdrawals import KeptReview, history

# Reviews of the photograph and the object of a verdict, and of what was judged together with it.
_NEWER = f"""
    WITH own AS (SELECT {CONTENT} AS content, picture, coalesce(object_id, asked) AS object FROM verdicts
                 WHERE number = ?),
    same AS (SELECT verdicts.number FROM own CROSS JOIN verdicts ON coalesce(sha256, hex(photo)) = own.content
             WHERE verdicts.picture IS own.picture AND coalesce(verdicts.object_id, verdicts.asked) IS own.object)
    SELECT number, verdict FROM reviews WHERE number > ? AND verdict IN (
        SELECT number FROM same
        UNION SELECT whole FROM waiting_parts WHERE part IN (SELECT number FROM same)
        UNION SELECT part FROM waiting_parts WHERE whole IN (SELECT number FROM same))
    ORDER BY number"""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A review that somebody wants to make, and the last one of the same pair that they had seen; 0: none."""

    entry: LogEntry
    review: Review
    seen: int


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What others decided on a photograph and an object, since somebody looked at it."""

    proposal: Proposal
    reviews: tuple[KeptReview, ...]  # the first one first

    @property
    def last(self) -> int:
        """The number of the last of them."""
        return self.reviews[-1].review.number or 0


class DecidedMeanwhile(ArtifactError):
    """Somebody decided on the same photographs and objects meanwhile; nothing was written."""

    def __init__(self, items: Sequence[Meanwhile]) -> None:
        super().__init__("Somebody has decided on this meanwhile; nothing was written.")
        self.items = tuple(items)


@dataclass(frozen=True, slots=True)
class Decided:
    """What was written: the numbers of the reviews; and how many had been written before, by the same request."""

    numbers: tuple[int, ...]
    before: int


def decide(log: VerdictLog, proposals: Sequence[Proposal]) -> Decided:
    """Keep all reviews, or none; raises DecidedMeanwhile. What was sent twice is kept once."""
    refresh(log)
    with writing(log.db):
        wanted, before, meanwhile = [], 0, []
        for proposal in proposals:
            newer = newer_reviews(log, proposal.entry.number or 0, proposal.seen)
            if not newer:
                wanted.append(proposal.review)
            elif _says_the_same(newer[-1], proposal.review):
                before += 1
            else:
                meanwhile.append(Meanwhile(proposal, newer))
        if meanwhile:
            raise DecidedMeanwhile(meanwhile)
        return Decided(tuple(insert_review(log, review) for review in wanted), before)


def last_review(log: VerdictLog, number: int) -> int:
    """Return the number of the last review of the same photograph and object as a verdict's; 0 where there is none."""
    rows = log.db.execute(_NEWER, [number, 0]).fetchall()
    return int(rows[-1][0]) if rows else 0


def newer_reviews(log: VerdictLog, number: int, seen: int) -> tuple[KeptReview, ...]:
    """Return the reviews of the same photograph and object since one, also those that were taken back."""
    found = log.db.execute(_NEWER, [number, seen]).fetchall()
    kept = {one.review.number: one for verdict in {verdict for _, verdict in found} for one in history(log, verdict)}
    return tuple(kept[number] for number, _ in found)


def _says_the_same(kept: KeptReview, wanted: Review) -> bool:
    """Say whether a review is the one that is wanted, in the same name, and counts."""

    def said(review: Review) -> tuple[object, ...]:
        return review.name, review.decision, review.outcome, review.object_id, review.reason

    return kept.withdrawal is None and said(kept.review) == said(wanted)
