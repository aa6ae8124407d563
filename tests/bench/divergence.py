"""The combined distance: false alarms on genuine photographs, copies flagged, by kind and by area; the places shown."""

from __future__ import annotations

import argparse
import csv
import math
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.simulation.alterations import KINDS, alter
from indexer.simulation.rephotograph import rephotograph
from retrieval.comparing.divergence import PLACES_ACROSS, Divergence, diverge, shipped_threshold
from retrieval.comparing.network import default_description
from retrieval.comparing.overlays import PLATE
from retrieval.comparing.registration import Registration, find_registration
from retrieval.encoder.encoder import Encoder, load_encoder
from retrieval.finding.match import Match
from retrieval.finding.nearest import exact_distance
from retrieval.judging.decision import Basis, decide
from retrieval.judging.look import CLOSEST
from retrieval.machine import cpu_count, import_cv2
from retrieval.outcome import Outcome
from retrieval.photographs.features import features_of, features_of_probe
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.quality import poor
from retrieval.statistics.calibration import Thresholds, authenticity_threshold, match_threshold
from retrieval.statistics.metrics import clopper_pearson, tied_groups
from tests.bench import report, shared_data
from tests.bench.faces import FACES
from tests.bench.museum import MISLABELLED, truths

FAITHFUL = "ec21098c.jpg"  # of the bears: three bears and a man in the forest, the most like the painting
AREAS = (0.01, 0.02, 0.05)
CLEAN, PLATES = ("qsd1_w1", "qsd2_w1"), ("qsd1_w2", "qsd2_w2", "qsd1_w3", "qsd2_w3")
SEEN = 24  # works that the method was chosen on: the first of the shuffled ones; they are left out
FOLDS = 5
COLUMNS = ("what", "objects", "count", "of", "share", "95 % interval")


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be compared, and where it was altered: bool (rows, columns) of the map."""

    kind: str
    group: str  # the object
    exemplar: Path
    probe: Path
    mask: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found; None: it did not register."""

    case: Case
    global_distance: float
    found: Divergence | None
    outcome: str


_loaded = threading.local()  # an encoder is asked from one thread


def compared(case: Case, *, closely: bool = False) -> Compared:
    """Compare as the program does, but with the right object given."""
    if not hasattr(_loaded, "encoder"):
        _loaded.encoder = load_encoder()
    encoder: Encoder = _loaded.encoder
    one, other = (read_photograph(path, short_side=260) for path in (case.exemplar, case.probe))
    distance = exact_distance(*encoder.encode([one.image, other.image]))
    registration = registered(one, other)
    if registration is None:
        return Compared(case, distance, None, "not registered")
    if closely:
        one, other = (read_photograph(path, short_side=round(CLOSEST * 260)) for path in (case.exemplar, case.probe))
    found = diverge(one, other, registration, global_distance=distance, closely=closely)
    if not isinstance(found, Divergence):
        return Compared(case, distance, None, "not compared")
    match = Match(case.group, case.exemplar, distance, registration, found)
    none = match_threshold(np.empty(0)), authenticity_threshold(np.empty(0))
    basis = Basis(Thresholds(*none, default_description().threshold))
    return Compared(case, distance, found, str(decide([match], basis, poor=poor(other)).outcome))


def registered(exemplar: Photograph, probe: Photograph) -> Registration | None:
    """Return how a probe lies on an exemplar, None where that cannot be told."""
    found = find_registration(features_of(exemplar).as_stored(), features_of_probe(probe))
    return found if isinstance(found, Registration) else None


def pair_cases(reproductions: Path) -> Iterator[Case]:
    """Yield the pairs of reproductions; pairs that share a picture are one object."""
    with (reproductions / "pairs.csv").open(newline="", encoding="utf-8") as file:
        pairs = [(row["a"], row["b"]) for row in csv.DictReader(file)]
    groups = tied_groups({f"{one} {other}": frozenset({one, other}) for one, other in pairs})
    for one, other in pairs:
        images = reproductions / "images"
        yield Case("reproductions", groups[f"{one} {other}"], images / one, images / other)


def museum_cases(museum: Path) -> Iterator[Case]:
    """Yield each query with each work on it, labels mended."""
    truth = truths(museum) | {photo: frozenset({work}) for photo, work in MISLABELLED.items()}
    groups = tied_groups(truth)
    for photo, works in truth.items():
        for work in sorted(works):
            exemplar = museum / "catalogue" / f"{work}.jpg"
            yield Case(photo.partition("_0")[0], groups[photo], exemplar, museum / "queries" / photo)


def bear_cases(altered: Path) -> Iterator[Case]:
    """Yield the altered copies against the most faithful of them."""
    for path in sorted(altered.glob("*.jpg")):
        if path.name != FAITHFUL:
            yield Case("altered copies of one painting", path.stem, altered / FAITHFUL, path)


def unseen_works(museum: Path, count: int) -> list[Path]:
    """Return `count` works that are on no query, and that the method was not chosen on."""
    asked = {work for works in truths(museum).values() for work in works} | set(MISLABELLED.values())
    works = [path for path in sorted((museum / "catalogue").glob("*.jpg")) if path.stem not in asked]
    shuffled = [works[index] for index in np.random.default_rng(5).permutation(len(works))]
    return shuffled[SEEN : SEEN + count]


def simulated_cases(museum: Path, folder: Path, count: int) -> Iterator[Case]:
    """Yield re-photographs of works that are on no query, and of altered copies of them, written into `folder`."""
    chosen = unseen_works(museum, count)
    faces = [path for path in sorted((museum / "catalogue").glob("*.jpg")) if path.stem in FACES]
    for number, path in enumerate([*chosen, *faces]):
        original, donor = small(path), small(chosen[(number + 7) % len(chosen)])
        pictures: list[tuple[str, Image.Image, np.ndarray | None]] = []
        if number < len(chosen):
            pictures.append(("simulated, genuine", original, None))
        for kind, area in [("face", 0.05)] if number >= len(chosen) else product(KINDS, AREAS):
            made = None
            if kind != "face" or number >= len(chosen):
                made = alter(original, kind, area=area, donor=donor, seed=number, face=FACES.get(path.stem))
            if made is not None:
                pictures.append((kind if kind == "face" else f"{kind} {area:.0%}", made.image, made.mask))
        for index, (kind, picture, mask) in enumerate(pictures):
            file = folder / f"{path.stem}-{index}-{number}.jpg"
            rephotograph(picture, seed=1000 * number + index).save(file, quality=95)
            yield Case(kind, path.stem, path, file, None if mask is None else reduced(mask))


def small(path: Path) -> Image.Image:
    """Return a picture, its long side at most 800 pixels."""
    with Image.open(path) as image:
        picture = image.convert("RGB")
    picture.thumbnail((800, 800))
    return picture


def reduced(mask: np.ndarray) -> np.ndarray:
    """Return the places that a mask touches by a fifth, bool (rows, columns) of the map."""
    cv2 = import_cv2()
    size = (PLACES_ACROSS, PLACES_ACROSS)
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.2)


def combined(item: Compared) -> float:
    """Return the combined distance; what could not be compared is as genuine as can be."""
    return item.found.combined_distance if item.found else -np.inf


def share(what: str, flagged: Sequence[bool], groups: Sequence[str]) -> list:
    """Return a row: how many are flagged, with the exact interval."""
    count, of = sum(flagged), len(flagged)
    low, high = clopper_pearson(count, of)
    return [what, len(set(groups)), count, of, count / of, f"[{low:.3f}, {high:.3f}]"]


def passing(values: Sequence[float], share: float = 0.95) -> float:
    """Return the smallest threshold that this share of the values do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def cross_fitted(values: Sequence[float], groups: Sequence[str], share: float = 0.95) -> list[bool]:
    """Say of each genuine distance whether it is beyond the threshold that the pairs of other objects set."""
    names = sorted(set(groups))
    order = np.random.default_rng(0).permutation(len(names))
    fold = {names[index]: position % FOLDS for position, index in enumerate(order)}
    flagged = []
    for value, group in zip(values, groups, strict=True):
        others = [other for other, of in zip(values, groups, strict=True) if fold[of] != fold[group]]
        flagged.append(value > passing(others, share))
    return flagged


def places_row(kind: str, items: Sequence[Compared]) -> list:
    """Return how often the worst place lies on what was altered, and how well the places beyond the limit do."""
    cv2 = import_cv2()
    hits, overlaps = [], []
    for item in items:
        if item.found is None or item.case.mask is None or item.found.local_distance <= item.found.limit:
            continue
        near = cv2.dilate(item.case.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        values = np.nan_to_num(item.found.map, nan=-1.0)
        hits.append(bool(near[np.unravel_index(values.argmax(), values.shape)]))
        beyond = values > item.found.limit
        overlaps.append(float((beyond & item.case.mask).sum() / (beyond | item.case.mask).sum()))
    low, high = clopper_pearson(sum(hits), len(hits)) if hits else (0.0, 1.0)
    said = f"[{low:.3f}, {high:.3f}]; median intersection over union {np.median(overlaps or [0]):.2f}"
    return [f"{kind}: worst place hits", len(hits), sum(hits), len(hits), sum(hits) / max(1, len(hits)), said]


def main() -> None:
    """Print the shares with their intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=int, default=60, help="works whose copies are simulated")
    count = parser.parse_args().works
    museum = shared_data("museum")
    real = [*pair_cases(museum.parent / "reproductions"), *museum_cases(museum)]
    real += bear_cases(museum.parent / "altered" / "bearsInTheForest")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(cpu_count()) as pool:
        simulated = list(simulated_cases(museum, Path(folder), count))
        found = list(pool.map(compared, [*real, *simulated]))
    kinds: defaultdict[str, list[Compared]] = defaultdict(list)
    for item in found:
        kinds[item.case.kind].append(item)
    genuine = [item for kind in ("reproductions", *CLEAN) for item in kinds[kind]]
    measured = [item for item in genuine if item.found]
    threshold = passing([combined(item) for item in measured])
    by_global = passing([item.global_distance for item in genuine])
    rows = []
    crossed = cross_fitted([combined(item) for item in genuine], [item.case.group for item in genuine])
    flagged = dict(zip(map(id, genuine), crossed, strict=True))
    for what, some in (("reproductions", kinds["reproductions"]), ("clean visitors' photographs", genuine[-22:])):
        groups = [item.case.group for item in some]
        rows.append(share(f"{what}: beyond a threshold of other objects", [flagged[id(i)] for i in some], groups))
    plates = [item for kind in PLATES for item in kinds[kind]]
    for what, some in (
        ("plates (w2)", [item for item in plates if item.case.kind.endswith("2")]),
        ("plates and noise (w3)", [item for item in plates if item.case.kind.endswith("3")]),
        ("rotated, several works, plates (w4, w5)", [*kinds["qsd1_w4"], *kinds["qsd1_w5"]]),
    ):
        groups = [item.case.group for item in some]
        rows.append(share(f"{what}: divergent", [item.outcome == Outcome.DIVERGENT for item in some], groups))
        unsure = [item.outcome == Outcome.INCONCLUSIVE for item in some]
        rows.append(share(f"{what}: inconclusive", unsure, groups))
        seen = [bool(item.found and any(o.kind == PLATE for o in item.found.overlays)) for item in some]
        rows.append(share(f"{what}: a plate is reported", seen, groups))
    copies = [kind for kind in kinds if kind.startswith(("altered", "simulated", *KINDS))]
    for kind in copies:
        some, groups = kinds[kind], [item.case.group for item in kinds[kind]]
        rows.append(share(f"{kind}: divergent", [item.outcome == Outcome.DIVERGENT for item in some], groups))
        distant = [item.global_distance > by_global for item in some]
        rows.append(share(f"{kind}: beyond the threshold of the global distance alone", distant, groups))
    rows += [places_row(kind, kinds[kind]) for kind in copies if kinds[kind][0].case.mask is not None]
    unregistered = {kind: n for kind in copies if (n := sum(item.found is None for item in kinds[kind]))}
    report(
        "divergence",
        COLUMNS,
        rows,
        threshold_of_all_genuine_pairs=round(threshold, 4),
        pairs=len(measured),
        shipped_threshold=shipped_threshold(),
        global_threshold_of_the_same_pairs=round(by_global, 4),
        not_registered=unregistered,
        farthest_genuine={i.case.probe.name: round(combined(i), 3) for i in sorted(measured, key=combined)[-5:]},
        command=f"python -m tests.bench.divergence --works {count}",
    )


if __name__ == "__main__":
    main()
