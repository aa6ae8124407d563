"""A store of vectors in memory, which can be away, for tests of what is kept in a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from retrieval.errors import StoreAway


class MemoryStore:
    """Answers as a store in a server does, exactly; of `broken` puts the first ones are kept and then it is away."""

    def __init__(self) -> None:
        self.held: dict[int, np.ndarray] = {}
        self.said: dict[int, tuple[str, ...]] = {}  # statuses, by key
        self.puts = 0
        self.broken: int | None = None
        self.away = False

    def __enter__(self) -> MemoryStore:
        self._answer()
        return self

    def __exit__(self, *args: object) -> None:
        pass

    def _answer(self) -> None:
        if self.away:
            raise StoreAway("The store is away. Start it, then run the command again.")

    def put(self, contents: Sequence[Any]) -> None:
        for content in contents:
            if self.broken is not None:
                self.away = self.broken == 0
                self.broken -= 1
            self._answer()
            self.held[content.key], self.said[content.key] = content.vector, content.statuses
            self.puts += 1

    def remove(self, keys: Sequence[int]) -> None:
        self._answer()
        for key in keys:
            self.held.pop(key, None)

    def get(self, keys: Sequence[int]) -> dict[int, np.ndarray]:
        self._answer()
        return {key: self.held[key] for key in keys if key in self.held}

    def statuses(self, keys: Sequence[int]) -> dict[int, tuple[str, ...]]:
        self._answer()
        return {key: self.said[key] for key in keys if key in self.held}

    def count(self) -> int:
        return len(self.held)

    def key_pages(self) -> Iterator[np.ndarray]:
        for key in sorted(self.held):
            yield np.array([key], np.int64)

    def search(
        self, vectors: np.ndarray, k: int, statuses: Sequence[str] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        self._answer()
        wanted = [key for key in self.held if statuses is None or set(statuses) & set(self.said.get(key, ()))]
        keys = np.array(wanted, np.int64)
        held = np.array([self.held[key] for key in wanted], np.float32).reshape(len(wanted), vectors.shape[1])
        found = vectors @ held.T
        order = np.argsort(-found, axis=1, kind="stable")[:, :k]
        short = ((0, 0), (0, k - order.shape[1]))
        products = np.pad(np.take_along_axis(found, order, 1), short, constant_values=-np.inf)
        return products.astype(np.float32), np.pad(keys[order], short, constant_values=-1)
