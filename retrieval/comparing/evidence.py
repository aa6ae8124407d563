"""What the comparison network sees of an aligned pair: both in one geometry, light and sharpness, and their state.

A network that is given the state of each place, how bright, how sharp, how bent it was, can learn how far genuine
photographs in such a state usually differ there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retrieval.comparing.alignment import AlignedPair, fit_colours
from retrieval.comparing.margins import find_margins
from retrieval.comparing.pixels import grey_of
from retrieval.comparing.sharpness import PLACES, EqualPair, blur_of, equally_sharp, sigmas_of
from retrieval.comparing.surface import SIDE, find_bend, unbent
from retrieval.machine import import_cv2

PLACES_ACROSS = PLACES  # and down: the map's rows and columns, each 8 pixels of the network's input
COVERED = 0.99  # share of a place that must be there to be compared
BANDS = (1.0, 2.0, 4.0, 8.0)  # sigma in pixels of the aligned square, between which contrast is told
ONE_TINT = 0.004  # of the variance of colours along their main line: what lies beside it
BURNT = 0.94  # of full brightness
STATES = 27  # channels
_FULL, _STEP, _EDGE, _BEND = 255.0, 64.0, 16.0, 4.0  # what brightness, differences, places and pixels count in


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A pair as the network takes it."""

    pictures: np.ndarray  # float32 (2, 3, SIDE, SIDE): exemplar and probe; nothing differs where nothing is compared
    states: np.ndarray  # float32 (STATES, PLACES_ACROSS, PLACES_ACROSS)
    inside: np.ndarray  # bool (PLACES_ACROSS, PLACES_ACROSS): what is compared
    shown: np.ndarray  # bool (SIDE, SIDE): what could be
    blur: float  # sigma in pixels of SIDE, by which the exemplar was usually blurred to be no sharper than the probe
    blurred: np.ndarray  # float32 (PLACES_ACROSS, PLACES_ACROSS): the same, at each place


def evidence_of(aligned: AlignedPair, shown: np.ndarray) -> Evidence:
    """Bring an aligned pair to what both can show; `shown` is bool, as high and wide as the pair."""
    cv2 = import_cv2()
    small = (SIDE, SIDE)
    exemplar, probe, cover = (
        cv2.resize(one, small, interpolation=cv2.INTER_AREA)
        for one in (aligned.exemplar, aligned.probe, shown.astype(np.uint8) * 255)
    )
    exemplar, probe = in_the_same_colours(exemplar, probe, cover > 250)
    bend = find_bend(exemplar, probe, cover > 250)
    probe = unbent(probe, bend)
    seen = (unbent(cover, bend) > 250) & ~find_margins(exemplar, probe)
    fitted = fit_colours(exemplar, probe, seen)
    equal = equally_sharp(exemplar.astype(np.float32), fitted, seen)
    compared = np.where(seen[..., None], equal.probe, equal.exemplar)
    share = _placed(seen)
    inside = cv2.erode((share > COVERED).astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) > 0
    states = [
        *_bands(aligned, bend, gain=float(fitted.std() / max(probe.std(), 1e-3))),
        *_differences(equal.exemplar, compared),
        *_light(exemplar, probe, grey_of(equal.exemplar)),
        *_sharpness(equal),
        _placed(np.linalg.norm(bend, axis=2)) / _BEND,
        _from_edge(),
    ]
    pictures = np.stack([equal.exemplar, compared]).transpose(0, 3, 1, 2)
    return Evidence(
        pictures=np.ascontiguousarray(pictures, np.float32),
        states=np.stack(states).astype(np.float32),
        inside=inside,
        shown=seen,
        blur=blur_of(equal.exemplar_blurred[inside]),
        blurred=sigmas_of(equal.exemplar_blurred),
    )


def in_the_same_colours(exemplar: np.ndarray, probe: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both in grey where one of them, as far as it is seen, is black and white or of one tint; else as they are.

    uint8 (height, width, 3) twice and bool (height, width).
    """
    cv2 = import_cv2()
    if not seen.any() or not any(is_monochrome(picture[seen]) for picture in (exemplar, probe)):
        return exemplar, probe
    one, other = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (exemplar, probe))
    return cv2.merge([one] * 3), cv2.merge([other] * 3)


def is_monochrome(pixels: np.ndarray) -> bool:
    """Say whether pixels, (n, 3), lie on a line through the colours: black and white, or sepia."""
    spread = np.linalg.eigvalsh(np.cov(pixels[::7].astype(np.float64), rowvar=False)) if len(pixels) > 14 else None
    return spread is not None and bool(spread[1] <= ONE_TINT * spread[2])


def _bands(aligned: AlignedPair, bend: np.ndarray, *, gain: float) -> list[np.ndarray]:
    """Return the contrast of both in each band, in full resolution and before anything was blurred, and by how much
    that of the exemplar is more."""
    probe = grey_of(unbent(aligned.probe, bend))
    one, other = _contrasts(grey_of(aligned.exemplar)), _contrasts((probe - probe.mean()) * gain)
    return [*one, *other, *(a - b for a, b in zip(one, other, strict=True))]


def _contrasts(grey: np.ndarray) -> list[np.ndarray]:
    cv2 = import_cv2()
    found, sharper = [], grey
    for sigma in BANDS:
        blurred = cv2.GaussianBlur(grey, (0, 0), sigma)
        found.append(np.log1p(_placed((sharper - blurred) ** 2)))
        sharper = blurred
    return found


def _differences(exemplar: np.ndarray, probe: np.ndarray) -> list[np.ndarray]:
    """Return the differences of colour: mean and largest of the channels, the largest around, and that of the grey."""
    cv2 = import_cv2()
    away = np.abs(exemplar - probe) / _STEP
    mean = away.mean(axis=2)
    around = cv2.dilate(mean, np.ones((3, 3), np.uint8))
    signed = (grey_of(exemplar) - grey_of(probe)) / _STEP
    return [_placed(mean), _placed(away.max(axis=2)), _placed(around), _placed(signed)]


def _light(exemplar: np.ndarray, probe: np.ndarray, equal: np.ndarray) -> list[np.ndarray]:
    """Return brightness, burnt share and saturation of the probe as it was taken, and what the exemplar has of them."""
    bright = grey_of(probe) / _FULL
    burnt = (bright > BURNT).astype(np.float32)
    return [_placed(bright), _placed(burnt), _placed(equal / _FULL), _saturation(probe), _saturation(exemplar)]


def _saturation(picture: np.ndarray) -> np.ndarray:
    cv2 = import_cv2()
    return _placed(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)[..., 1] / _FULL)


def _sharpness(equal: EqualPair) -> list[np.ndarray]:
    return [equal.exemplar_sharpness, equal.probe_sharpness, equal.exemplar_blurred, equal.probe_blurred]


def _from_edge() -> np.ndarray:
    rows, columns = np.mgrid[0:PLACES_ACROSS, 0:PLACES_ACROSS]
    last = PLACES_ACROSS - 1
    return np.asarray(np.minimum.reduce([rows, columns, last - rows, last - columns]) / _EDGE, np.float32)


def _placed(values: np.ndarray) -> np.ndarray:
    """Return the mean over each place."""
    cv2 = import_cv2()
    size = (PLACES_ACROSS, PLACES_ACROSS)
    return np.asarray(cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA))
