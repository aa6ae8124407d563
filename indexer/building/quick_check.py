"""Check of a catalogue what takes no longer where it is large: counts, files that are derived, some exemplars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from shlex import quote

from indexer.building.check import CheckReport, check_not_empty
from indexer.building.photo_checks import file_trouble, without_features, without_picture, without_vector
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.exemplar_files import in_time
from retrieval.catalogue.folder_photos import photo_folders
from retrieval.catalogue.photo_pages import some_photos
from retrieval.catalogue.pictures import is_whole, picture_path, picture_side
from retrieval.catalogue.rows import Photo
from retrieval.catalogue.segmenting import is_complete

SOME = 100  # exemplars


def check_quickly(data: Path, *, some: int = SOME, seed: int | None = None) -> CheckReport:
    """Check the catalogue in `data` by counts, and some of its exemplars, taken by chance, by their files.

    Nothing is mended, and somebody may write meanwhile. Raises CatalogueMissing where there is none.
    """
    with Catalogue.reading(data) as catalogue:
        check_not_empty(catalogue)
        gone = [folder for folder in photo_folders(catalogue) if not in_time(Path(folder).is_dir)]
        photos = some_photos(catalogue, some, chance=Random(seed))
        wrong = (
            *_folders(gone),
            *_derived_quickly(catalogue),
            *without_vector(catalogue, photos),
            *without_features(catalogue, photos),
            *_pictures(catalogue, photos),
            *filter(None, (file_trouble(photo) for photo in photos if photo.folder not in gone)),
        )
        return CheckReport(catalogue.counts()[1], (), wrong, looked_at=len(photos))


def _folders(gone: Sequence[str]) -> Iterator[str]:
    for folder in gone:
        yield f"the folder {folder} is not there now; if it has moved: `artifact move {quote(folder)} NEW`"


def _derived_quickly(catalogue: Catalogue) -> Iterator[str]:
    """Say which thresholds and derived files of this revision are not there."""
    if catalogue.thresholds() is None:
        yield "the thresholds of this revision are missing; `artifact check --full` sets them, or says what hinders"
    if not is_complete(catalogue):
        yield "vectors or votes are missing, damaged or not complete; `artifact check --full` makes them again"


def _pictures(catalogue: Catalogue, photos: Sequence[Photo]) -> Iterator[str]:
    if picture_side(catalogue):
        damaged = {photo.sha256 for photo in photos if not all(map(is_whole, _kept(catalogue.data, photo)))}
        yield from without_picture(catalogue, photos, damaged=damaged)


def _kept(data: Path, photo: Photo) -> Iterator[Path]:
    kept = picture_path(data, photo.sha256).parent.glob(f"{photo.sha256}.*")
    return (path for path in kept if path.suffix != ".part")  # of a run that goes on
