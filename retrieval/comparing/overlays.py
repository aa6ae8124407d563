"""Find what lies over the picture on a probe and is no part of the work: name plates, captions, glare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from retrieval.comparing.alignment import SIDE, AlignedPair
from retrieval.machine import import_cv2

Box = tuple[int, int, int, int]  # x, y, width, height in pixels of the upright exemplar

PLATE, GLARE, COVER = "plate", "glare", "cover"

DIFFERENT = 24.0  # grey levels, in any channel, that the probe differs from the exemplar by
COLOURS = 8  # of what differs; a plate's ground or its letters are one of them
SMALLEST, LARGEST = 0.002, 0.3  # share of the picture under a plate
THINNEST = 8.0  # pixels
LONGEST_TURN = 20.0  # degrees: a plate lies nearly along the photograph
ROWS = 24  # height in pixels to which a plate is brought to be read
BESIDE = 12  # rows and columns around it, in those pixels
CONTRAST = 45.0  # grey levels between ground and letters
EVENNESS = 9.0  # grey levels: deviation of the ground
INK = (0.06, 0.5)  # share of a plate that its letters take
EXPLAINED = 0.55  # share of the variance on a plate that is due to there being letters and ground
CROSSINGS = 7  # edges of letters along a row
MARGINS = (-0.3, -0.15, 0.2, 0.35, 0.5)  # share by which a plate may be higher than what was found of its letters
MARGIN_INK = 0.2  # most ink in the outermost rows: letters do not reach the edge of a plate
FILLED = 0.75  # share of the columns that have letters in or near them
STEP = 12.0  # grey levels by which the ground differs from the exemplar more than what is around the plate
WIDENED = 5  # pixels around a plate that are left out with it: the blur of its edge

BLOWN = 240  # in every channel: light, not paint
BRIGHTER = 30.0  # grey levels than the other photograph
SMALLEST_GLARE = 0.001  # share of the picture
SOFT = 8.0  # grey levels a pixel at its edge
HALO = 41  # pixels across of what is left out around every burnt pixel


@dataclass(frozen=True, slots=True)
class Overlay:
    """Something laid over the picture: left out of the comparison."""

    kind: str  # PLATE, GLARE or COVER
    box: Box
    share: float  # of the exemplar's area, 0..1


@dataclass(frozen=True, slots=True)
class _Strip:
    """A rectangle that may be a plate: its centre, its length and height in pixels, its turn in degrees."""

    x: float
    y: float
    length: float
    height: float
    turn: float

    def corners(self, widened: float = 0.0) -> np.ndarray:
        """Return its four corners, float32 (4, 2)."""
        size = (self.length + 2 * widened, self.height + 2 * widened)
        return np.asarray(import_cv2().boxPoints(((self.x, self.y), size, self.turn)))


@dataclass(frozen=True, slots=True)
class _Pair:
    """What plates are looked for in, all (side, side): grey levels of both, their difference, where it is large."""

    colours: np.ndarray  # uint8 (side, side, 3), the probe's own
    smooth: np.ndarray  # the same without specks
    probe: np.ndarray  # float32, grey
    exemplar: np.ndarray  # float32, grey
    difference: np.ndarray  # float32, grey, signed: fitted probe less exemplar
    different: np.ndarray  # bool


def find_overlays(aligned: AlignedPair, fitted: np.ndarray, size: tuple[int, int]) -> tuple[list[Overlay], np.ndarray]:
    """Return the overlays on a probe, and where they are: bool (side, side).

    `fitted` is the probe, float32 (side, side, 3), its colours fitted on the whole only; `size` is the width and height
    of the upright exemplar.
    """
    plates, glare = _plates(aligned, fitted), _glare(aligned, fitted)
    found = [*listed(PLATE, plates, size), *listed(GLARE, glare & ~plates, size)]
    return found, plates | glare


def listed(kind: str, mask: np.ndarray, size: tuple[int, int]) -> Iterator[Overlay]:
    """Yield each connected part of a mask."""
    _, _, stats, _ = import_cv2().connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    across, down = size[0] / SIDE, size[1] / SIDE
    for x, y, width, height, area in stats[1:].tolist():
        box = (round(x * across), round(y * down), max(1, round(width * across)), max(1, round(height * down)))
        yield Overlay(kind, box, area / SIDE**2)


def _plates(aligned: AlignedPair, fitted: np.ndarray) -> np.ndarray:
    """Return where rectangles with a line of letters on an even ground lie that the exemplar does not have."""
    cv2 = import_cv2()
    mask = np.zeros((SIDE, SIDE), np.uint8)
    away = _largest(cv2.absdiff(fitted, aligned.exemplar.astype(np.float32)))
    different = (cv2.GaussianBlur(away, (0, 0), 1.5) > DIFFERENT) & aligned.seen
    if different.sum() < SMALLEST * SIDE**2:
        return mask > 0
    grey = cv2.cvtColor(aligned.exemplar, cv2.COLOR_RGB2GRAY).astype(np.float32)
    pair = _Pair(
        colours=aligned.probe,
        smooth=cv2.medianBlur(aligned.probe, 5),
        probe=cv2.cvtColor(cv2.medianBlur(aligned.probe, 3), cv2.COLOR_RGB2GRAY).astype(np.float32),
        exemplar=grey,
        difference=cv2.cvtColor(fitted.astype(np.uint8), cv2.COLOR_RGB2GRAY).astype(np.float32) - grey,
        different=different,
    )
    seen = aligned.seen.astype(np.uint8)
    for strip, by_letters in _candidates(pair, seen):
        if _is_plate(pair, strip, by_letters=by_letters):
            cv2.fillPoly(mask, [_lengthened(pair, strip).corners(WIDENED).round().astype(np.int32)], 1)
    return mask > 0


def _candidates(pair: _Pair, seen: np.ndarray) -> Iterator[tuple[_Strip, bool]]:
    """Yield rectangles of one colour, and lines of specks of one colour with the ground around them (True)."""
    for colour in _main_colours(pair.smooth[pair.different]):
        for tolerance in (10, 18):
            ground = _of_colour(pair.smooth, colour, tolerance) & seen
            joined = _opened(_closed(ground, 13, 7), 7, 7)
            yield from ((strip, False) for strip in _strips(joined, fullness=0.84))
        letters = _of_colour(pair.colours, colour, 40) & seen & pair.different.astype(np.uint8)
        for across, down in ((23, 9), (45, 15)):
            joined = _opened(_closed(letters, across, down), 15, 7)
            for strip in _strips(joined, fullness=0.7):
                for share in MARGINS:
                    around = share * strip.height
                    yield replace(strip, length=strip.length + around, height=strip.height + around), True


def _main_colours(pixels: np.ndarray) -> np.ndarray:
    """Return the main colours of pixels, uint8 (n, 3), the same for the same: float32 (at most COLOURS, 3)."""
    cv2 = import_cv2()
    some = pixels[:: max(1, len(pixels) // 6000)].astype(np.float32)
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1.0)
    return np.asarray(cv2.kmeans(some, min(COLOURS, len(some)), None, stop, 2, cv2.KMEANS_PP_CENTERS)[2])


def _of_colour(picture: np.ndarray, colour: np.ndarray, tolerance: int) -> np.ndarray:
    low, high = (np.clip(colour + sign * tolerance, 0, 255) for sign in (-1, 1))
    return np.asarray(import_cv2().inRange(picture, low, high)) // 255


def _closed(mask: np.ndarray, across: int, down: int) -> np.ndarray:
    cv2 = import_cv2()
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((down, across), np.uint8)))


def _opened(mask: np.ndarray, across: int, down: int) -> np.ndarray:
    cv2 = import_cv2()
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((down, across), np.uint8)))


def _strips(mask: np.ndarray, *, fullness: float) -> Iterator[_Strip]:
    """Yield the parts of a mask, uint8, that fill a long rectangle lying nearly along the picture."""
    cv2 = import_cv2()
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        area = cv2.contourArea(contour)
        if not SMALLEST * SIDE**2 < area < LARGEST * SIDE**2:
            continue
        (x, y), (length, height), turn = cv2.minAreaRect(contour)
        if length < height:
            length, height, turn = height, length, turn + 90.0
        turn = (turn + 90.0) % 180.0 - 90.0
        if height < THINNEST or length < 1.5 * height or abs(turn) > LONGEST_TURN or area < fullness * length * height:
            continue
        yield _Strip(x, y, length, height, turn)


def _is_plate(pair: _Pair, strip: _Strip, *, by_letters: bool) -> bool:
    """Say whether a rectangle is a line of letters on an even ground, and one that the exemplar does not have."""
    if not by_letters and _read(pair.different.astype(np.float32), strip).mean() < 0.35:
        return False
    grey = _read(pair.probe, strip)
    ink = _ink(grey)
    if not INK[0] < ink.mean() < INK[1] or not _is_lettering(ink):
        return False
    ground, letters = grey[~ink], grey[ink]
    contrast = abs(float(np.median(ground)) - float(np.median(letters)))
    even = 1.48 * float(np.median(np.abs(ground - np.median(ground)))) < EVENNESS
    explained = contrast**2 * ink.mean() * (1 - ink.mean()) / (grey.var() + 1e-6)
    return contrast > CONTRAST and even and explained > EXPLAINED and _is_laid_over(pair, strip, ink)


def _read(values: np.ndarray, strip: _Strip, *, beside: int = 0) -> np.ndarray:
    """Return a strip upright, float32 (ROWS, columns), and as many pixels around it as `beside` says."""
    cv2 = import_cv2()
    scale = strip.height / ROWS
    columns = max(ROWS, round(strip.length / scale))
    angle = np.deg2rad(strip.turn)
    along, downwards = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    size = np.array([columns + 2 * beside, ROWS + 2 * beside])
    axes = np.stack([along * strip.length / columns, downwards * scale], axis=1)
    corner = np.array([strip.x, strip.y]) - axes @ ((size - 1) / 2)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    onto = np.column_stack([axes, corner])
    return np.asarray(cv2.warpAffine(values, onto, size.tolist(), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _ink(grey: np.ndarray) -> np.ndarray:
    """Return where the rarer of two tones is (Otsu 1979), bool like the grey levels."""
    cv2 = import_cv2()
    split, _ = cv2.threshold(grey.astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = grey > split
    return bright if bright.mean() < 0.5 else ~bright


def _is_lettering(ink: np.ndarray) -> bool:
    """Say whether ink, bool (ROWS, columns), is a line of letters: many edges along it, none at top and bottom."""
    edges = np.diff(ink.astype(np.int8), axis=1) != 0
    crossings = np.sort(edges.sum(axis=1)[ROWS // 4 : -ROWS // 4])[-6:].mean()
    margin = max(ink[:2].mean(), ink[-2:].mean())
    near = np.convolve(ink.any(axis=0), np.ones(ROWS + 1), "same") > 0
    return bool(crossings >= CROSSINGS and margin < MARGIN_INK and near.mean() > FILLED)


def _is_laid_over(pair: _Pair, strip: _Strip, ink: np.ndarray) -> bool:
    """Say whether the ground of a plate hides the exemplar: letters alone may be a signature."""
    cv2 = import_cv2()
    clear = ~ink & (cv2.dilate(ink.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0)
    clear = clear if clear.sum() >= ROWS else ~ink
    around = np.pad(np.zeros_like(ink), BESIDE, constant_values=True)
    around[BESIDE // 3 : -BESIDE // 3, BESIDE // 3 : -BESIDE // 3] = False
    wide = _read(pair.difference, strip, beside=BESIDE)
    inside = wide[BESIDE:-BESIDE, BESIDE:-BESIDE][clear]
    step = abs(float(np.median(inside)) - float(np.median(wide[around])))
    lost = _read(pair.exemplar, strip)[clear].std() > 2 * _read(pair.probe, strip)[clear].std() + 4.0
    return bool(step > STEP or lost)


def _lengthened(pair: _Pair, strip: _Strip) -> _Strip:
    """Return a plate as long as its letters go on: a part of them may have been found first."""
    extra = 4 * ROWS
    longer = replace(strip, length=strip.length + 2 * extra * strip.height / ROWS)
    grey: np.ndarray = _read(pair.probe, longer)
    inner = grey[:, extra:-extra]
    ink = _ink(inner)
    ground, letters = float(np.median(inner[~ink])), float(np.median(inner[ink]))
    is_ground = np.abs(grey - ground) < 2 * EVENNESS
    is_ink = (grey - ground) / (letters - ground) > 0.5
    middle, margin = range(ROWS // 6, ROWS - ROWS // 6), [0, 1, -2, -1]
    plain = np.take(is_ground, margin, axis=0).mean(axis=0) >= 0.5
    fits = np.asarray((np.take(is_ground | is_ink, middle, axis=0).mean(axis=0) > 0.75) & plain)
    inked = np.asarray(np.take(is_ink, middle, axis=0).any(axis=0))
    before = _reach(fits[:extra][::-1], inked[:extra][::-1])
    after = _reach(fits[-extra:], inked[-extra:])
    pixel = strip.height / ROWS
    middle_moved = (after - before) / 2 * pixel
    angle = np.deg2rad(strip.turn)
    x, y = strip.x + middle_moved * float(np.cos(angle)), strip.y + middle_moved * float(np.sin(angle))
    return replace(strip, x=x, y=y, length=strip.length + (before + after) * pixel)


def _reach(fits: np.ndarray, inked: np.ndarray) -> int:
    """Return how many columns a plate goes on: to half a height beyond the last letter, while they look like it."""
    gaps = np.convolve(~fits, np.ones(ROWS // 2), "valid") == ROWS // 2
    end = int(gaps.argmax()) if gaps.any() else len(fits)
    letters = np.flatnonzero(inked[:end])
    return min(end, int(letters[-1]) + 1 + ROWS // 2) if len(letters) else 0


def _largest(channels: np.ndarray) -> np.ndarray:
    """Return the largest of three channels, (height, width, 3) -> (height, width)."""
    cv2 = import_cv2()
    one, two, three = cv2.split(channels)
    return np.asarray(cv2.max(cv2.max(one, two), three))


def _glare(aligned: AlignedPair, fitted: np.ndarray) -> np.ndarray:
    """Return where light has burnt one of the photographs out, softly as light does: white paint has an edge."""
    cv2 = import_cv2()
    thirds = np.full((1, 3), 1 / 3, np.float32)
    difference = cv2.transform(fitted, thirds) - cv2.transform(aligned.exemplar.astype(np.float32), thirds)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for burnt, lifted in ((aligned.probe, difference), (aligned.exemplar, -difference)):
        blown = _largest(255 - burnt) <= 255 - BLOWN
        spots = blown & (lifted > BRIGHTER) & aligned.seen
        if not spots.any():
            continue
        count, labels, stats, _ = cv2.connectedComponentsWithStats(_opened(spots.astype(np.uint8), 5, 5))
        grey = cv2.cvtColor(burnt, cv2.COLOR_RGB2GRAY).astype(np.float32)
        steep = np.hypot(cv2.Sobel(grey, -1, 1, 0, scale=1 / 8), cv2.Sobel(grey, -1, 0, 1, scale=1 / 8))
        steep[blown] = np.inf  # a spot that ends where the light does not is white paper with something taken off
        for label in range(1, count):
            spot = (labels == label).astype(np.uint8)
            edge = cv2.dilate(spot, np.ones((7, 7), np.uint8)) > spot
            if stats[label, cv2.CC_STAT_AREA] > SMALLEST_GLARE * SIDE**2 and np.median(steep[edge]) < SOFT:
                mask |= cv2.dilate(spot, np.ones((HALO, HALO), np.uint8))
    return mask > 0
