"""Compare database, vectors, files on disk and FAISS index, and repair what is derived."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np

from indexer.building.publish import publish
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import can_write
from retrieval.catalogue.pictures import (
    drop_unused_pictures,
    is_whole,
    kept_pictures,
    picture_path,
    picture_side,
    unused_pictures,
)
from retrieval.catalogue.rows import Changes, Photo
from retrieval.catalogue.segment_checks import unsound_segments
from retrieval.catalogue.segmenting import update_segments
from retrieval.catalogue.segments import remove_strays, segments_of, stray_files
from retrieval.errors import CatalogueMissing, UnreadableImage
from retrieval.photographs.files import sha256_of

UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What did not agree: `repaired` was derived and is right again, `wrong` needs an index run or a person."""

    photos: int
    repaired: tuple[str, ...]
    wrong: tuple[str, ...]


def check_catalogue(data: Path, *, on_progress: Callable[[int, int], None] = lambda done, total: None) -> CheckReport:
    """Check the catalogue in `data`, every file's hash included; one that cannot be written is not mended.

    Raises CatalogueMissing where there is none.
    """
    with Catalogue.reading(data) as catalogue:
        if catalogue.encoder is None:
            raise CatalogueMissing(f"The catalogue in {data} is empty. Run `artifact index FOLDER` first.")
    mend = can_write(data)
    with (Catalogue.writing if mend else Catalogue.reading)(data) as catalogue:
        photos = catalogue.photos()
        wrong = [
            *_database(catalogue),
            *_vectors(catalogue, photos, mend),
            *_features(catalogue, photos, mend),
            *_pictures(catalogue, photos, mend),
            *_files(photos, on_progress),
        ]
        derived = tuple(_derived(catalogue))
        if not mend:
            unmended = (f"{line}; {data} cannot be written, so it stays so" for line in derived)
            return CheckReport(len(photos), (), (*wrong, *unmended))
        _repair(catalogue)
        return CheckReport(len(photos), derived, tuple(wrong))


def _database(catalogue: Catalogue) -> Iterator[str]:
    for (line,) in catalogue.db.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"the database is damaged ({line}); restore it, or index again into a new folder"
    for table, row, *_ in catalogue.db.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} names an object that does not exist; restore the database"


def _vectors(catalogue: Catalogue, photos: Sequence[Photo], mend: bool) -> Iterator[str]:
    """Say which exemplars have no sound vector; forget the unsound ones so that an index run makes them anew."""
    ids, vectors = catalogue.vectors()
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    sound = set(ids[np.abs(norms - 1.0) < UNIT_TOLERANCE].tolist())
    for photo in photos:
        if photo.photo_id not in sound:
            if mend:
                catalogue.forget_vector(photo.sha256)
            yield f"{photo.file} has no sound vector; {_again(photo)} encodes it again"


def _features(catalogue: Catalogue, photos: Sequence[Photo], mend: bool) -> Iterator[str]:
    """Say which exemplars have no sound features; forget the unsound ones so that an index run finds them anew."""
    for photo in photos:
        if not catalogue.features([photo.sha256]):
            if mend:
                catalogue.forget_features(photo.sha256)
            yield f"{photo.file} has no sound features; {_again(photo)} finds them again"


def _pictures(catalogue: Catalogue, photos: Sequence[Photo], mend: bool) -> Iterator[str]:
    """Say which exemplars lack a sound working picture; remove unsound ones so that an index run makes them anew."""
    if not picture_side(catalogue):
        return
    unsound = {path for path in kept_pictures(catalogue.data) if not is_whole(path)}
    contents = {path.name.partition(".")[0] for path in unsound}
    for path in unsound if mend else ():
        path.unlink(missing_ok=True)
    for photo in photos:
        if photo.sha256 in contents or not picture_path(catalogue.data, photo.sha256).exists():
            yield f"{photo.file} has no sound working picture; {_again(photo)} makes it again"


def _again(photo: Photo, *options: str) -> str:
    return f"`{' '.join(['artifact index', quote(photo.folder), *options])}`"


def _files(photos: Sequence[Photo], on_progress: Callable[[int, int], None]) -> Iterator[str]:
    for done, photo in enumerate(photos, 1):
        try:
            if sha256_of(photo.file) != photo.sha256:
                yield f"{photo.file} has changed since it was indexed; {_again(photo)} takes it anew"
        except UnreadableImage as error:
            yield f"{photo.file}: {error}; {_again(photo, '--prune')} removes it if it is gone"
        on_progress(done, len(photos))


def _derived(catalogue: Catalogue) -> Iterator[str]:
    """Say which thresholds and segments do not agree with the database."""
    if _is_complete(catalogue) and catalogue.thresholds() is None:
        yield "the thresholds of this revision were missing"
    yield from unsound_segments(catalogue)
    for stray in stray_files(catalogue.data, segments_of(catalogue) or ()):
        yield f"{stray.name} was left over"
    if unused := unused_pictures(catalogue):
        yield f"{len(unused)} of the working pictures, such as {unused[0].name}, belonged to no exemplar"


def _is_complete(catalogue: Catalogue) -> bool:
    return catalogue.count_vectors() == catalogue.counts()[1]


def _repair(catalogue: Catalogue) -> None:
    """Bring thresholds and segments into agreement with the database."""
    if any(unsound_segments(catalogue)):
        update_segments(catalogue, anew=True)
    if _is_complete(catalogue):
        publish(catalogue, Changes())
    remove_strays(catalogue.data, segments_of(catalogue) or ())
    drop_unused_pictures(catalogue)
