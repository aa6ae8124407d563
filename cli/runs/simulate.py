"""`artifact simulate`: what training makes of one photograph, to be looked at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cli.output.writing import check_targets, write_whole
from cli.pictures.maps import fitted_picture
from cli.pictures.strips import GAP, INSIDE, SOFT, WIDTH, below, beside, column_width, paragraph
from indexer.simulation.copies import KINDS, make_copy
from indexer.simulation.rephotograph import DIFFICULT, ORDINARY, Conditions, draw_shot, photograph
from indexer.simulation.spots import Box
from retrieval.errors import ArtifactError, UnreadableImage
from retrieval.photographs.images import read_photograph

SIDE = 640  # pixels: long side of a simulated picture
COLUMNS, HEIGHT = 4, 380
PHOTOGRAPHS = {"ordinary": (ORDINARY, COLUMNS), "difficult": (DIFFICULT, 2 * COLUMNS)}


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPicture:
    """A simulated picture, and the kind and the seed that make it again."""

    kind: str
    seed: int
    image: Image.Image
    again: bool = False  # a copy that was photographed again

    @property
    def caption(self) -> str:
        return f"{self.kind}, photographed again" if self.again else f"{self.kind}, seed {self.seed}"

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.seed}{'-photographed-again' if self.again else ''}"


def run_simulate(
    photo: Path,
    *,
    out: Path | None,
    folder: Path | None,
    seed: int,
    kinds: str | None,
    donor: Path | None,
    face: str | None,
    max_megapixels: float,
) -> None:
    """Write re-photographs and copies of a photograph as one sheet, as single pictures, or both."""
    if out is None and folder is None:
        raise ArtifactError("nothing to write: give --out SHEET.png, --folder DIR, or both")
    wanted, box = kinds_of(kinds), None if face is None else box_of(face)
    given = [photo] if donor is None else [photo, donor]
    check_targets([out], given)
    picture, *others = (_read(path, max_megapixels) for path in given)
    photographs = [shot for name in PHOTOGRAPHS for shot in rephotographs(picture, name, seed)]
    copies = simulate_copies(picture, wanted, seed=seed, donor=others[0] if others else None, face=box)
    if folder is not None:
        _write_folder(folder, photo, [*photographs, *(item for pair in copies for item in pair)], given)
    if out is not None:
        missing = [kind for kind in wanted if kind not in {pair[0].kind for pair in copies}]
        write_whole(out, [_png(draw_simulations(photo.name, picture, photographs, copies, missing))])


def kinds_of(text: str | None) -> Sequence[str]:
    """Return the kinds of copies named in a text, all kinds for None; raises ArtifactError for an unknown kind."""
    if text is None:
        return KINDS
    kinds = list(dict.fromkeys(kind.strip() for kind in text.split(",")))
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ArtifactError(f"no kind of copy is called {unknown[0]!r}; choose from {', '.join(KINDS)}")
    return kinds


def box_of(text: str) -> Box:
    """Return the box of a face as shares of the picture; raises ArtifactError where the text is no box."""
    try:
        x, y, width, height = (float(number) for number in text.split(","))
    except ValueError:
        x = y = width = height = -1.0
    if not (min(x, y) >= 0 and min(width, height) > 0 and x + width <= 1 and y + height <= 1):
        raise ArtifactError(f"--face {text} is no box in the picture; give X,Y,WIDTH,HEIGHT as shares: 0.4,0.2,0.2,0.3")
    return x, y, width, height


def rephotographs(picture: Image.Image, name: str, seed: int) -> list[SimulatedPicture]:
    """Take photographs of a picture under one of the PHOTOGRAPHS' conditions, with seeds from `seed` on."""
    conditions, count = PHOTOGRAPHS[name]
    return [SimulatedPicture(name, number, _taken(picture, conditions, number)) for number in range(seed, seed + count)]


def simulate_copies(
    picture: Image.Image, kinds: Sequence[str], *, seed: int, donor: Image.Image | None, face: Box | None
) -> list[tuple[SimulatedPicture, SimulatedPicture]]:
    """Return a copy of each kind that can be made, as it is and photographed under ordinary conditions."""
    pairs = []
    for kind in kinds:
        made = make_copy(picture, kind, seed=seed, donor=donor or ImageOps.mirror(picture), face=face)
        if made is not None:
            taken = _taken(made.image, ORDINARY, seed + KINDS.index(kind))
            pairs.append((SimulatedPicture(kind, seed, made.image), SimulatedPicture(kind, seed, taken, again=True)))
    return pairs


def draw_simulations(
    name: str,
    picture: Image.Image,
    photographs: Sequence[SimulatedPicture],
    copies: Sequence[tuple[SimulatedPicture, SimulatedPicture]],
    missing: Sequence[str],
) -> Image.Image:
    """Return the sheet: the photograph, its re-photographs and its copies, each over its caption."""
    strips = [paragraph(f"Simulated from {name}", 30), _cell(picture, "the photograph")]
    strips.append(paragraph("Genuine: photographed again", 24))
    strips += _rows([_cell(item.image, item.caption) for item in photographs])
    if copies:
        strips.append(paragraph("Copies: as they are, and photographed again under ordinary conditions", 24))
        strips += _rows([_cell(item.image, item.caption) for pair in copies for item in pair])
    if missing:
        why = "a face needs --face, the others a place where the change is visible, perhaps with another --seed"
        strips.append(paragraph(f"Not made: {', '.join(missing)} ({why}).", 20))
    return ImageOps.expand(below(strips, GAP), (WIDTH - INSIDE) // 2, "white")


def _rows(cells: Sequence[Image.Image]) -> list[Image.Image]:
    return [beside(cells[start : start + COLUMNS]) for start in range(0, len(cells), COLUMNS)]


def _cell(image: Image.Image, caption: str) -> Image.Image:
    width = column_width(COLUMNS)
    return below([fitted_picture(image, width, HEIGHT), paragraph(caption, 18, width=width, colour=SOFT)], 6)


def _taken(picture: Image.Image, conditions: Conditions, seed: int) -> Image.Image:
    random = np.random.default_rng(seed)
    return photograph(picture, draw_shot(random, conditions), random)


def _read(path: Path, max_megapixels: float) -> Image.Image:
    """Return a photograph, its long side at most SIDE; raises UnreadableImage with the file's name."""
    try:
        picture = read_photograph(path, short_side=SIDE // 2, max_megapixels=max_megapixels).image
    except UnreadableImage as error:
        raise UnreadableImage(f"{path}: {error}") from error
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return picture


def _write_folder(folder: Path, photo: Path, pictures: Sequence[SimulatedPicture], given: Sequence[Path]) -> None:
    """Write each picture as PHOTO-KIND-SEED.png."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / f"{photo.stem}-{item.name}.png": item.image for item in pictures}
    check_targets(files, given)
    for file, image in files.items():
        write_whole(file, [_png(image)])


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
