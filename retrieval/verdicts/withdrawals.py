"""Take a review back by another entry: both stay, and the review no longer counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.catalogue.database import writing
from retrieval.moment import now
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.reviews import BadReview, Review, can_hold


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Who took a review back, when, and why."""

    review: int
    date: str  # ISO 8601, with the zone
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class KeptReview:
    """A review as it was kept, and how it was taken back; None where it counts."""

    review: Review
    withdrawal: Withdrawal | None


def withdraw(log: VerdictLog, numbers: Sequence[int], *, name: str, reason: str = "") -> list[int]:
    """Take reviews back at once, and return the numbers of those that counted until now; raises BadReview."""
    if not name.strip():
        raise BadReview("A review is withdrawn in somebody's name: give it by --name, or set ARTIFACT_REVIEWER.")
    with writing(log.db):
        counted = [number for number in numbers if _counts(log, number)]
        rows = [{"review": number, "date": now(), "name": name.strip(), "reason": reason.strip()} for number in counted]
        log.db["withdrawals"].insert_all(rows)
    return counted


def _counts(log: VerdictLog, number: int) -> bool:
    return log.db.execute("SELECT 1 FROM held WHERE number = ?", [number]).fetchone() is not None


def history(log: VerdictLog, verdict: int) -> list[KeptReview]:
    """Return all reviews of a verdict, the first one first, also those that were taken back."""
    if not can_hold(log):
        return []
    kept = [Review(**row) for row in log.db.query("SELECT * FROM reviews WHERE verdict = ? ORDER BY number", [verdict])]
    if "withdrawals" not in log.db.table_names():  # of an earlier version, and cannot be written
        return [KeptReview(review, None) for review in kept]
    sql = """SELECT review, withdrawals.date, withdrawals.name, withdrawals.reason FROM withdrawals
             JOIN reviews ON reviews.number = review WHERE verdict = ?"""
    taken = {row["review"]: Withdrawal(**row) for row in log.db.query(sql, [verdict])}
    return [KeptReview(review, taken.get(review.number or 0)) for review in kept]
