"""Compute which verdicts wait for a person, of all or of some photographs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.outcome import UNREADABLE, Outcome
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.reviews import DECIDED, held

CONTENT = "coalesce(sha256, hex(photo))"  # of a photograph: by its name, where that could not be read
# What was said of one work: the photograph by its content, and the rest.
_WORK = f"{CONTENT}, picture, region, coalesce(object_id, asked)"
# What a person decides on: the photograph by its content, the object, and what the register says of that.
_ALERT = "CASE WHEN alert_object = object_id OR alert_object IS NULL THEN alert ELSE alert_object END"
_PAIR = f"{CONTENT}, picture, coalesce(object_id, asked), {_ALERT}"
# Of one work the last verdict counts; where that is an alert, so does the last one of each sale and file.
_LAST = f"""
    number IN (SELECT max(number) FROM some GROUP BY {_WORK})
    OR number IN (SELECT max(number) FROM some WHERE alert IS NOT NULL GROUP BY {_WORK}, photo, lot)
    AND json_array({_WORK}) IN (
        SELECT json_array({_WORK}) FROM some
        WHERE alert IS NOT NULL AND number IN (SELECT max(number) FROM some GROUP BY {_WORK}))"""
_OPEN = f"""
    WITH some AS ({{some}})
    SELECT number, alert IS NOT NULL AS alerts FROM some WHERE ({_LAST})
    AND (outcome IN ('divergent', '{UNREADABLE}') OR alert IS NOT NULL
         OR (outcome = 'inconclusive' AND object_id IS NOT NULL)
         OR (asked IS NOT NULL AND lot IS NOT NULL AND outcome <> 'consistent'))
    AND json_array({_PAIR}, outcome) NOT IN (
        SELECT json_array({_PAIR}, outcome) FROM some
        WHERE EXISTS (SELECT 1 FROM {{held}} AS one WHERE one.verdict = some.number))
    AND json_array({_PAIR}) NOT IN (
        SELECT json_array({_PAIR}) FROM some
        WHERE EXISTS (SELECT 1 FROM {{held}} AS one WHERE one.verdict = some.number AND one.outcome IN {DECIDED}))"""
# The last verdict on the same work as a verdict's, where that is another one.
_NEWER = f"""
    WITH own AS (SELECT {CONTENT} AS content, picture, region, coalesce(object_id, asked) AS object FROM verdicts
                 WHERE number = :number)
    SELECT max(number) FROM own CROSS JOIN verdicts ON coalesce(sha256, hex(photo)) = own.content
    WHERE number > :number AND verdicts.picture IS own.picture AND verdicts.region IS own.region
    AND coalesce(object_id, asked) IS own.object"""
ALL = "SELECT * FROM verdicts"
# Of the photographs in the temporary table `touched`, found by the index of contents.
TOUCHED = """SELECT verdicts.* FROM temp.touched CROSS JOIN verdicts
              ON coalesce(verdicts.sha256, hex(verdicts.photo)) = touched.content"""


@dataclass(frozen=True, slots=True)
class Several:
    """A verdict on several photographs together: the verdicts on the single ones, and what a decision on it is on."""

    number: int
    rests_on: frozenset[int]
    pair: tuple[str | None, str | None]  # the contents of all, and the object


def compute_open(log: VerdictLog, *, among: str = ALL) -> list[int]:
    """Return the numbers of the verdicts that wait for a person, in no order, among those that a SELECT gives."""
    rows = log.db.execute(_OPEN.format(some=among, held=held(log))).fetchall()
    several = wholes(log, among=among)
    alerts = dict(rows)
    return _one_a_lot(alerts, several, _reviewed(log, several)) if several else list(alerts)


def replacing(log: VerdictLog, number: int) -> int | None:
    """Return the last verdict on the same work as a verdict's, which counts in its place; None where there is none."""
    found: int | None = log.db.execute(_NEWER, {"number": number}).fetchone()[0]
    return found


def wholes(log: VerdictLog, *, among: str = ALL) -> list[Several]:
    """Return the verdicts on several photographs on which a decision is one on each, the last one first."""
    if not log.has_together:
        return []
    sql = f"""SELECT number, sha256, object_id, outcome, lot, together FROM ({among})
              WHERE together IS NOT NULL ORDER BY number DESC"""
    return [
        Several(number, frozenset(json.loads(together)), (sha256, object_id))
        for number, sha256, object_id, outcome, lot, together in log.db.execute(sql)
        if outcome != Outcome.CONSISTENT or (json.loads(lot) if lot else {}).get("lot")
    ]


def _reviewed(log: VerdictLog, several: Sequence[Several]) -> set[int]:
    sql = f"SELECT DISTINCT verdict FROM {held(log)} WHERE verdict IN (SELECT value FROM json_each(?))"
    numbers = json.dumps([whole.number for whole in several])
    return {number for (number,) in log.db.execute(sql, [numbers])}


def _one_a_lot(alerts: dict[int, int], several: Sequence[Several], reviewed: set[int]) -> list[int]:
    """Return the verdicts that wait, of photographs that were judged together the one on all of them.

    It waits also where its photographs say otherwise alone, and does not where a later one rests on them too. `alerts`
    says of each that waits whether it is one; `several` has the last one first.
    """
    decided = {whole.pair for whole in several if whole.number in reviewed}
    waiting = dict(alerts)
    later: dict[int, list[frozenset[int]]] = defaultdict(list)  # of each single one, those that rest on it
    for whole in several:
        if any(whole.rests_on <= other for number in whole.rests_on for other in later[number]):
            waiting.pop(whole.number, None)
            continue
        for number in whole.rests_on:
            later[number].append(whole.rests_on)
        single = [number for number in whole.rests_on if not waiting.get(number, 1)]
        for number in single:
            del waiting[number]
        if single and whole.pair not in decided:
            waiting[whole.number] = 0
    return list(waiting)
