"""Indexing 12-megapixel photographs: beside its own limit and a plain loop, its memory; and screening."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from retrieval.encoder.encoder import DEFAULT_FOLDER, load_encoder, read_description
from retrieval.machine import cpu_count
from retrieval.photographs.images import read_photograph
from tests.bench import report, shared_data

SIZE = (4000, 3000)
DISTINCT = 40
PLAIN_LOOP = 24
ARTIFACT = str(Path(sys.executable).with_name("artifact"))


def make_photos(folder: Path, count: int) -> list[Path]:
    """Write `count` 12-megapixel JPEGs, upscaled from the museum's, each file different from the others."""
    sources = sorted((shared_data("museum") / "catalogue").glob("*.jpg"))[:DISTINCT]
    blobs = []
    for source in sources:
        large = folder / "large.jpg"
        with Image.open(source) as image:
            image.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC).save(large, quality=90)
        blobs.append(large.read_bytes())
        large.unlink()
    paths = [folder / f"{number:05d}.jpg" for number in range(count)]
    for number, path in enumerate(paths):  # what follows the end of a JPEG changes the file, not the picture
        path.write_bytes(blobs[number % len(blobs)] + number.to_bytes(4, "big"))
    return paths


def decoding(paths: list[Path], side: int) -> float:
    """Return seconds for decoding alone, on all cores."""
    start = time.perf_counter()
    with ThreadPoolExecutor(cpu_count()) as pool:
        for _ in pool.map(lambda path: read_photograph(path, short_side=side), paths):
            pass
    return time.perf_counter() - start


def encoding(count: int) -> float:
    """Return seconds for encoding alone, on all cores."""
    encoder = load_encoder(parallel=cpu_count())
    batch = np.random.default_rng(0).random((16, 3, 260, 260), np.float32)
    encoder.encode_prepared(batch)
    start = time.perf_counter()
    for _ in range(count // len(batch)):
        encoder.encode_prepared(batch)
    return (time.perf_counter() - start) * count / (count // len(batch) * len(batch))


def plain_loop(paths: list[Path]) -> float:
    """Return seconds for a loop of full Pillow decode and torch eager, one photograph after the other."""
    import torch

    from retrieval.encoder.torch_engine import load_own_network

    description = read_description(DEFAULT_FOLDER)
    network = load_own_network(DEFAULT_FOLDER / "model.safetensors", description).eval()
    preprocessing = load_encoder().preprocessing
    with torch.no_grad():
        network(torch.zeros(1, 3, preprocessing.height, preprocessing.width))
        start = time.perf_counter()
        for path in paths:
            with Image.open(path) as image:
                network(torch.from_numpy(preprocessing(image.convert("RGB")))[None])
    return time.perf_counter() - start


def measured(*command: str) -> tuple[float, float]:
    """Return seconds of a whole process, and its peak memory in MB."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    start = time.perf_counter()
    memory = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - start, float(memory)


def indexing(folder: Path, data: Path) -> tuple[float, float]:
    """Return seconds of a whole `artifact index` process, and its peak memory in MB."""
    return measured(ARTIFACT, "index", str(folder), "--data", str(data))


def indexing_without_features(folder: Path, data: Path) -> float:
    """Return seconds of the same process where no local features are found."""
    code = (
        "import sys, indexer.building.build as build, retrieval.encoder.stream as stream, cli.main as program;"
        "build.features_of = stream.no_features; build.complete_features = lambda *_, **__: None;"
        "sys.argv = ['artifact', *sys.argv[1:]]; program.main()"
    )
    return measured(sys.executable, "-c", code, "index", str(folder), "--data", str(data))[0]


def screening(name: str) -> tuple[float, float]:
    """Return photographs a second of `artifact screen` on visitors' photographs, and its peak memory in MB."""
    museum, folder, data = shared_data("museum"), Path(name, "incoming"), Path(name, "museum-data")
    indexing(museum / "catalogue", data)
    folder.mkdir()
    photos = [path for path in sorted((museum / "queries").glob("*.jpg")) for _ in range(2)]
    for number, path in enumerate(photos):
        (folder / f"{number:03d}.jpg").write_bytes(path.read_bytes())
    seconds, memory = measured(ARTIFACT, "screen", str(folder), "--data", str(data), "--format", "jsonl")
    return len(photos) / seconds, memory


def main() -> None:
    """Print photographs a second for each stage alone, for the index, and for the plain loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=1000)
    count = parser.parse_args().photos
    with tempfile.TemporaryDirectory() as name:
        folder, few, data = Path(name, "photos"), Path(name, "few"), Path(name, "data")
        folder.mkdir()
        few.mkdir()
        paths = make_photos(folder, count)
        for path in paths[: count // 4]:
            (few / path.name).hardlink_to(path)
        sample = paths[: min(count, 200)]
        side = load_encoder().preprocessing.short_side
        decode = len(sample) / decoding(sample, side)
        encode = len(sample) / encoding(len(sample))
        _, memory_few = indexing(few, Path(name, "few-data"))
        bare = indexing_without_features(folder, Path(name, "bare-data"))
        whole, memory = indexing(folder, data)
        bare = (bare + indexing_without_features(folder, Path(name, "bare-data-2"))) / 2
        decode = (decode + len(sample) / decoding(sample, side)) / 2
        encode = (encode + len(sample) / encoding(len(sample))) / 2
        plain = PLAIN_LOOP / plain_loop(paths[:PLAIN_LOOP])
        screened, screening_memory = screening(name)
    limit = 1 / (1 / decode + 1 / encode)
    rows = [
        ["decoding alone", decode],
        ["encoding alone", encode],
        ["limit of both together", limit],
        ["artifact index, whole process", count / whole],
        ["the same without local features", count / bare],
        ["artifact screen, whole process, registration and comparison", screened],
        ["plain loop: full Pillow decode, torch eager", plain],
    ]
    report(
        "throughput",
        ("stage", "photos/s"),
        rows,
        share_of_limit=round(count / whole / limit, 3),
        times_without_features=round(whole / bare, 2),
        times_plain_loop=round(count / whole / plain, 2),
        peak_memory_mb={count // 4: round(memory_few), count: round(memory), "screen": round(screening_memory)},
        cores=cpu_count(),
        command=f"python -m tests.bench.throughput --photos {count}",
    )


if __name__ == "__main__":
    main()
