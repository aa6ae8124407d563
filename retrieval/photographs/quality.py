"""Say whether a photograph is good enough to be judged at all, and if not, what would help."""

from __future__ import annotations

import numpy as np
from PIL import Image

from retrieval.machine import import_cv2
from retrieval.photographs.photograph import Photograph

SMALLEST_SIDE = 64
SIDE = 260  # pixels of the short side on which the rest is measured: what the distances are taken from
MOST_PIXELS = SIDE * 30 * SIDE  # on which it is measured, of a picture more than 30 times as long as wide
REACH = 9  # pixels over which a picture is blurred again
COARSE = 4
MOST_BLUR = 0.75  # of 0..1; the most blurred of some 1,400 photographs of works of art is at 0.71
FLAT = 1e-3  # mean step from pixel to pixel, in grey levels, of a picture that shows nothing
GRAINS, COARSE_GRAIN = (0.7, 1.4, 2.8), 11.2  # pixels: the sizes of detail that are looked for
RIM = 12  # pixels along the edge that are left out: a gradient breaks off there
FAINT = 0.25  # grey levels: weaker detail is that of a perfect surface
SALIENT = 6.0  # times the usual detail that the strongest of a picture is, on paper or canvas that shows something
# Grey levels of the strongest detail of a texture, in good light. Of 5,839 photographs of works of art, with 1,440
# signatures among them, none is less salient than SALIENT and weaker than 14.2; noise of 35 grey levels is at 10,
# a wall whose plaster varies by 10 at 9. In the dark it is less, as there is less light than HALF.
STRONG, HALF, LEAST_SHARE = 13.0, 0.5, 0.25
LEAST_LIGHT = 0.15  # of full light, that 5 % of the pixels reach; in the darkest of the 1,400 photographs it is 0.26


def poor(photograph: Photograph) -> str | None:
    """Return why a photograph is too poor to be judged, and what would help; None for a good one."""
    if photograph.damage is not None:
        return f"the file is damaged ({photograph.damage}); a sound copy of it would help"
    width, height = photograph.width, photograph.height
    if min(width, height) < SMALLEST_SIDE:
        return (
            f"the photograph is only {width} x {height} pixels; its short side needs at least {SMALLEST_SIDE}: "
            "a larger one would help"
        )
    if shows_nothing(photograph.image):
        return "the photograph shows nothing to compare, no more than an empty surface does; one of the work would help"
    grey = _grey(photograph.image)
    light = _light(grey)
    if light < LEAST_LIGHT:
        return (
            f"the photograph is too dark: its light parts reach {light:.0%} of full light, {LEAST_LIGHT:.0%} are "
            "needed; one under more light would help"
        )
    blur = blur_of(grey)
    if blur > MOST_BLUR:
        return (
            f"the photograph is too blurred: {blur:.2f} on a scale from 0, sharp, to 1, with {MOST_BLUR:.2f} allowed; "
            "a sharp one would help"
        )
    return None


def shows_nothing(image: Image.Image) -> bool:
    """Say whether a picture is a blank sheet, a wall, a lens cap, a gradient, or noise: nothing to compare.

    An empty surface has the same weak detail everywhere; of the palest drawing, a few lines stand out of their paper.
    """
    pixels = _resized(np.asarray(image.convert("RGB"), np.float32))
    strongest = 0.0
    for grain in GRAINS:
        usual, strongest = _detail(pixels, grain)
        if strongest >= SALIENT * max(usual, FAINT):
            return False
    strong = STRONG * min(1.0, max(LEAST_SHARE, _light(pixels) / HALF))
    return max(strongest, _detail(pixels, COARSE_GRAIN)[1]) < strong


def _light(pixels: np.ndarray) -> float:
    """Return the share of full light that the light parts of a picture reach."""
    return float(np.quantile(pixels, 0.95)) / 255.0


def _detail(pixels: np.ndarray, grain: float) -> tuple[float, float]:
    """Return the usual and the strongest detail of a size, as grey levels, of pixels (height, width, 3)."""
    cv2 = import_cv2()
    around = cv2.GaussianBlur(pixels, (0, 0), 2 * grain)
    rim = min(RIM, (min(pixels.shape[:2]) - 1) // 2)
    inside = slice(rim, -rim or None)
    bands = np.abs(cv2.GaussianBlur(pixels, (0, 0), grain) - around)[inside, inside]
    usual, strongest = np.quantile(bands.max(axis=2), [0.5, 0.999])
    return float(usual), float(strongest)


def _grey(image: Image.Image) -> np.ndarray:
    """Return the luminance, float32 (height, width), its short side SIDE pixels."""
    return _resized(np.asarray(image.convert("L"), np.float32))


def _resized(pixels: np.ndarray) -> np.ndarray:
    """Return pixels (height, width, ...) with SIDE of them along the short side, fewer of a thin picture."""
    cv2 = import_cv2()
    height, width = pixels.shape[:2]
    scale = min(SIDE / max(min(height, width), SMALLEST_SIDE), (MOST_PIXELS / (height * width)) ** 0.5)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC))


def blur_of(grey: np.ndarray) -> float:
    """Return how blurred a picture, float32 (height, width), is: 0 for a sharp one, towards 1; 0 for an empty one.

    The share of its steps from pixel to pixel that stay when it is blurred once more (Crete et al., Human Vision and
    Electronic Imaging XII, 2007), in the worse of the two directions; measured again at a quarter of the size, for a
    picture so blurred that only single grey levels step. A picture blurred to next to nothing counts as empty.
    """
    cv2 = import_cv2()
    quarter = (max(1, grey.shape[1] // COARSE), max(1, grey.shape[0] // COARSE))
    return max(_blur(grey), _blur(cv2.resize(grey, quarter, interpolation=cv2.INTER_AREA)))


def _blur(grey: np.ndarray) -> float:
    cv2 = import_cv2()
    found = 0.0
    for axis, size in ((0, (1, REACH)), (1, (REACH, 1))):
        steps = np.abs(np.diff(grey, axis=axis))
        again = np.abs(np.diff(cv2.blur(grey, size), axis=axis))
        total = float(steps.sum())
        if total > FLAT * steps.size:
            found = max(found, float(np.minimum(steps, again).sum()) / total)
    return found
