"""The exemplars of one revision, fetched from the database when they are asked for: nothing is read at the start."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import can_write, said_plainly
from retrieval.catalogue.key_of_content import KEY_DIGITS, content_key
from retrieval.catalogue.lookups import has_object, photos_of_content
from retrieval.catalogue.rows import Object, Photo

K = TypeVar("K")
V = TypeVar("V")
REMEMBERED = 4096  # objects whose exemplars were asked for


class Asked(Protocol):
    """A revision of a catalogue that can be asked."""

    def ask(self, question: Callable[[Catalogue], V]) -> V:
        """Return what the catalogue answers."""


@dataclass(frozen=True, slots=True)
class Present:
    """A catalogue that somebody else keeps open: to be asked by one thread, as long as it is."""

    catalogue: Catalogue

    def ask(self, question: Callable[[Catalogue], V]) -> V:
        """Return what the catalogue answers."""
        return question(self.catalogue)


@dataclass(frozen=True, slots=True)
class Anew:
    """The last revision of a catalogue, opened for each question: for what another revision does no harm to."""

    data: Path

    def ask(self, question: Callable[[Catalogue], V]) -> V:
        """Return what the catalogue answers."""
        with Catalogue.reading(self.data) as catalogue:
            return question(catalogue)


class Held:
    """A catalogue that stays open at one revision as long as somebody holds it, for any thread."""

    def __init__(self, data: Path) -> None:
        stack = ExitStack()
        self.catalogue = stack.enter_context(Catalogue.reading(data, any_thread=True))
        self._close = weakref.finalize(self, stack.close)
        self._one = threading.RLock()
        with said_plainly(data):
            self.revision = self.catalogue.revision  # asked for now: what is read first settles what is seen
            self._mode = self.catalogue.db.execute("PRAGMA journal_mode").fetchone()[0]

    @property
    def hinders_nobody(self) -> bool:
        """Whether a writer can write meanwhile, and what is read stays as it was: where SQLite keeps a log for both."""
        return can_write(self.catalogue.data) and self._mode == "wal"

    def ask(self, question: Callable[[Catalogue], V]) -> V:
        """Return what the catalogue answers; raises CatalogueBusy and CatalogueDamaged."""
        with self._one, said_plainly(self.catalogue.data):
            return question(self.catalogue)

    def object(self, object_id: str) -> Object | None:
        """Return one object; None where there is none of that id."""
        return self.ask(lambda known: known.object(object_id) if has_object(known, object_id) else None)


@dataclass(frozen=True, slots=True)
class Lookup(Mapping[K, V], Generic[K, V]):
    """A mapping of which each value is found when it is asked for."""

    find: Callable[[K], V | None]
    keys_of_all: Callable[[], Sequence[K]]
    count: Callable[[], int]

    def __getitem__(self, key: K) -> V:
        found = self.find(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[K]:
        return iter(self.keys_of_all())

    def __len__(self) -> int:
        return self.count()


def grouped(photos: Iterable[Photo]) -> tuple[dict[str, list[Photo]], dict[int, list[Photo]]]:
    """Return exemplars that are in memory by their objects, and by the keys of their contents."""
    objects: dict[str, list[Photo]] = {}
    contents: dict[int, list[Photo]] = {}
    for photo in photos:
        objects.setdefault(photo.object_id, []).append(photo)
        contents.setdefault(content_key(photo.sha256), []).append(photo)
    return objects, contents


def photos_by_object(asked: Asked) -> Mapping[str, Sequence[Photo]]:
    """Return the exemplars of each object that has any."""

    @lru_cache(REMEMBERED)
    def find(object_id: str) -> Sequence[Photo] | None:
        return asked.ask(lambda catalogue: catalogue.photos(object_id)) or None

    @lru_cache(1)
    def ids() -> Sequence[str]:
        rows = _rows(asked, "SELECT DISTINCT object_id FROM photos ORDER BY object_id")
        return [object_id for (object_id,) in rows]

    @lru_cache(1)
    def count() -> int:
        return int(_rows(asked, "SELECT count(DISTINCT object_id) FROM photos")[0][0])

    return Lookup(find, ids, count)


def photos_by_content(asked: Asked) -> Mapping[int, Sequence[Photo]]:
    """Return the exemplars that have a content, by its key."""

    def find(key: int) -> Sequence[Photo] | None:
        return asked.ask(lambda catalogue: photos_of_content(catalogue, key)) or None

    def keys() -> Sequence[int]:
        rows = _rows(asked, f"SELECT DISTINCT substr(sha256, 1, {KEY_DIGITS}) FROM photos")
        return [content_key(first) for (first,) in rows]

    return Lookup(find, keys, lambda: len(keys()))


def _rows(asked: Asked, sql: str) -> list[tuple[Any, ...]]:
    return asked.ask(lambda catalogue: catalogue.db.execute(sql).fetchall())


@dataclass(frozen=True, slots=True)
class OnlyOf(Mapping[K, Sequence[Photo]], Generic[K]):
    """A mapping to exemplars that leaves out those of all but some objects."""

    whole: Mapping[K, Sequence[Photo]]
    objects: Collection[str]

    def __getitem__(self, key: K) -> Sequence[Photo]:
        found = [photo for photo in self.whole[key] if photo.object_id in self.objects]
        if not found:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[K]:
        return (key for key, photos in self.whole.items() if any(photo.object_id in self.objects for photo in photos))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class Without(Mapping[K, V], Generic[K, V]):
    """A mapping in which some values are others, or are gone: None."""

    whole: Mapping[K, V]
    changed: Mapping[K, V | None]

    def __getitem__(self, key: K) -> V:
        found = self.changed[key] if key in self.changed else self.whole[key]
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[K]:
        return (key for key in self.whole if key not in self.changed or self.changed[key] is not None)

    def __len__(self) -> int:
        return len(self.whole) - sum(value is None for value in self.changed.values())
