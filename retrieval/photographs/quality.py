"""Say whether a photograph is good enough to be judged at all, and if not, what would help."""

from __future__ import annotations

import numpy as np
from PIL import Image

from retrieval.machine import import_cv2
from retrieval.photographs.photograph import Photograph

SMALLEST_SIDE = 64
SIDE = 260  # pixels of the short side on which the rest is measured: what the distances are taken from
REACH = 9  # pixels over which a picture is blurred again
COARSE = 4
MOST_BLUR = 0.75  # of 0..1; the most blurred of some 1,400 photographs of works of art is at 0.71
FLAT = 1e-3  # mean step from pixel to pixel, in grey levels, of a picture that shows nothing
LEAST_LIGHT = 0.15  # of full light, that 5 % of the pixels reach; in the darkest of the 1,400 photographs it is 0.26


def poor(photograph: Photograph) -> str | None:
    """Return why a photograph is too poor to be judged, and what would help; None for a good one."""
    width, height = photograph.width, photograph.height
    if min(width, height) < SMALLEST_SIDE:
        return (
            f"the photograph is only {width} x {height} pixels; its short side needs at least {SMALLEST_SIDE}: "
            "a larger one would help"
        )
    grey = _grey(photograph.image)
    light = float(np.quantile(grey, 0.95)) / 255.0
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


def _grey(image: Image.Image) -> np.ndarray:
    """Return the luminance, float32 (height, width), its short side SIDE pixels."""
    cv2 = import_cv2()
    pixels = np.asarray(image.convert("L"), np.float32)
    scale = SIDE / min(pixels.shape)
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
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
