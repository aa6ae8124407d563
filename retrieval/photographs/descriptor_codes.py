"""Keep each descriptor in 22 bytes instead of 128: optimised product quantisation (Ge et al., CVPR 2013).

Of pairs that lie over each other, 97 % of the points still agree. `python -m indexer.training.descriptor_codes` trains
the codes; other codes are another version of the features.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

CODES = Path(__file__).parent / "descriptor_codes.faiss"  # the trained rotation and code books, with nothing in them
CODE_BYTES = 22
LENGTH = 512.0  # of a descriptor; at this length next to none of its values exceeds a byte


def encode_descriptors(descriptors: np.ndarray) -> np.ndarray:
    """Return the codes, uint8 (n, CODE_BYTES), of descriptors, uint8 (n, 128)."""
    if not len(descriptors):
        return np.empty((0, CODE_BYTES), np.uint8)
    return np.asarray(_codes().sa_encode(descriptors.astype(np.float32)))


def decode_descriptors(codes: np.ndarray) -> np.ndarray:
    """Return the descriptors, uint8 (n, 128), that codes, uint8 (n, CODE_BYTES), stand for, at their full length."""
    if not len(codes):
        return np.empty((0, 128), np.uint8)
    found = _codes().sa_decode(np.ascontiguousarray(codes))
    unit = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    return np.clip(np.round(unit * LENGTH), 0, 255).astype(np.uint8)


def _codes() -> Any:
    import faiss

    faiss.omp_set_num_threads(1)  # of this thread: photographs are what goes side by side
    return _read()


@cache
def _read() -> Any:
    import faiss

    return faiss.read_index(str(CODES))
