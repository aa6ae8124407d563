"""A lot of three photographs with a reflection on each, elsewhere every time: each alone, and the lot as a whole.

Simulated visitors' photographs of works of the museum and of reproductions, and of copies of them in the same light,
from the same places, behind the same glass; and real ones, every object of a source with several genuine photographs.
Beside the rule that the program has, the middle one at each place of those that resolve it, stand the least of all and
their mean. The middle one was chosen on these simulated photographs. Intervals are by object.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.simulation.changes import change
from indexer.simulation.copies import make_copy
from indexer.simulation.rephotograph import VISITORS, draw_shot, photograph
from retrieval.comparing.divergence import Divergence, diverge, shipped_threshold
from retrieval.comparing.joint import joined
from retrieval.comparing.logits import distance_of, logits_behind, whole_of
from retrieval.machine import cpu_count, import_cv2
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph
from retrieval.statistics.metrics import clopper_pearson
from tests.bench import report, shared_data
from tests.bench.divergence import Case, museum_cases, registered, unseen_works
from tests.bench.wave2 import KEPT_OUT, genuine_cases

GENUINE = "genuine"
COPIES = ("removed", "repainted", "redrawn")  # by `make_copy`; `changed` is by `change`
KINDS = (GENUINE, "changed", *COPIES)
PHOTOGRAPHS = 3
SIDE, SHORT = 480, 300  # pixels of the short side of a simulated work, and of a photograph as it is read
CONDITIONS = replace(VISITORS, glare=0.0)  # the glass is the only light
SOURCES = ("museum", "reproductions")
REAL = ("phone-dvd-covers", "phone-paintings", "gallery-video", "card-editions", KEPT_OUT)
COLUMNS = ("photographs", "lots", "single", "all alone", "one alone", "together", "95 % interval", "least", "mean")


@dataclass(frozen=True, slots=True)
class Lot:
    """The comparisons of several photographs of one object, or of a copy of it."""

    kind: str
    views: tuple[Divergence, ...]


def reflected(pixels: np.ndarray, room: np.ndarray, third: int, random: np.random.Generator) -> np.ndarray:
    """Lay the reflection of a window over one third of a photograph, uint8: a part of another picture, and light."""
    cv2 = import_cv2()
    height, width = pixels.shape[:2]
    centre = (third + random.uniform(0.25, 0.75)) / 3 * width, random.uniform(0.2, 0.8) * height
    size = random.uniform(0.12, 0.3) * width, random.uniform(0.15, 0.5) * height
    glass = np.zeros((height, width), np.float32)
    cv2.fillConvexPoly(glass, cv2.boxPoints((centre, size, random.uniform(-15, 15))).astype(np.int32), 1.0)
    glass = cv2.GaussianBlur(glass, (0, 0), random.uniform(1.5, 0.02 * max(height, width)))[..., None]
    seen = cv2.resize(room, (width, height)).astype(np.float32)
    seen = cv2.GaussianBlur(seen, (0, 0), random.uniform(0.8, 3.0))
    strength = random.uniform(0.5, 1.0)
    values = pixels * (1 - 0.5 * strength * glass) + seen * strength * glass + random.uniform(0, 60) * glass
    return np.asarray(np.clip(values, 0, 255).astype(np.uint8))


def simulated(number: int, works: Sequence[Path], source: str) -> list[Lot]:
    """Return the lots of one work: genuine, and of each kind of copy that can be made."""
    original, donor = (_sized(_opened(works[(number + step) % len(works)]), SIDE) for step in (0, 7))
    exemplar = _photograph(original)
    rooms = [_opened(works[(3 * number + index + 11) % len(works)]) for index in range(PHOTOGRAPHS)]
    lots = []
    for kind in KINDS:
        if (shown := _shown(kind, original, donor, number)) is None:
            continue
        views = []
        for index, room in enumerate(rooms):
            random = np.random.default_rng([number, index, 5])  # as the genuine work was photographed
            taken = np.asarray(photograph(shown, draw_shot(random, CONDITIONS), random))
            taken = reflected(taken, np.asarray(room), index, random)
            views.append(_compared(exemplar, _photograph(Image.fromarray(taken))))
        lots.append(Lot(f"{source}: {kind}", tuple(view for view in views if view is not None)))
    return lots


def _shown(kind: str, original: Image.Image, donor: Image.Image, number: int) -> Image.Image | None:
    if kind == GENUINE:
        return original
    if kind == "changed":
        made = change(np.asarray(original), np.asarray(donor), np.random.default_rng([number, 77]))
        return None if made is None else Image.fromarray(made[0])
    copy = make_copy(original, kind, seed=number, donor=donor)
    return None if copy is None else copy.image


def real(kind: str, cases: Sequence[Case]) -> Lot:
    """Return the lot of the genuine photographs of one object."""
    views = []
    for case in cases:
        one, other = (read_photograph(path, short_side=260) for path in (case.exemplar, case.probe))
        views.append(_compared(one, other))
    return Lot(f"{kind}: {GENUINE}", tuple(view for view in views if view is not None))


def real_lots() -> Iterator[tuple[str, list[Case]]]:
    """Yield the source and the genuine photographs of each object that has several."""
    given = {source: genuine_cases(source) for source in REAL}
    for source, cases in ({"museum's visitors": list(museum_cases(shared_data("museum")))} | given).items():
        of: defaultdict[Path, list[Case]] = defaultdict(list)
        for case in cases:
            of[case.exemplar].append(case)
        name = f"{source} (kept out)" if source == KEPT_OUT else source
        yield from ((name, some) for some in of.values() if len(some) > 1)


def _compared(exemplar: Photograph, probe: Photograph) -> Divergence | None:
    registration = registered(exemplar, probe)
    found = registration and diverge(exemplar, probe, registration, global_distance=0.0)
    return found if isinstance(found, Divergence) else None


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as file:
        return file.convert("RGB")


def _sized(image: Image.Image, side: int) -> Image.Image:
    scale = side / min(image.size)
    size = round(image.width * scale), round(image.height * scale)
    return image.resize(size, Image.Resampling.LANCZOS) if scale < 1 else image


def _photograph(image: Image.Image) -> Photograph:
    return Photograph(Path(), "", image.width, image.height, _sized(image, SHORT))


def as_a_whole(views: Sequence[Divergence]) -> float:
    """Return the combined distance of several photographs as the program has it."""
    return joined([view.map for view in views], [view.resolved for view in views]).combined_distance


def by(rule: Callable[..., np.ndarray], views: Sequence[Divergence]) -> float:
    """Return the combined distance of several photographs by another rule for each place."""
    logits = logits_behind(np.stack([view.map for view in views]))
    inside = ~np.isnan(logits).all(axis=0)
    return float(distance_of(whole_of(rule(logits[:, inside], axis=0))))


def row(kind: str, lots: Sequence[Lot]) -> list:
    """Return how many photographs and lots of a kind are beyond the threshold."""
    limit = shipped_threshold()
    alone = [[view.combined_distance > limit for view in lot.views] for lot in lots]
    whole = [as_a_whole(lot.views) > limit for lot in lots]
    low, high = clopper_pearson(sum(whole), len(whole))
    others = [np.mean([by(rule, lot.views) > limit for lot in lots]) for rule in (np.nanmin, np.nanmean)]
    single = float(np.mean([flag for some in alone for flag in some]))
    every, one = (float(np.mean([rule(some) for some in alone])) for rule in (all, any))
    shares = [single, every, one, float(np.mean(whole)), f"[{low:.3f}, {high:.3f}]", *map(float, others)]
    return [kind, len(lots), *shares]


def main() -> None:
    """Compare everything, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=60, help="works of each source of the simulated ones")
    count = parser.parse_args().works
    museum = unseen_works(shared_data("museum"), 1000)
    images = sorted((shared_data("reproductions") / "images").glob("*.jpg"))
    pictures = [images[index] for index in np.random.default_rng(3).permutation(len(images))]
    with ThreadPoolExecutor(cpu_count()) as pool:
        lots = [
            lot
            for source, works in zip(SOURCES, (museum, pictures), strict=True)
            for some in pool.map(partial(simulated, works=works, source=source), range(count))
            for lot in some
        ]
        lots += pool.map(lambda given: real(*given), real_lots())
    kinds: defaultdict[str, list[Lot]] = defaultdict(list)
    for lot in lots:
        if len(lot.views) > 1:
            kinds[lot.kind].append(lot)
    rows = [row(kind, some) for kind, some in kinds.items()]
    report("together", COLUMNS, rows, command=f"python -m tests.bench.together --works {count}")


if __name__ == "__main__":
    main()
