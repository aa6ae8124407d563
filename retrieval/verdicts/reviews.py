"""Keep what a person decided on verdicts, and count who was right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from retrieval.catalogue.database import writing
from retrieval.errors import ArtifactError
from retrieval.moment import now
from retrieval.outcome import OF_AN_OBJECT, UNREADABLE, Outcome
from retrieval.statistics.metrics import clopper_pearson
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog

ACCEPT, OVERRULE = "accept", "overrule"

DECIDED = tuple(str(outcome) for outcome in Outcome if outcome is not Outcome.INCONCLUSIVE)


class BadReview(ArtifactError):
    """A review that does not say enough, or contradicts itself."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a person holds to be right of one verdict, and why."""

    verdict: int
    date: str  # ISO 8601, with the zone
    name: str
    decision: str  # "accept" or "overrule"
    outcome: str
    object_id: str | None
    reason: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class ReviewedVerdict:
    """A review, and the log entry of the verdict."""

    entry: LogEntry
    review: Review


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the share; None where there is nothing to have a share of."""
        return clopper_pearson(self.count, self.of) if self.of else None

    def as_dict(self) -> dict[str, Any]:
        """Return the share for JSON."""
        low, high = self.interval or (None, None)
        share = self.count / self.of if self.of else None
        return {"count": self.count, "of": self.of, "share": share, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class ReviewFigures:
    """How the verdicts fared with their reviewers; each verdict counts once, by its last review."""

    accepted: Share  # of the verdicts reviewed, unreadable photographs aside
    false_alarms: Share  # divergent, overruled to consistent; of the divergent ones
    misses: Share  # consistent or no-match, overruled to divergent; of the consistent and no-match ones


def accepting(entry: LogEntry, *, name: str, reason: str) -> Review:
    """Return the review that holds a recorded verdict to be right; raises BadReview where it has no name."""
    known = None if entry.outcome == Outcome.NO_MATCH else entry.object_id
    return _review(entry, ACCEPT, entry.outcome, known, name, reason)


def overruling(entry: LogEntry, outcome: Outcome, *, object_id: str | None, name: str, reason: str) -> Review:
    """Return the review that holds another outcome to be right, of the verdict's object unless another is named.

    Raises BadReview: no name or reason, no object where there must be one, one where there is none, or nothing new.
    """
    matched = None if entry.outcome in (Outcome.NO_MATCH, UNREADABLE) else entry.object_id
    if outcome is Outcome.NO_MATCH and object_id is not None:
        raise BadReview("A photograph that is no-match shows no object of the catalogue: leave --object out.")
    known = None if outcome is Outcome.NO_MATCH else object_id or matched
    if outcome in OF_AN_OBJECT and known is None:
        raise BadReview(
            f"Verdict {entry.number} is {entry.outcome}: name the object that the photograph is {outcome} with, "
            "by --object."
        )
    if (outcome, known) == (entry.outcome, matched):
        raise BadReview(f"Verdict {entry.number} says that already: accept it, or name another outcome or object.")
    if not reason.strip():
        raise BadReview("To overrule a verdict needs a reason: give it by --reason.")
    return _review(entry, OVERRULE, str(outcome), known, name, reason)


def _review(entry: LogEntry, decision: str, outcome: str, known: str | None, name: str, reason: str) -> Review:
    if not name.strip():
        raise BadReview("A review needs the name of who decided: give it by --name, or set ARTIFACT_REVIEWER.")
    assert entry.number is not None, "only recorded verdicts are reviewed"
    return Review(entry.number, now(), name.strip(), decision, outcome, known, reason.strip())


def add_review(log: VerdictLog, review: Review) -> int:
    """Keep a review beside earlier ones, and return its number."""
    with writing(log.db):
        return insert_review(log, review)


def insert_review(log: VerdictLog, review: Review) -> int:
    """Keep a review beside earlier ones, within a transaction, and return its number."""
    row = asdict(review)
    del row["number"]
    return int(log.db["reviews"].insert(row).last_pk)


def reviews(log: VerdictLog, verdict: int | None = None) -> list[Review]:
    """Return the reviews of one verdict, or all, the first one first; none that was withdrawn."""
    if not can_hold(log):
        return []
    which = "" if verdict is None else "WHERE verdict = ?"
    sql = f"SELECT * FROM {held(log)} {which} ORDER BY number"
    return [Review(**row) for row in log.db.query(sql, [] if verdict is None else [verdict])]


def held(log: VerdictLog) -> str:
    """Return the name of the table of the reviews that count; in a log of an earlier version none is withdrawn."""
    return "held" if "held" in log.db.view_names() else "reviews"


def reviewed(log: VerdictLog) -> list[ReviewedVerdict]:
    """Return all reviews with their verdicts, the first one first."""
    return [ReviewedVerdict(log.entry(review.verdict), review) for review in reviews(log)]


def is_of_all(whole: LogEntry) -> bool:
    """Say whether a decision on several photographs is one on each; a consistent folder may hold several lots."""
    return whole.outcome != Outcome.CONSISTENT or bool((whole.lot or {}).get("lot"))


def review_of(log: VerdictLog, sha256: str | None, picture: int | None, object_id: str) -> ReviewedVerdict | None:
    """Return the last review of any verdict on the same photograph, by its content, and the same object.

    What was decided on the photographs of a lot together was decided on each of them.
    """
    if not can_hold(log):
        return None
    # `+` leaves the index of objects out: a photograph has few verdicts, an object may have many
    counting = held(log)
    sql = f"""WITH same AS (SELECT number FROM verdicts WHERE sha256 = ? AND picture IS ? AND +object_id = ?)
             SELECT * FROM {counting} WHERE verdict IN (
                 SELECT number FROM same
                 UNION SELECT whole.number FROM {counting} AS one JOIN verdicts AS whole ON whole.number = one.verdict,
                     json_each(whole.together) AS part WHERE part.value IN (SELECT number FROM same))
             ORDER BY number DESC"""
    for row in log.db.query(sql, [sha256, picture, object_id]):
        entry = log.entry(row["verdict"])
        if entry.together is None or is_of_all(entry):
            return ReviewedVerdict(entry, Review(**row))
    return None


def decides(item: ReviewedVerdict, outcome: str, alert: str | None) -> bool:
    """Say whether a review settles what is now said of the same photograph and object."""
    if item.entry.alert != alert:  # the register says something else than then
        return False
    return item.review.outcome in DECIDED or item.entry.outcome == outcome


def can_hold(log: VerdictLog) -> bool:
    """Say whether the log has room for reviews; a log of the first version that cannot be written has none."""
    return "reviews" in log.db.table_names()


def figures(items: Iterable[ReviewedVerdict]) -> ReviewFigures:
    """Return how often the verdicts were accepted, and the false alarms and misses among them."""
    last = {item.review.verdict: item for item in items if item.entry.outcome != UNREADABLE}.values()

    def share(hit: Callable[[Review], bool], *said: str) -> Share:
        among = [item.review for item in last if not said or item.entry.outcome in said]
        return Share(sum(map(hit, among)), len(among))

    return ReviewFigures(
        accepted=share(lambda review: review.decision == ACCEPT),
        false_alarms=share(lambda review: review.outcome == Outcome.CONSISTENT, Outcome.DIVERGENT),
        misses=share(lambda review: review.outcome == Outcome.DIVERGENT, Outcome.CONSISTENT, Outcome.NO_MATCH),
    )
