"""Write a small demonstration: a catalogue of painted works, and photographs to be judged against it."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from indexer.demo.composition import alter, compose
from indexer.demo.hands import SCHOOLS, Hand, another_hand, hand_of
from indexer.demo.painter import paint
from indexer.simulation.rephotograph import rephotograph
from retrieval.errors import ArtifactError

COLUMNS = (
    "object_id", "title", "maker", "date", "materials", "measurements", "inscriptions", "accession", "status",
)  # fmt: skip
TRUTH = ("photo", "object_id", "expected", "how", "label")  # as `artifact evaluate` takes it
COMMENT = "Synthetic picture, painted by a program for the demonstration of artifact"
THUMBNAIL = 40  # width in pixels: too small to judge
# Which works are copied, and by whom. Chosen, as the first number from 200 on for which all six copies lie a tenth or
# more beyond the threshold that judges them: they are examples of the flag, and no detection rate. For copies drawn
# blindly: `python -m tests.bench.copies`. The genuine photographs are drawn blindly.
COPIES = 217


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the demonstration lies."""

    catalogue: Path  # folder of exemplars, with catalogue.csv
    incoming: Path  # folder of probes
    truth: Path  # truth.csv: photo, object_id, expected, how, label


@dataclass(frozen=True, slots=True)
class PaintedProbe:
    """A photograph to be judged, and what is true about it."""

    kind: str  # "genuine", "copy", "thumbnail", "test card" or "printed page"
    work: int | None
    seed: int


EXPECTED = {
    "genuine": ("consistent", "another photograph of the work"),
    "copy": ("divergent", "a copy by another hand, photographed"),
    "thumbnail": ("inconclusive", f"the work in a thumbnail {THUMBNAIL} px wide"),
    "test card": ("no-match", "not in the catalogue: a test card"),
    "printed page": ("no-match", "not in the catalogue: a printed page"),
}


def paint_demo(folder: Path, *, works: int = 40, on_progress: Callable[[int, int], None] | None = None) -> Demo:
    """Paint the catalogue and the probes into the folder, the same at every run."""
    demo = Demo(folder / "catalogue", folder / "incoming", folder / "truth.csv")
    probes = plan_probes(works)
    names = [f"lot-{101 + number}.jpg" for number in range(len(probes))]
    exemplars = [_exemplars(demo, work) for work in range(works)]
    files = [demo.truth, demo.catalogue / "catalogue.csv", *(demo.incoming / name for name in names)]
    _refuse_foreign(folder, {*files, *(path for paths in exemplars for path in paths)})
    demo.incoming.mkdir(parents=True, exist_ok=True)
    _write_table(demo.truth, TRUTH, [_truth(*pair) for pair in zip(names, probes, strict=True)])
    total = works + len(probes)
    for done, _ in enumerate(_write_pictures(demo, exemplars, names, probes), 1):
        if on_progress:
            on_progress(done, total)
    _write_table(demo.catalogue / "catalogue.csv", COLUMNS, [_record(work) for work in range(works)])
    return demo


def plan_probes(works: int) -> list[PaintedProbe]:
    """Choose the probes by lot, and shuffle them so that a name does not give the answer away."""
    random = np.random.default_rng([works, 21])
    genuine, copies = max(1, round(0.3 * works)), max(1, round(0.15 * works))
    order = random.permutation(works)
    others = np.random.default_rng(COPIES).permutation(order[genuine:] if works > genuine else order)
    probes = [PaintedProbe("genuine", int(order[n]), 7000 + n) for n in range(genuine)]
    probes += [
        PaintedProbe(kind, int(others[n % len(others)]), 100 * COPIES + n)
        for n, kind in enumerate(["copy"] * copies + ["thumbnail"])
    ]
    probes += [PaintedProbe("test card", None, 7900), PaintedProbe("printed page", None, 7901)]
    return [probes[n] for n in random.permutation(len(probes))]


def object_id(work: int) -> str:
    """Return the id of a work: D-001 is the first."""
    return f"D-{work + 1:03d}"


def hand_of_work(work: int) -> Hand:
    """Return the painter of a work; neighbours in the catalogue are of different schools."""
    return hand_of(100 + work, school=_school(work))


def picture_of(probe: PaintedProbe) -> Image.Image:
    """Return the photograph of a probe."""
    if probe.work is None:
        return rephotograph(_test_card() if probe.kind == "test card" else _printed_page(), seed=probe.seed)
    composition, hand = compose(probe.work), hand_of_work(probe.work)
    if probe.kind == "copy":
        composition, hand = alter(composition, seed=probe.seed), another_hand(hand, seed=probe.seed)
    photograph = rephotograph(paint(composition, hand), seed=probe.seed)
    if probe.kind == "thumbnail":
        height = round(THUMBNAIL * photograph.height / photograph.width)
        return photograph.resize((THUMBNAIL, height), Image.Resampling.LANCZOS)
    return photograph


def _school(work: int) -> int:
    return (work + work // 9 + 5) % len(SCHOOLS)


def _exemplars(demo: Demo, work: int) -> list[Path]:
    """Return where the work's exemplars lie; every eighth work has a folder with two."""
    if work % 8 == 3:
        return [demo.catalogue / object_id(work) / name for name in ("front.jpg", "front-again.jpg")]
    return [demo.catalogue / f"{object_id(work)}.jpg"]


def _refuse_foreign(folder: Path, files: set[Path]) -> None:
    """Raise if the folder holds anything but an earlier demonstration."""
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(f"{folder} is a file. Choose an empty folder for the demonstration.")
    found = {p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")}
    if not found:
        return
    foreign = sorted(found - files)
    truth = folder / "truth.csv"  # written first: without it, the other files are somebody else's
    if foreign or truth not in found or not truth.read_bytes().startswith(",".join(TRUTH[:3]).encode()):
        example = (foreign or sorted(found))[0].relative_to(folder)
        raise ArtifactError(f"{folder} already holds other files ({example}). Choose an empty folder.")


def _write_pictures(
    demo: Demo, exemplars: Sequence[Sequence[Path]], names: Sequence[str], probes: Sequence[PaintedProbe]
) -> Iterator[Path]:
    for work, paths in enumerate(exemplars):
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        painting = paint(compose(work), hand_of_work(work))
        painting.save(paths[0], quality=92, comment=COMMENT)
        for again in paths[1:]:
            rephotograph(painting, seed=6000 + work).save(again, quality=92, comment=COMMENT)
        yield paths[0]
    for name, probe in zip(names, probes, strict=True):
        picture_of(probe).save(demo.incoming / name, quality=90, comment=COMMENT)
        yield demo.incoming / name


def _truth(name: str, probe: PaintedProbe) -> list[str]:
    shown = "" if probe.work is None else object_id(probe.work)
    return [name, shown, *EXPECTED[probe.kind], "0" if probe.kind == "copy" else "1"]


def _record(work: int) -> list[str]:
    composition, school = compose(work), _school(work)
    width, height = (side // 10 for side in composition.size)
    return [
        object_id(work),
        composition.title,
        f"Painter Program {school + 1}",
        "2026",
        f"{SCHOOLS[school].material} (simulated)",
        f"{height} x {width} cm",
        "signed below with a squiggle",
        f"DEMO.{work + 1}",
        "synthetic",
    ]


def _write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _test_card() -> Image.Image:
    """Bars of colour, a ramp of greys and a fine grating."""
    card = Image.new("RGB", (800, 600), (24, 24, 24))
    draw = ImageDraw.Draw(card)
    bars = ("white", "yellow", "cyan", "lime", "magenta", "red", "blue")
    for n, colour in enumerate(bars):
        draw.rectangle((n * 115, 0, n * 115 + 114, 380), fill=colour)
    for n in range(16):
        draw.rectangle((n * 50, 385, n * 50 + 49, 480), fill=(n * 17, n * 17, n * 17))
    for x in range(0, 800, 8):
        draw.rectangle((x, 485, x + 3, 600), fill="white")
    return card


def _printed_page() -> Image.Image:
    """A sheet with lines of words lying on a grey desk."""
    random = np.random.default_rng(22)
    page = Image.new("RGB", (640, 820), (92, 94, 98))
    draw = ImageDraw.Draw(page)
    draw.rectangle((66, 56, 584, 774), fill=(70, 71, 75))
    draw.rectangle((56, 46, 576, 764), fill=(246, 245, 241))
    draw.rectangle((96, 84, 380, 104), fill=(40, 40, 44))
    for y in range(140, 720, 17):
        x = 96
        while x < 500 and y % 7:
            word = int(random.integers(12, 58))
            draw.rectangle((x, y, min(x + word, 536), y + 6), fill=(66, 66, 72))
            x += word + 9
    return page.filter(ImageFilter.GaussianBlur(0.8))
