"""Find the verdicts on photographs that were ever matched to an object."""

from __future__ import annotations

from retrieval.catalogue.database import LARGEST
from retrieval.outcome import Outcome
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.reviews import can_hold, held


def verdicts_on(
    log: VerdictLog,
    object_id: str,
    *,
    outcome: str | None = None,
    photo: str | None = None,
    before: int | None = None,
    limit: int = -1,
) -> list[LogEntry]:
    """Return the verdicts on an object, the last one first, of those before a number.

    They say that a photograph shows it, or may; or raise an alert about it; or a person holds that one shows it.
    """
    sql = f"""SELECT number FROM verdicts WHERE number IN ({_numbers(log)}) AND number < :before
              AND (:outcome IS NULL OR outcome = :outcome) AND (:photo IS NULL OR instr(photo, :photo) > 0)
              ORDER BY number DESC LIMIT :limit"""
    least = LARGEST if before is None else min(before, LARGEST)
    values = {"object_id": object_id, "before": least, "limit": limit, "outcome": outcome, "photo": photo}
    return [log.entry(number) for (number,) in log.db.execute(sql, values).fetchall()]


def count_on(log: VerdictLog, object_id: str) -> int:
    """Return how many verdicts there are on an object."""
    return int(log.db.execute(f"SELECT count(*) FROM ({_numbers(log)})", {"object_id": object_id}).fetchone()[0])


def _numbers(log: VerdictLog) -> str:
    """Return SQL for the numbers of all verdicts on an object; a log of an earlier version may have less to look in."""
    parts = [f"SELECT number FROM verdicts WHERE object_id = :object_id AND outcome <> '{Outcome.NO_MATCH}'"]
    if "alert_object" in log.db["verdicts"].columns_dict:
        parts.append("SELECT number FROM verdicts WHERE alert_object = :object_id AND alert IS NOT NULL")
    if can_hold(log):
        parts.append(f"SELECT verdict FROM {held(log)} WHERE object_id = :object_id")
    return " UNION ".join(parts)
