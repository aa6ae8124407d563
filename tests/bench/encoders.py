"""Encoders side by side: objects found with one or several crops, partners, unseen kinds of copies flagged, speed.

Museum queries are told from all works of the catalogue by embeddings alone, without registration, as they are labelled:
three are mislabelled (MISLABELLED in registration.py), so that the highest figure that can be reached is below 1.

Copies are flagged beyond the smallest distance that lets 95 % (99 %: with so few pairs, all) of the real genuine pairs
pass: reproductions of one painting by the held-out artists, and clean photographs of the museum, labels mended. The
copies are of kinds that no encoder of ours is trained on, made of works that are held out, and photographed again, as
the genuine photographs beside them are. The false alarms on the museum's photographs are counted beyond thresholds that
pairs of other objects set. The intervals are those of the photographs that are flagged, at the threshold as it is: they
leave out that it too was taken from few objects. The distance place by place is the same for every encoder.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.simulation.copies import make_copy
from indexer.simulation.rephotograph import rephotograph
from retrieval.encoder.encoder import DEFAULT, Encoder, load_encoder
from retrieval.encoder.stream import embed_photographs
from retrieval.machine import cpu_count
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph
from retrieval.statistics.metrics import (
    Estimate,
    RankedQuery,
    bootstrap_by_group,
    clopper_pearson,
    global_average_precision,
    recall_at_k,
    tied_groups,
)
from retrieval.statistics.verification import with_width
from tests.bench import report, shared_data
from tests.bench.divergence import (
    CLEAN,
    Case,
    cross_fitted,
    museum_cases,
    pair_cases,
    passing,
    small,
    unseen_works,
)
from tests.bench.faces import FACES
from tests.bench.museum import truths
from tests.bench.registration import SAME_WORK
from tests.bench.wave2 import genuine_cases

Crop = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the sides
CROPS: tuple[Crop, ...] = (
    (0, 0, 1, 1), (0.08, 0.08, 0.92, 0.92), (0.16, 0.16, 0.84, 0.84), (0.25, 0.25, 0.75, 0.75),
    (0, 0, 0.55, 1), (0.45, 0, 1, 1), (0, 0, 1, 0.75), (0, 0.25, 1, 1),
    (0, 0.1, 0.6, 0.9), (0.4, 0.1, 1, 0.9), (0.1, 0, 0.9, 1), (0.2, 0, 0.8, 1),
)  # fmt: skip
WHOLE, CENTRED = CROPS[:1], CROPS[:3]
WAYS = {"one embedding": WHOLE, "three centred crops": CENTRED, "twelve crops": CROPS}
CROPPED = ("qsd1_w1", "qsd1_w2", "qsd1_w3")  # queries of one work each
HELD_OUT = (  # the artists of all pairs
    "Hieronymus_Bosch", "Michelangelo", "Paul_Gauguin", "Peter_Paul_Rubens", "Pieter_Bruegel", "Rembrandt",
    "Sandro_Botticelli", "William_Turner",
)  # fmt: skip
ALSO_SAME = {  # by eye, as SAME_WORK: reproductions of one painting that pairs.csv does not list
    frozenset({"Hieronymus_Bosch_43.jpg", "Hieronymus_Bosch_46.jpg"}),
    frozenset({"Hieronymus_Bosch_40.jpg", "Hieronymus_Bosch_62.jpg"}),
    frozenset({"Hieronymus_Bosch_84.jpg", "Hieronymus_Bosch_62.jpg"}),
    frozenset({"Hieronymus_Bosch_19.jpg", "Hieronymus_Bosch_5.jpg"}),
}
SOURCES = ("phone-paintings", "gallery-video", "phone-dvd-covers", "phone-book-covers")  # nothing is chosen on the last
HELD_OUT_KINDS = ("strokes", "inserted", "face")
REPHOTOGRAPHED = "re-photographed, genuine"
REPRODUCTIONS = "reproductions"  # the kind of their pairs, as divergence.py names it
GENUINE = (REPRODUCTIONS, *CLEAN)
WORKS = 60  # that copies are made of, besides those with a face
AREA = 0.05  # share of a picture in which something is inserted
PASSING = (0.95, 0.99)  # shares of the real genuine pairs
BATCH, ROUNDS = 64, 3  # pictures encoded at once when the speed is taken, and how often

Figure = Estimate | float | None  # None: the encoder has no such distance
Figures = dict[str, Figure]
Encoders = Mapping[str, Encoder]  # by name


def crops_of(photograph: Photograph, crops: Sequence[Crop]) -> list[Image.Image]:
    """Return parts of a photograph."""
    width, height = photograph.image.size
    return [
        photograph.image.crop((round(left * width), round(top * height), round(right * width), round(bottom * height)))
        for left, top, right, bottom in crops
    ]


def vectors_of(paths: Sequence[Path], encoder: Encoder, crops: Sequence[Crop] = WHOLE) -> np.ndarray:
    """Return the unit vectors of the crops of photographs, read as the program reads them: (n, crops, dim), float32."""
    stream = embed_photographs(paths, encoder, views=partial(crops_of, crops=crops))
    return np.stack([item.vectors for item in stream])


def distances_between(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances of unit vectors, (..., dim) and (m, dim) -> float64 (..., m)."""
    products = some.astype(np.float64) @ others.astype(np.float64).T
    return np.sqrt(np.maximum(2.0 - 2.0 * products, 0.0))


def nearest(distances: np.ndarray, names: Sequence[str], truth: Sequence[frozenset[str]]) -> list[RankedQuery]:
    """Return the first answer to each query alone, from its distances to all names, (n, m)."""
    best = [(names[row.argmin()], float(row.min())) for row in distances]
    return [RankedQuery(shown, (answer,)) for shown, answer in zip(truth, best, strict=True)]


def share_of(flags: Sequence[bool], groups: Sequence[str]) -> Estimate:
    """Return a share: its interval is exact where each object has one photograph, else by bootstrap over objects."""
    if len(set(groups)) == len(groups):
        count, of = int(sum(flags)), len(flags)
        return Estimate(count / of, *clopper_pearson(count, of), of)
    return with_width(bootstrap_by_group(flags, groups, lambda some: float(np.mean(some))))


def museum_figures(encoder: Encoder, ways: Mapping[str, Sequence[Crop]] = WAYS) -> Figures:
    """Return how well the queries find their object, and what a probe costs."""
    museum = shared_data("museum")
    catalogue = sorted((museum / "catalogue").glob("*.jpg"))
    works, names = vectors_of(catalogue, encoder)[:, 0], [path.stem for path in catalogue]
    truth = truths(museum)
    found: Figures = {}
    for way, crops in ways.items():
        start = time.perf_counter()
        probes = vectors_of([museum / "queries" / photo for photo in truth], encoder, crops)
        seconds = time.perf_counter() - start
        answers = nearest(distances_between(probes, works).min(axis=1), names, list(truth.values()))
        found |= {
            f"{way}: {what}": figure for what, figure in retrieval(dict(zip(truth, answers, strict=True))).items()
        }
        found |= {
            f"{way}: embeddings a probe": float(len(crops)),
            f"{way}: ms a probe, reading included": 1e3 * seconds / len(truth),
        }
    return found


def retrieval(answers: Mapping[str, RankedQuery]) -> Figures:
    """Return recall@1 and GAP of the answers to queries, by photograph."""
    groups = tied_groups({photo: answer.truth for photo, answer in answers.items()})

    def figure(statistic: Callable[[Sequence[RankedQuery]], float], photos: Sequence[str]) -> Estimate:
        some = [answers[photo] for photo in photos]
        return with_width(bootstrap_by_group(some, [groups[photo] for photo in photos], statistic))

    known = [photo for photo, answer in answers.items() if answer.truth]
    cropped = [photo for photo in known if photo.startswith(CROPPED)]
    return {
        "recall@1": figure(recall_at_k, known),
        "GAP": figure(global_average_precision, list(answers)),
        **({"recall@1, cropped": figure(recall_at_k, cropped)} if cropped else {}),
    }


def reproduction_figures(encoder: Encoder) -> Figures:
    """Return how often the picture nearest to a reproduction shows the same painting."""
    folder = shared_data("reproductions")
    paths = sorted((folder / "images").glob("*.jpg"))
    names = [path.name for path in paths]
    vectors = vectors_of(paths, encoder)[:, 0]
    with (folder / "pairs.csv").open(newline="", encoding="utf-8") as file:
        listed = {frozenset({row["a"], row["b"]}) for row in csv.DictReader(file)}
    asked = sorted({name for pair in listed for name in pair if name.rpartition("_")[0] in HELD_OUT})
    rows = [names.index(name) for name in asked]
    distances = distances_between(vectors[rows], vectors)
    distances[np.arange(len(rows)), rows] = np.inf
    every = same_work(listed | SAME_WORK | ALSO_SAME)
    told = {name: frozenset().union(*(pair for pair in listed if name in pair)) for name in asked}
    found: Figures = {}
    for what, same in (("pairs as listed", told), ("unlisted partners too", every)):
        answers = nearest(distances, names, [same[name] - {name} for name in asked])
        hits = [recall_at_k([answer]) == 1 for answer in answers]
        found[f"recall@1, {what}"] = share_of(hits, [min(every[name]) for name in asked])
    return found


def source_figures(encoder: Encoder) -> Figures:
    """Return how well other people's photographs find their work, by source, among the works of all other data."""
    folders = (shared_data("museum") / "catalogue", shared_data("chinese"), shared_data("reproductions") / "images")
    beside = [path for folder in folders for path in sorted(folder.glob("*.jpg"))]
    others, found = vectors_of(beside, encoder)[:, 0], {}
    for source in SOURCES:
        references = sorted((shared_data("wave2") / source / "reference").iterdir())
        works = np.concatenate([vectors_of(references, encoder)[:, 0], others])
        names = [str(path) for path in (*references, *beside)]
        truth: dict[Path, frozenset[str]] = {}
        for case in genuine_cases(source):
            truth[case.probe] = truth.get(case.probe, frozenset()) | {str(case.exemplar)}
        distances = distances_between(vectors_of(list(truth), encoder)[:, 0], works)
        answers = dict(zip(map(str, truth), nearest(distances, names, list(truth.values())), strict=True))
        figures = retrieval(answers)
        found |= {f"{source}: {what}": figures[what] for what in ("recall@1", "GAP")}
    return found


def same_work(pairs: set[frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return, for each picture, all that show the same painting, itself too, some of them through others."""
    groups = tied_groups({" ".join(sorted(pair)): pair for pair in pairs})
    members: dict[str, set[str]] = {}
    for pair in pairs:
        members.setdefault(groups[" ".join(sorted(pair))], set()).update(pair)
    return {name: frozenset(some) for some in members.values() for name in some}


def copy_cases(museum: Path, folder: Path) -> Iterator[Case]:
    """Yield photographs of held-out works and of copies of them, all simulated, written into `folder`."""
    chosen = unseen_works(museum, WORKS)
    faces = [museum / "catalogue" / f"{work}.jpg" for work in FACES]
    for number, path in enumerate(dict.fromkeys([*chosen, *faces])):
        original, donor = small(path), small(chosen[(number + 7) % len(chosen)])
        pictures = {REPHOTOGRAPHED: original}
        for kind in HELD_OUT_KINDS:
            if path not in (faces if kind == "face" else chosen):
                continue
            made = make_copy(original, kind, seed=number, donor=donor, area=AREA, face=FACES.get(path.stem))
            if made is not None:
                pictures[kind] = made.image
        for index, (kind, picture) in enumerate(pictures.items()):
            file = folder / f"{path.stem}-{index}.jpg"
            rephotograph(picture, seed=1000 * number + index).save(file, quality=95)
            yield Case(kind, path.stem, path, file)


def measured(cases: Sequence[Case], encoder: Encoder) -> dict[str, np.ndarray]:
    """Return the distances of all cases by what is measured, each (n,)."""
    exemplars = sorted({case.exemplar for case in cases})
    vectors = dict(zip(exemplars, vectors_of(exemplars, encoder)[:, 0], strict=True))
    probes = vectors_of([case.probe for case in cases], encoder, CENTRED)
    pairs = zip(cases, probes, strict=True)
    distances = np.stack([distances_between(probe, vectors[case.exemplar][None])[:, 0] for case, probe in pairs])
    return {"global, one embedding": distances[:, 0], "global, three centred crops": distances.min(axis=1)}


def flagged(cases: Sequence[Case], values: np.ndarray, share: float) -> Figures:
    """Return the threshold that a share of the genuine pairs pass, and what is beyond it of each kind."""
    kinds, groups = np.array([(case.kind, case.group) for case in cases]).T
    rows = {kind: kinds == kind for kind in HELD_OUT_KINDS}
    rows[f"false alarms, {REPHOTOGRAPHED}"] = kinds == REPHOTOGRAPHED
    rows["false alarms, clean photographs of the museum"] = np.isin(kinds, CLEAN)
    genuine = np.isin(kinds, GENUINE)
    limit = passing(values[genuine].tolist(), share)
    beyond = values > limit
    beyond[genuine] = cross_fitted(values[genuine].tolist(), groups[genuine].tolist(), share)
    shares = {what: share_of(beyond[some].tolist(), groups[some].tolist()) for what, some in rows.items()}
    return {"threshold": limit, **shares}


def copies(encoders: Encoders) -> dict[str, Figures]:
    """Return which copies each encoder flags, and its false alarms."""
    museum = shared_data("museum")
    found: dict[str, Figures] = {name: {} for name in encoders}
    with tempfile.TemporaryDirectory() as folder:
        cases = [*pair_cases(shared_data("reproductions"))]
        cases += [case for case in museum_cases(museum) if case.kind in CLEAN]
        cases += copy_cases(museum, Path(folder))
        for name, encoder in encoders.items():
            for what, values in measured(cases, encoder).items():
                for share in PASSING:
                    figures = flagged(cases, values, share).items()
                    found[name] |= {f"{kind}: {what}, {share:.0%} pass": figure for kind, figure in figures}
    return found


def speed(encoders: Encoders) -> dict[str, Figures]:
    """Return how many prepared pictures a second each encodes, taken in turn, and the ratio to the first."""
    paths = sorted((shared_data("museum") / "catalogue").glob("*.jpg"))[:BATCH]
    pictures = [read_photograph(path, short_side=260).image for path in paths]
    batches = {
        name: np.stack([encoder.preprocessing(picture) for picture in pictures]) for name, encoder in encoders.items()
    }
    best = dict.fromkeys(encoders, 0.0)
    for _ in range(ROUNDS):
        for name, encoder in encoders.items():
            start = time.perf_counter()
            encoder.encode_prepared(batches[name])
            best[name] = max(best[name], BATCH / (time.perf_counter() - start))
    first = next(iter(best.values()))
    return {
        name: {f"embeddings a second, {cpu_count()} cores": rate, "ratio to the first": rate / first}
        for name, rate in best.items()
    }


PARTS: dict[str, Callable[[Encoders], dict[str, Figures]]] = {
    "museum": lambda encoders: {name: museum_figures(encoder) for name, encoder in encoders.items()},
    "reproductions": lambda encoders: {name: reproduction_figures(encoder) for name, encoder in encoders.items()},
    "sources": lambda encoders: {name: source_figures(encoder) for name, encoder in encoders.items()},
    "copies": copies,
    "speed": speed,
}


def cell(figure: Figure) -> str:
    """Return a figure as it stands in the table."""
    if isinstance(figure, Estimate):
        return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
    return "none" if figure is None else f"{figure:.3f}" if figure < 10 else f"{figure:.1f}"


def rows_of(part: str, found: Mapping[str, Figures]) -> Iterator[list]:
    """Yield a row for each figure, the encoders beside each other."""
    for what in next(iter(found.values())):
        figures = [figures[what] for figures in found.values()]
        objects = next((figure.n for figure in figures if isinstance(figure, Estimate)), "")
        yield [part, what, objects, *map(cell, figures)]


def main() -> None:
    """Print the figures of the encoders side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="*", default=[DEFAULT], metavar="ENCODER", help="as `artifact` takes them")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, by comma: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write value, low, high and n of each figure there")
    arguments = parser.parse_args()
    parts = arguments.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    encoders = {spec: load_encoder(spec, parallel=cpu_count()) for spec in arguments.encoders}
    found = {part: PARTS[part](encoders) for part in parts}
    rows = [row for part, figures in found.items() for row in rows_of(part, figures)]
    command = f"python -m tests.bench.encoders {' '.join(encoders)} --only {arguments.only}"
    prints = {name: encoder.fingerprint for name, encoder in encoders.items()}
    report("encoders", ("part", "what", "objects", *encoders), rows, fingerprints=prints, command=command)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2, default=asdict) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
