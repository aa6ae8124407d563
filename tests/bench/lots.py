"""The kinds of lots of a staged day, each with what should be said of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.simulation.copies import WHOLE, make_copy
from indexer.simulation.rephotograph import VISITORS, draw_shot, photograph
from tests.bench.broken import BROKEN, Spoil
from tests.bench.stock import (
    FORGERIES,
    artist,
    forgery,
    mixed,
    models,
    museum_pictures,
    on_lots,
    opened,
    queries,
    registers,
    unknown_picture,
    unknown_works,
    work,
)
from tests.bench.walls import incoming, wall_of

COPIES = ("removed", "moved", "repainted", "signature", "inserted", *WHOLE)
CLAIMING = {"copy": 0.5, "re-photographed": 0.3, "unknown": 0.03}  # chance that a lot claims an object of the museum


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot to be staged: what it shows, what should be said of it, and how its file is made.

    `objects` are the catalogued ones on it, or imitated by it; `shows` is all that ties it to other lots.
    """

    kind: str
    objects: tuple[str, ...]
    shows: tuple[str, ...]
    outcome: str
    make: Callable[[], bytes | None]  # None: there is no file
    genuine: bool = True
    claim: str = ""
    maker: str = ""


def jpeg(picture: Image.Image) -> bytes:
    """Return a picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def retaken(of: Callable[[], Image.Image], seed: Sequence[int]) -> bytes:
    """Return the file of another photograph of a picture."""
    picture, random = of(), np.random.default_rng(seed)
    picture.thumbnail((800, 800))
    return jpeg(incoming(photograph(picture, draw_shot(random, VISITORS), random)))


def query_lots(count: int, seed: int) -> Iterator[Lot]:
    """Yield visitors' photographs of the museum."""
    for path in mixed(list(queries()), [seed, 1])[:count]:
        works = tuple(sorted(queries()[path]))
        outcome = "consistent" if works else "no-match"
        yield Lot("query", works, works or (path.stem,), outcome, partial(_enlarged, path))


def _enlarged(path: Path) -> bytes:
    return jpeg(incoming(opened(path)))


def retaken_lots(count: int, seed: int) -> Iterator[Lot]:
    """Yield simulated photographs of the museum's objects, first of those that must be among them."""
    first = [*registers()["stolen"], *registers()["missing"], *models().values()]
    others = mixed([key for key in on_lots() if key not in first], [seed, 2])
    for number, key in enumerate(islice(cycle([*first, *others]), count)):
        own = [seed, 2, number]
        make = partial(retaken, partial(work, key), own)
        yield Lot("re-photographed", (key,), (key,), "consistent", make, claim=_claim("re-photographed", own, key))


def copy_lots(count: int, seed: int) -> Iterator[Lot]:
    """Yield photographs of copies of the museum's objects, of none that is stolen, missing or known to be forged."""
    registered = {*registers()["stolen"], *registers()["missing"], *models().values()}
    copied = mixed([key for key in on_lots() if key not in registered], [seed, 3])
    for number, key in enumerate(islice(cycle(copied), count)):
        own = [seed, 3, number]
        make = partial(retaken, partial(_copy, key, number, seed), own)
        yield Lot("copy", (key,), (key,), "divergent", make, genuine=False, claim=_claim("copy", own, key))


def _copy(key: str, number: int, seed: int) -> Image.Image:
    """Return a copy of an object, of the next kind that can be made of it."""
    picture, donor = work(key), work(on_lots()[number % len(on_lots())])
    first = number % len(COPIES)
    for kind in (*COPIES[first:], *COPIES[:first]):
        made = make_copy(picture, kind, seed=10_000 * seed + number, donor=donor)
        if made is not None:
            return made.image
    raise AssertionError("a copy of some kind can always be made")


def forgery_lots(count: int, seed: int) -> Iterator[Lot]:
    """Yield photographs of the known forgeries."""
    for number, key in enumerate(islice(cycle(FORGERIES), count)):
        make = partial(retaken, partial(forgery, key), [seed, 4, number])
        yield Lot("known forgery", (key,), (key, models()[key]), "known forgery", make, genuine=False)


def unknown_lots(count: int, seed: int) -> Iterator[Lot]:
    """Yield photographs of works that are not in the catalogue; some of them claim to be one that is."""
    museum = mixed(sorted(museum_pictures()), [seed, 5])
    for number, path in enumerate(islice(cycle(mixed(unknown_works(), [seed, 5])), count)):
        own = [seed, 5, number]
        make = partial(retaken, partial(unknown_picture, path), own)
        claim = _claim("unknown", own, museum[number % len(museum)])
        yield Lot("unknown", (), (path.stem,), "no-match", make, claim=claim, maker=artist(path))


def _claim(kind: str, seed: Sequence[int], key: str) -> str:
    return key if np.random.default_rng([*seed, 9]).random() < CLAIMING[kind] else ""


def several_lots(count: int, seed: int) -> Iterator[Lot]:
    """Yield photographs of two or three works on one wall, at least one of them catalogued."""
    for number, (known, unknown) in enumerate(islice(hung_together(seed), count)):
        shows = (*known, *(path.stem for path in unknown))
        yield Lot("several", known, shows, "consistent", partial(_several, known, unknown, [seed, 6, number]))


def hung_together(seed: int) -> Iterator[tuple[tuple[str, ...], tuple[Path, ...]]]:
    """Yield the objects and the unknown works that hang on one wall: two or three, an object at least.

    None hangs on a second wall before each has been on one.
    """
    random = np.random.default_rng([seed, 6])
    objects, strangers = cycle(mixed(on_lots(), [seed, 6])), cycle(mixed(unknown_works(), [seed, 6]))
    while True:
        works = int(random.integers(2, 4))
        known = int(random.integers(1, works + 1))
        yield tuple(islice(objects, known)), tuple(islice(strangers, works - known))


def _several(known: Sequence[str], unknown: Sequence[Path], seed: Sequence[int]) -> bytes:
    pictures = mixed([*map(work, known), *map(unknown_picture, unknown)], seed)
    return jpeg(wall_of(pictures, np.random.default_rng(seed)).image)


def broken_lots(count: int, seed: int) -> Iterator[Lot]:
    """Yield files that are no photographs, and some that are not there."""
    for number, (name, spoil) in enumerate(islice(cycle(BROKEN.items()), count)):
        make = partial(_spoilt, spoil, on_lots()[number % len(on_lots())], [seed, 7, number])
        yield Lot("broken", (), (f"{name} {number}",), "unreadable", make, genuine=False)


def _spoilt(spoil: Spoil, key: str, seed: Sequence[int]) -> bytes | None:
    return spoil(jpeg(work(key)), np.random.default_rng(seed))


KINDS: Mapping[str, Callable[[int, int], Iterable[Lot]]] = {
    "query": query_lots,
    "re-photographed": retaken_lots,
    "copy": copy_lots,
    "several": several_lots,
    "known forgery": forgery_lots,
    "unknown": unknown_lots,
    "broken": broken_lots,
}
