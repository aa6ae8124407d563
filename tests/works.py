"""Catalogues of works that were drawn at random, and what registers in them, for tests."""

from dataclasses import dataclass, field, replace

import numpy as np

from indexer.building.neighbours import Neighbours
from retrieval.catalogue.rows import Photo
from retrieval.catalogue.vector_index import Vectors
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.encoder.encoder import Encoder
from tests.conftest import TinyEngine, catalogue_of, tiny_encoder, unit

LYING = Registration(np.eye(3), 20, np.zeros((20, 4), np.float32), 1.0, 1.0, 0.001, mirrored=False)


@dataclass
class Registering:
    """Stands for a catalogue whose features are the hashes, and for the registration of them."""

    asked: list[frozenset[str]] = field(default_factory=list)
    same: set[frozenset[str]] = field(default_factory=set)  # pairs that show one work

    def features(self, hashes: list[str]) -> dict[str, str]:
        return {sha256: sha256 for sha256 in hashes}

    def register(self, one: str, other: str) -> Registration | NotRegistered:
        self.asked.append(frozenset({one, other}))
        return LYING if self.asked[-1] in self.same else NotRegistered("only 3 matching points, 10 are needed")


def drawn(seed: int, owners: list[str]) -> tuple[np.ndarray, np.ndarray, dict[int, Photo]]:
    """Return ids, unit vectors (n, 12) and exemplars of these objects."""
    ids, photos = catalogue_of(owners)
    return ids, unit(np.random.default_rng(seed).standard_normal((len(owners), 12))), photos


def neighbours(ids: np.ndarray, vectors: np.ndarray, photos: dict[int, Photo]) -> Neighbours:
    """Return the neighbours of exemplars, given by their ids, and of their vectors."""
    rows = [replace(photos[int(key)], photo_id=number) for number, key in enumerate(ids, 1)]
    hashes = [photo.sha256 for photo in rows]
    first = [row for row, sha256 in enumerate(hashes) if sha256 not in hashes[:row]]
    return Neighbours.of(Vectors.of(vectors[first], [hashes[row] for row in first]), rows)


def sharp() -> Encoder:
    """Return the tiny encoder, for which photographs are read large enough to have features."""
    encoder = tiny_encoder()
    return replace(encoder, preprocessing=replace(encoder.preprocessing, width=260, height=260), engine=_shrunk)


def _shrunk(pictures: np.ndarray) -> np.ndarray:
    return TinyEngine()(pictures[:, :, ::32, ::32][:, :, :8, :8])


def singles(count: int) -> list[str]:
    """Return the ids of so many objects."""
    return [f"o{number:03}" for number in range(count)]
