"""Bring two aligned pictures to one sharpness, place by place: what only one of them resolves is no difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retrieval.comparing.pixels import grey_of, squared_steps
from retrieval.machine import import_cv2

BLURS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)  # sigma in pixels, tried in turn on the sharper one
PLACES = 33  # across and down, at which sharpness is told
SURROUNDINGS = 3.5  # sigma, in places, of what it is told from: a smooth place on a sharp picture stays one
FINE, COARSE = 0.5, 2.5  # sigma in pixels: sharpness is the detail left by the one blur over that left by the other
NEARLY = 0.08  # logarithm by which one is sharper without being made less so
_FLAT = 0.05  # squared steps of grey a pixel that are nobody's detail


@dataclass(frozen=True, slots=True, eq=False)
class EqualPair:
    """Two pictures of one sharpness, and what was done for that, each at PLACES x PLACES."""

    exemplar: np.ndarray  # float32 (side, side, 3)
    probe: np.ndarray  # float32 (side, side, 3)
    exemplar_sharpness: np.ndarray  # float32: logarithm of fine over coarse detail, before
    probe_sharpness: np.ndarray
    exemplar_blurred: np.ndarray  # float32: 0 where it was left, k where it got the k-th of BLURS, and between
    probe_blurred: np.ndarray


def equally_sharp(exemplar: np.ndarray, probe: np.ndarray, shown: np.ndarray) -> EqualPair:
    """Blur the sharper of two pictures, float32 (side, side, 3), until it resolves no more than the other.

    `shown`, bool (side, side), is where they can be compared.
    """
    one, other = grey_of(exemplar), grey_of(probe)
    weight = shown.astype(np.float32)
    own, wanted = sharpness(one, weight), sharpness(other, weight)
    first, blurred = _as_sharp_as(exemplar, one, weight, own, wanted)
    second, probe_blurred = _as_sharp_as(probe, other, weight, wanted, own)
    return EqualPair(first, second, own, wanted, blurred, probe_blurred)


def blur_of(levels: np.ndarray) -> float:
    """Return the sigma in pixels that the middle one of some levels of blur stands for; 0 where there are none."""
    return float(sigmas_of(np.median(levels))) if levels.size else 0.0


def sigmas_of(levels: np.ndarray | np.floating) -> np.ndarray:
    """Return the sigmas in pixels that levels of blur stand for."""
    return np.asarray(np.interp(levels, range(len(BLURS) + 1), (0.0, *BLURS)))


def sharpness(grey: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the logarithm of fine over coarse detail around each place, float32 (PLACES, PLACES)."""
    cv2 = import_cv2()
    fine, coarse = (_detail(cv2.GaussianBlur(grey, (0, 0), sigma), weight) for sigma in (FINE, COARSE))
    return np.asarray(np.log((fine + _FLAT) / (coarse + _FLAT)))


def _as_sharp_as(
    picture: np.ndarray, grey: np.ndarray, weight: np.ndarray, own: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture blurred where it is sharper than wanted, and by which of BLURS, float32 (PLACES, PLACES)."""
    cv2 = import_cv2()
    level, done = np.zeros_like(own), own - wanted <= NEARLY
    stack, before = [picture], own
    for number, sigma in enumerate(BLURS, 1):
        if done.all():
            break
        stack.append(cv2.GaussianBlur(picture, (0, 0), sigma))
        now = sharpness(cv2.GaussianBlur(grey, (0, 0), sigma), weight)
        reached = ~done & (now <= wanted)
        part = np.clip((before - wanted) / np.maximum(before - now, 1e-3), 0.0, 1.0)
        level = np.where(reached, number - 1 + part, level)
        done = done | reached
        level, before = np.where(done, level, number), now
    return _between(stack, level), level.astype(np.float32)


def _between(stack: list[np.ndarray], level: np.ndarray) -> np.ndarray:
    """Return at each pixel the picture of the stack that the level there names, or what lies between two."""
    if len(stack) == 1:
        return stack[0]
    cv2 = import_cv2()
    side = len(stack[0])
    levels = cv2.resize(level.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    shares = (np.clip(1.0 - np.abs(levels - number), 0.0, 1.0)[..., None] for number in range(len(stack)))
    return np.asarray(sum(share * picture for share, picture in zip(shares, stack, strict=True)), np.float32)


def _detail(grey: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the mean squared step of grey around each place."""
    cv2 = import_cv2()
    small = cv2.resize(squared_steps(grey) * weight, (PLACES, PLACES), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), SURROUNDINGS))
