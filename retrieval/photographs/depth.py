"""Bring samples of any depth to 8 bits by the range that they declare."""

import numpy as np

_ROWS = 256  # at a time: a float copy of a scan takes gigabytes
_TOPS = (1.0, 255.0, 65535.0)  # that floats are written with
_BEYOND = 0.05  # of the top, by which sharpening and resampling overshoot
Range = tuple[float, float]


def range_of(values: np.ndarray, *, bits: int, declared: int = 0, signed: bool = False) -> Range:
    """Return the (black, white) of samples: of what is declared, of their depth, or of what 32 bits and floats hold."""
    if values.dtype.kind == "f":
        return _range_of_floats(values)
    if 0 < declared < 1 << bits:
        return 0.0, float(declared)
    top = float((1 << bits - signed) - 1)
    if signed and values.size and values.min() < -top / 2:  # black is the least that there is, not zero
        return -top - 1, top
    if bits < 32:
        return 0.0, top
    tops = (255, 65535, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)
    return 0.0, next(float(top) for top in tops if values.max() <= top)


def _range_of_floats(values: np.ndarray) -> Range:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    for top in _TOPS:
        if -_BEYOND * top <= low and top / 2 < high <= (1 + _BEYOND) * top:
            return 0.0, top
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, max(high, float(np.nextafter(low, np.inf))))


def eight_bits(values: np.ndarray, black: float, white: float) -> np.ndarray:
    """Return samples, of any shape, scaled to uint8; what is no number is black."""
    if values.dtype == np.uint8 and (black, white) == (0, 255):
        return values
    scaled = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS):
        rows = slice(start, start + _ROWS)
        share = np.nan_to_num((values[rows].astype(np.float64) - black) / (white - black), posinf=1, neginf=0)
        scaled[rows] = np.clip(share, 0, 1) * 255 + 0.5
    return scaled
