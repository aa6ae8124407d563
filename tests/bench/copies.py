"""What share of painted copies by another hand is flagged, drawn blindly."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from indexer.demo import paint_demo
from indexer.demo.folder import PaintedProbe, object_id, picture_of
from retrieval.catalogue.catalogue import Catalogue
from retrieval.statistics.metrics import clopper_pearson
from tests.bench import report
from tests.bench.museum import artifact

WORKS = range(40, 80)  # the first forty served to choose a limit of the local distance
SEEDS = {"genuine": 1_000_000, "copy": 2_000_000}  # plus the work's number: the demo uses none of these
OUTCOMES = ("consistent", "divergent", "no-match", "inconclusive")
COLUMNS = ("kind", "objects", *OUTCOMES, "right object nearest", "share flagged", "median distance")


def photograph_works(folder: Path) -> None:
    """Write one genuine re-photograph and one re-photographed copy of each work, as KIND-WORK.jpg."""
    folder.mkdir()
    for kind, seed in SEEDS.items():
        for work in WORKS:
            picture_of(PaintedProbe(kind, work, seed + work)).save(folder / f"{kind}-{work}.jpg", quality=90)


def screen(folder: Path, data: Path) -> dict[str, list[dict]]:
    """Return what the program says of the photographs, by kind, in the order of works."""
    printed = artifact("screen", str(folder), "--data", str(data), "--format", "jsonl")
    records = {Path(record["photo"]).stem: record["works"][0] for record in map(json.loads, printed.splitlines())}
    return {kind: [records[f"{kind}-{work}"] for work in WORKS] for kind in SEEDS}


def row_of(kind: str, found: Sequence[dict]) -> list:
    """Return the counts of a kind; flagged is divergent alone, the interval is exact at 95 %."""
    outcomes = Counter(work["outcome"] for work in found)
    nearest = [work["matches"][0] for work in found]
    right = sum(match["object_id"] == object_id(work) for work, match in zip(WORKS, nearest, strict=True))
    flagged = outcomes["divergent"]
    low, high = clopper_pearson(flagged, len(found))
    share = f"{flagged / len(found):.3f} [{low:.3f}, {high:.3f}]"
    median = statistics.median(match["distance"] for match in nearest)
    return [kind, len(found), *(outcomes[name] for name in OUTCOMES), right, share, median]


def main() -> None:
    """Print the outcomes of genuine photographs (flagged: the false alarm rate) and of copies."""
    with tempfile.TemporaryDirectory() as folder:
        probes, data = Path(folder, "probes"), Path(folder, "data")
        demo = paint_demo(Path(folder, "demo"), works=WORKS.stop)
        artifact("index", str(demo.catalogue), "--data", str(data))
        photograph_works(probes)
        found = screen(probes, data)
        with Catalogue.reading(data) as catalogue:
            thresholds = catalogue.thresholds()
    assert thresholds is not None, "a finished index has thresholds"
    report(
        "copies",
        COLUMNS,
        [row_of(kind, works) for kind, works in found.items()],
        match_threshold=thresholds.match.value,
        authenticity_threshold=thresholds.authenticity.value,
        command="python -m tests.bench.copies",
    )


if __name__ == "__main__":
    main()
