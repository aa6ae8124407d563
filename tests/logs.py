"""Rows in a log of verdicts for tests, so that a test names only what it is about."""

from retrieval.verdicts.log import VerdictLog


def keep(log: VerdictLog, outcome: str = "divergent", object_id: str | None = "A", **more: object) -> int:
    """Record a verdict, and return its number."""
    row = {"date": "2026-01-02T03:04:05+00:00", "photo": "/lots/1.jpg", "sha256": "s1", "encoder": "e", "revision": 1}
    row |= {"region": "[0, 0, 9, 9]", "outcome": outcome, "object_id": object_id, "reasons": "[]", **more}
    return int(log.db["verdicts"].insert(row).last_pk)
