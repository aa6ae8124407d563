"""What waits for a person, kept at hand: it says what is computed from all of the log, whatever was added and when."""

import json
import os
import random
import re
import sqlite3
from collections import defaultdict

import pytest
from sqlite_utils import Database

from cli.records.triage import Priority
from retrieval.errors import CatalogueBusy
from retrieval.outcome import UNREADABLE, Outcome
from retrieval.verdicts import waiting as module
from retrieval.verdicts.deciding import _NEWER, last_review
from retrieval.verdicts.log import DATABASE, VerdictLog
from retrieval.verdicts.migrations import VERDICTS
from retrieval.verdicts.opening import _OPEN, TOUCHED
from retrieval.verdicts.queue import Filter, Order, neighbours
from retrieval.verdicts.reviews import accepting, add_review, is_of_all, overruling, review_of, reviewed, reviews
from retrieval.verdicts.waiting import open_verdicts, order_of
from retrieval.verdicts.withdrawals import history, withdraw
from tests.logs import keep

OUTCOMES = ("divergent", "divergent", "inconclusive", "consistent", "no-match", UNREADABLE)
WORK = "coalesce(sha256, hex(photo)), picture, region, coalesce(object_id, asked)"
ALERT = "CASE WHEN alert_object = object_id OR alert_object IS NULL THEN alert ELSE alert_object END"
PAIR = f"coalesce(sha256, hex(photo)), picture, coalesce(object_id, asked), {ALERT}"


@pytest.fixture
def log(tmp_path):
    with VerdictLog.opened(tmp_path) as opened:
        yield opened


def accept(log: VerdictLog, number: int) -> int:
    return add_review(log, accepting(log.entry(number), name="Anna", reason=""))


def plainly_open(log: VerdictLog) -> list[int]:
    """Compute what waits from the whole log, a verdict at a time."""
    rows = [dict(row) for row in log.db.query(f"SELECT *, json_array({WORK}) w, json_array({PAIR}) p FROM verdicts")]
    held = reviews(log)
    by_number = {row["number"]: row for row in rows}
    last = {row["w"]: row for row in rows}
    last_alert = {(row["w"], row["photo"], row["lot"]): row for row in rows if row["alert"]}
    said = {(by_number[one.verdict]["p"], by_number[one.verdict]["outcome"]) for one in held}
    decided = {by_number[one.verdict]["p"] for one in held if one.outcome != Outcome.INCONCLUSIVE}

    def waits(row: dict) -> bool:
        is_last = row == last[row["w"]]
        if row["alert"] and last[row["w"]]["alert"]:
            is_last |= row == last_alert[row["w"], row["photo"], row["lot"]]
        is_claim = row["asked"] is not None and row["lot"] is not None and row["outcome"] != "consistent"
        needs = row["outcome"] in ("divergent", UNREADABLE) or row["alert"] or is_claim
        needs = needs or (row["outcome"] == "inconclusive" and row["object_id"] is not None)
        return bool(is_last and needs and (row["p"], row["outcome"]) not in said and row["p"] not in decided)

    entries = {row["number"]: log.entry(row["number"]) for row in rows if waits(row)}
    several = [whole for whole in log.together() if is_of_all(whole)][::-1]
    of = {one.verdict for one in held}
    closed = {(whole.sha256, whole.object_id) for whole in several if whole.number in of}
    later: dict[int, list[frozenset[int]]] = defaultdict(list)
    for whole in several:
        parts = frozenset(whole.together or ())
        if any(parts <= other for number in parts for other in later[number]):
            entries.pop(whole.number, None)
            continue
        for number in parts:
            later[number].append(parts)
        single = [number for number in parts if number in entries and entries[number].alert is None]
        for number in single:
            del entries[number]
        if single and (whole.sha256, whole.object_id) not in closed:
            entries[whole.number] = whole
    return sorted(entries, key=lambda number: (entries[number].alert is None, -number))


def add_something(log: VerdictLog, rng: random.Random) -> None:
    """Add a verdict, one on several photographs together, a review, or a withdrawal of one."""
    numbers = [number for (number,) in log.db.execute("SELECT number FROM verdicts")]
    singles = [number for (number,) in log.db.execute("SELECT number FROM verdicts WHERE together IS NULL")]
    chance = rng.random()
    if chance < 0.55 or len(numbers) < 3:
        outcome = rng.choice(OUTCOMES)
        unread = outcome == UNREADABLE
        keep(
            log,
            outcome,
            None if unread or rng.random() < 0.15 else rng.choice("AB"),
            sha256=None if unread else f"s{rng.randrange(5)}",
            photo=rng.choice((f"/lots/{rng.randrange(5)}.jpg", b"/lots/\xff.jpg")),
            picture=rng.choice((None, None, 1)),
            region=rng.choice(("[0, 0, 9, 9]", "[1, 1, 9, 9]")),
            asked=rng.choice((None, None, None, "A")),
            lot=rng.choice((None, json.dumps({"lot": "7", "sale": "june"}), json.dumps({"lot": "7", "sale": "july"}))),
            alert=rng.choice((None, None, None, "stolen", "known forgery")),
            alert_object=rng.choice((None, "A", "C")),
            alert_certainty=rng.choice((None, "undecided")),
        )
    elif chance < 0.67:
        parts = sorted(rng.sample(singles, k=min(len(singles), rng.randrange(2, 4))))
        lot = rng.choice((None, json.dumps({"lot": "7"})))
        together = {"together": json.dumps(parts), "sha256": f"t{rng.randrange(3)}", "lot": lot, "region": None}
        keep(log, rng.choice(OUTCOMES[:4]), rng.choice("AB"), **together)
    elif chance < 0.9:
        number = rng.choice(numbers)
        if rng.random() < 0.5:
            accept(log, number)
        else:
            wanted = rng.choice((Outcome.CONSISTENT, Outcome.INCONCLUSIVE))
            if (entry := log.entry(number)).outcome != wanted:
                add_review(log, overruling(entry, wanted, object_id="B", name="Bo", reason="seen"))
    elif kept := reviews(log):
        withdraw(log, [rng.choice(kept).number or 0], name="Bo")


@pytest.mark.parametrize("seed", range(25))
def test_the_table_says_what_the_whole_log_says_after_every_addition(seed, log):
    rng = random.Random(seed)
    for _ in range(60):
        for _ in range(rng.randrange(1, 4)):
            add_something(log, rng)
        assert open_verdicts(log) == plainly_open(log)
    kept = [tuple(row) for row in log.db.execute("SELECT * FROM waiting ORDER BY number")]
    words = [tuple(row) for row in log.db.execute("SELECT rowid, words FROM waiting_words ORDER BY rowid")]
    log.db.execute("DELETE FROM waiting_upto")
    log.db.conn.commit()
    assert open_verdicts(log) == plainly_open(log)
    assert kept == [tuple(row) for row in log.db.execute("SELECT * FROM waiting ORDER BY number")]
    assert words == [tuple(row) for row in log.db.execute("SELECT rowid, words FROM waiting_words ORDER BY rowid")]


def test_a_decision_touches_only_the_same_photograph_and_what_was_judged_with_it(log, monkeypatch):
    numbers = [keep(log, sha256=f"s{number}") for number in range(50)]
    keep(log, sha256="t", together=json.dumps(numbers[:3]), lot=json.dumps({"lot": "7"}))
    assert len(open_verdicts(log)) == 48
    inserted: list[int] = []
    insert = module._insert
    monkeypatch.setattr(module, "_insert", lambda log, found: (inserted.extend(found), insert(log, found)))
    accept(log, numbers[10])
    assert len(open_verdicts(log)) == 47 and inserted == []
    review = accept(log, 51)
    assert len(open_verdicts(log)) == 46 and inserted == []
    withdraw(log, [review], name="Anna")
    assert len(open_verdicts(log)) == 47 and inserted == [51]


def test_another_process_that_adds_is_seen(tmp_path, log):
    first = keep(log)
    assert open_verdicts(log) == [first]
    with VerdictLog.opened(tmp_path) as other:
        second = keep(other, sha256="s2")
        assert open_verdicts(other) == [second, first]
        accept(other, first)
    assert open_verdicts(log) == [second]


def test_a_log_that_cannot_be_written_is_listed_and_stays_as_it_is(tmp_path, log):
    number = keep(log, lot=json.dumps({"sale": "june"}))
    open_verdicts(log)
    other = keep(log, sha256="s2")
    log.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    log.db.close()
    path = tmp_path / DATABASE
    before = path.read_bytes()
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    aside = VerdictLog(Database(connection, execute_plugins=False), is_writable=False)
    assert open_verdicts(aside) == [other, number] == open_verdicts(aside)
    connection.close()
    assert path.read_bytes() == before


def test_the_most_urgent_comes_first_as_in_a_report(log):
    ranks = []
    for priority, row in (
        (Priority.STOLEN, {"outcome": "consistent", "alert": "stolen"}),
        (Priority.MISSING, {"outcome": "divergent", "alert": "missing"}),
        (Priority.KNOWN_FORGERY, {"outcome": "divergent", "alert": "known forgery"}),
        (Priority.DIVERGENT, {"outcome": "divergent", "asked": "A", "lot": "{}"}),
        (Priority.CLAIM, {"outcome": "inconclusive", "asked": "A", "lot": "{}"}),
        (Priority.PLAUSIBLE, {"outcome": "inconclusive"}),
        (Priority.UNREADABLE, {"outcome": UNREADABLE}),
    ):
        known = {"alert": None, "alert_certainty": None, "asked": None, "lot": None, "together": None} | row
        ranks.append((priority.rank, order_of(known | {"distance": 1.0, "threshold": 0.5, "number": 1})))
    assert sorted(ranks) == ranks and sorted(ranks, key=lambda each: each[1]) == ranks
    assert order_of(known | {"distance": 1.0, "threshold": 0.5, "number": 1}) < order_of(
        known | {"distance": 0.9, "threshold": 0.5, "number": 2}
    )


def test_a_review_that_is_withdrawn_counts_nowhere_and_stays_in_the_history(log):
    number = keep(log)
    accept(log, number)
    second = accept(log, number)
    assert open_verdicts(log) == []
    assert withdraw(log, [second], name="Bo", reason="the wrong one") == [second]
    assert withdraw(log, [second], name="Bo") == [], "once is enough"
    assert [review.number for review in reviews(log, number)] == [1] and len(reviewed(log)) == 1
    found = review_of(log, "s1", None, "A")
    assert found and found.review.number == 1
    assert withdraw(log, [1], name="Bo") == [1]
    assert open_verdicts(log) == [number] and review_of(log, "s1", None, "A") is None and reviewed(log) == []
    kept = [(one.review.number, one.withdrawal and one.withdrawal.reason) for one in history(log, number)]
    assert kept == [(1, ""), (2, "the wrong one")]
    for change in ("UPDATE withdrawals SET reason = 'x'", "DELETE FROM withdrawals"):
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            log.db.execute(change)


def test_names_of_files_that_are_no_text_are_found_by_what_is_text(log):
    keep(log, UNREADABLE, None, sha256=None, photo=os.fsencode("/lots/harbour-") + b"\xff.jpg")
    open_verdicts(log)
    assert log.db.execute("SELECT count(*) FROM waiting_words WHERE waiting_words MATCH 'harbour'").fetchone() == (1,)


def test_what_a_decision_touches_is_looked_up_and_never_searched_for_in_the_whole_log(log):
    keep(log)
    open_verdicts(log)
    keep(log, sha256="s2")
    open_verdicts(log)
    for sql in (
        TOUCHED,
        module._TOGETHER.format(one="part", other="whole"),
        module._TOGETHER.format(one="whole", other="part"),
        _OPEN.format(some=TOUCHED, held="held"),
    ):
        plan = [row[3] for row in log.db.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert any("INDEX verdicts_by_content" in line for line in plan), plan
        assert not any(re.fullmatch("SCAN (verdicts|reviews|withdrawals|waiting_parts)( .*)?", line) for line in plan)
    plan = [row[3] for row in log.db.execute(f"EXPLAIN QUERY PLAN {_NEWER}", [1, 0])]
    assert not any(re.fullmatch("SCAN (verdicts|reviews|waiting_parts)( .*)?", line) for line in plan), plan


def test_many_that_were_added_at_once_are_all_seen(log):
    keep(log)
    open_verdicts(log)
    numbers = [keep(log, sha256=f"t{number}") for number in range(1_100)]
    assert open_verdicts(log) == [*numbers[::-1], 1]


@pytest.mark.parametrize("step", ["009_rechecked", "010_together"])
def test_a_log_of_before_several_were_judged_together_that_cannot_be_written_is_listed_and_paged(step):
    database = Database(memory=True)
    VERDICTS.apply(database, stop_before=step)
    aside = VerdictLog(database, is_writable=False)
    number, other = keep(aside), keep(aside, sha256="s2")
    assert open_verdicts(aside) == [other, number] and last_review(aside, number) == 0
    assert neighbours(aside, Filter(), Order.URGENT, number) == (other, None)


@pytest.mark.parametrize("step", ["002_lots_and_reviews", "005_pictures", "008_alerts"])
def test_a_log_too_old_to_be_listed_as_it_is_says_so(step):
    database = Database(memory=True)
    VERDICTS.apply(database, stop_before=step)
    with pytest.raises(CatalogueBusy, match="of an earlier version and cannot be written"):
        open_verdicts(VerdictLog(database, is_writable=False))


def test_a_log_of_the_version_before_that_cannot_be_written_is_listed_and_paged_too():
    database = Database(memory=True)
    VERDICTS.apply(database, stop_before="011_withdrawals")
    aside = VerdictLog(database, is_writable=False)
    number, other = keep(aside), keep(aside, sha256="s2")
    whole = keep(aside, sha256="t", together=json.dumps([other]))
    row = {"verdict": number, "date": "2026-01-02", "name": "Bo", "decision": "accept", "outcome": "divergent"}
    database["reviews"].insert(row | {"object_id": "A", "reason": ""})
    assert open_verdicts(aside) == [whole] and last_review(aside, number) == 1
    assert neighbours(aside, Filter(), Order.URGENT, number) == (whole, None)
    assert [kept.withdrawal for kept in history(aside, number)] == [None]
