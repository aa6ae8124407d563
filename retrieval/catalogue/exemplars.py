"""The exemplars of one revision, fetched from the database when they are asked for: nothing is read at the start."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import can_write, said_plainly
from retrieval.catalogue.lookups import has_object, photo_of
from retrieval.catalogue.rows import Object, Photo

K = TypeVar("K")
V = TypeVar("V")
KEY_DIGITS = 15  # of the hash of a content, in the key by which votes know it
REMEMBERED = 4096  # objects whose exemplars were asked for


def content_key(sha256: str) -> int:
    """Return the number by which votes know a content: the first 60 bits of its hash."""
    return int(sha256[:KEY_DIGITS], 16)


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

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple]:
        """Return the rows of a query."""
        return self.ask(lambda catalogue: catalogue.db.execute(sql, values).fetchall())

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


def photos_by_id(held: Held) -> Mapping[int, Photo]:
    """Return the exemplars by their ids."""

    def find(photo_id: int) -> Photo | None:
        return held.ask(lambda catalogue: photo_of(catalogue, int(photo_id)))

    def all_ids() -> Sequence[int]:
        return [photo_id for (photo_id,) in held.rows("SELECT photo_id FROM photos ORDER BY object_id, folder, path")]

    return Lookup(find, all_ids, lambda: held.rows("SELECT count(*) FROM photos")[0][0])


def photos_by_object(held: Held) -> Mapping[str, Sequence[Photo]]:
    """Return the exemplars of each object that has any."""

    @lru_cache(REMEMBERED)
    def find(object_id: str) -> Sequence[Photo] | None:
        return held.ask(lambda catalogue: catalogue.photos(object_id)) or None

    @lru_cache(1)
    def ids() -> Sequence[str]:
        return [object_id for (object_id,) in held.rows("SELECT DISTINCT object_id FROM photos ORDER BY object_id")]

    @lru_cache(1)
    def count() -> int:
        return int(held.rows("SELECT count(DISTINCT object_id) FROM photos")[0][0])

    return Lookup(find, ids, count)


def objects_by_content(held: Held) -> Mapping[int, Sequence[str]]:
    """Return the objects that have a content, by its key."""

    def find(key: int) -> Sequence[str] | None:
        first, end = f"{key:0{KEY_DIGITS}x}", f"{key:0{KEY_DIGITS}x}g"  # behind the last digit
        sql = "SELECT object_id FROM photos WHERE sha256 >= ? AND sha256 < ? ORDER BY object_id, folder, path"
        return [object_id for (object_id,) in held.rows(sql, [first, end])] or None

    def keys() -> Sequence[int]:
        rows = held.rows(f"SELECT DISTINCT substr(sha256, 1, {KEY_DIGITS}) FROM photos")
        return [content_key(first) for (first,) in rows]

    return Lookup(find, keys, lambda: len(keys()))


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
