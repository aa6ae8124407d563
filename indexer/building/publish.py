"""Make changes the next revision of a catalogue: its thresholds, its vectors and its votes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from indexer.building.different_works import different_works
from indexer.building.findings import NOTHING, Findings, find_oddities
from indexer.building.neighbours import Neighbours
from indexer.building.same_work import Pair, SameWork
from indexer.building.simulated_distances import genuine_distances
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import vectors_of
from retrieval.catalogue.exemplars import Present
from retrieval.catalogue.lookups import alarming_objects
from retrieval.catalogue.rows import Changes, Photo
from retrieval.catalogue.segmenting import is_as_asked, open_segments, update_segments
from retrieval.catalogue.segments import remove_strays, segments_of
from retrieval.catalogue.shards import finish_moving, is_moving, leave_unused, settle_features
from retrieval.catalogue.standing import Register
from retrieval.catalogue.status_words import Status
from retrieval.catalogue.store_leavings import remove_gone
from retrieval.catalogue.store_updates import put_statuses
from retrieval.catalogue.vector_index import Vectors
from retrieval.statistics.calibration import FALSE_MATCH_RATE, Thresholds, authenticity_threshold, match_threshold

OnStep = Callable[[str], None]  # is told what is done from now on


@dataclass(frozen=True, slots=True)
class Published:
    """What a revision changed in the thresholds, and what is odd about the exemplars that came with it."""

    before: Thresholds | None = None  # None: the catalogue was empty, or is as it was
    after: Thresholds | None = None
    nearest: tuple[Pair, ...] = ()  # different works, which the match threshold hangs on
    findings: Findings = NOTHING


def publish(catalogue: Catalogue, changes: Changes, *, on_step: OnStep = lambda what: None) -> Published:
    """Make changes the next revision, with its vectors, votes and thresholds, in one step.

    Without changes it only completes what a killed run left undone. Features and segments that shall lie elsewhere are
    moved. `on_step` hears what takes its time.
    """
    leave_unused(catalogue)
    if is_moving(catalogue):
        on_step("Moving local features")
        settle_features(catalogue)
    published = Published()
    if changes or catalogue.thresholds() is None or not is_as_asked(catalogue):
        with catalogue.db.atomic():
            before, had = catalogue.thresholds(), _contents_of(catalogue, changes)
            if changes:
                catalogue.apply(changes)
            on_step("Writing what photographs are found by")
            update_segments(catalogue)
            if before is not None and not changes.put and not changes.gone:
                catalogue.set_thresholds(before)  # of a table, or of the index, which say nothing of distances
            else:
                on_step("Setting thresholds")
                new = {photo.sha256 for photo in changes.put if (photo.object_id, photo.sha256) not in had}
                published = replace(_measure(catalogue, new), before=before)
    remove_strays(catalogue.data, segments_of(catalogue) or ())
    remove_gone(catalogue)
    finish_moving(catalogue)
    put_statuses(catalogue)
    return published


def _contents_of(catalogue: Catalogue, changes: Changes) -> set[tuple[str, str]]:
    """Return the contents that the objects of changes have now, each with its object."""
    objects = {photo.object_id for photo in changes.put}
    return {(photo.object_id, photo.sha256) for object_id in objects for photo in catalogue.photos(object_id)}


def _measure(catalogue: Catalogue, new: Collection[str]) -> Published:
    """Set the thresholds of this revision, and look at the exemplars of which the contents are new to their objects."""
    vectors = Vectors(open_segments(catalogue, to_read=False).vectors, partial(vectors_of, catalogue))
    neighbours, same = Neighbours.in_catalogue(Present(catalogue), vectors), SameWork(catalogue)
    works = different_works(neighbours, same, rate=FALSE_MATCH_RATE)
    genuine = genuine_distances(catalogue, _rephotographed(catalogue))
    thresholds = Thresholds(match_threshold(works.distances), authenticity_threshold(genuine))
    catalogue.set_thresholds(thresholds)
    forgeries = Register.of(alarming_objects(catalogue)).alarms.get(Status.KNOWN_FORGERY, ())
    findings = find_oddities(neighbours, new, same, near=thresholds.match.value, forgeries=forgeries)
    return Published(after=thresholds, nearest=works.sure, findings=findings)


def _rephotographed(catalogue: Catalogue) -> list[Photo]:
    """Return the exemplars of which a re-photograph was measured, ordered by object, folder and path."""
    columns = ", ".join(f"p.{name}" for name in Photo.__slots__)
    sql = f"""SELECT {columns} FROM photos p WHERE p.sha256 IN (SELECT sha256 FROM rephotographs)
              ORDER BY p.object_id, p.folder, p.path"""
    return [Photo(*row) for row in catalogue.db.execute(sql)]
