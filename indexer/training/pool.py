"""Make the pictures that a training learns from, and keep what the frozen part of the network makes of them.

Every photo gives itself, re-photographs, and re-photographed copies, all seeded. The frozen
parts are run once over the pictures; an epoch then costs only the other parts. With nothing frozen, pixels are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from indexer.inputs.labels import LabelledPhoto
from indexer.simulation.copies import Copy, make_copy
from indexer.simulation.rephotograph import DIFFICULT, ORDINARY, draw_shot, photograph
from indexer.training.export import convert
from retrieval.encoder.network import EmbeddingNetwork
from retrieval.encoder.openvino_engine import OpenVinoEngine
from retrieval.encoder.preprocessing import Preprocessing
from retrieval.errors import ArtifactError, UnreadableImage
from retrieval.machine import cpu_count
from retrieval.photographs.images import read_photograph

CONDITIONS = {"ordinary": ORDINARY, "difficult": DIFFICULT}
PLAIN, REPHOTOGRAPH = "plain", "re-photograph"
WORKING_SIDE = 1.4  # times the input of the network: pictures are made larger, so that their crops lose little
SAVE_EVERY = 2000  # rows, after which an interrupted run goes on
CHUNK = 16  # photos made and run through the frozen part at once
Progress = Callable[[int, int], None]
FrozenPart = Callable[[np.ndarray], np.ndarray]  # uint8 (n, height, width, 3) -> (n, channels, rows, columns)


@dataclass(frozen=True, slots=True)
class PictureRow:
    """One picture: which photo it is made of, and how."""

    photo: int  # index of the labelled photo
    object: int  # number of its object
    genuine: bool  # a picture of the genuine object, not of a copy or a forgery
    kind: str  # PLAIN, REPHOTOGRAPH, or the kind of copy, which is re-photographed
    seed: int
    conditions: str = "difficult"  # of the re-photograph, one of CONDITIONS


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is made of each photo."""

    views: int  # re-photographs
    copies: int  # simulated copies of each genuine photo
    kinds: tuple[str, ...]  # of the copies
    seed: int
    conditions: str = "difficult"  # of the re-photographs, one of CONDITIONS


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The rows, and what the frozen parts make of each, float16 or uint8 (n, channels, rows, columns)."""

    rows: tuple[PictureRow, ...]
    features: np.ndarray
    frozen: int  # the number of parts of the network behind the features

    @property
    def objects(self) -> np.ndarray:
        """The number of each row's object, int64 (n,)."""
        return np.array([row.object for row in self.rows])

    @property
    def genuine(self) -> np.ndarray:
        """Which rows show the genuine object, bool (n,)."""
        return np.array([row.genuine for row in self.rows])


def plan_rows(photos: Sequence[LabelledPhoto], numbers: dict[str, int], recipe: Recipe) -> tuple[PictureRow, ...]:
    """Return the pictures to make; `numbers` gives each object its number."""
    rows = []
    for index, photo in enumerate(photos):
        random = np.random.default_rng([recipe.seed, index])
        kinds = [PLAIN] + [REPHOTOGRAPH] * recipe.views
        if photo.genuine and recipe.kinds:
            kinds += [str(kind) for kind in random.choice(recipe.kinds, recipe.copies)]
        for kind in kinds:
            genuine = photo.genuine and kind in (PLAIN, REPHOTOGRAPH)
            seed = int(random.integers(2**31))
            rows.append(PictureRow(index, numbers[photo.object_id], genuine, kind, seed, recipe.conditions))
    return tuple(rows)


def make_picture(image: Image.Image, row: PictureRow, donor: Callable[[], Image.Image]) -> Image.Image:
    """Return the picture that a row asks for."""
    if row.kind == PLAIN:
        return image
    if row.kind != REPHOTOGRAPH:
        image = some_copy(image, row.kind, seed=row.seed, donor=donor()).image
    random = np.random.default_rng(row.seed)
    return photograph(image, draw_shot(random, CONDITIONS[row.conditions]), random)


def some_copy(image: Image.Image, kind: str, *, seed: int, donor: Image.Image) -> Copy:
    """Return a copy of a kind; where none can be made of this picture, one redrawn, or of an empty one, the donor."""
    made = make_copy(image, kind, seed=seed, donor=donor) or make_copy(image, "redrawn", seed=seed, donor=donor)
    return made or Copy("redrawn", donor.resize(image.size), np.ones((image.height, image.width), bool))


def read_small(path: Path, side: int) -> Image.Image:
    """Return a photo as RGB, its long side at most `side`; raises ArtifactError with its name."""
    try:
        image = read_photograph(path, short_side=side).image
    except UnreadableImage as error:
        raise ArtifactError(f"{path}: {error}; take it out of the labels or replace it") from error
    image.thumbnail((side, side))
    return image


def make_pictures(
    photos: Sequence[LabelledPhoto], rows: Sequence[PictureRow], preprocessing: Preprocessing
) -> Iterator[np.ndarray]:
    """Yield the pictures of CHUNK photos at a time, in the order of the rows: uint8 (n, height, width, 3)."""
    side = round(WORKING_SIDE * max(preprocessing.width, preprocessing.height))
    by_photo: dict[int, list[PictureRow]] = {}
    for row in rows:
        by_photo.setdefault(row.photo, []).append(row)

    def made(index: int) -> list[np.ndarray]:
        image = read_small(photos[index].path, side)

        def donor() -> Image.Image:
            return read_small(photos[(index * 7 + 3) % len(photos)].path, side)

        return [preprocessing.fitted(make_picture(image, row, donor)) for row in by_photo[index]]

    with ThreadPoolExecutor(cpu_count()) as threads:
        order = list(by_photo)
        for start in range(0, len(order), CHUNK):
            pictures = [picture for group in threads.map(made, order[start : start + CHUNK]) for picture in group]
            yield np.stack(pictures)


def fill_pool(
    photos: Sequence[LabelledPhoto],
    rows: tuple[PictureRow, ...],
    network: EmbeddingNetwork,
    preprocessing: Preprocessing,
    *,
    frozen: int,
    folder: Path,
    device: str,
    on_progress: Progress,
) -> Pool:
    """Make the pictures, run all through the first `frozen` parts, and keep the result in `folder`.

    The pictures of an interrupted run are used again.
    """
    described, partial = folder / "pool.json", folder / "pool.json.new"
    plan = {"frozen": frozen, "preprocessing": asdict(preprocessing), "rows": [asdict(row) for row in rows]}
    plan = json.loads(json.dumps(plan))  # as it is read again
    run = frozen_part(network, preprocessing, frozen, device)
    shape = kept_shape(run, preprocessing)
    dtype = np.float16 if frozen else np.uint8
    path = folder / "pool.npy"
    done = 0
    if path.exists() and described.exists():
        found = json.loads(described.read_text(encoding="utf-8"))
        done = found["done"] if found["plan"] == plan else 0
    if not done:
        described.unlink(missing_ok=True)
    kept = np.lib.format.open_memmap(path, mode="r+" if done else "w+", dtype=dtype, shape=(len(rows), *shape))
    reserve(path)
    position = done
    on_progress(position, len(rows))
    for pictures in make_pictures(photos, rows[done:], preprocessing):
        kept[position : position + len(pictures)] = run(pictures)
        position += len(pictures)
        on_progress(position, len(rows))
        if position == len(rows) or position - done >= SAVE_EVERY:
            kept.flush()
            done = position
            partial.write_text(json.dumps({"done": done, "plan": plan}), encoding="utf-8")
            os.replace(partial, described)
    return Pool(rows, kept, frozen)


def kept_shape(run: FrozenPart, preprocessing: Preprocessing) -> tuple[int, ...]:
    """Return the shape of what is kept of one picture."""
    return run(np.zeros((1, preprocessing.height, preprocessing.width, 3), np.uint8)).shape[1:]


def reserve(path: Path) -> None:
    """Take the disk space of a file with holes; raises OSError now, where writing to its memory later would crash."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(path)) from error


def frozen_part(network: EmbeddingNetwork, preprocessing: Preprocessing, frozen: int, device: str) -> FrozenPart:
    """Return the first `frozen` parts as a function of pictures; with none frozen it returns the pixels.

    On the CPU OpenVINO runs the parts, some four times as fast as torch; a picture gives the same numbers alone and
    among others.
    """
    if frozen == 0:
        return lambda pictures: pictures.transpose(0, 3, 1, 2)
    if device == "cpu":
        engine = _compiled(network, preprocessing, frozen)
        return lambda pictures: engine(preprocessing.scaled(pictures)).astype(np.float16)

    @torch.inference_mode()
    def run(pictures: np.ndarray) -> np.ndarray:
        values = torch.from_numpy(preprocessing.scaled(pictures)).to(device)
        return network.run(values.contiguous(memory_format=torch.channels_last), 0, frozen).half().cpu().numpy()

    return run


class _FirstParts(nn.Module):
    """The first parts of a network, for export."""

    def __init__(self, network: EmbeddingNetwork, count: int) -> None:
        super().__init__()
        self.network, self.count = network, count

    def forward(self, images: Tensor) -> Tensor:
        return self.network.run(images, 0, self.count)


def _compiled(network: EmbeddingNetwork, preprocessing: Preprocessing, frozen: int) -> OpenVinoEngine:
    shape = (3, preprocessing.height, preprocessing.width)
    model = convert(_FirstParts(network, frozen), shape)
    return OpenVinoEngine(model, shape=shape, precision="fp32", parallel=cpu_count())
