"""The schema of the log of verdicts, as numbered steps that run once each, in order."""

from __future__ import annotations

from typing import Any

from sqlite_utils.migrations import Migrations

from retrieval.moment import in_utc
from retrieval.photographs.earlier_features import recode_features

VERDICTS = Migrations("artifact-verdicts")


@VERDICTS(name="001_verdicts")
def _verdicts(db: Any) -> None:
    db.execute(
        """CREATE TABLE verdicts (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            date TEXT NOT NULL,
            photo TEXT NOT NULL,
            sha256 TEXT,
            asked TEXT,  -- the one object that the photograph was compared with; null: all
            encoder TEXT NOT NULL,
            revision INTEGER NOT NULL,
            calibration INTEGER,
            region TEXT,  -- x, y, width, height
            outcome TEXT NOT NULL,
            object_id TEXT,
            exemplar TEXT,
            "global" REAL,
            local REAL,
            combined REAL,
            threshold REAL,  -- of the distance that decided
            likelihood_ratio REAL,
            p_value REAL,
            reasons TEXT NOT NULL  -- a JSON list
        )"""
    )
    db["verdicts"].create_index(["sha256"])


@VERDICTS(name="002_lots_and_reviews")
def _lots_and_reviews(db: Any) -> None:
    db.execute("ALTER TABLE verdicts ADD COLUMN lot TEXT")  # the row of the lot, as a JSON object
    db.execute("ALTER TABLE verdicts ADD COLUMN alert TEXT")  # stolen, missing, known forgery
    db["verdicts"].create_index(["object_id"])
    db.execute(
        """CREATE TABLE reviews (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            verdict INTEGER NOT NULL REFERENCES verdicts(number),
            date TEXT NOT NULL,
            name TEXT NOT NULL,
            decision TEXT NOT NULL,  -- accept, overrule
            outcome TEXT NOT NULL,  -- that the reviewer holds to be right, of this object
            object_id TEXT,
            reason TEXT NOT NULL
        )"""
    )
    db["reviews"].create_index(["verdict"])
    for change in ("UPDATE", "DELETE"):
        _refuse(db, change)


def _refuse(db: Any, change: str) -> None:
    db.execute(
        f"CREATE TRIGGER no_{change.lower()}_of_reviews BEFORE {change} ON reviews "
        "BEGIN SELECT RAISE(ABORT, 'a review is never changed'); END"
    )


@VERDICTS(name="003_sightings")
def _sightings(db: Any) -> None:
    db.execute(
        """CREATE TABLE sightings (  -- how works looked that are of no object of the catalogue
            verdict INTEGER PRIMARY KEY REFERENCES verdicts(number),
            encoder TEXT NOT NULL,
            vector BLOB NOT NULL,  -- float16
            version INTEGER NOT NULL,  -- of the features
            features BLOB NOT NULL
        )"""
    )


@VERDICTS(name="004_dates_in_utc")
def _dates_in_utc(db: Any) -> None:
    db.conn.create_function("in_utc", 1, in_utc)
    db.execute("UPDATE verdicts SET date = in_utc(date)")
    db.execute("DROP TRIGGER no_update_of_reviews")
    db.execute("UPDATE reviews SET date = in_utc(date)")
    _refuse(db, "UPDATE")


@VERDICTS(name="005_pictures")
def _pictures(db: Any) -> None:
    db.execute("ALTER TABLE verdicts ADD COLUMN picture INTEGER")  # its number in a file of several, else NULL


@VERDICTS(name="006_conditions")
def _conditions(db: Any) -> None:
    db.execute("ALTER TABLE verdicts ADD COLUMN condition TEXT")  # of the photograph: small, surrounded, close


@VERDICTS(name="007_comparisons")
def _comparisons(db: Any) -> None:
    db.execute("ALTER TABLE verdicts ADD COLUMN comparison TEXT")  # what the combined distance is measured by


@VERDICTS(name="008_alerts")
def _alerts(db: Any) -> None:
    db.execute("ALTER TABLE verdicts ADD COLUMN alert_certainty TEXT")  # consistent, undecided
    db.execute("ALTER TABLE verdicts ADD COLUMN alert_object TEXT")  # that the alert is about, where there is one
    db.execute("ALTER TABLE verdicts ADD COLUMN recheck_of INTEGER")  # the earlier verdict on the same work


@VERDICTS(name="009_rechecked")
def _rechecked(db: Any) -> None:
    """Which stolen or missing objects all that was seen has been searched for."""
    db["rechecked"].create({"object_id": str, "state": str}, pk="object_id", not_null={"state"})


@VERDICTS(name="010_together")
def _together(db: Any) -> None:
    db.execute("ALTER TABLE verdicts ADD COLUMN together TEXT")  # the verdicts that one on several photographs rests on


@VERDICTS(name="011_withdrawals")
def _withdrawals(db: Any) -> None:
    """Entries by which reviews are taken back; `held` are the reviews that count."""
    db.execute(
        """CREATE TABLE withdrawals (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            review INTEGER NOT NULL UNIQUE REFERENCES reviews(number),
            date TEXT NOT NULL,
            name TEXT NOT NULL,
            reason TEXT NOT NULL
        )"""
    )
    for change in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER no_{change.lower()}_of_withdrawals BEFORE {change} ON withdrawals "
            "BEGIN SELECT RAISE(ABORT, 'a withdrawal is never changed'); END"
        )
    db.execute(
        "CREATE VIEW held AS SELECT * FROM reviews "
        "WHERE NOT EXISTS (SELECT 1 FROM withdrawals WHERE review = reviews.number)"
    )


@VERDICTS(name="012_waiting")
def _waiting(db: Any) -> None:
    """What waits for a person, derived from verdicts and reviews; rebuilt where `waiting_upto` is empty."""
    db.execute("CREATE INDEX verdicts_by_content ON verdicts(coalesce(sha256, hex(photo)))")
    for statement in WAITING:
        db.execute(statement)


@VERDICTS(name="013_coded_features")
def _coded_features(db: Any) -> None:
    recode_features(db, "sightings")


# The derived tables of what waits; a log that cannot be written has them as temporary ones.
WAITING = (
    """CREATE TABLE waiting (
        number INTEGER PRIMARY KEY,
        content TEXT NOT NULL,  -- of the photograph: its hash, or its name where it could not be read
        rank INTEGER NOT NULL,  -- the most urgent first
        far REAL NOT NULL,  -- minus how far beyond the threshold
        last INTEGER NOT NULL,  -- minus the number
        outcome TEXT NOT NULL,
        alert TEXT,
        object_id TEXT,
        distance REAL,
        date TEXT NOT NULL,
        sale TEXT,
        house TEXT
    )""",
    "CREATE INDEX waiting_in_order ON waiting(rank, far, last)",
    "CREATE INDEX waiting_by_content ON waiting(content)",
    "CREATE INDEX waiting_by_object ON waiting(object_id)",
    "CREATE INDEX waiting_by_sale ON waiting(sale)",
    "CREATE INDEX waiting_by_house ON waiting(house)",
    "CREATE INDEX waiting_by_outcome ON waiting(outcome, alert)",
    """CREATE TABLE waiting_parts (  -- which verdicts those on several photographs rest on
        part INTEGER NOT NULL, whole INTEGER NOT NULL, PRIMARY KEY (part, whole)
    ) WITHOUT ROWID""",
    "CREATE INDEX waiting_parts_by_whole ON waiting_parts(whole)",
    "CREATE TABLE waiting_upto (verdict INTEGER NOT NULL, review INTEGER NOT NULL, withdrawal INTEGER NOT NULL)",
    "CREATE VIRTUAL TABLE waiting_words USING fts5(words, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')",
)
