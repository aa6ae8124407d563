"""Flags on all sources of photographs, one table: genuine ones called divergent, copies and other versions missed.

As the program judges by the thresholds that come with it, the right object given. The comparison network learned from
photographs of every genuine source but the one that is kept out, so that only that one's figure is of photographs that
nothing was chosen on; of changes, the network saw none of these. Spot-the-difference pictures are also photographed by
simulation, both as they were and changed. Intervals are by bootstrap over objects.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.simulation.rephotograph import VISITORS, draw_shot, photograph
from retrieval.machine import cpu_count, import_cv2
from retrieval.outcome import Outcome
from retrieval.statistics.metrics import bootstrap_by_group
from tests.bench import report, shared_data
from tests.bench.divergence import (
    CLEAN,
    PLATES,
    Case,
    Compared,
    bear_cases,
    compared,
    museum_cases,
    pair_cases,
    reduced,
)
from tests.bench.promises import CALIBRATION, simulated_cases
from tests.bench.wave2 import CHANGED, GENUINE, KEPT_OUT, changed_cases, genuine_cases, labelled

COLUMNS = ("photographs", "of", "objects", "compared", "divergent", "95 % interval", "inconclusive", "place right")
HIDDEN_BY_A_CAST = "palette"  # a change of colours that a cast of the light makes too


def genuine() -> Iterator[Case]:
    """Yield genuine photographs of all sources."""
    yield from pair_cases(shared_data("reproductions"))
    for case in museum_cases(shared_data("museum")):
        kind = "clean" if case.kind in CLEAN else "plates, noise" if case.kind in PLATES else "rotated, several"
        yield replace(case, kind=f"visitors: {kind}")
    for source in GENUINE:
        kept_out = " (kept out)" if source == KEPT_OUT else ""
        yield from (replace(case, kind=source + kept_out) for case in genuine_cases(source))


def changed(folder: Path) -> Iterator[Case]:
    """Yield copies and other versions; photographs that are simulated are written into `folder`."""
    yield from bear_cases(shared_data("altered") / "bearsInTheForest")
    for source in CHANGED:
        if source != "spot-the-difference":
            yield from (replace(case, kind=f"{source}: other versions") for case in changed_cases(source))
    yield from spot_cases(folder)


def spot_cases(folder: Path) -> Iterator[Case]:
    """Yield changed pictures as they are and photographed, with what was changed, and photographs of the others."""
    for number, item in enumerate(labelled("spot-the-difference")):
        case = item.case
        assert item.mask is not None
        with Image.open(item.mask) as file:
            case = replace(case, mask=touched(np.asarray(file.convert("L")) > 127))
        yield replace(case, kind="spot-the-difference")
        for name, picture, mask in (("changed", case.probe, case.mask), ("as it was", case.exemplar, None)):
            random = np.random.default_rng([number, mask is None])
            with Image.open(picture) as file:
                taken = photograph(file.convert("RGB"), draw_shot(random, VISITORS), random)
            probe = folder / f"{number}-{mask is None}.jpg"
            taken.save(probe, quality=92)
            yield replace(case, kind=f"spot-the-difference, photographed {name}", probe=probe, mask=mask)


def touched(mask: np.ndarray) -> np.ndarray:
    """Return the places that a mask touches, bool (rows, columns), and those around them: changes are small."""
    cv2 = import_cv2()
    whole = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return np.asarray(cv2.dilate(reduced(whole).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def simulated(folder: Path) -> Iterator[Case]:
    """Yield the simulated copies of `tests.bench.promises`, and genuine photographs of the same works."""
    for case in simulated_cases(shared_data("museum"), folder):
        if case.kind == CALIBRATION:
            return
        if not case.kind.endswith(HIDDEN_BY_A_CAST):
            yield case


def hits(item: Compared) -> bool | None:
    """Say whether the worst place lies on what was changed; None where that is not asked."""
    if item.case.mask is None or item.found is None or item.outcome != Outcome.DIVERGENT:
        return None
    values = np.nan_to_num(item.found.map, nan=-1.0)
    return bool(item.case.mask[np.unravel_index(values.argmax(), values.shape)])


def row(kind: str, items: list[Compared]) -> list:
    """Return a row of the table."""
    groups = [item.case.group for item in items]
    flagged = [float(item.outcome == Outcome.DIVERGENT) for item in items]
    figure = bootstrap_by_group(flagged, groups, lambda some: float(np.mean(some)))
    unsure = sum(item.outcome == Outcome.INCONCLUSIVE or item.found is None for item in items) / len(items)
    places = [hit for item in items if (hit := hits(item)) is not None]
    right = f"{sum(places)} of {len(places)}" if places else ""
    counted = sum(item.found is not None for item in items)
    interval = f"[{figure.low:.3f}, {figure.high:.3f}]"
    return [kind, len(items), len(set(groups)), counted, figure.value, interval, unsure, right]


def main() -> None:
    """Compare everything, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulated", action="store_true", help="the simulated copies too, some 700 photographs")
    parser.add_argument("--closely", action="store_true", help="look again in parts, as `artifact screen --closely`")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(cpu_count()) as pool:
        cases = [*genuine(), *changed(Path(folder))]
        if given.simulated:
            cases += [*simulated(Path(folder))]
        found = list(pool.map(partial(compared, closely=given.closely), cases))
    kinds: defaultdict[str, list[Compared]] = defaultdict(list)
    for item in found:
        kinds[item.case.kind].append(item)
    copies = [item for item in found if item.case.kind.startswith("copy")]
    rows = [row(kind, items) for kind, items in kinds.items()]
    if copies:
        rows.append(row("all simulated copies", copies))
    asked = [f" --{name}" for name in ("simulated", "closely") if getattr(given, name)]
    report("sources", COLUMNS, rows, command="python -m tests.bench.sources" + "".join(asked))


if __name__ == "__main__":
    main()
