"""Registration: right objects first, true pairs registered, other works not; what it costs."""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from retrieval.comparing.registration import Registration, find_registration
from retrieval.finding.finder import SURE
from retrieval.machine import cpu_count
from retrieval.photographs.features import Features, features_of, features_of_probe, glance_at
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph
from retrieval.statistics.metrics import clopper_pearson
from tests.bench import report, shared_data
from tests.bench.museum import MISLABELLED, screen_museum, truths

SAME_WORK = {  # by eye: reproductions of one painting that pairs.csv does not list
    frozenset({"Rembrandt_167.jpg", "Rembrandt_175.jpg"}),
    frozenset({"Hieronymus_Bosch_111.jpg", "Hieronymus_Bosch_53.jpg"}),
    frozenset({"Gustav_Klimt_3.jpg", "Gustav_Klimt_65.jpg"}),
}
COLUMNS = ("what", "count", "of", "share", "95 % interval")
Pair = tuple[str, Features, str, Features]
Extract = Callable[[Photograph], Features]


def stored_features_of(photograph: Photograph) -> Features:
    """Return the features of an exemplar as the catalogue holds them."""
    return features_of(photograph).as_stored()


def share(what: str, count: int, of: int) -> list:
    """Return a row with a share and its exact interval."""
    low, high = clopper_pearson(count, of)
    return [what, count, of, count / of, f"[{low:.4f}, {high:.4f}]"]


def features(paths: Sequence[Path], extract: Extract = stored_features_of) -> dict[str, Features]:
    """Return the features of photographs by file name."""
    with ThreadPoolExecutor(cpu_count()) as pool:
        found = pool.map(lambda path: extract(read_photograph(path, short_side=260)), paths)
        return dict(zip([path.name for path in paths], found, strict=True))


def registered(pairs: Iterable[Pair]) -> list[tuple[str, str, Registration]]:
    """Return the names of those pairs that register, and how."""
    found = [(one, other, find_registration(first, second)) for one, first, other, second in pairs]
    return [(one, other, result) for one, other, result in found if isinstance(result, Registration)]


def first_objects(museum: Path, truth: dict[str, frozenset[str]]) -> tuple[list[list], dict[str, list[str]]]:
    """Screen the queries by the command line; return rows on the first object, and all rankings."""
    with tempfile.TemporaryDirectory() as data:
        records = screen_museum(museum, Path(data))
    ranking = {Path(r["photo"]).name: [m["object_id"] for m in r["works"][0]["matches"]] for r in records}
    confirmed = {Path(r["photo"]).name for r in records if r["works"][0]["matches"][0]["registration"]}
    known = {photo for photo, ids in truth.items() if ids}
    single = {photo for photo in known if len(truth[photo]) == 1}
    right = {photo for photo in known if ranking[photo][0] in truth[photo]}
    unknown = truth.keys() - known
    rows = [
        share("queries with one catalogued work: right object first", len(right & single), len(single)),
        share("queries with any catalogued work: right object first", len(right), len(known)),
        share("queries of unknown works: an object is confirmed", len(confirmed & unknown), len(unknown)),
        share("the same without mislabelled ones", *_without(confirmed, unknown)),
    ]
    return rows, ranking


def _without(confirmed: set[str], unknown: set[str]) -> tuple[int, int]:
    sound = unknown - MISLABELLED.keys()
    return len(confirmed & sound), len(sound)


def museum_pairs(
    truth: dict[str, frozenset[str]],
    ranking: dict[str, list[str]],
    works: dict[str, Features],
    museum: Path,
    extract: Extract = features_of_probe,
) -> tuple[list[Pair], list[Pair]]:
    """Return the true pairs of works and queries, and each query with the other works among its 50 first."""
    queries = features([museum / "queries" / photo for photo in truth], extract)
    true, other = [], []
    for photo, ids in truth.items():
        sound = ids if photo not in MISLABELLED else {MISLABELLED[photo]}
        for work in sorted(set(ranking[photo][:50]) | sound):
            (true if work in sound else other).append((work, works[f"{work}.jpg"], photo, queries[photo]))
    return true, other


def glance_rows(true: Sequence[Pair], other: Sequence[Pair]) -> list[list]:
    """Return rows on what a glance is sure of, and what it would register wrongly."""
    sure = [found for _, _, found in registered(true) if found.inliers >= SURE]
    return [
        share("true pairs at a glance: sure", len(sure), len(true)),
        share("other works at a glance: registered", len(registered(other)), len(other)),
    ]


def random_pairs(one: dict[str, Features], other: dict[str, Features], count: int) -> list[Pair]:
    """Return pairs of different photographs, the same for the same count."""
    random = np.random.default_rng(0)
    firsts, seconds = list(one), list(other)
    pairs: dict[frozenset[str], Pair] = {}
    while len(pairs) < count:
        a, b = firsts[random.integers(len(firsts))], seconds[random.integers(len(seconds))]
        if a != b:
            pairs[frozenset({a, b})] = (a, one[a], b, other[b])
    return list(pairs.values())


def impostor_rows(museum: Path, count: int, works: dict[str, Features], listed: set[frozenset[str]]) -> list[list]:
    """Return rows on random pairs of different works, naming every one that registers."""
    shared = museum.parent
    chinese = features(sorted((shared / "chinese").glob("*.jpg")))
    paintings = features(sorted((shared / "reproductions" / "images").glob("*.jpg")))
    rows, total = [], 0
    kinds = [
        ("works of the museum", works, works),
        ("works of the museum with Chinese paintings", works, chinese),
        ("reproductions", paintings, paintings),
    ]
    for what, one, other in kinds:
        pairs = [p for p in random_pairs(one, other, -(-count // 3)) if {p[0], p[2]} not in [*listed, *SAME_WORK]]
        false = registered(pairs)
        for name, second, found in false:
            print(f"registered, look at it: {name} {second}, {found.inliers} points, mirrored {found.mirrored}")
        rows.append(share(f"impostors, {what}: registered", len(false), len(pairs)))
        total += len(false)
    rows.append(share("impostors, all of these", total, sum(row[2] for row in rows)))
    return rows


def milliseconds(job: Callable[[], object], *, times: int = 1) -> float:
    """Return how long a job takes of one core."""
    start = time.process_time()
    job()
    return 1e3 * (time.process_time() - start) / times


def costs(museum: Path, true: Sequence[Pair], other: Sequence[Pair]) -> dict[str, float]:
    """Return what each stage costs, and the median size of what is stored."""
    photographs = [read_photograph(p, short_side=260) for p in sorted((museum / "catalogue").glob("*.jpg"))[:60]]
    number = len(photographs)
    sizes = [len(features_of(photograph).to_bytes()) for photograph in photographs]
    return {
        "extraction_exemplar_ms": milliseconds(lambda: [features_of(p) for p in photographs], times=number),
        "extraction_probe_ms": milliseconds(lambda: [features_of_probe(p) for p in photographs], times=number),
        "register_true_pair_ms": milliseconds(lambda: registered(true), times=len(true)),
        "register_impostor_ms": milliseconds(lambda: registered(other[:500]), times=min(500, len(other))),
        "stored_kilobytes_median": float(np.median(sizes)) / 1e3,
        "stored_kilobytes_most": max(sizes) / 1e3,
    }


def main() -> None:
    """Print the shares with their intervals, the mislabelled queries, and the costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=2000, help="random impostor pairs")
    count = parser.parse_args().pairs
    museum = shared_data("museum")
    truth = truths(museum)
    rows, ranking = first_objects(museum, truth)
    works = features(sorted((museum / "catalogue").glob("*.jpg")))
    true, other = museum_pairs(truth, ranking, works, museum)
    rows.append(share("true pairs of work and query, labels mended: registered", len(registered(true)), len(true)))
    with (museum.parent / "reproductions" / "pairs.csv").open(newline="", encoding="utf-8") as file:
        listed = [(row["a"], row["b"]) for row in csv.DictReader(file)]
    images = museum.parent / "reproductions" / "images"
    prints = features([images / name for name in sorted({name for pair in listed for name in pair})])
    same = [(one, prints[one], two, prints[two]) for one, two in listed]
    rows.append(share("reproductions of one painting: registered", len(registered(same)), len(same)))
    wrong = registered(other)
    for work, photo, found in wrong:
        print(f"registered, look at it: {work} {photo}, {found.inliers} points, mirrored {found.mirrored}")
    rows.append(share("queries with other works among their 50 first: registered", len(wrong), len(other)))
    rows += glance_rows(*museum_pairs(truth, ranking, works, museum, glance_at))
    rows += impostor_rows(museum, count, works, {frozenset(pair) for pair in listed})
    for photo, shows in MISLABELLED.items():
        print(f"mislabelled: {photo} is labelled {' '.join(sorted(truth[photo])) or 'unknown'} and shows {shows}")
    found_costs = {name: round(value, 2) for name, value in costs(museum, true, other).items()}
    command = f"python -m tests.bench.registration --pairs {count}"
    report("registration", COLUMNS, rows, **found_costs, mislabelled=MISLABELLED, command=command)


if __name__ == "__main__":
    main()
