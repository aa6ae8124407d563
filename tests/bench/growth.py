"""What a catalogue costs as it grows: bytes on disk by part, and a query in a new process and in one that goes on.

The museum is there as it is; around it stand works that are drawn around its own: a vector beside a real one, features
of which a part is another's, and the votes of these. The photographs of the drawn works are not there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import content_keys
from retrieval.catalogue.rows import Changes, Content, Photo
from retrieval.catalogue.segment_writing import write_segment
from retrieval.catalogue.segmenting import open_segments
from retrieval.catalogue.segments import last_number, remove_strays, segments_of, set_segments
from retrieval.catalogue.vote_lists import Merged, VoteLists, read_lists, write_lists
from retrieval.judging.edition import open_edition
from retrieval.judging.judge import judge_all
from retrieval.photographs.features import VERSION
from tests.bench import ROOT, report, shared_data
from tests.bench.museum import artifact

AT_ONCE = 5000  # works that are drawn in one step
SPREAD = 0.5  # of the noise on a vector, as long as the vector itself
ROUNDS = 5
ADDED = 100  # photographs
COLUMNS = (
    "works",
    "index",
    "recall@10",
    "database KB",
    "vectors KB",
    "votes KB",
    "drawn s",
    "cold query s",
    "MB",
    "open s",
    "warm query s",
    "screened/s",
    "100 more s",
    "none more s",
)


def drawn(data: Path, count: int, seed: int = 0) -> None:
    """Add so many drawn works to a catalogue, and make it one segment; without any, leave it as it is."""
    if count <= 0:
        return
    random = np.random.default_rng(seed)
    with Catalogue.writing(data) as catalogue:
        _, vectors = catalogue.vectors()
        encoder, thresholds = catalogue.encoder, catalogue.thresholds()
        assert encoder is not None and thresholds is not None
        features = [row[0] for row in catalogue.db.execute("SELECT features FROM features WHERE length(features) > 12")]
        votes = Merged.of(open_segments(catalogue).votes).in_memory()
        parts: list[VoteLists] = []
        for start in range(0, count, AT_ONCE):
            names = [f"{number:08}" for number in range(start, min(count, start + AT_ONCE))]
            hashes = [hashlib.sha256(name.encode()).hexdigest() for name in names]
            noise = random.standard_normal((len(names), encoder.dim)) / np.sqrt(encoder.dim)
            own = vectors[random.integers(len(vectors), size=len(names))] + SPREAD * noise
            own = (own / np.linalg.norm(own, axis=1, keepdims=True)).astype(np.float32)
            contents = [Content(sha256, 1000, 800, 600) for sha256 in hashes]
            catalogue.add_vectors(zip(contents, own, strict=True), encoder.fingerprint)
            catalogue.feature_rows.put((key, VERSION, _mixed(features, random)) for key in hashes)
            put = [
                Photo(f"drawn-{n}", "/drawn", f"{n}.jpg", h, 1000, 0, 800, 600)
                for n, h in zip(names, hashes, strict=True)
            ]
            catalogue.apply(Changes(put=put, metadata={photo.object_id: {"title": photo.path} for photo in put}))
            parts.append(_kept(_votes_around(votes, hashes, random), data / f"votes2-drawn.{start}.part"))
        with catalogue.db.atomic():
            number = last_number(catalogue) + 1
            segment = write_segment(catalogue, number, Merged.of([votes], parts))
            set_segments(catalogue, [segment], last=number)
            catalogue.db.execute("DELETE FROM unsegmented")
            catalogue.set_thresholds(thresholds)
        remove_strays(data, [segment])


def _kept(lists: VoteLists, path: Path) -> VoteLists:
    """Write lists into a file, and return them mapped."""
    write_lists(Merged.of([lists]), path)
    found = read_lists(path, words=len(lists.starts) - 1)
    assert found is not None
    return found


def _mixed(features: list[bytes], random: np.random.Generator) -> bytes:
    """Return stored features of which the last bytes, codes of descriptors, are those of another photograph."""
    one, other = (features[number] for number in random.integers(len(features), size=2))
    half = min(len(one), len(other)) // 3
    return one[:-half] + other[-half:] if half else one


def _votes_around(votes: VoteLists, hashes: list[str], random: np.random.Generator) -> VoteLists:
    """Return lists of as many entries a work as those there have, words and codes drawn from all of theirs."""
    each = round(len(votes) / len(votes.keys))
    rows = random.integers(len(votes), size=each * len(hashes))
    words = np.searchsorted(votes.starts, rows, side="right") - 1
    keys = content_keys(hashes)
    codes = votes.codes[rows].copy()
    codes[:, random.integers(codes.shape[1])] = random.integers(256, size=len(codes))
    return VoteLists.of(keys, np.repeat(keys, each), words, codes, count=len(votes.starts) - 1)


def timed(*arguments: str) -> tuple[float, float]:
    """Return the seconds of a command in a process of its own, and the megabytes that it took at most."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "cli.main", *arguments], stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    seconds, code = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
    assert code == (1 if arguments[0] == "check" else 0), arguments  # the drawn photographs are not there
    return seconds, usage.ru_maxrss / 1024


def cold(data: Path, photo: Path) -> tuple[float, float]:
    """Return the seconds of `artifact query`, the middle ones of several, and the megabytes that it took at most."""
    runs = [timed("query", str(photo), "--data", str(data)) for _ in range(ROUNDS)]
    return statistics.median(seconds for seconds, _ in runs), runs[-1][1]


def warm(data: Path, photos: list[Path]) -> tuple[float, float]:
    """Return the seconds that opening the catalogue takes, its encoder among them, and then those of one photograph."""
    start = time.perf_counter()
    edition = open_edition(data)
    opened = time.perf_counter() - start
    list(judge_all(edition, photos[:2], k=5))
    start = time.perf_counter()
    list(judge_all(edition, photos, k=5))
    return opened, (time.perf_counter() - start) / len(photos)


def added(data: Path, photos: list[Path], folder: Path) -> list[tuple[float, float]]:
    """Return what `artifact index` takes for a folder of new photographs, and then for the same again, as `timed`."""
    folder.mkdir()
    for photo in photos:
        shutil.copy(photo, folder)
    return [timed("index", str(folder), "--data", str(data)) for _ in range(2)]


def taken_out(data: Path, folder: Path) -> None:
    """Take the photographs of a folder out of the catalogue again."""
    *others, last = sorted(folder.iterdir())
    for photo in others:
        photo.unlink()
    artifact("index", str(folder), "--data", str(data), "--prune")
    artifact("remove", last.stem, "--data", str(data))


def screened(data: Path, photos: list[Path], folder: Path) -> float:
    """Return how many photographs a second `artifact screen` judges, its start among them."""
    folder.mkdir()
    for photo in photos:
        shutil.copy(photo, folder)
    start = time.perf_counter()
    report = folder.with_suffix(".html")
    command = [sys.executable, "-m", "cli.main", "screen", str(folder), "--data", str(data), "--out", str(report)]
    subprocess.run(command, check=False, capture_output=True, cwd=ROOT)  # it ends with 10 where anything diverges
    seconds = time.perf_counter() - start
    assert report.is_file()
    return len(photos) / seconds


def make(data: Path, size: int, shards: int = 1) -> None:
    """Index the museum and draw works around its own, until there are so many; nothing where that was done.

    Then all is divided among shards.
    """
    done = data / "drawn.json"
    if done.exists():
        return
    index = "index", str(shared_data("museum") / "catalogue"), "--data", str(data), "--pictures", "none"
    artifact(*index)
    start = time.perf_counter()
    drawn(data, size - 279)
    if shards > 1:
        artifact(*index, "--shards", str(shards))
    done.write_text(json.dumps(time.perf_counter() - start))


def measured(data: Path, size: int, place: Path) -> list[Any]:
    """Return the row of a catalogue; folders to be screened and added are made in `place`."""
    museum, others = shared_data("museum"), shared_data("reproductions")
    photos = sorted((museum / "queries").glob("*.jpg"))
    new = sorted((others / "images").rglob("*.jpg"))[:ADDED]
    parts = [_bytes(data, names) / size / 1e3 for names in (r"(catalogue|features)\.db", "vectors-", "votes")]
    with Catalogue.reading(data) as catalogue:
        (segment, *_) = segments_of(catalogue) or ()
    seconds, peak = cold(data, photos[0])
    opened, each = warm(data, photos[:20])
    rate = screened(data, photos[:60], place / "screened")
    times = [seconds for seconds, _ in added(data, new, place / "new")]
    taken_out(data, place / "new")
    kind = f"{segment.kind} {' '.join(f'{key}={value}' for key, value in segment.parameters.items())}".strip()
    made = json.loads((data / "drawn.json").read_text())
    figures = made, seconds, peak, opened, each, rate, *times
    return [size, kind, segment.recall or 1.0, *(round(part, 2) for part in parts), *figures]


def asking(what: str | None) -> argparse.ArgumentParser:
    """Return what asks for the sizes of catalogues, and for where they stay."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000], help="works, the museum's among them")
    parser.add_argument("--keep", type=Path, help="a folder for the catalogues, in which they stay, to be used again")
    parser.add_argument("--shards", type=int, default=1, help="divide each catalogue among so many folders")
    return parser


def catalogues(asked: argparse.Namespace) -> Iterator[tuple[int, Path, Path]]:
    """Yield each size, the data folder of its catalogue, and a folder that is there as long as it is looked at."""
    for size in asked.sizes:
        with tempfile.TemporaryDirectory() as name:
            data = (asked.keep or Path(name)) / f"of-{size}-in-{asked.shards}"
            make(data, size, asked.shards)
            yield size, data, Path(name)


def command_of(bench: str, asked: argparse.Namespace) -> str:
    """Return the command that made a table."""
    divided = f" --shards {asked.shards}" if asked.shards > 1 else ""
    return f"python -m tests.bench.{bench} {' '.join(map(str, asked.sizes))}{divided}"


def main() -> None:
    """Print a row for each size."""
    parser = asking(__doc__)
    parser.add_argument("--make", action="store_true", help="draw the works, and measure nothing")
    options = parser.parse_args()
    rows = []
    for size, data, place in catalogues(options):
        if not options.make:
            rows.append(measured(data, size, place))
    if not options.make:
        more = {"peak_of_all_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        report("growth", COLUMNS, rows, **more, command=command_of("growth", options))


def _bytes(data: Path, beginning: str) -> int:
    """Return the bytes of files, those of shards among them, whose names begin so."""
    return sum(path.stat().st_size for path in data.rglob("*") if re.match(beginning, path.name))


if __name__ == "__main__":
    main()
