"""Keep what waits for a person at hand: a derived table, brought up to date by what was added since."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

from retrieval.catalogue.database import writing
from retrieval.catalogue.status_words import Status
from retrieval.errors import CatalogueBusy
from retrieval.outcome import UNREADABLE, Outcome
from retrieval.verdicts.entry import object_about
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.migrations import WAITING
from retrieval.verdicts.opening import ALL, CONTENT, TOUCHED, compute_open, wholes

NOWHERE = 1e9  # how far something lies within, where nothing says how far
_ALERTS = (Status.STOLEN, Status.MISSING, Status.KNOWN_FORGERY)  # the most urgent first
_DIVERGENT, _CLAIM, _PLAUSIBLE, _UNREADABLE = range(2 * len(_ALERTS), 2 * len(_ALERTS) + 4)
_MANY = 1_000  # verdicts; where more were added than there were, and so many more, all is computed anew
_DERIVED = ("waiting", "waiting_words", "waiting_parts", "waiting_upto")
_COLUMNS = f"""number, {CONTENT} AS content, outcome, alert, alert_certainty, alert_object, object_id, asked,
    coalesce(combined, "global") AS distance, threshold, date, lot, photo, reasons"""
# What a change may change: photographs that were judged together with a touched one, and those with these
_TOGETHER = f"""INSERT OR IGNORE INTO temp.touched
    SELECT coalesce(other.sha256, hex(other.photo)) FROM ({TOUCHED}) AS one
    CROSS JOIN waiting_parts ON waiting_parts.{{one}} = one.number
    CROSS JOIN verdicts AS other ON other.number = waiting_parts.{{other}}"""


def open_verdicts(log: VerdictLog) -> list[int]:
    """Return the numbers of the verdicts that wait for a person, alerts first, then the last one; raises CatalogueBusy.

    Waiting are divergent verdicts, inconclusive ones with an object, alerts, claims of lots that are not upheld, and
    unreadable photographs. Of one work on a photograph only the last verdict counts, but each sale's last alert, and
    none on a photograph and an object that somebody has decided on, until the object's status changes; that it is
    inconclusive decides nothing but that. Photographs that were judged together wait as one, but for alerts.
    """
    refresh(log)
    sql = "SELECT number FROM waiting ORDER BY alert IS NULL, last"
    return [number for (number,) in log.db.execute(sql)]


def refresh(log: VerdictLog) -> None:
    """Bring the table `waiting` up to what was added to the log since; raises CatalogueBusy."""
    if "alert_object" not in log.db["verdicts"].columns_dict:
        raise CatalogueBusy("These verdicts are of an earlier version and cannot be written. Copy the folder.")
    if not log.is_writable:
        _rebuild_aside(log)
    elif _highest(log) != _upto(log):
        with writing(log.db):
            upto, highest = _upto(log), _highest(log)
            if upto is None or highest[0] > 2 * upto[0] + _MANY:
                _rebuild(log)
            else:
                _add(log, upto)
            log.db.execute("DELETE FROM waiting_upto")
            log.db.execute("INSERT INTO waiting_upto VALUES (?, ?, ?)", highest)


def _highest(log: VerdictLog) -> tuple[int, int, int]:
    """Return the last numbers of verdicts, reviews and withdrawals, which are given in order and once."""
    verdict, review, withdrawal = (
        log.db.execute(f"SELECT coalesce(max(number), 0) FROM {table}").fetchone()[0]
        for table in ("verdicts", "reviews", "withdrawals")
    )
    return verdict, review, withdrawal


def _upto(log: VerdictLog) -> tuple[int, int, int] | None:
    """Return the numbers up to which the table was made; None where it has to be made whole."""
    found: tuple[int, int, int] | None = log.db.execute("SELECT * FROM waiting_upto").fetchone()
    return found


def _rebuild_aside(log: VerdictLog) -> None:
    """Make the table beside a log that cannot be written, for this connection only."""
    if "waiting" in {name for (name,) in log.db.execute("SELECT name FROM temp.sqlite_master")}:
        return
    for statement in WAITING:
        log.db.execute(_as_temporary(statement))
    _rebuild(log)


def _as_temporary(statement: str) -> str:
    for beginning in ("CREATE TABLE ", "CREATE INDEX ", "CREATE VIRTUAL TABLE "):
        statement = statement.replace(beginning, f"{beginning}temp.", 1)
    return statement


def _rebuild(log: VerdictLog) -> None:
    for table in _DERIVED:
        log.db.execute(f"DELETE FROM {table}")
    _keep_parts(log, ALL)
    _insert(log, compute_open(log))


def _add(log: VerdictLog, upto: tuple[int, int, int]) -> None:
    """Compute anew what new verdicts, reviews and withdrawals touch."""
    verdict, review, withdrawal = upto
    # without a type: a column of text is not looked up in the index of an expression
    log.db.execute("CREATE TEMP TABLE IF NOT EXISTS touched (content PRIMARY KEY) WITHOUT ROWID")
    log.db.execute("DELETE FROM temp.touched")
    log.db.execute(
        f"""INSERT OR IGNORE INTO temp.touched SELECT {CONTENT} FROM verdicts WHERE number > ? OR number IN (
                SELECT verdict FROM reviews WHERE number > ?
                UNION SELECT verdict FROM reviews JOIN withdrawals ON review = reviews.number
                WHERE withdrawals.number > ?)""",
        [verdict, review, withdrawal],
    )
    _keep_parts(log, f"SELECT * FROM verdicts WHERE number > {verdict}")
    before = 0
    while (count := _count(log)) > before:  # until nothing more is touched
        before = count
        log.db.execute(_TOGETHER.format(one="part", other="whole"))
        log.db.execute(_TOGETHER.format(one="whole", other="part"))
    gone = "SELECT number FROM waiting WHERE content IN (SELECT content FROM temp.touched)"
    log.db.execute(f"DELETE FROM waiting_words WHERE rowid IN ({gone})")
    log.db.execute(f"DELETE FROM waiting WHERE number IN ({gone})")
    _insert(log, compute_open(log, among=TOUCHED))


def _count(log: VerdictLog) -> int:
    return int(log.db.execute("SELECT count(*) FROM temp.touched").fetchone()[0])


def _keep_parts(log: VerdictLog, among: str) -> None:
    rows = [(part, whole.number) for whole in wholes(log, among=among) for part in whole.rests_on]
    log.db.conn.executemany("INSERT OR IGNORE INTO waiting_parts VALUES (?, ?)", rows)


def _insert(log: VerdictLog, numbers: Iterable[int]) -> None:
    """Put verdicts into the table, with the words by which they are found."""
    found = _rows(log, "number IN (SELECT value FROM json_each(?))", json.dumps(list(numbers)))
    log.db.conn.executemany(
        "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (_row_of(row) for row in found)
    )
    log.db.conn.executemany(
        "INSERT INTO waiting_words (rowid, words) VALUES (?, ?)", ((row["number"], _words(row)) for row in found)
    )


def _rows(log: VerdictLog, where: str, value: object) -> list[dict[str, Any]]:
    """Return what is put into the table of some verdicts, and what they are sorted by."""
    together = "together" if log.has_together else "NULL AS together"
    return list(log.db.query(f"SELECT {_COLUMNS}, {together} FROM verdicts WHERE {where}", [value]))


def _row_of(row: dict[str, Any]) -> tuple[object, ...]:
    rank, far, last = order_of(row)
    lot = json.loads(row["lot"]) if row["lot"] else {}
    about = object_about(*(row[name] for name in ("alert", "alert_object", "outcome", "object_id", "asked")))
    return (
        row["number"], row["content"], rank, far, last, row["outcome"], row["alert"], about, row["distance"],
        row["date"], lot.get("sale") or None, lot.get("house") or None,
    )  # fmt: skip


def order_of(row: dict[str, Any]) -> tuple[int, float, int]:
    """Return what to sort a verdict by: alerts first, the sure ones before others; then what lies farthest beyond."""
    distance, limit = row["distance"], row["threshold"]
    far = NOWHERE if distance is None or limit is None else limit - distance
    return _rank(row), far, -row["number"]


def _rank(row: dict[str, Any]) -> int:
    if row["alert"] in _ALERTS:
        return 2 * _ALERTS.index(row["alert"]) + (row["alert_certainty"] == "undecided")
    if row["outcome"] == Outcome.DIVERGENT:
        return _DIVERGENT
    if row["outcome"] == UNREADABLE:
        return _UNREADABLE
    claimed = row["asked"] is not None and row["lot"] is not None and row["together"] is None
    return _CLAIM if claimed and row["outcome"] != Outcome.CONSISTENT else _PLAUSIBLE


def _words(row: dict[str, Any]) -> str:
    """Return the words by which a verdict is found: of its lot, its photograph, its objects and its reasons."""
    return "\n".join(text.encode("utf-8", "replace").decode() for text in _texts(row) if text)


def _texts(row: dict[str, Any]) -> Iterator[str]:
    yield from map(str, (json.loads(row["lot"]) if row["lot"] else {}).values())
    yield os.fsdecode(row["photo"])
    yield from (str(row[name] or "") for name in ("object_id", "alert_object", "asked"))
    yield from map(str, json.loads(row["reasons"]))


def order_of_verdict(log: VerdictLog, number: int) -> tuple[int, float, int]:
    """Return what to sort a verdict by, whether it waits or not; raises UnknownVerdict."""
    log.entry(number)
    return order_of(_rows(log, "number = ?", number)[0])
