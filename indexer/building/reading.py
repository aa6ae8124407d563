"""Read a folder as it is asked for now, else as it was asked for the last time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexer.inputs.layout import Layout, read_layout
from indexer.inputs.metadata import Metadata, choose_metadata, read_metadata
from indexer.inputs.names import composed
from indexer.inputs.scan import Scan, assign_objects
from indexer.inputs.walk import LeftOut, Walk, Why, is_left_out, walk_folder
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import DATABASE
from retrieval.catalogue.folder_photos import photo_folders, photos_in
from retrieval.catalogue.folder_settings import folder_settings, keep_folder_settings
from retrieval.catalogue.rows import Photo
from retrieval.errors import CatalogueMissing

LOOKED_AT = 50  # photographs of a folder that is gone, looked for in one that has come


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a folder is to be read; None: as the last time. An empty pattern is none, and so is an empty exclusion."""

    pattern: str | None = None  # where the id of an object stands in a path
    exclude: tuple[str, ...] | None = None  # patterns of what is left out
    table: str | None = None  # the file in the folder that says more of its objects; `none` for none
    columns: Mapping[str, str] = field(default_factory=dict)  # the column of a field, beside those of the last time


AS_BEFORE = Asked()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a folder holds, and how it was read."""

    folder: Path
    asked: Asked  # settled: nothing in it is None
    layout: Layout | None
    table: Metadata
    walk: Walk

    def scan(self, rows: Mapping[str, Photo]) -> Scan:
        """Return the photographs with their objects; what is catalogued from this folder, by path, keeps its ids."""
        known = {(path, photo.object_id) for path, photo in rows.items()}
        named = {composed(path): object_id for path, object_id in known} if self.table.gone else self.table.named
        return assign_objects(self.walk, named=named, known=known, layout=self.layout)

    def excluded(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Return those of some relative paths that are passed over, whether there is a file or not."""
        return tuple(path for path in paths if is_left_out(path, self.walk.exclusions))


def read_folder(folder: Path, data: Path, asked: Asked) -> Reading:
    """Return what a folder holds, before anything is decoded; raises ArtifactError where that is no photograph."""
    folder = folder.resolve()
    _refuse_folder(folder)
    kept = _kept(folder, data)
    settled = _settled(kept, asked)
    layout = read_layout(settled.pattern) if settled.pattern else None
    exclude = settled.exclude or ()
    choice = choose_metadata(folder, asked=asked.table, kept=kept.get("table", ""), mapping=settled.columns)
    walk = walk_folder(folder, exclude=exclude, tables=(choice.name,))
    if not walk.photographs:
        left_out = sum(walk.left_out.values())
        others = "1 other file or folder is" if left_out == 1 else f"{left_out} other files and folders are"
        but = f" ({others} left out)" if left_out else ""
        raise CatalogueMissing(f"There is no photograph in {folder}{but}. Name the folder that holds them.")
    paths = [path for path, _ in walk.photographs]
    table = read_metadata(choice, paths)
    return Reading(folder, settled, layout, table, walk)


def keep_reading(catalogue: Catalogue, reading: Reading) -> None:
    """Keep how a folder was read, for the next time, and how much was left out of it."""
    left_out = [{"why": why, "what": what, "count": count} for (why, what), count in reading.walk.left_out.items()]
    settings = {
        "pattern": reading.asked.pattern or "",
        "exclude": json.dumps(reading.asked.exclude) if reading.asked.exclude else "",
        "table": reading.table.name or reading.table.gone,
        "columns": json.dumps(reading.asked.columns) if reading.asked.columns else "",
        "left_out": json.dumps(left_out) if left_out else "",
    }
    kept = folder_settings(catalogue.db, str(reading.folder))
    changed = {key: value for key, value in settings.items() if kept.get(key, "") != value}
    keep_folder_settings(catalogue.db, str(reading.folder), changed)


def left_out_of(catalogue: Catalogue, folder: str) -> LeftOut:
    """Return how much the last index left out of a folder."""
    kept = json.loads(folder_settings(catalogue.db, folder).get("left_out", "[]"))
    return {(Why(item["why"]), item["what"]): item["count"] for item in kept}


def _refuse_folder(folder: Path) -> None:
    try:
        str(folder).encode()
    except UnicodeEncodeError as error:
        raise CatalogueMissing(f"The name of the folder {str(folder)!a} is not valid text; rename it.") from error
    if not folder.is_dir():
        is_there = f"{folder} is a file." if folder.exists() else f"There is no folder {folder}."
        raise CatalogueMissing(f"{is_there} Name the folder that holds the photographs.")


def _settled(kept: Mapping[str, str], asked: Asked) -> Asked:
    pattern = kept.get("pattern", "") if asked.pattern is None else asked.pattern
    exclude = json.loads(kept.get("exclude", "[]")) if asked.exclude is None else asked.exclude
    columns = {**json.loads(kept.get("columns", "{}")), **asked.columns}
    return Asked(
        pattern=pattern.strip(),
        exclude=tuple(item for item in exclude if item.strip()),
        columns={name: column for name, column in columns.items() if column.strip()},
    )


def _kept(folder: Path, data: Path) -> Mapping[str, str]:
    """Return what is kept of the folder, or of the one that has become it: gone, with its photographs here."""
    if not (data / DATABASE).is_file():
        return {}
    with Catalogue.reading(data) as catalogue:
        names = photo_folders(catalogue)
        if str(folder) in names:
            return folder_settings(catalogue.db, str(folder))
        moved = (name for name in names if not os.path.lexists(name) and _has_become(catalogue, name, folder))
        return next((kept for name in moved if (kept := folder_settings(catalogue.db, name))), {})


def _has_become(catalogue: Catalogue, name: str, folder: Path) -> bool:
    some = photos_in(catalogue, name, limit=LOOKED_AT)
    return 2 * sum(_is_there(folder, photo) for photo in some) >= len(some)


def _is_there(folder: Path, photo: Photo) -> bool:
    try:
        return (folder / photo.path).stat().st_size == photo.bytes
    except OSError:
        return False
