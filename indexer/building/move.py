"""Let the catalogue know that a folder of exemplars has moved; nothing is read but names and sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from indexer.building.publish import publish
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.folder_settings import move_folder_settings
from retrieval.catalogue.rows import Changes, Photo
from retrieval.errors import CatalogueMissing


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move came to."""

    photos: int
    there: int  # of them, in the new folder with the size that they had
    revision: int


def move_folder(old: Path, new: Path, data: Path) -> Moved:
    """Let the exemplars of a folder, or of the folders in it, be those of another one; raises CatalogueMissing.

    Nothing is encoded: what is in the new folder is taken for what was indexed, and `check` compares the contents.
    """
    with Catalogue.writing(data) as catalogue:
        photos = catalogue.photos()
        folders = _folders(catalogue, old, new)
        moving = [photo for photo in photos if photo.folder in folders]
        if not moving:
            known = ", ".join(sorted({photo.folder for photo in photos})) or "none"
            raise CatalogueMissing(f"No exemplar is catalogued from {old}. Catalogued folders: {known}")
        moved = [replace(photo, folder=folders[photo.folder]) for photo in moving]
        there = sum(map(_is_there, moved))
        if not there:
            raise CatalogueMissing(f"{new} holds none of the {len(moving)} photographs of {old}, with the same size.")
        staying = {(photo.folder, photo.path) for photo in photos if photo.folder not in folders}
        if taken := [photo for photo in moved if (photo.folder, photo.path) in staying]:
            raise CatalogueMissing(
                f"{taken[0].file} is catalogued already, as {len(taken)} of the {len(moved)} are. "
                f"`artifact index {quote(str(new))} --prune` brings both together."
            )
        if moved != moving:
            _move_rest(catalogue, folders)
            publish(catalogue, Changes(put=moved))
        return Moved(len(moved), there, catalogue.revision)


def _folders(catalogue: Catalogue, old: Path, new: Path) -> Mapping[str, str]:
    """Return where each catalogued folder is now that is the old one or lies in it."""
    return {
        folder: str(new.resolve() / Path(folder).relative_to(name))
        for folder in catalogue.folders()
        for name in {old.absolute(), old.resolve()}
        if Path(folder).is_relative_to(name)
    }


def _is_there(photo: Photo) -> bool:
    try:
        return photo.file.stat().st_size == photo.bytes
    except OSError:
        return False


def _move_rest(catalogue: Catalogue, folders: Mapping[str, str]) -> None:
    """Let what is kept of the folders themselves go along: their settings, and what was left out."""
    with catalogue.db.atomic():
        for old, new in folders.items():
            move_folder_settings(catalogue.db, old, new)
            catalogue.db.execute("DELETE FROM skipped WHERE folder = ?", [new])
            catalogue.db.execute("UPDATE skipped SET folder = ? WHERE folder = ?", [new, old])
