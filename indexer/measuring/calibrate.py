"""Calibrate a catalogue: measure genuine photographs and copies as a query would, and set thresholds on them."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from indexer.building.neighbours import Neighbours
from indexer.inputs.labels import LabelledPhotos
from indexer.inputs.scan import SkippedItem
from indexer.measuring.fitting import EXEMPLARS, LABELLED, SIMULATED, Case, Distances, fit
from indexer.measuring.unknown_works import unknown_distances
from indexer.simulation.rephotograph import VISITORS, draw_shot, photograph
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.exemplars import Present
from retrieval.catalogue.pictures import read_exemplar
from retrieval.catalogue.rows import Photo
from retrieval.errors import ArtifactError, UnreadableImage
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict, compare_all
from retrieval.machine import cpu_count
from retrieval.photographs.files import sha256_of
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.statistics.calibration import Calibration

OBJECTS_AT_RATE = 12  # simulated objects for one false alarm: so many that a bound is not idly careful
SIDE = 520  # pixels of the short side of simulated photographs
SHOWN = 5


class NothingToCalibrate(ArtifactError):
    """No genuine photograph of any object of the catalogue."""


def calibrate(
    edition: Edition,
    labelled: LabelledPhotos | None,
    *,
    false_match: float,
    false_alarm: float,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Calibration, tuple[SkippedItem, ...]]:
    """Return a calibration, not yet stored, and what was left out; raises NothingToCalibrate.

    On labelled photographs; without any, on the catalogue's own: other exemplars of an object, else simulated
    re-photographs.
    """
    with tempfile.TemporaryDirectory(prefix="artifact-") as folder:
        if labelled is None:
            cases, skipped = _own_cases(edition, Path(folder), false_alarm, max_megapixels, on_progress)
        else:
            cases, skipped = _labelled_cases(edition, labelled)
        found, unread = measure(edition, cases, max_megapixels=max_megapixels, on_progress=on_progress)
    genuine = [item for item in found if item.case.genuine]
    if not genuine:
        raise NothingToCalibrate(
            "There is no genuine photograph of an object of this catalogue among them. Name a CSV file of labels whose "
            "object_id are those of `artifact list`, or calibrate without labels."
        )
    with Catalogue.reading(edition.data) as catalogue:
        neighbours = Neighbours.in_catalogue(Present(catalogue), edition.finder.vectors)
        unknown = unknown_distances(catalogue, neighbours, rate=false_match)
    calibration = fit(
        edition, genuine, [item for item in found if not item.case.genuine], unknown, false_match, false_alarm
    )
    return calibration, (*skipped, *unread)


def measure(
    edition: Edition,
    cases: Sequence[Case],
    *,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Distances], list[SkippedItem]]:
    """Return the distances of all cases, and the photographs that could not be read."""
    found, unread = [], []
    pairs = ((case.path, case.object_id) for case in cases)
    verdicts = compare_all(edition, pairs, apart=True, max_megapixels=max_megapixels)
    for done, (case, verdict) in enumerate(zip(cases, verdicts, strict=True), 1):
        if verdict.error is not None or verdict.sha256 is None:
            unread.append(SkippedItem(str(case.path), str(verdict.error)))
        else:
            found.append(_distances(case, verdict, verdict.sha256))
        on_progress(done, len(cases))
    return found, unread


def _distances(case: Case, verdict: Verdict, sha256: str) -> Distances:
    (work,) = verdict.works
    (match,) = work.matches
    combined = match.compared.combined_distance if match.compared else None
    return Distances(case, sha256, match.distance, combined, match.condition)


def _labelled_cases(edition: Edition, labelled: LabelledPhotos) -> tuple[list[Case], list[SkippedItem]]:
    """Return the labelled photographs of the catalogue's objects, and the others with the reason."""
    cases, skipped = [], [*labelled.skipped]
    for photo in labelled.photos:
        if photo.object_id not in edition.exemplars:
            skipped.append(SkippedItem(str(photo.path), f"object {photo.object_id} is not in the catalogue"))
        elif _is_only_exemplar(photo.path, edition.exemplars[photo.object_id]):
            skipped.append(SkippedItem(str(photo.path), f"it is the only exemplar of {photo.object_id} itself"))
        else:
            cases.append(Case(photo.path, photo.object_id, photo.genuine, LABELLED, photo.group))
    return cases, skipped


def _is_only_exemplar(path: Path, exemplars: Sequence[Photo]) -> bool:
    """Return whether a file has the only content that there is of an object; an unreadable file has not."""
    if len(_contents(exemplars)) > 1:
        return False
    try:
        return path.stat().st_size == exemplars[0].bytes and sha256_of(path) == exemplars[0].sha256
    except (OSError, UnreadableImage):
        return False


def _contents(photos: Iterable[Photo]) -> set[str]:
    return {photo.sha256 for photo in photos}


def _own_cases(
    edition: Edition,
    folder: Path,
    false_alarm: float,
    max_megapixels: float,
    on_progress: Callable[[int, int], None],
) -> tuple[list[Case], list[SkippedItem]]:
    """Return an exemplar of each object that has several, and re-photographs, written into `folder`, of others."""
    several = {key: photos for key, photos in edition.exemplars.items() if len(_contents(photos)) > 1}
    cases = [Case(photo.file, key, True, EXEMPLARS) for key, photos in several.items() for photo in photos]
    wanted = math.ceil(OBJECTS_AT_RATE / false_alarm) - len(several)
    single = [photos[0] for key, photos in edition.exemplars.items() if key not in several]
    sample = sorted(single, key=lambda photo: photo.sha256)[: max(wanted, 0)]
    skipped = []

    def simulated(photo: Photo) -> Path | UnreadableImage:
        try:
            exemplar = read_exemplar(edition.data, photo, short_side=SIDE, max_megapixels=max_megapixels)
        except UnreadableImage as error:
            return error
        path = folder / f"{photo.photo_id}.jpg"
        random = np.random.default_rng(int(exemplar.sha256[:12], 16))
        photograph(exemplar.image, draw_shot(random, VISITORS), random).save(path, quality=95)
        return path

    with ThreadPoolExecutor(cpu_count()) as pool:
        for done, (photo, made) in enumerate(zip(sample, pool.map(simulated, sample), strict=True), 1):
            on_progress(done, len(sample))
            if isinstance(made, UnreadableImage):
                skipped.append(SkippedItem(str(photo.file), str(made)))
            else:
                cases.append(Case(made, photo.object_id, True, SIMULATED))
    return cases, skipped
