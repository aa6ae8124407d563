"""Open the database of a data folder: one writer, many readers, and plain words where it cannot be used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from retrieval.catalogue.migrations import MIGRATIONS
from retrieval.errors import CatalogueBusy, CatalogueDamaged, CatalogueMissing

DATABASE = "catalogue.db"
WAIT_SECONDS = 30.0
WAIT_FOR_STEPS = 600.0  # until somebody else has brought a catalogue to this version
LARGEST = 2**63 - 1  # number that SQLite holds


def can_write(data: Path, name: str = DATABASE) -> bool:
    """Say whether a database of a data folder may be written, or made there."""
    path = data / name
    return os.access(data, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def check_there(data: Path) -> None:
    """Raise CatalogueMissing where a data folder holds no catalogue."""
    if data.is_file():
        raise CatalogueMissing(f"{data} is a file. --data names the folder where a catalogue is kept.")
    if not (data / DATABASE).is_file():
        raise CatalogueMissing(f"No catalogue in {data}. Run `artifact index FOLDER` first, or name it with --data.")


def make_folder(data: Path) -> None:
    """Make a data folder where there is none; raises CatalogueMissing."""
    try:
        os.fsencode(data).decode()
    except UnicodeDecodeError as error:  # FAISS takes no other name
        raise CatalogueMissing(f"The name of the folder {str(data)!a} is not valid text; name another.") from error
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogueMissing(f"cannot make the folder {data}: {error.strerror}") from error


@contextmanager
def lock(data: Path, name: str = "write.lock", *, wait: float = 0.0) -> Iterator[None]:
    """Hold the one right to write the catalogue in a data folder; raises CatalogueBusy where another run has it."""
    file_lock = FileLock(data / name, timeout=wait)
    try:
        file_lock.acquire()
    except Timeout as error:
        raise CatalogueBusy(
            f"Another run is writing the catalogue in {data}. Wait until it ends, then try again."
        ) from error
    except OSError as error:
        raise CatalogueBusy(f"The catalogue in {data} cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        file_lock.release()


def is_up_to_date(data: Path) -> bool:
    """Say whether the catalogue in a data folder is of this version; opening one that is not changes it."""
    check_there(data)
    with connected(data) as database:
        return not MIGRATIONS.pending(database)


def bring_up_to_date(database: Database, data: Path) -> None:
    """Apply the steps that the database of a catalogue lacks; raises CatalogueBusy where it cannot be written."""
    if not can_write(data):
        raise CatalogueBusy(
            f"The catalogue in {data} is of an earlier version and cannot be written. Copy the folder and name the "
            "copy with --data, or let its owner run `artifact status`."
        )
    with lock(data, wait=WAIT_FOR_STEPS):
        apply_steps(database)


def apply_steps(database: Database) -> None:
    """Bring a catalogue to this version."""
    if not MIGRATIONS.pending(database):
        return
    MIGRATIONS.apply(database)
    shrink(database)


def shrink(database: Database) -> None:
    """Give back to the disk what a database holds of it and does not use, where that is more than half; unless read."""
    pages, empty = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
    if empty > pages // 2:
        with suppress(sqlite3.OperationalError):
            database.execute("PRAGMA busy_timeout = 0")
            database.vacuum()
        database.execute(f"PRAGMA busy_timeout = {round(1000 * WAIT_SECONDS)}")


@contextmanager
def connected(
    data: Path,
    name: str = DATABASE,
    steps: Migrations = MIGRATIONS,
    *,
    any_thread: bool = False,
    journal: str = "WAL",
) -> Iterator[Database]:
    """Open a database of a data folder, and turn what SQLite may say of a damaged one into our own words.

    `steps` have made it, though perhaps not all of them yet. With `any_thread`, several use it, one at a time. A
    `journal` is that of SQLite: all who use a database with `WAL` are on one machine.
    """
    path = data / name
    read_only = path.exists() and not can_write(data, name)
    target = _read_only_uri(path, journal) if read_only else str(path)
    connection: sqlite3.Connection | None = None
    try:
        with said_plainly(data, name):
            connection = sqlite3.connect(target, uri=read_only, timeout=WAIT_SECONDS, check_same_thread=not any_thread)
            database = Database(connection, execute_plugins=False)
            _refuse_foreign(database, path, steps)
            if not read_only:
                connection.execute(f"PRAGMA journal_mode = {journal}")
                connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            yield database
    finally:
        if connection is not None:
            connection.close()


@contextmanager
def said_plainly(data: Path, name: str = DATABASE) -> Iterator[None]:
    """Turn what SQLite says of a database into CatalogueBusy or CatalogueDamaged."""
    path = data / name
    try:
        yield
    except sqlite3.OperationalError as error:
        raise CatalogueBusy(f"{path} cannot be used now: {error}") from error
    except sqlite3.DatabaseError as error:
        raise CatalogueDamaged(
            f"{path} is damaged or no catalogue: {error}. Restore it, or index again elsewhere."
        ) from error


@contextmanager
def writing(database: Database) -> Iterator[None]:
    """Give a transaction that may write from its beginning: it waits for others, and is kept whole or not at all.

    One that only reads at first is refused where another process has written meanwhile.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        database.rollback()
        raise


def _read_only_uri(path: Path, journal: str) -> str:
    """Name the database so that SQLite writes nothing beside it, and still sees what a killed run left in its log.

    Without such a log, somebody else may write it meanwhile, and SQLite has to look.
    """
    log = path.with_name(f"{path.name}-wal")
    immutable = "&immutable=1" if journal == "WAL" and not (log.exists() and log.stat().st_size) else ""
    return f"{path.resolve().as_uri()}?mode=ro{immutable}"


def _refuse_foreign(database: Database, path: Path, steps: Migrations) -> None:
    """Raise CatalogueDamaged for another program's database, and for one that a newer version of ours wrote."""
    tables = set(database.table_names()) - {steps.migrations_table}  # before the steps: a writer may be making it
    applied = steps.applied(database)
    if tables and not applied:
        raise CatalogueDamaged(f"{path} is the database of another program, no catalogue. Name another folder.")
    known = {migration.name for migration in steps.pending(database)}
    known |= {migration.name for migration in steps._migrations}
    if any(migration.name not in known for migration in applied):
        raise CatalogueDamaged(f"{path} was written by a newer version of this program; update it.")
