"""How well visitors' photographs of a museum find their object, by kind of query; nothing was tuned on them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from retrieval.statistics.metrics import (
    Estimate,
    RankedQuery,
    bootstrap_by_group,
    clopper_pearson,
    global_average_precision,
    mean_average_precision,
    recall_at_k,
    tied_groups,
)
from tests.bench import report, shared_data

KINDS = {
    "qsd1_w1": "cropped, clean",
    "qsd1_w2": "cropped, name plate",
    "qsd1_w3": "cropped, plate and noise",
    "qsd1_w4": "cropped, 1-2 works, some unknown",
    "qsd1_w5": "cropped, 1-3 works, some unknown",
    "qsd2_w1": "frame and wall, clean",
    "qsd2_w2": "frame and wall, 1-2 works, plate",
    "qsd2_w3": "frame and wall, 1-2 works, noise",
}
MISLABELLED = {  # by eye: what these photographs show, whatever their label says
    "qsd2_w1_00020.jpg": "116",
    "qsd1_w4_00009.jpg": "119",
    "qsd1_w4_00022.jpg": "075",
}
COLUMNS = ("kind", "what", "photos", "objects", "recall@1", "mAP", "GAP")


def artifact(*arguments: str) -> str:
    """Run the command line and return what it printed."""
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def screen_museum(museum: Path, data: Path) -> list[dict]:
    """Index the catalogue, screen the queries, and return the records."""
    artifact("index", str(museum / "catalogue"), "--data", str(data))
    form = ("--format", "jsonl", "-k", "1000", "--single")
    printed = artifact("screen", str(museum / "queries"), "--data", str(data), *form)
    return [json.loads(line) for line in printed.splitlines()]


def score(match: dict) -> float:
    """Return what the program ranks by, lower is better: the points that agree, and without them the distance."""
    found = match["registration"]
    return -float(found["inliers"]) if found else match["distance"]


def truths(museum: Path) -> dict[str, frozenset[str]]:
    """Return the objects on each query photograph, as ids of the catalogue; none for unknown works."""
    with (museum / "queries.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["photo"]: row["catalogue_ids"].split() for row in csv.DictReader(file)}
    return {photo: frozenset(f"{int(i):03d}" for i in ids if i != "none") for photo, ids in rows.items()}


def row_of(
    kind: str, what: str, photos: Sequence[str], queries: dict[str, RankedQuery], groups: dict[str, str]
) -> list:
    """Return the figures of some photographs, each with its 95 % interval by bootstrap over objects."""
    known = [photo for photo in photos if queries[photo].truth]

    def estimate(statistic: Callable[[Sequence[RankedQuery]], float], of: Sequence[str]) -> str:
        found: Estimate = bootstrap_by_group(
            [queries[photo] for photo in of], [groups[photo] for photo in of], statistic
        )
        low, high = found.low, found.high
        if low == high:  # all alike: resampling has no width; the exact interval of as many objects has
            low, high = clopper_pearson(round(found.value * found.n), found.n)
        return f"{found.value:.3f} [{low:.3f}, {high:.3f}]"

    objects = len({object_id for photo in photos for object_id in queries[photo].truth})
    figures = [
        estimate(recall_at_k, known),
        estimate(mean_average_precision, known),
        estimate(global_average_precision, photos),
    ]
    return [kind, what, len(photos), objects, *figures]


def main() -> None:
    """Print recall@1, mAP and GAP by kind of query, and the outcomes."""
    museum = shared_data("museum")
    with tempfile.TemporaryDirectory() as data:
        records = screen_museum(museum, Path(data))
    truth = truths(museum)
    queries, outcomes = {}, {}
    for record in records:
        photo, work = Path(record["photo"]).name, record["works"][0]
        ranking = tuple((match["object_id"], score(match)) for match in work["matches"])
        queries[photo] = RankedQuery(truth[photo], ranking)
        right = bool(truth[photo]) and ranking[0][0] in truth[photo]
        outcomes[photo] = (
            "right object" if right else "wrong object" if truth[photo] else "unknown work",
            work["outcome"],
        )
    groups = tied_groups(truth)
    kinds = [(kind, what, [photo for photo in truth if photo.startswith(kind)]) for kind, what in KINDS.items()]
    rows = [
        row_of(kind, what, photos, queries, groups) for kind, what, photos in kinds if any(truth[p] for p in photos)
    ]
    rows.append(row_of("all", "", list(truth), queries, groups))
    mended = truth | {photo: frozenset({work}) for photo, work in MISLABELLED.items()}
    asked = {photo: RankedQuery(mended[photo], query.ranking) for photo, query in queries.items()}
    rows.append(row_of("all", "three labels mended", list(truth), asked, tied_groups(mended)))
    counts = Counter(outcomes.values())
    table = {nearest: {o: n for (about, o), n in sorted(counts.items()) if about == nearest} for nearest, _ in counts}
    report("museum", COLUMNS, rows, outcomes_by_nearest=table, command="python -m tests.bench.museum")


if __name__ == "__main__":
    main()
