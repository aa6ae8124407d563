"""Keep how each folder was indexed, so that the next index of it is asked for in the same way."""

from __future__ import annotations

from collections.abc import Mapping

from sqlite_utils import Database


def folder_settings(database: Database, folder: str) -> dict[str, str]:
    """Return what is kept for a folder, by key; empty for a new one."""
    return dict(database.execute("SELECT key, value FROM folder_settings WHERE folder = ?", [folder]).fetchall())


def keep_folder_settings(database: Database, folder: str, settings: Mapping[str, str]) -> None:
    """Keep settings of a folder in place of those of the same keys; an empty value forgets."""
    with database.atomic():
        for key, value in settings.items():
            if value:
                database["folder_settings"].upsert({"folder": folder, "key": key, "value": value}, pk=("folder", "key"))
            else:
                database.execute("DELETE FROM folder_settings WHERE folder = ? AND key = ?", [folder, key])


def move_folder_settings(database: Database, old: str, new: str) -> None:
    """Let a folder that moved take its settings along; those that the new place has anyway hold."""
    with database.atomic():
        database.execute("UPDATE OR IGNORE folder_settings SET folder = ? WHERE folder = ?", [new, old])
        database.execute("DELETE FROM folder_settings WHERE folder = ?", [old])
