"""Learn a domain from scratch by `artifact train`: signatures, genuine and skilled forgeries, split by writer.

Genuine and forged sheets were scanned differently, so the ink alone is kept: binarised, cropped, thinned to a line and
drawn again with one pen. What is left of the sheets, and of the scans in the ink, is measured: how well it tells
genuine from forged by itself. Writers 1 to 20 train and validate; each that trains is also given mirrored, flipped and
turned, slanted and stretched, as three writers more. Writers 21 to 30 are tested, each against 8 of his genuine
signatures: the mean distance to them less the mean distance among them. Pairs of all writers share one threshold.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from retrieval.encoder.encoder import Encoder, load_encoder
from retrieval.machine import cpu_count
from retrieval.statistics.metrics import Estimate
from retrieval.statistics.verification import Pairs, Trials
from tests.bench import report, shared_data
from tests.bench.encoders import cell, distances_between
from tests.bench.museum import artifact

WIDTH, HEIGHT, MARGIN, PEN = 320, 192, 12, 3  # pixels of a prepared sheet, its margin, and the line
SPECK = 12  # pixels of ink; less is dust
TRAINING, VALIDATION, TEST = range(1, 18), range(18, 21), range(21, 31)  # writers
REFERENCES, DRAWS = 8, 10
TURNS = {"": (1, 1), "-mirrored": (1, -1), "-flipped": (-1, 1), "-turned": (-1, -1)}  # steps over rows and columns
RECIPE = (
    *("--size", "260x156", "--views", "0", "--copies", "0", "--no-index-mining"),
    *("--batch-objects", "8", "--batch-photos", "6", "--batch-forgeries", "6"),
    *("--head-epochs", "0", "--epochs", "8", "--keep", "last", "--unfreeze", "5"),
    *("--loss", "supervised-contrastive", "--optimizer", "adamw", "--rate", "0.0002"),
)
Score = Callable[[np.ndarray, np.ndarray], np.ndarray]  # distances (n, references), and those among the references
SCORES: dict[str, Score] = {
    "mean": lambda to, among: to.mean(axis=1),
    "mean over that among the references": lambda to, among: to.mean(axis=1) / among.mean(),
    "mean less that among the references": lambda to, among: to.mean(axis=1) - among.mean(),
}
CHOSEN = "mean less that among the references"  # with all turns; chosen, like the recipe, on writers 1 to 20
Vectors = Mapping[tuple[int, bool], np.ndarray]  # of a writer's genuine or forged signatures, (24, dim)


def is_ink(sheet: np.ndarray) -> np.ndarray:
    """Return where a sheet, grey uint8, has ink: Otsu's threshold against the paper around, without dust; bool."""
    paper = cv2.medianBlur(cv2.dilate(sheet, np.ones((15, 15), np.uint8)), 31)
    flat = np.clip(255.0 * sheet / np.maximum(paper, 1), 0, 255).astype(np.uint8)
    mask = cv2.threshold(flat, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= SPECK
    kept[0] = False
    return np.asarray(kept[labels])


def thinned(mask: np.ndarray) -> np.ndarray:
    """Return the lines in the middle of the strokes, bool (Zhang and Suen 1984)."""
    lines = np.pad(mask, 1).astype(np.uint8)
    while True:
        before = lines.copy()
        for step in (0, 1):
            ring = [np.roll(lines, by, (0, 1)) for by in RING]
            count = np.sum(ring, axis=0)
            turns = sum((one == 0) & (other == 1) for one, other in zip(ring, [*ring[1:], ring[0]], strict=True))
            up, right, down, left = ring[0], ring[2], ring[4], ring[6]
            open_ = (up * right * down == 0) & (right * down * left == 0)
            if step:
                open_ = (up * right * left == 0) & (up * down * left == 0)
            lines[(lines == 1) & (count >= 2) & (count <= 6) & (turns == 1) & open_] = 0
        if np.array_equal(lines, before):
            return np.asarray(lines[1:-1, 1:-1] > 0)


RING = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))  # from above, clockwise


def prepared(sheet: np.ndarray) -> np.ndarray:
    """Return a signature alone, black on white, as large as will go on the sheet, in lines of one width; uint8."""
    mask = is_ink(sheet)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    ink = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    scale = min((WIDTH - 2 * MARGIN) / ink.shape[1], (HEIGHT - 2 * MARGIN) / ink.shape[0])
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    lines = thinned(cv2.resize(ink, size, interpolation=cv2.INTER_LINEAR) > 0.5)
    drawn = cv2.dilate(lines.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (PEN, PEN)))
    page = np.full((HEIGHT, WIDTH), 255, np.uint8)
    top, left = (HEIGHT - size[1]) // 2, (WIDTH - size[0]) // 2
    page[top : top + size[1], left : left + size[0]][drawn > 0] = 0
    return page


def prepare(out: Path) -> None:
    """Write all signatures as WRITER/genuine_NN.png and WRITER/forgery_NN.png, and the training writers' turns."""
    for path in sorted(shared_data("signatures").glob("*/*.png")):
        writer = path.parent.name
        turns = TURNS if int(writer) in TRAINING else [""]
        files = [out / f"{writer}{turn}" / path.name for turn in turns]
        if files[-1].exists():
            continue
        page = prepared(np.asarray(Image.open(path).convert("L")))
        for number, (turn, file) in enumerate(zip(turns, files, strict=True)):
            file.parent.mkdir(parents=True, exist_ok=True)
            seed = [int(writer), number]  # one hand: all sheets of a writer are changed alike
            Image.fromarray(another_hand(page, turn, seed) if turn else page).save(file)


def another_hand(page: np.ndarray, turn: str, seed: list[int]) -> np.ndarray:
    """Return a prepared sheet as another writer might have written: turned, slanted, stretched; drawn anew."""
    random = np.random.default_rng(seed)
    slant, stretch = random.uniform(-0.4, 0.4), float(np.exp(random.uniform(-0.3, 0.3)))
    move = np.array([[stretch, slant, WIDTH / 2], [0, 1, 0]], np.float32)
    size = (5 * WIDTH // 2, HEIGHT)
    wide = cv2.warpAffine(turned(page, turn), move, size, flags=cv2.INTER_LINEAR, borderValue=255)
    return prepared(np.where(wide < 160, 0, 255).astype(np.uint8))


def turned(page: np.ndarray, turn: str) -> np.ndarray:
    """Return a sheet as it is, mirrored, flipped, or upside down."""
    rows, columns = TURNS[turn]
    return np.ascontiguousarray(page[::rows, ::columns])


def background(sheet: np.ndarray) -> list[float]:
    """Return what the paper looks like, without the ink and what is near it."""
    away = cv2.dilate(is_ink(sheet).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    paper = sheet[away].astype(np.float64)
    return [paper.mean(), paper.std(), *np.quantile(paper, (0.05, 0.25, 0.5, 0.75, 0.95)), float(sheet[:3].mean())]


def strokes(sheet: np.ndarray) -> list[float]:
    """Return what the scan and the pen make of the ink: how much, how dark, how wide, how rough at its edge."""
    mask = is_ink(sheet)
    ink, edge = mask.sum(), (mask & ~(cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)).sum()
    dark = 255.0 - sheet[mask]
    return [float(dark.mean()), float(dark.std()), ink / edge, edge / np.sqrt(ink)]


def layout(sheet: np.ndarray) -> list[float]:
    """Return how much ink there is, in how many pieces, the smallest of them, and how wide all is to its height."""
    mask = is_ink(sheet)
    areas = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)[2][1:, cv2.CC_STAT_AREA]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return [
        float(mask.mean()),
        len(areas),
        float(areas.min()),
        float(np.log(np.ptp(columns) + 1) - np.log(np.ptp(rows) + 1)),
    ]


def slant(sheet: np.ndarray) -> list[float]:
    """Return the shares of the directions of the strokes, over some 16 pixels: the hand, not the scan."""
    grey = cv2.GaussianBlur(np.where(is_ink(sheet), 0.0, 255.0), (0, 0), 4)
    across, down = cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1)
    xx, xy, yy = (cv2.GaussianBlur(product, (0, 0), 4) for product in (across**2, across * down, down**2))
    angle = np.arctan2(2 * xy, xx - yy) / 2 % np.pi
    found = np.histogram(angle, 8, (0, np.pi), weights=xx + yy)[0]
    return list(found / found.sum())


def sheets_of(folder: Path) -> dict[Path, np.ndarray]:
    """Return the grey sheets of all writers, without the turns."""
    return {path: np.asarray(Image.open(path).convert("L")) for path in sorted(folder.glob("[0-9][0-9]/*.png"))}


def separability(sheets: Mapping[Path, np.ndarray], told_by: Callable[[np.ndarray], list[float]]) -> float:
    """Return the AUC of a logistic regression that tells genuine from forged sheets of writers it does not know."""
    values = np.array([told_by(sheet) for sheet in sheets.values()])
    forged = np.array([path.name.startswith("forgery") for path in sheets])
    writers = [path.parent.name for path in sheets]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    found = cross_val_predict(model, values, forged, groups=writers, cv=GroupKFold(10), method="predict_proba")[:, 1]
    return float(roc_auc_score(forged, found))


def separability_unseen(known: Vectors, others: Vectors) -> float:
    """Return the AUC of a logistic regression that learns from some writers to tell forgeries without any reference."""
    (fit, labels), (probes, truth) = (
        (np.concatenate(list(some.values())), np.repeat([not genuine for _, genuine in some], 24))
        for some in (known, others)
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000)).fit(fit, labels)
    return float(roc_auc_score(truth, model.predict_proba(probes)[:, 1]))


def train(folder: Path, out: Path, start: str) -> None:
    """Train on the training writers, with a split that holds the test writers back."""
    parts = {"training": TRAINING, "validation": VALIDATION, "test": TEST}
    split = out.with_name("split.json")
    names = {part: [f"{writer:02}" for writer in writers] for part, writers in parts.items()}
    names["training"] = [f"{name}{turn}" for name in names["training"] for turn in TURNS]
    split.write_text(json.dumps(names), encoding="utf-8")
    print(artifact("train", str(folder), "--out", str(out), "--encoder", start, "--split", str(split), *RECIPE))


def vectors_of(folder: Path, encoder: Encoder, writers: range, turn: str = "") -> Vectors:
    """Return the unit vectors of some writers' signatures, turned."""
    found = {}
    for writer in writers:
        for genuine, word in ((True, "genuine"), (False, "forgery")):
            pages = [np.asarray(Image.open(path)) for path in sorted((folder / f"{writer:02}").glob(f"{word}_*.png"))]
            found[writer, genuine] = encoder.encode(
                [Image.fromarray(turned(page, turn)).convert("RGB") for page in pages]
            )
    return found


def trials(vectors: Vectors, writers: range, score: Score) -> Iterator[tuple[str, Pairs]]:
    """Yield the scores of genuine signatures, of skilled forgeries, and of others' signatures, over all draws."""
    found: dict[str, list[tuple[np.ndarray, int]]] = {"genuine": [], "skilled": [], "random": []}
    for draw in range(DRAWS):
        for writer in writers:
            order = np.random.default_rng([draw, writer]).permutation(len(vectors[writer, True]))
            references = vectors[writer, True][order[:REFERENCES]]
            among = distances_between(references, references)[np.triu_indices(REFERENCES, 1)]
            others = np.concatenate([vectors[other, True][:4] for other in writers if other != writer])
            probes = {
                "genuine": vectors[writer, True][order[REFERENCES:]],
                "skilled": vectors[writer, False],
                "random": others,
            }
            for kind, some in probes.items():
                found[kind].append((score(distances_between(some, references), among), writer))
    for kind, parts in found.items():
        owners = np.concatenate([np.full(len(values), writer) for values, writer in parts])
        yield kind, Pairs(np.concatenate([values for values, _ in parts]), owners)


def equal_errors(vectors: Vectors, writers: range, score: Score) -> dict[str, Estimate]:
    """Return the EER on skilled and on random forgeries, with intervals by writer."""
    pairs = dict(trials(vectors, writers, score))
    return {
        kind: Trials.of(pairs["genuine"], pairs[kind]).estimate(
            lambda curve: curve.equal_error.rate, resamples=500, seed=0
        )
        for kind in ("skilled", "random")
    }


def rows_of(name: str, folder: Path, encoder: Encoder) -> tuple[list[list], float]:
    """Return rows for an encoder on the test writers, and how well its vectors tell forgeries without a reference."""
    one, *more = (vectors_of(folder, encoder, TEST, turn) for turn in TURNS)
    four = {key: np.concatenate([turn[key] for turn in (one, *more)], axis=1) / np.sqrt(len(TURNS)) for key in one}
    ways = (*(("one", one, score) for score in SCORES), ("four turns", four, CHOSEN))
    rows = []
    for vectors_named, vectors, score in ways:
        errors = equal_errors(vectors, TEST, SCORES[score])
        rows.append([name, vectors_named, score, cell(errors["skilled"]), cell(errors["random"])])
    known = vectors_of(folder, encoder, TRAINING)
    return rows, separability_unseen(known, one)


def main() -> None:
    """Prepare, check the background, train, and print the errors before and after."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", default="build/imagenet", help="encoder to start from (`make imagenet`)")
    parser.add_argument("--encoder", help="an encoder that was trained already, to be measured alone")
    parser.add_argument("--out", type=Path, default=Path("build/signatures"))
    given = parser.parse_args()
    folder = given.out / "prepared"
    prepare(folder)
    sheets = {"as scanned": sheets_of(shared_data("signatures")), "prepared": sheets_of(folder)}
    told = {
        f"{told_by.__name__}, {name}": round(separability(some, told_by), 3)
        for told_by in (background, strokes, layout, slant)
        for name, some in sheets.items()
    }
    print(f"AUC of genuine against forged by {told}", flush=True)
    trained = Path(given.encoder) if given.encoder else given.out / "encoder"
    if not given.encoder and not (trained / "encoder.json").exists():
        train(folder, trained, given.start)
    rows = []
    for name, spec in {"before": given.start, "after": str(trained)}.items():
        some, told[f"vectors {name}, without references"] = rows_of(
            name, folder, load_encoder(spec, parallel=cpu_count())
        )
        rows += some
    columns = ("encoder", "vectors", "score", "EER skilled", "EER random")
    command = "python -m tests.bench.signatures"
    report("signatures", columns, rows, told_apart=told, writers=len(TEST), references=REFERENCES, command=command)


if __name__ == "__main__":
    main()
