"""Recognise a work that no catalogue holds by how it looked in an earlier screening."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

from retrieval.comparing.registration import Registration, find_registration
from retrieval.photographs.features import Features

KEPT = 200_000  # works, the last ones: 3 GB on disk, 200 MB in memory
FEATURES = 100  # of each; as many registered all but 2 of 437 pairs of photographs of one work
NEAREST = 5  # earlier works, by their embedding, that are registered: the same one was among them for 98 %


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """How a work looked: its embedding, float32 (dim,), and its features."""

    vector: np.ndarray
    features: Features

    def thinned(self) -> Sighting:
        """Return the sighting as the log keeps it, with some of its features, the same ones each time."""
        rows = np.zeros(len(self.features), bool)
        rows[np.random.default_rng(0).permutation(len(rows))[:FEATURES]] = True
        return Sighting(self.vector, self.features.among(rows))


@dataclass(frozen=True, slots=True)
class Sightings:
    """The works that were seen, by the numbers of their verdicts; `features_of` returns kept features by number."""

    index: Any
    features_of: Callable[[Sequence[int]], Mapping[int, Features]]

    @classmethod
    def of(
        cls,
        numbers: Sequence[int],
        vectors: np.ndarray,
        features_of: Callable[[Sequence[int]], Mapping[int, Features]],
    ) -> Sightings:
        """Return what was seen, given the vectors, float16 (n, dim), of so many verdicts."""
        index = faiss.IndexIDMap(faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_fp16))
        if len(numbers):
            index.add_with_ids(vectors.astype(np.float32), np.array(numbers, np.int64))
        return cls(index, features_of)

    def like(self, work: Sighting) -> tuple[int, ...]:
        """Return the verdicts on works that this one can be laid over, the nearest first."""
        if not self.index.ntotal:
            return ()
        faiss.omp_set_num_threads(1)  # of this thread: photographs are what goes side by side
        _, (found,) = self.index.search(work.vector[None], min(NEAREST, self.index.ntotal))
        numbers = found.tolist()
        kept = self.features_of(numbers)
        shown = (
            n for n in numbers if n in kept and isinstance(find_registration(kept[n], work.features), Registration)
        )
        return tuple(shown)
