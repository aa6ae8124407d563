"""Make changes the next revision of a catalogue: its thresholds, its vectors and its votes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from indexer.building.different_works import different_works
from indexer.building.findings import NOTHING, Findings, find_oddities
from indexer.building.same_work import Pair, SameWork
from indexer.building.simulated_distances import genuine_distances
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.pictures import drop_unused_pictures
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.standing import Register
from retrieval.catalogue.status_words import Status
from retrieval.catalogue.vector_index import (
    build_vectors,
    has_vectors,
    note_vectors,
    remove_strays,
    vectors_path,
    write_vectors,
)
from retrieval.catalogue.vote_index import votes_path, write_votes
from retrieval.statistics.calibration import FALSE_MATCH_RATE, Thresholds, authenticity_threshold, match_threshold


@dataclass(frozen=True, slots=True)
class Published:
    """What a revision changed in the thresholds, and what is odd about the exemplars that came with it."""

    before: Thresholds | None = None  # None: the catalogue was empty, or is as it was
    after: Thresholds | None = None
    nearest: tuple[Pair, ...] = ()  # different works, which the match threshold hangs on
    findings: Findings = NOTHING


def publish(catalogue: Catalogue, changes: Changes) -> Published:
    """Make changes the next revision, with its thresholds, in one step; then write its vectors and votes.

    Without changes it only completes what a killed run left undone.
    """
    if changes:  # a file of that name would be of an earlier catalogue in this folder
        for path in (vectors_path, votes_path):
            path(catalogue.data, catalogue.revision + 1).unlink(missing_ok=True)
    published = Published()
    if changes or catalogue.thresholds() is None:
        with catalogue.db.atomic():
            before, known = catalogue.thresholds(), {(photo.object_id, photo.sha256) for photo in catalogue.photos()}
            if changes:
                catalogue.apply(changes)
            new = {photo.sha256 for photo in changes.put if (photo.object_id, photo.sha256) not in known}
            published = replace(_measure(catalogue, new), before=before)
    note_vectors(catalogue)
    if has_vectors(catalogue):
        remove_strays(catalogue.data, catalogue.revision)
    else:
        write_vectors(build_vectors(*catalogue.vectors()), catalogue.data, catalogue.revision)
    write_votes(catalogue)
    return published


def _measure(catalogue: Catalogue, new: Collection[str]) -> Published:
    """Set the thresholds of this revision, and look at the exemplars of which the contents are new to their objects."""
    ids, vectors = catalogue.vectors()
    photos = {photo.photo_id: photo for photo in catalogue.photos() if photo.photo_id is not None}
    same = SameWork(catalogue)
    works = different_works(ids, vectors, photos, same, rate=FALSE_MATCH_RATE)
    genuine = genuine_distances(catalogue, photos.values())
    thresholds = Thresholds(match_threshold(works.distances), authenticity_threshold(genuine))
    catalogue.set_thresholds(thresholds)
    forgeries = Register.of(catalogue.objects()).alarms.get(Status.KNOWN_FORGERY, ())
    near = thresholds.match.value
    findings = find_oddities(ids, vectors, photos, new, same, near=near, forgeries=forgeries)
    return Published(after=thresholds, nearest=works.sure, findings=findings)


def drop_unused(catalogue: Catalogue) -> None:
    """Forget vectors, features and working pictures of contents that no exemplar has."""
    catalogue.drop_unused_vectors()
    drop_unused_pictures(catalogue)
