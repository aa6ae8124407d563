"""Make changes the next revision of a catalogue: its thresholds, its vectors and its votes."""

from __future__ import annotations

from indexer.building.simulated_distances import genuine_distances
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.vector_index import build_vectors, has_vectors, remove_strays, vectors_path, write_vectors
from retrieval.catalogue.vote_index import write_votes
from retrieval.finding.nearest import nearest_other_distances
from retrieval.statistics.calibration import Thresholds, authenticity_threshold, match_threshold


def publish(catalogue: Catalogue, changes: Changes) -> None:
    """Make changes the next revision, with its thresholds, in one step; then write its vectors and votes.

    Without changes it only completes what a killed run left undone.
    """
    if changes:  # a file of that name would be of an earlier catalogue in this folder
        vectors_path(catalogue.data, catalogue.revision + 1).unlink(missing_ok=True)
    if changes or catalogue.thresholds() is None:
        with catalogue.db.atomic():
            if changes:
                catalogue.apply(changes)
            ids, vectors = catalogue.vectors()
            photos = {photo.photo_id: photo for photo in catalogue.photos() if photo.photo_id is not None}
            nearest = nearest_other_distances(ids, vectors, photos)
            genuine = genuine_distances(catalogue, photos.values())
            catalogue.set_thresholds(Thresholds(match_threshold(nearest), authenticity_threshold(genuine)))
    if has_vectors(catalogue):
        remove_strays(catalogue.data, catalogue.revision)
    else:
        write_vectors(build_vectors(*catalogue.vectors()), catalogue.data, catalogue.revision)
    write_votes(catalogue)
