"""Look up what a folder has in common with other folders of the catalogue: photographs that came, ids, files."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from indexer.inputs.scan import FoundFile, SkippedItem
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.folder_photos import (
    has_more_photos,
    in_order,
    photo_folders,
    photos_elsewhere,
    photos_in,
    photos_inside,
    photos_of_shared_objects,
)
from retrieval.catalogue.rows import Content, Photo


@dataclass(frozen=True, slots=True)
class OtherFolders:
    """The exemplars of all folders but one, of which only those are read that have something in common with it."""

    catalogue: Catalogue
    folder: str

    def adopted(self, contents: Mapping[str, Content], rows: Mapping[str, Photo]) -> dict[str, Photo]:
        """Return, by path, the photos of folders that have become this one: gone, with half of their photos here.

        `contents` holds what could be read of this folder, by path, and `rows` what is catalogued from it.
        """
        moved: list[Photo] = []
        for name in photo_folders(self.catalogue):
            if name == self.folder or os.path.lexists(name):
                continue
            if has_more_photos(self.catalogue, name, 2 * len(contents)):
                continue
            photos = photos_in(self.catalogue, name)
            same = sum(photo.path in contents and contents[photo.path].sha256 == photo.sha256 for photo in photos)
            moved += photos if 2 * same >= len(photos) else []
        new = [photo for photo in moved if photo.path not in rows]
        return {photo.path: replace(photo, folder=self.folder) for photo in sorted(new, key=in_order)}

    def lost(self, sha256s: Iterable[str], arriving: Collection[int | None]) -> list[Photo]:
        """Return the photos with some contents whose file is no longer there, but for those `arriving`, in order."""
        photos = photos_elsewhere(self.catalogue, self.folder, sha256s)
        return [photo for photo in photos if photo.photo_id not in arriving and _is_lost(photo)]

    def claims(
        self,
        found: Sequence[FoundFile],
        contents: Mapping[str, Content],
        rows: Mapping[str, Photo],
        arriving: Collection[int | None],
    ) -> list[SkippedItem]:
        """Name the files that are catalogued from another folder, or whose object is, unless it came from there."""
        files = photos_inside(self.catalogue, self.folder, without=arriving)
        foreign = self._foreign(found, contents, rows, arriving)
        skipped: list[SkippedItem] = []
        for item in found if files or foreign else ():
            if (photo := files.get(item.path)) is not None:
                reason = f"is catalogued already, as {photo.object_id!r} from {photo.folder}"
                skipped.append(SkippedItem(item.path, reason))
            elif (photo := foreign.get(item.object_id)) is not None and item.path in contents:
                reason = f"claims the object id {item.object_id!r}, catalogued from {photo.file}"
                skipped.append(SkippedItem(item.path, reason))
        return skipped

    def _foreign(
        self,
        found: Sequence[FoundFile],
        contents: Mapping[str, Content],
        rows: Mapping[str, Photo],
        arriving: Collection[int | None],
    ) -> dict[str, Photo]:
        """Return the last photo that holds each object for another folder, where one does."""
        known = {photo.object_id for photo in rows.values()}
        new = (item.object_id for item in found if item.object_id not in known)
        shared = photos_of_shared_objects(self.catalogue, self.folder, new)
        shared = [photo for photo in shared if photo.photo_id not in arriving]
        lost = {photo.photo_id for photo in shared if _is_lost(photo)}
        present = {content.sha256 for content in contents.values()} if lost else set()
        came = {photo.object_id for photo in shared if photo.photo_id in lost and photo.sha256 in present}
        return {p.object_id: p for p in shared if p.photo_id not in lost or p.object_id not in came}


def _is_lost(photo: Photo) -> bool:
    try:
        photo.file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
