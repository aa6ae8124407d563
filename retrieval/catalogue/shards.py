"""Divide what is derived of a large catalogue into shards, by the hash of the content, each in a folder of its own.

A shard holds the features of its contents, and segments of their vectors and votes. All of them are asked, and what
they answer is what one folder would have.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import shrink
from retrieval.catalogue.feature_rows import IN_SHARD, SHARDS, SHARDS_OF, division_of, set_writes
from retrieval.catalogue.key_of_content import KEY_DIGITS, KEYS_END
from retrieval.catalogue.shard_features import (
    DATABASE,
    FOLDER,
    UNFINISHED,
    catalogue_in,
    check_there,
    is_there,
    make_shard,
    open_shard,
    shard_folder,
)
from retrieval.errors import ArtifactError, StoreAway, UnusableStore

MOST = 64  # shards
_ASKED = "shards_asked"  # the setting that is there while features and segments move: how many shards there shall be


@dataclass(frozen=True, slots=True)
class Part:
    """The contents whose keys lie in a range: those of a shard, or, without one, all."""

    shard: int | None = None
    low: int = 0
    high: int = KEYS_END

    def folder(self, data: Path) -> Path:
        """Return the folder in which what is derived of them lies."""
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


def parts_of(count: int) -> list[Part]:
    """Return the parts of a catalogue that has so many shards."""
    if count == 1:
        return [Part()]
    ends = [-(-KEYS_END * number // count) for number in range(count + 1)]
    return [Part(number, ends[number], ends[number + 1]) for number in range(count)]


def count_asked(catalogue: Catalogue) -> int:
    """Return how many shards there shall be; 1: everything in the folder of the catalogue."""
    return int(catalogue.setting(_ASKED) or division_of(catalogue.db).count)


def check_all_there(catalogue: Catalogue) -> None:
    """Raise StoreAway where a shard is not there: less is found without it."""
    check_there(catalogue.data, division_of(catalogue.db))


def check_all_sound(catalogue: Catalogue) -> None:
    """Open every shard; raises StoreAway where one is not the one that it should be."""
    division = division_of(catalogue.db)
    for number in division.shards:
        with open_shard(catalogue.data, number, division):
            pass


def unusable_shards(catalogue: Catalogue) -> list[int]:
    """Return the numbers of the shards that are not there, or are not those that they should be."""
    division, found = division_of(catalogue.db), []
    for number in division.shards:
        try:
            with open_shard(catalogue.data, number, division):
                pass
        except StoreAway:
            found.append(number)
    return found


def ask_for_shards(catalogue: Catalogue, count: int) -> None:
    """Keep how many shards there shall be; raises UnusableStore where there are others, which have to go first."""
    now, asked = division_of(catalogue.db).count, count_asked(catalogue)
    if now not in (1, count) and count != 1:
        raise UnusableStore(f"The catalogue has {now} shards. Give `--shards 1` first, and then another number.")
    if now == 1 < count:
        _make_all(catalogue, count)
        with catalogue.db.atomic():
            _set(catalogue, SHARDS, str(count))  # features may lie there from here on
            _set(catalogue, _ASKED, str(count))
    elif count != asked:
        _set(catalogue, _ASKED, str(count))


def _make_all(catalogue: Catalogue, count: int) -> None:
    """Make so many shards, in place of any of this catalogue that are in use no more."""
    leave_unused(catalogue)
    with catalogue.db.atomic():
        if catalogue.setting(SHARDS_OF) is None:
            _set(catalogue, SHARDS_OF, secrets.token_hex(8))
        set_writes(catalogue.db, [0] * count)
    division = replace(division_of(catalogue.db), count=count)
    for number in range(count):
        folder = shard_folder(catalogue.data, number)
        if is_there(catalogue.data, number):
            raise UnusableStore(f"{folder} holds a shard of another catalogue. Name another folder, or take it away.")
        make_shard(catalogue.data, number, division)


def remake_lost(catalogue: Catalogue) -> list[int]:
    """Make the shards anew that are lost, or are not those that they should be, and return their numbers.

    That their contents have features is forgotten first: an index run finds them in the photographs again.
    """
    lost, parts = unusable_shards(catalogue), parts_of(division_of(catalogue.db).count)
    for number in lost:
        _forget(catalogue, parts[number])
        make_shard(catalogue.data, number, division_of(catalogue.db))
    if lost:
        names = ", ".join(str(shard_folder(catalogue.data, number)) for number in lost)
        logging.getLogger(__name__).warning(
            "Made anew: %s. What was there is found again in this folder; index each other one again: %s",
            names,
            ", ".join(catalogue.folders()),
        )
    return lost


def _forget(catalogue: Catalogue, part: Part) -> None:
    """Forget that contents have features in a shard, and how often it was written."""
    assert part.shard is not None
    writes = list(division_of(catalogue.db).writes)
    writes[part.shard] = 0
    with catalogue.db.atomic():
        sql = "DELETE FROM features WHERE sha256 >= ? AND sha256 < ? AND features = ?"
        catalogue.db.execute(sql, [*part.hashes, IN_SHARD])
        set_writes(catalogue.db, writes)


def is_moving(catalogue: Catalogue) -> bool:
    """Say whether features and segments have to be moved to where they shall lie."""
    return catalogue.setting(_ASKED) is not None


def settle_features(catalogue: Catalogue) -> None:
    """Move features to where they shall lie, or go on with that; segments are moved as a revision is made."""
    into_shards = count_asked(catalogue) > 1
    catalogue.feature_rows.move(into_shards=into_shards)
    if into_shards:
        shrink(catalogue.db)


def finish_moving(catalogue: Catalogue) -> None:
    """Note that features and segments lie where they shall; readers may still have the shards that are left."""
    if (asked := catalogue.setting(_ASKED)) is None:
        return
    with catalogue.db.atomic():
        _set(catalogue, SHARDS, asked)
        catalogue.db.execute("DELETE FROM settings WHERE key = ?", [_ASKED])
    catalogue.feature_rows.close()


def leave_unused(catalogue: Catalogue) -> None:
    """Remove the shards of a catalogue that has none any more; those of another one stay."""
    if division_of(catalogue.db).count > 1 or not (catalogue.data / FOLDER).is_dir():
        return
    catalogue.db.execute("PRAGMA wal_checkpoint")  # what came from there has to be on the disk first
    for folder in shard_folders(catalogue.data):
        (folder / UNFINISHED).unlink(missing_ok=True)
        with suppress(ArtifactError):  # what is no shard is not ours
            if catalogue_in(folder) == catalogue.setting(SHARDS_OF):
                (folder / DATABASE).unlink(missing_ok=True)
        with suppress(OSError):  # a link, or somebody keeps something there
            folder.rmdir()
    with suppress(OSError):
        (catalogue.data / FOLDER).rmdir()


def shard_folders(data: Path) -> Iterator[Path]:
    """Yield the folders of shards that there are."""
    yield from sorted(path for path in (data / FOLDER).glob("*") if path.is_dir())


def _set(catalogue: Catalogue, key: str, value: str) -> None:
    catalogue.db["settings"].upsert({"key": key, "value": value}, pk="key")
