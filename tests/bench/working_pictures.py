"""What it changes to compare with a working picture in place of the exemplar's file, by codec and quality."""

from __future__ import annotations

import csv
import io
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from retrieval.catalogue.pictures import SIDE
from retrieval.comparing.divergence import Divergence, diverge, shipped_threshold
from retrieval.comparing.registration import Registration, find_registration
from retrieval.encoder.encoder import load_encoder
from retrieval.finding.nearest import exact_distance
from retrieval.machine import cpu_count
from retrieval.photographs.features import features_of, features_of_probe
from retrieval.photographs.images import read_both, read_photograph
from tests.bench import report, shared_data
from tests.bench.divergence import museum_cases

JPEG = {"format": "JPEG", "subsampling": "4:4:4"}
CODECS: Mapping[str, Mapping[str, Any]] = {
    "JPEG 85, 4:2:0": {"format": "JPEG", "quality": 85},
    "JPEG 90": {**JPEG, "quality": 90},
    "JPEG 95": {**JPEG, "quality": 95},
    "JPEG 97": {**JPEG, "quality": 97},
    "JPEG 99": {**JPEG, "quality": 99},
    "WebP 95": {"format": "WEBP", "quality": 95, "method": 0},
    "WebP lossless": {"format": "WEBP", "lossless": True, "quality": 0, "method": 0},
}
COLUMNS = (
    "source",
    "kept as",
    "pairs",
    "kB",
    "ms to write",
    "ms to read",
    "mean",
    "95 %",
    "largest",
    "outcomes changed",
)
_loaded = threading.local()  # an encoder is asked from one thread


@dataclass(frozen=True, slots=True)
class Kept:
    """The combined distance of a pair compared by a picture in some codec, and what the picture takes."""

    combined: float
    bytes: int = 0
    write: float = 0.0  # milliseconds of one core
    read: float = 0.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A registered pair, compared with the exemplar's file and with its picture in every codec."""

    name: str
    usual: Kept
    by_codec: Mapping[str, Kept]
    threshold: float


def phone_pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each exemplar of a source with a truth.csv, and a genuine photograph of it."""
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["label"] == "1":
                yield next((folder / "reference").glob(f"{row['object_id']}.*")), folder / "photos" / row["photo"]


def measure(files: tuple[Path, Path]) -> Pair | None:
    """Compare a pair; None where the two do not register or are not comparable."""
    if not hasattr(_loaded, "encoder"):
        _loaded.encoder = load_encoder()
    encoder, (one, other) = _loaded.encoder, files
    side = encoder.preprocessing.short_side
    exemplar, large = read_both(one, short_side=side, long_side=SIDE)
    probe = read_photograph(other, short_side=side)
    registration = find_registration(features_of(exemplar), features_of_probe(probe))
    if not isinstance(registration, Registration):
        return None
    distance = exact_distance(*encoder.encode([exemplar.image, probe.image]))

    def compared(image: Image.Image) -> float | None:
        shown = replace(exemplar, image=image)
        found = diverge(shown, probe, registration, global_distance=distance)
        return found.combined_distance if isinstance(found, Divergence) else None

    def kept(how: Mapping[str, Any]) -> Kept:
        file, start = io.BytesIO(), time.thread_time()
        large.save(file, **how)
        written = time.thread_time()
        image = _read(file, side)
        read = time.thread_time()
        found = compared(image)
        return Kept(np.nan if found is None else found, file.tell(), 1e3 * (written - start), 1e3 * (read - written))

    if (usual := compared(exemplar.image)) is None:
        return None
    codecs = {name: kept(how) for name, how in CODECS.items()}
    return Pair(f"{one.name} {other.name}", Kept(usual), codecs, shipped_threshold())


def _read(file: io.BytesIO, side: int) -> Image.Image:
    """Return the picture in a file as comparing reads it."""
    with tempfile.NamedTemporaryFile() as named:
        named.write(file.getvalue())
        named.flush()
        return read_photograph(Path(named.name), short_side=side).image


def rows(source: str, pairs: Sequence[Pair]) -> Iterator[list[Any]]:
    """Yield the figures of each codec."""
    for codec in CODECS:
        kept = [pair.by_codec[codec] for pair in pairs]
        moved = np.abs([item.combined - pair.usual.combined for item, pair in zip(kept, pairs, strict=True)])
        flips = sum(
            (item.combined > p.threshold) != (p.usual.combined > p.threshold)
            for item, p in zip(kept, pairs, strict=True)
        )
        means = [float(np.mean([getattr(item, name) for item in kept])) for name in ("bytes", "write", "read")]
        figures = [float(np.mean(moved)), float(np.quantile(moved, 0.95)), float(np.max(moved))]
        yield [source, codec, len(pairs), round(means[0] / 1024), *(round(ms, 1) for ms in means[1:]), *figures, flips]


def main() -> None:
    """Print how far the combined distances of genuine pairs move."""
    museum, phone = shared_data("museum"), shared_data("wave2") / "phone-paintings"
    sources = {
        "museum": [(case.exemplar, case.probe) for case in museum_cases(museum)],
        "phone-paintings": list(islice(phone_pairs(phone), 60)),
    }
    found: list[list[Any]] = []
    worst = {}
    for source, files in sources.items():
        with ThreadPoolExecutor(cpu_count()) as pool:
            pairs = [pair for pair in pool.map(measure, files) if pair is not None]
        found += rows(source, pairs)
        for codec in CODECS:
            worst[f"{source}, {codec}"] = sorted(
                ((round(abs(p.by_codec[codec].combined - p.usual.combined), 4), p.name) for p in pairs), reverse=True
            )[:3]
    report("working_pictures", COLUMNS, found, worst=worst, command="python -m tests.bench.working_pictures")


if __name__ == "__main__":
    main()
