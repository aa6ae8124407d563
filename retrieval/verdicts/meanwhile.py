"""Keep a decision only where nobody decided since its maker looked."""

from __future__ import annotations

from dataclasses import asdict

from retrieval.catalogue.database import writing
from retrieval.errors import ArtifactError
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.reviews import Review, held


class DecidedMeanwhile(ArtifactError):
    """Somebody decided on the verdict, or took a decision back, after the maker of another one looked."""


def add_review_unless_decided(log: VerdictLog, review: Review, *, seen: int | None) -> int:
    """Keep a review and return its number; `seen` is the last one of the verdict that its maker knows, None for none.

    Raises DecidedMeanwhile. The look and the writing are one: of two at once the second is refused.
    """
    row = asdict(review)
    del row["number"]
    with writing(log.db):
        sql = f"SELECT number, name FROM {held(log)} WHERE verdict = ? ORDER BY number DESC LIMIT 1"
        last, name = log.db.execute(sql, [review.verdict]).fetchone() or (None, "")
        if last != seen:
            who = f"{name} decided on verdict {review.verdict} meanwhile, by review {last}" if last else ""
            raise DecidedMeanwhile(f"{who or f'The reviews of verdict {review.verdict} were taken back'}. Look again.")
        return int(log.db["reviews"].insert(row).last_pk)
