"""Compare database, vectors, files on disk and FAISS index, and repair what is derived."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from indexer.building.photo_checks import file_trouble, without_features, without_picture, without_vector
from indexer.building.publish import publish
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import can_write
from retrieval.catalogue.photo_pages import photo_pages
from retrieval.catalogue.pictures import (
    content_of,
    drop_unused_pictures,
    is_whole,
    kept_pictures,
    picture_side,
    unused_pictures,
)
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.segment_checks import unsound_segments
from retrieval.catalogue.segmenting import update_segments
from retrieval.catalogue.segments import remove_strays, segments_of, stray_files
from retrieval.errors import CatalogueMissing


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What did not agree: `repaired` was derived and is right again, `wrong` needs an index run or a person."""

    photos: int
    repaired: tuple[str, ...]
    wrong: tuple[str, ...]
    looked_at: int  # photographs whose file, vector, features and picture were compared


def check_not_empty(catalogue: Catalogue) -> None:
    """Raise CatalogueMissing where a catalogue holds nothing yet."""
    if catalogue.encoder is None:
        raise CatalogueMissing(f"The catalogue in {catalogue.data} is empty. Run `artifact index FOLDER` first.")


def check_catalogue(data: Path, *, on_progress: Callable[[int, int], None] = lambda done, total: None) -> CheckReport:
    """Check the catalogue in `data`, every file's hash included; one that cannot be written is not mended.

    Raises CatalogueMissing where there is none.
    """
    with Catalogue.reading(data) as catalogue:
        check_not_empty(catalogue)
    mend = can_write(data)
    with (Catalogue.writing if mend else Catalogue.reading)(data) as catalogue:
        _, photos = catalogue.counts()
        wrong = [
            *_database(catalogue),
            *_vectors(catalogue, mend),
            *_features(catalogue, mend),
            *_pictures(catalogue, mend),
            *_files(catalogue, on_progress),
        ]
        unsound = tuple(unsound_segments(catalogue))
        derived = tuple(_derived(catalogue, unsound))
        if not mend:
            unmended = (f"{line}; {data} cannot be written, so it stays so" for line in derived)
            return CheckReport(photos, (), (*wrong, *unmended), photos)
        _repair(catalogue, anew=bool(unsound))
        return CheckReport(photos, derived, tuple(wrong), photos)


def _database(catalogue: Catalogue) -> Iterator[str]:
    for (line,) in catalogue.db.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"the database is damaged ({line}); restore it, or index again into a new folder"
    for table, row, *_ in catalogue.db.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} names an object that does not exist; restore the database"


def _vectors(catalogue: Catalogue, mend: bool) -> Iterator[str]:
    for photos in photo_pages(catalogue):
        yield from without_vector(catalogue, photos, mend=mend)


def _features(catalogue: Catalogue, mend: bool) -> Iterator[str]:
    for photos in photo_pages(catalogue):
        yield from without_features(catalogue, photos, mend=mend)


def _pictures(catalogue: Catalogue, mend: bool) -> Iterator[str]:
    """Say which exemplars lack a sound working picture; remove unsound ones so that an index run makes them anew."""
    if not picture_side(catalogue):
        return
    unsound = {path for path in kept_pictures(catalogue.data) if not is_whole(path)}
    damaged = set(map(content_of, unsound))
    for path in unsound if mend else ():
        path.unlink(missing_ok=True)
    for photos in photo_pages(catalogue):
        yield from without_picture(catalogue, photos, damaged=damaged)


def _files(catalogue: Catalogue, on_progress: Callable[[int, int], None]) -> Iterator[str]:
    _, total = catalogue.counts()
    for done, photo in enumerate(chain.from_iterable(photo_pages(catalogue)), 1):
        if trouble := file_trouble(photo):
            yield trouble
        on_progress(done, total)


def _derived(catalogue: Catalogue, unsound: Sequence[str]) -> Iterator[str]:
    """Say which thresholds and segments do not agree with the database, `unsound` being said of segments."""
    if _is_complete(catalogue) and catalogue.thresholds() is None:
        yield "the thresholds of this revision were missing"
    yield from unsound
    for stray in stray_files(catalogue.data, segments_of(catalogue) or ()):
        yield f"{stray.name} was left over"
    if unused := unused_pictures(catalogue):
        yield f"{len(unused)} of the working pictures, such as {unused[0].name}, belonged to no exemplar"


def _is_complete(catalogue: Catalogue) -> bool:
    return catalogue.count_vectors() == catalogue.counts()[1]


def _repair(catalogue: Catalogue, *, anew: bool) -> None:
    """Bring thresholds and segments into agreement with the database; with `anew` all segments are written again."""
    if anew:
        update_segments(catalogue, anew=True)
    if _is_complete(catalogue):
        publish(catalogue, Changes())
    remove_strays(catalogue.data, segments_of(catalogue) or ())
    drop_unused_pictures(catalogue)
