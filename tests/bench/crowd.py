"""Whether a stolen work raises its alert among many objects that look like it, and what that costs a photograph.

Each work of the museum that a visitor photographed is stolen. Around it stand copies, as of a print: its vector moved
aside a little, the same features; their photographs are not there. Each query is judged twice, with
and without what proposes works that raise an alarm, in turns.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import vectors_of
from retrieval.catalogue.rows import Changes, Content, Photo
from retrieval.catalogue.segmenting import update_segments
from retrieval.judging.edition import Edition, open_edition
from retrieval.judging.judge import judge_all
from tests.bench import report, shared_data
from tests.bench.museum import artifact, truths

ASIDE = 0.1  # of the noise on a vector, as long as the vector itself
COLUMNS = ("copies of each", "stolen", "photographs", "alerts before", "alerts", "s of a core before", "s of a core")


def surround(data: Path, stolen: Sequence[str], copies: int) -> None:
    """Have some works stolen, and so many copies stand around each."""
    random, put = np.random.default_rng(0), list[Photo]()
    with Catalogue.writing(data) as catalogue:
        encoder, thresholds = catalogue.encoder, catalogue.thresholds()
        assert encoder is not None and thresholds is not None
        for object_id in stolen:
            (own, *_) = catalogue.photos(object_id)
            features, exact = catalogue.features([own.sha256]), vectors_of(catalogue, [own.sha256])[own.sha256]
            for number in range(copies):
                name = f"{object_id}-copy-{number}"
                sha256 = hashlib.sha256(name.encode()).hexdigest()
                vector = exact + ASIDE * random.standard_normal(encoder.dim) / encoder.dim**0.5
                vector = (vector / np.linalg.norm(vector)).astype(np.float32)
                shape = (own.bytes, own.width, own.height)
                catalogue.add_vectors([(Content(sha256, *shape), vector)], encoder.fingerprint)
                catalogue.add_features({sha256: features[own.sha256]})
                put.append(Photo(name, "/copies", f"{name}.jpg", sha256, own.bytes, 0, own.width, own.height))
        described = {object_id: {**catalogue.object(object_id).metadata, "status": "stolen"} for object_id in stolen}
        with catalogue.db.atomic():
            catalogue.apply(Changes(put=put, metadata=described))
            update_segments(catalogue)
            catalogue.set_thresholds(thresholds)  # those of the museum: copies are no different works


def judged(edition: Edition, photo: Path) -> tuple[set[str], float]:
    """Return the stolen works that a photograph raises an alert for, and the seconds of a core."""
    start = time.process_time()
    (verdict,) = judge_all(edition, [photo], k=5, several=True)
    wanted = {work.entry.object_id for work in verdict.works if work.alert and work.entry}
    return wanted, time.process_time() - start


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("copies", nargs="*", type=int, default=[0, 40], help="copies around each stolen work")
    parser.add_argument("--queries", type=int, default=1000, help="of the museum, at most")
    options = parser.parse_args()
    museum = shared_data("museum")
    shown = dict(sorted(truths(museum).items())[: options.queries])
    stolen = sorted({object_id for objects in shown.values() for object_id in objects})
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for copies in options.copies:
            data = Path(folder) / str(copies)
            artifact("index", str(museum / "catalogue"), "--data", str(data))
            surround(data, stolen, copies)
            rows.append([copies, *measured(open_edition(data), museum, shown)])
    report("crowd", COLUMNS, rows)


def measured(edition: Edition, museum: Path, shown: Mapping[str, frozenset[str]]) -> list[object]:
    """Return a row of the table but its first cell."""
    before = replace(edition, finder=replace(edition.finder, alarms=None))
    judged(edition, museum / "queries" / next(iter(shown)))
    alerts, seconds = [0, 0], [0.0, 0.0]
    for turn, (photo, objects) in enumerate(shown.items()):
        for which in (0, 1) if turn % 2 else (1, 0):
            raised, took = judged((before, edition)[which], museum / "queries" / photo)
            alerts[which] += bool(raised & objects)
            seconds[which] += took
    stolen = {object_id for objects in shown.values() for object_id in objects}
    there = sum(map(bool, shown.values()))
    return [len(stolen), there, *alerts, *(total / len(shown) for total in seconds)]


if __name__ == "__main__":
    main()
