"""Whether calibrations keep what they promise: 200 splits by object, thresholds set on one half, errors on the other.

False alarms: genuine photographs of a museum by its visitors, simulated photographs of its works, reproductions of one
painting, and signatures, each measured as the program measures it. False matches: half of the works are the catalogue,
the others unknown; works that are in both halves, by registration, are left out. The splits of a set share its objects,
so the share of them that break the promise is compared with its exact expectation were the photographs exchangeable: of
n + m values, the chance that more than the promised share of the m lie beyond the k-th largest of the n. Writes
build/bench/coverage.svg beside the figures.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.building.build import build_catalogue
from indexer.building.neighbours import Neighbours
from indexer.inputs.labels import dependent_groups
from indexer.measuring.calibrate import measure
from indexer.measuring.fitting import LABELLED, SIMULATED, Case, Distances, fit
from indexer.measuring.unknown_works import unknown_distances
from indexer.simulation.rephotograph import VISITORS, draw_shot, photograph
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import vectors_of
from retrieval.catalogue.rows import Photo
from retrieval.catalogue.vector_index import Vectors
from retrieval.comparing.registration import Registration, find_registration
from retrieval.encoder.encoder import DEFAULT, load_encoder
from retrieval.judging.edition import Edition, open_edition
from retrieval.machine import cpu_count
from retrieval.statistics.calibration import Thresholds, allowed_beyond, lower_bound
from tests.bench import RESULTS, report, shared_data
from tests.bench.divergence import Case as Pair
from tests.bench.divergence import museum_cases, pair_cases, small
from tests.bench.encoders import distances_between

PROMISES = (0.05, 0.1, 0.2)
MATCHES = (0.01, 0.05, 0.1)
REFERENCES = 8  # signatures of a writer in the catalogue
NEAR = 0.75  # global distance below which two works may be one
COLUMNS = (
    "what", "objects", "set on", "asked", "promised", "mean error", "of the promise", "splits above",
    "expected", "95 % of splits of exchangeable photos",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Errors:
    """What the splits of one set came to: for each, the rate promised and the rate found."""

    what: str
    asked: float
    objects: int
    calibrated: int
    promised: np.ndarray
    found: np.ndarray
    expected: np.ndarray  # splits above the promise, were all exchangeable

    def row(self) -> list:
        """Return a row of the table."""
        above = self.found > self.promised + 1e-12
        mean, promised = float(self.found.mean()), float(self.promised.mean())
        return [
            self.what, self.objects, self.calibrated, self.asked, promised, mean, mean / promised,
            f"{int(above.sum())} of {len(above)}", float(self.expected.mean()),
            f"{np.quantile(self.found, 0.025):.3f} to {np.quantile(self.found, 0.975):.3f}",
        ]  # fmt: skip


def exceeded(count: int, beyond: int, unseen: int, promise: float) -> float:
    """Return the chance that more than `promise` of `unseen` values exceed the (beyond + 1)-th largest of `count`.

    Of exchangeable values: negative hypergeometric, the number that come before the threshold in the order of all.
    """

    def ways(some: int, of: int) -> float:
        return math.lgamma(of + 1) - math.lgamma(some + 1) - math.lgamma(of - some + 1)

    def chance(above: int) -> float:
        before, after = ways(above, beyond + above), ways(unseen - above, count - beyond - 1 + unseen - above)
        return math.exp(before + after - ways(unseen, count + unseen))

    return sum(chance(above) for above in range(math.floor(promise * unseen + 1e-9) + 1, unseen + 1))


def indexed(folder: Path, data: Path, encoder: str = DEFAULT) -> Edition:
    """Index a folder and open it."""
    build_catalogue(folder, data, load=lambda record: load_encoder(encoder, parallel=cpu_count()))
    return open_edition(data, parallel=cpu_count())


def cases_of(pairs: Sequence[Pair]) -> list[Case]:
    """Return genuine pairs whose exemplar is the object of its name; their groups are those of the pairs."""
    return [Case(pair.probe, pair.exemplar.stem, True, LABELLED, pair.group) for pair in pairs]


def simulated(museum: Path, folder: Path) -> list[Case]:
    """Return a photograph of each work, taken as calibration simulates it, written into `folder`."""

    def made(path: Path) -> Case:
        random = np.random.default_rng(int(path.stem))
        photograph(small(path), draw_shot(random, VISITORS), random).save(folder / path.name, quality=95)
        return Case(folder / path.name, path.stem, True, SIMULATED)

    with ThreadPoolExecutor(cpu_count()) as pool:
        return list(pool.map(made, sorted((museum / "catalogue").glob("*.jpg"))))


def signatures(prepared: Path, folder: Path) -> list[Case]:
    """Write the first signatures of each writer into a catalogue, and return the others."""
    cases = []
    for path in sorted(prepared.glob("[0-9][0-9]/*.png")):
        writer, number = path.parent.name, int(path.stem.rpartition("_")[2])
        genuine = path.name.startswith("genuine")
        if genuine and number <= REFERENCES:
            (folder / writer).mkdir(parents=True, exist_ok=True)
            Image.open(path).save(folder / writer / path.name)
        else:
            cases.append(Case(path, writer, genuine, LABELLED))
    return cases


def halves(groups: Sequence[str], splits: int) -> Iterator[np.ndarray]:
    """Yield, for each split, which items belong to the half of the groups that thresholds are set on."""
    names = sorted(set(groups))
    place = {name: number for number, name in enumerate(names)}
    rows = np.array([place[group] for group in groups])
    for split in range(splits):
        chosen = np.random.default_rng(split).permutation(len(names))[: len(names) // 2]
        yield np.isin(rows, chosen)


def is_flagged(item: Distances, limits: Thresholds) -> bool:
    """Return whether a photograph is beyond its threshold, as the program decides."""
    combined = limits.combined_of(item.condition)
    assert combined is not None and limits.authenticity.value is not None
    if item.combined is not None and combined.value is not None:
        return item.combined > combined.value
    return item.whole > limits.authenticity.value


def false_alarms(what: str, edition: Edition, found: Sequence[Distances], splits: int) -> Iterator[Errors]:
    """Yield, for each promise, the false alarms on photographs of objects that the thresholds never saw."""
    genuine = [item for item in found if item.case.genuine]
    groups = dependent_groups(([item.case.object_id], item.case.group) for item in genuine)
    for asked in PROMISES:
        promised, rates, expected = [], [], []
        for inside in halves(groups, splits):
            known = [item for item, chosen in zip(genuine, inside, strict=True) if chosen]
            calibration = fit(edition, known, [], np.ones(1), asked, asked)
            limits = calibration.combined.threshold
            if limits.value is None:
                limits = calibration.whole.threshold
            flagged: defaultdict[str, list[bool]] = defaultdict(list)
            for item, group, chosen in zip(genuine, groups, inside, strict=True):
                if not chosen:
                    flagged[group].append(is_flagged(item, calibration.thresholds))
            promised.append(limits.rate)
            rates.append(float(np.mean([np.mean(some) for some in flagged.values()])))
            beyond = allowed_beyond(limits.count, asked) if limits.asked is None else 0
            expected.append(exceeded(limits.count, beyond, len(flagged), limits.rate))
        total = len(set(groups))
        yield Errors(what, asked, total, total // 2, np.array(promised), np.array(rates), np.array(expected))


def false_matches(what: str, edition: Edition, splits: int) -> Iterator[Errors]:
    """Yield, for each promise, how many unknown works are taken for one of the catalogue, by their distance."""
    with Catalogue.reading(edition.data) as catalogue:
        photos = sorted(catalogue.photos(), key=lambda photo: photo.photo_id or 0)
        known = vectors_of(catalogue, {photo.sha256 for photo in photos})
    vectors = np.stack([known[photo.sha256] for photo in photos])
    distances = distances_between(vectors, vectors)
    names = [photo.object_id for photo in photos]
    with Catalogue.reading(edition.data) as catalogue:
        same = [same_work(catalogue, photos, distances, row) for row in range(len(photos))]
        for asked in MATCHES:
            promised, rates, expected = [], [], []
            for inside in halves(names, splits):
                rows = np.flatnonzero(inside)
                some = [photos[row] for row in rows]
                searched = Vectors.of(vectors[rows], [photo.sha256 for photo in some])
                nearest = unknown_distances(catalogue, Neighbours.of(searched, some), rate=asked)
                limit = lower_bound(nearest, asked)
                unknown = [row for row in np.flatnonzero(~inside) if not same[row] & set(rows.tolist())]
                assert limit.value is not None
                matched = [float(distances[row, rows].min()) <= limit.value for row in unknown]
                promised.append(limit.rate)
                rates.append(float(np.mean(matched)))
                beyond = allowed_beyond(limit.count, asked) if limit.asked is None else 0
                expected.append(exceeded(limit.count, beyond, len(unknown), limit.rate))
            counts = len(names), len(names) // 2 // 2
            yield Errors(what, asked, *counts, np.array(promised), np.array(rates), np.array(expected))


def same_work(catalogue: Catalogue, photos: Sequence[Photo], distances: np.ndarray, row: int) -> set[int]:
    """Return the rows of other exemplars that are near and register: the same work."""
    near = [int(other) for other in np.flatnonzero(distances[row] < NEAR) if other != row]
    one = photos[row].sha256
    features = catalogue.features([one, *(photos[other].sha256 for other in near)])
    found = set()
    for other in near:
        sha256 = photos[other].sha256
        if isinstance(find_registration(features[one], features[sha256]), Registration):
            found.add(other)
    return found


def drawn(errors: Sequence[Errors]) -> str:
    """Return an SVG: for each set and promise the found rates as a share of the promise, one dot a split."""
    height, left, width = 34, 330, 460
    lines = []
    for number, item in enumerate(errors):
        y = 40 + height * number
        said = f"{item.what}: {item.promised.mean():.1%} promised"
        lines.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{said}</text>')
        shares = np.clip(item.found / item.promised, 0, 3)
        jitter = np.random.default_rng(0).uniform(-9, 9, len(shares))
        for share, off in zip(shares.tolist(), jitter.tolist(), strict=True):
            kind = "#a3211b" if share > 1 else "#27567f"
            lines.append(
                f'<circle cx="{left + width * share / 3:.1f}" cy="{y + off:.1f}" r="2" fill="{kind}" opacity="0.35"/>'
            )
        x = left + width * float(shares.mean()) / 3
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 13}" y2="{y + 13}" stroke="#1d1d1b" stroke-width="3"/>')
    foot = 40 + height * len(errors)
    for share in (0, 0.5, 1, 2, 3):
        x = left + width * share / 3
        dash = "" if share == 1 else ' stroke-dasharray="3 4"'
        lines.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="20" y2="{foot - 10}" stroke="#77746d"{dash}/>')
        lines.append(f'<text x="{x:.0f}" y="{foot + 8}" text-anchor="middle">{share:g}</text>')
    title = "Errors on unseen objects as a share of the promise; a dot a split, the bar is their mean"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="{foot + 24}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/><text x="10" y="14">{title}</text>'
        f"{''.join(lines)}</svg>\n"
    )


def measured(edition: Edition, cases: Sequence[Case]) -> list[Distances]:
    """Return the distances of all cases."""
    found, unread = measure(edition, cases)
    assert not unread
    return found


def main() -> None:
    """Index, measure, split, and print what the promises came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--signatures", type=Path, default=Path("build/signatures"), help="of tests.bench.signatures")
    given = parser.parse_args()
    museum, reproductions = shared_data("museum"), shared_data("reproductions")
    errors: list[Errors] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        edition = indexed(museum / "catalogue", work / "museum")
        errors += false_alarms(
            "museum, visitors", edition, measured(edition, cases_of(list(museum_cases(museum)))), given.splits
        )
        (work / "simulated").mkdir()
        errors += false_alarms(
            "museum, simulated", edition, measured(edition, simulated(museum, work / "simulated")), given.splits
        )
        errors += false_matches("museum, unknown works", edition, given.splits)
        edition = indexed(reproductions / "images", work / "reproductions")
        errors += false_alarms(
            "reproductions", edition, measured(edition, cases_of(list(pair_cases(reproductions)))), given.splits
        )
        errors += false_matches("reproductions, unknown works", edition, given.splits)
        if (given.signatures / "encoder").is_dir():
            cases = signatures(given.signatures / "prepared", work / "writers")
            edition = indexed(work / "writers", work / "signatures", str(given.signatures / "encoder"))
            errors += false_alarms("signatures", edition, measured(edition, cases), given.splits)
        else:
            print(
                f"signatures left out: run `python -m tests.bench.signatures` first, {given.signatures} has no encoder"
            )
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "coverage.svg").write_text(drawn(errors), encoding="utf-8")
    report(
        "coverage",
        COLUMNS,
        [item.row() for item in errors],
        command=f"python -m tests.bench.coverage --splits {given.splits}",
    )


if __name__ == "__main__":
    main()
