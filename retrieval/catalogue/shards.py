"""Divide what is derived of a large catalogue into shards, by the hash of the content, each in a folder of its own.

A shard holds the features of its contents, and segments of their vectors and votes. All of them are asked, and what
they answer is what one folder would have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import shrink
from retrieval.catalogue.feature_rows import IN_SHARD, SHARDS, count_of_shards
from retrieval.catalogue.key_of_content import KEY_DIGITS, KEYS_END
from retrieval.catalogue.shard_features import DATABASE, check_shards, is_there, make_shards, shard_folder
from retrieval.errors import UnusableStore

MOST = 64  # shards
_ASKED = "shards_asked"  # the setting that is there while features and segments move: how many shards there shall be


@dataclass(frozen=True, slots=True)
class Place:
    """Where what is derived of the contents of some keys lies: in a shard, or, without one, with the catalogue."""

    shard: int | None = None
    low: int = 0
    high: int = KEYS_END

    def folder(self, data: Path) -> Path:
        """Return the folder of the files."""
        return folder_of(data, self.shard)

    def holds(self, keys: np.ndarray) -> np.ndarray:
        """Say of keys, int64 (n,), which belong here: bool (n,)."""
        return (keys >= self.low) & (keys < self.high)

    @property
    def hashes(self) -> tuple[str, str]:
        """Between which hashes the contents lie, the last one not among them."""
        beyond = f"{self.high:0{KEY_DIGITS}x}" if self.high < KEYS_END else "g"
        return f"{self.low:0{KEY_DIGITS}x}", beyond


def folder_of(data: Path, shard: int | None) -> Path:
    """Return the folder of a shard, or that of the catalogue."""
    return data if shard is None else shard_folder(data, shard)


def places(count: int) -> list[Place]:
    """Return where segments lie that are in so many shards."""
    if count == 1:
        return [Place()]
    ends = [-(-KEYS_END * number // count) for number in range(count + 1)]
    return [Place(number, ends[number], ends[number + 1]) for number in range(count)]


def count_asked(catalogue: Catalogue) -> int:
    """Return how many shards there shall be; 1: everything in the folder of the catalogue."""
    return int(catalogue.setting(_ASKED) or count_of_shards(catalogue.db))


def check_all_there(catalogue: Catalogue) -> None:
    """Raise StoreAway where a shard is not there: less is found without it."""
    check_shards(catalogue.data, count_of_shards(catalogue.db))


def ask_for_shards(catalogue: Catalogue, count: int) -> None:
    """Keep how many shards there shall be; raises UnusableStore where there are others, which have to go first.

    Where so many are asked for again, those that are not there are made anew, without what they held.
    """
    now, asked = count_of_shards(catalogue.db), count_asked(catalogue)
    if now not in (1, count) and count != 1:
        raise UnusableStore(f"The catalogue has {now} shards. Give `--shards 1` first, and then another number.")
    if count > 1:
        _forget_lost(catalogue, places(now))
        make_shards(catalogue.data, count)
        _set(catalogue, SHARDS, count)  # now: features may lie there from here on
    if count != asked:
        _set(catalogue, _ASKED, count)


def _forget_lost(catalogue: Catalogue, shards: Sequence[Place]) -> None:
    """Forget the features that lay in shards that are lost: an index run finds them in the photographs again."""
    for place in shards:
        if place.shard is not None and not is_there(catalogue.data, place.shard):
            sql = "DELETE FROM features WHERE sha256 >= ? AND sha256 < ? AND features = ?"
            catalogue.db.execute(sql, [*place.hashes, IN_SHARD])


def is_moving(catalogue: Catalogue) -> bool:
    """Say whether features and segments have to be moved to where they shall lie."""
    return catalogue.setting(_ASKED) is not None


def settle_features(catalogue: Catalogue) -> None:
    """Move features to where they shall lie, or go on with that; segments are moved as a revision is made."""
    into_shards = count_asked(catalogue) > 1
    catalogue.described.move(into_shards=into_shards)
    if into_shards:
        shrink(catalogue.db)


def finish_moving(catalogue: Catalogue) -> None:
    """Note that features and segments lie where they shall, and leave shards that are in use no more."""
    asked, before = catalogue.setting(_ASKED), count_of_shards(catalogue.db)
    if asked is None:
        return
    with catalogue.db.atomic():
        _set(catalogue, SHARDS, int(asked))
        catalogue.db.execute("DELETE FROM settings WHERE key = ?", [_ASKED])
    catalogue.described.close()
    for folder in [shard_folder(catalogue.data, number) for number in range(before)] if asked == "1" else []:
        (folder / DATABASE).unlink(missing_ok=True)
        with suppress(OSError):  # a link, or somebody keeps something there
            folder.rmdir()
            folder.parent.rmdir()


def shard_folders(data: Path) -> Iterator[Path]:
    """Yield the folders of shards that there are."""
    yield from sorted(path for path in shard_folder(data, 0).parent.glob("*") if path.is_dir())


def _set(catalogue: Catalogue, key: str, count: int) -> None:
    catalogue.db["settings"].upsert({"key": key, "value": str(count)}, pk="key")
