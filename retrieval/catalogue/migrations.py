"""The schema of the catalogue, as numbered steps that run once each, in order."""

from __future__ import annotations

from typing import Any

from sqlite_utils.migrations import Migrations

from retrieval.moment import in_utc
from retrieval.photographs.earlier_features import recode_features

MIGRATIONS = Migrations("artifact")  # of the catalogue


@MIGRATIONS(name="001_catalogue")
def _catalogue(db: Any) -> None:
    db["settings"].create({"key": str, "value": str}, pk="key")
    db["objects"].create(
        {
            "object_id": str,
            "title": str,
            "maker": str,
            "date": str,
            "materials": str,
            "measurements": str,
            "inscriptions": str,
            "accession": str,
            "status": str,
            "other": str,  # every further column of catalogue.csv, verbatim, as a JSON object
        },
        pk="object_id",
    )
    db.execute(
        """CREATE TABLE photos (
            photo_id INTEGER PRIMARY KEY AUTOINCREMENT,
            object_id TEXT NOT NULL REFERENCES objects(object_id),
            folder TEXT NOT NULL,
            path TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            modified_ns INTEGER NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            role TEXT NOT NULL,
            UNIQUE (folder, path)
        )"""
    )
    db["photos"].create_index(["object_id"])
    db["photos"].create_index(["sha256"])
    db["vectors"].create(
        {"sha256": str, "fingerprint": str, "bytes": int, "width": int, "height": int, "vector": bytes},
        pk=("sha256", "fingerprint"),
        not_null={"bytes", "width", "height", "vector"},
    )
    db["skipped"].create({"folder": str, "path": str, "reason": str}, pk=("folder", "path"))


@MIGRATIONS(name="002_thresholds")
def _thresholds(db: Any) -> None:
    db["rephotographs"].create(
        {"sha256": str, "fingerprint": str, "simulation": int, "distance": float},
        pk=("sha256", "fingerprint", "simulation"),
    )
    db["thresholds"].create({"revision": int, "kind": str, "value": float, "rate": float, "count": int}, pk="kind")


@MIGRATIONS(name="003_features")
def _features(db: Any) -> None:
    db["features"].create({"sha256": str, "version": int, "features": bytes}, pk="sha256", not_null={"version"})


@MIGRATIONS(name="004_calibrations")
def _calibrations(db: Any) -> None:
    db.execute(
        """CREATE TABLE calibrations (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            date TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            revision INTEGER NOT NULL,
            body TEXT NOT NULL  -- all of it, as a JSON object
        )"""
    )


@MIGRATIONS(name="005_folder_settings")
def _folder_settings(db: Any) -> None:
    """What a folder was indexed with, to be used again; and what each revision changed in the metadata."""
    columns = {"folder": str, "key": str, "value": str}
    db["folder_settings"].create(columns, pk=("folder", "key"), not_null={"value"})
    db.execute(
        """CREATE TABLE metadata_changes (
            revision INTEGER NOT NULL,
            object_id TEXT NOT NULL,
            field TEXT NOT NULL,
            before TEXT NOT NULL,  -- empty: nothing
            after TEXT NOT NULL,
            PRIMARY KEY (revision, object_id, field)
        )"""
    )


@MIGRATIONS(name="006_dates_in_utc")
def _calibrations_in_utc(db: Any) -> None:
    db.conn.create_function("in_utc", 1, in_utc)
    quoted = "'\"' || {} || '\"'"
    in_body = f"replace(body, {quoted.format('date')}, {quoted.format('in_utc(date)')})"
    db.execute(f"UPDATE calibrations SET date = in_utc(date), body = {in_body}")


@MIGRATIONS(name="007_search")
def _search(db: Any) -> None:
    """The words of every object, kept up to date by the database itself, whoever writes `objects`.

    The number of a text stays, which the hidden one of a row of `objects` does not where a database is vacuumed.
    """
    names = "object_id, title, maker, accession, more"
    others = "coalesce({row}.date, ''), coalesce({row}.materials, ''), coalesce({row}.measurements, ''), "
    others += "coalesce({row}.inscriptions, ''), coalesce({row}.status, '')"
    of_json = "(SELECT group_concat(value, ' ') FROM json_each(CASE WHEN json_valid({row}.other) THEN {row}.other END))"
    more = others.replace(", coalesce", " || ' ' || coalesce") + f" || ' ' || coalesce({of_json}, '')"
    values = "{row}.object_id, {row}.title, {row}.maker, {row}.accession, " + more
    db.execute(
        """CREATE TABLE object_texts (
            number INTEGER PRIMARY KEY,
            object_id TEXT NOT NULL UNIQUE,
            title TEXT,
            maker TEXT,
            accession TEXT,
            more TEXT NOT NULL  -- all other metadata
        )"""
    )
    db.execute(
        f"""CREATE VIRTUAL TABLE object_words USING fts5({names}, content = 'object_texts', content_rowid = 'number',
            tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3')"""
    )
    put = f"INSERT INTO object_words (rowid, {names}) SELECT new.number, {_of('new', names)};"
    drop = f"INSERT INTO object_words (object_words, rowid, {names}) SELECT 'delete', old.number, {_of('old', names)};"
    _trigger(db, "words_of_new_text", "AFTER INSERT ON object_texts", put)
    _trigger(db, "words_of_gone_text", "AFTER DELETE ON object_texts", drop)
    forget = "DELETE FROM object_texts WHERE object_id = {row}.object_id;"
    add = f"INSERT INTO object_texts ({names}) VALUES ({values});".format(row="new")
    _trigger(db, "text_of_new_object", "AFTER INSERT ON objects", forget.format(row="new") + add)
    _trigger(db, "text_of_changed_object", "AFTER UPDATE ON objects", forget.format(row="old") + add)
    _trigger(db, "text_of_gone_object", "AFTER DELETE ON objects", forget.format(row="old"))
    db.execute(f"INSERT INTO object_texts ({names}) SELECT {values.format(row='objects')} FROM objects")
    db["objects"].create_index(["status"])


@MIGRATIONS(name="008_history_of_objects")
def _history_of_objects(db: Any) -> None:
    db["metadata_changes"].create_index(["object_id"])


@MIGRATIONS(name="009_coded_features")
def _coded_features(db: Any) -> None:
    """A fifth of the bytes, coded from what is kept: no photograph is needed."""
    recode_features(db, "features")


@MIGRATIONS(name="010_notes_of_derived_files")
def _notes_of_derived_files(db: Any) -> None:
    """What the settings hold of the files of vectors and votes no longer counts once others come, or some are gone."""
    for table, key in (("vectors", "vectors"), ("features", "votes")):
        body = f"DELETE FROM settings WHERE key = '{key}';"
        _trigger(db, f"note_after_new_{table}", f"AFTER INSERT ON {table}", body)
        needed = "WHEN EXISTS (SELECT 1 FROM photos WHERE sha256 = old.sha256)"
        _trigger(db, f"note_after_gone_{table}", f"AFTER DELETE ON {table} {needed}", body)


@MIGRATIONS(name="011_segments")
def _segments(db: Any) -> None:
    """Contents that may have come or gone since segments were written, and those that are gone but still in one."""
    for table in ("vectors", "features"):
        for event in ("new", "gone"):
            db.execute(f"DROP TRIGGER note_after_{event}_{table}")
    db.execute("DELETE FROM settings WHERE key IN ('vectors', 'votes')")
    db.execute("CREATE TABLE unsegmented (sha256 TEXT PRIMARY KEY, anew INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID")
    db.execute("CREATE TABLE left_behind (sha256 TEXT PRIMARY KEY) WITHOUT ROWID")
    note = "INSERT INTO unsegmented (sha256) VALUES ({row}.sha256) ON CONFLICT (sha256) DO NOTHING;"
    new, old = note.format(row="new"), note.format(row="old")
    _trigger(db, "segments_lack_photo", "AFTER INSERT ON photos", new)
    _trigger(db, "segments_have_photo", "AFTER DELETE ON photos", old)
    other = "AFTER UPDATE OF sha256 ON photos WHEN new.sha256 <> old.sha256"
    _trigger(db, "segments_have_another", other, new + old)
    for table in ("vectors", "features"):
        for event, row in (("INSERT", "new"), ("DELETE", "old")):
            needed = f"WHEN EXISTS (SELECT 1 FROM photos WHERE sha256 = {row}.sha256)"
            body = f"INSERT INTO unsegmented VALUES ({row}.sha256, 1) ON CONFLICT (sha256) DO UPDATE SET anew = 1;"
            _trigger(db, f"{table}_{event.lower()}", f"AFTER {event} ON {table} {needed}", body)


@MIGRATIONS(name="012_lookups")
def _lookups(db: Any) -> None:
    """What is looked up instead of reading all rows: sizes, contents without an exemplar, counts.

    The database itself keeps `unused_contents` and `row_counts` up to date, whoever writes the tables.
    """
    db["vectors"].create_index(["bytes", "fingerprint"])
    db.execute("CREATE TABLE unused_contents (sha256 TEXT PRIMARY KEY) WITHOUT ROWID")
    is_used = "EXISTS (SELECT 1 FROM photos WHERE sha256 = {row}.sha256)"
    forget = "DELETE FROM unused_contents WHERE sha256 = new.sha256;"
    note = "INSERT OR IGNORE INTO unused_contents VALUES ({row}.sha256);"
    for table in ("vectors", "features", "rephotographs"):
        when = f"AFTER INSERT ON {table} WHEN NOT {is_used.format(row='new')}"
        _trigger(db, f"unused_among_new_{table}", when, note.format(row="new"))
        db.execute(
            f"INSERT OR IGNORE INTO unused_contents SELECT sha256 FROM {table} "
            "WHERE sha256 NOT IN (SELECT sha256 FROM photos)"
        )
    db.execute("CREATE TABLE row_counts (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID")
    for table in ("objects", "photos"):
        db.execute(f"INSERT INTO row_counts SELECT '{table}', count(*) FROM {table}")
        for event, step in (("INSERT", "+ 1"), ("DELETE", "- 1")):
            body = f"UPDATE row_counts SET count = count {step} WHERE name = '{table}';"
            _trigger(db, f"count_{table}_at_{event.lower()}", f"AFTER {event} ON {table}", body)
    is_left = f"WHEN NOT {is_used.format(row='old')}"
    _trigger(db, "used_by_new_photo", "AFTER INSERT ON photos", forget)
    _trigger(db, "used_by_changed_photo", "AFTER UPDATE OF sha256 ON photos", forget)
    _trigger(db, "left_by_changed_photo", f"AFTER UPDATE OF sha256 ON photos {is_left}", note.format(row="old"))
    _trigger(db, "left_by_gone_photo", f"AFTER DELETE ON photos {is_left}", note.format(row="old"))
    db.execute("INSERT INTO settings SELECT 'stray_pictures', 'perhaps' WHERE EXISTS (SELECT 1 FROM vectors)")


@MIGRATIONS(name="013_status_changes")
def _status_changes(db: Any) -> None:
    """Contents of which the statuses, of the objects that they show, may be others than a store has beside them.

    A store that is used by now has none; what goes into one later has those of its day.
    """
    db.execute("CREATE TABLE status_changes (sha256 TEXT PRIMARY KEY) WITHOUT ROWID")
    note = "INSERT INTO status_changes {found} ON CONFLICT (sha256) DO NOTHING;"
    of_object = note.format(found="SELECT DISTINCT sha256 FROM photos WHERE object_id = new.object_id")
    changed = "coalesce(new.status, '') <> coalesce(old.status, '')"
    _trigger(db, "status_of_new_object", "AFTER INSERT ON objects WHEN new.status > ''", of_object)
    _trigger(db, "status_of_changed_object", f"AFTER UPDATE OF status ON objects WHEN {changed}", of_object)
    for event, row in (("INSERT", "new"), ("DELETE", "old")):
        needed = f"WHEN EXISTS (SELECT 1 FROM objects WHERE object_id = {row}.object_id AND status > '')"
        of_photo = note.format(found=f"VALUES ({row}.sha256)")
        _trigger(db, f"status_at_{event.lower()}", f"AFTER {event} ON photos {needed}", of_photo)
    moved = "WHEN new.sha256 <> old.sha256 OR new.object_id <> old.object_id"
    both = "".join(note.format(found=f"VALUES ({row}.sha256)") for row in ("new", "old"))
    _trigger(db, "status_at_change", f"AFTER UPDATE OF sha256, object_id ON photos {moved}", both)
    db.execute(
        """INSERT INTO status_changes SELECT DISTINCT p.sha256 FROM objects o JOIN photos p ON p.object_id = o.object_id
           WHERE o.status > '' AND EXISTS (
               SELECT 1 FROM settings WHERE key IN ('store', 'segments') AND value LIKE '%milvus%')"""
    )


def _of(row: str, names: str) -> str:
    return ", ".join(f"{row}.{name}" for name in names.split(", "))


def _trigger(db: Any, name: str, when: str, body: str) -> None:
    db.execute(f"CREATE TRIGGER {name} {when} BEGIN {body} END")
