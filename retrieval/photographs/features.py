"""Find the local features of a photograph, and keep them compactly."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from retrieval.machine import import_cv2
from retrieval.photographs.descriptor_codes import CODE_BYTES, LENGTH, decode_descriptors, encode_descriptors

if TYPE_CHECKING:
    from PIL import Image

    from retrieval.photographs.photograph import Photograph

VERSION = 2  # of the extraction; part of what is stored: raise it when the features of the same file would change

CONTRAST = 0.02  # half of OpenCV's: pale drawings have features too
_HEADER = struct.Struct("<III")
_EACH = 2 * 2 + CODE_BYTES
_STEPS = 65_535.0  # across a picture, and down: where a point is stored to lie
BYTES_WITHOUT_ANY = _HEADER.size  # of what is stored of a photograph that has no feature
_MIRROR = np.arange(128).reshape(4, 4, 8)[::-1][:, :, (8 - np.arange(8)) % 8].reshape(128)


@dataclass(frozen=True, slots=True)
class Detail:
    """How closely to look: at a picture of `side` x `side` pixels or as many, for at most `count` features.

    The features of strongest contrast are taken, with `everywhere` those of every part of the picture: on a page, all
    would otherwise be of its text.
    """

    side: float
    count: int
    everywhere: bool = False


EXEMPLAR = Detail(256.0, 450)  # more would cost more than half of indexing without them
PROBE = Detail(480.0, 900)  # the work may be a small part of it, and it is looked at but once
GLANCE = Detail(256.0, 450, everywhere=True)  # which of ten thousand works may be on it?
CLOSER = Detail(720.0, 2000, everywhere=True)  # a work may be there, and was not seen well enough
PART = Detail(360.0, 1000, everywhere=True)  # of a probe
CELLS = 8  # parts of a picture across, and down


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Where a photograph has local features, and what it looks like there.

    `points` is float32 (n, 2), x and y in pixels of the upright photograph in its full size, the centre of the first
    pixel at 0; `descriptors` is uint8 (n, 128), RootSIFT; `size` is the width and height of that photograph.
    """

    points: np.ndarray
    descriptors: np.ndarray
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.points)

    def to_bytes(self) -> bytes:
        """Return what is stored: 12 bytes, and 26 for each feature; of a point a 65,535th of the picture is lost."""
        header = _HEADER.pack(len(self.points), *self.size)
        places = np.round((self.points.astype(np.float64) + 0.5) / self.size * _STEPS)
        points = np.clip(places, 0, _STEPS).astype("<u2")
        return header + points.tobytes() + encode_descriptors(self.descriptors).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Features:
        """Return the features stored in `data`; raises ValueError where it is damaged."""
        count, width, height = _HEADER.unpack_from(data) if len(data) >= _HEADER.size else (0, 0, 0)
        if not width or not height or len(data) != _HEADER.size + _EACH * count:
            raise ValueError("stored features are damaged")
        places = np.frombuffer(data, "<u2", 2 * count, _HEADER.size).reshape(count, 2)
        codes = np.frombuffer(data, np.uint8, CODE_BYTES * count, _HEADER.size + 4 * count).reshape(count, CODE_BYTES)
        points = (places / _STEPS * (width, height) - 0.5).astype(np.float32)
        return cls(points, decode_descriptors(codes), (width, height))

    def as_stored(self) -> Features:
        """Return the features as they come back from where they are stored."""
        return Features.from_bytes(self.to_bytes())

    def among(self, rows: np.ndarray) -> Features:
        """Return some of the features, those where `rows`, bool (n,), is true."""
        return replace(self, points=self.points[rows], descriptors=self.descriptors[rows])

    def mirrored(self) -> Features:
        """Return the features of the photograph mirrored left to right, without looking at it again."""
        points = self.points * np.array([-1.0, 1.0], np.float32) + np.array([self.size[0] - 1.0, 0.0], np.float32)
        return replace(self, points=points, descriptors=self.descriptors[:, _MIRROR])


def features_of(photograph: Photograph) -> Features:
    """Return the features of an exemplar."""
    return extract_features(photograph.image, (photograph.width, photograph.height))


def glance_at(photograph: Photograph) -> Features:
    """Return the features of a probe by which objects are proposed."""
    return features_of_probe(photograph, GLANCE)


def features_of_probe(photograph: Photograph, detail: Detail = PROBE) -> Features:
    """Return the features of a probe."""
    return extract_features(photograph.image, (photograph.width, photograph.height), detail=detail)


def extract_features(image: Image.Image, size: tuple[int, int], *, detail: Detail = EXEMPLAR) -> Features:
    """Return the features of an upright picture, the photograph itself or reduced.

    `size` is the width and height of the upright photograph in its full size. The picture is never enlarged.
    """
    cv2 = import_cv2()
    grey = _reduced(np.asarray(image.convert("L")), detail.side)
    sift = cv2.SIFT_create(nfeatures=0 if detail.everywhere else detail.count, contrastThreshold=CONTRAST)
    keypoints, descriptors = sift.detectAndCompute(grey, None)
    if descriptors is None:
        return Features(np.empty((0, 2), np.float32), np.empty((0, 128), np.uint8), size)
    points = np.array([keypoint.pt for keypoint in keypoints], np.float64)
    if len(points) > detail.count and detail.everywhere:
        rows = _everywhere(points / grey.shape[::-1], np.array([each.response for each in keypoints]), detail.count)
        points, descriptors = points[rows], descriptors[rows]
    scale = np.array([size[0] / grey.shape[1], size[1] / grey.shape[0]])
    points = (points + 0.5) * scale - 0.5
    return Features(points.astype(np.float32), _root(descriptors), size)


def _everywhere(places: np.ndarray, strengths: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of so many features, in their order, of each part of the picture the strongest.

    `places` are float (n, 2) in 0..1.
    """
    across, down = np.clip((places * CELLS).astype(np.int64), 0, CELLS - 1).T
    cells = across * CELLS + down
    order = np.lexsort((-strengths, cells))
    starts = np.searchsorted(cells[order], np.arange(CELLS**2))
    ranks = np.empty(len(cells), np.int64)
    ranks[order] = np.arange(len(cells)) - starts[cells[order]]
    return np.sort(np.lexsort((-strengths, ranks))[:count])


def _reduced(grey: np.ndarray, side: float) -> np.ndarray:
    """Return a grey picture, uint8 (height, width), of at most side x side pixels, whatever its proportions."""
    scale = side / float(np.sqrt(grey.size))
    if scale >= 1.0:
        return grey
    cv2 = import_cv2()
    height, width = (max(1, round(length * scale)) for length in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA))


def _root(descriptors: np.ndarray) -> np.ndarray:
    """Return SIFT descriptors (n, 128) as RootSIFT (Arandjelovic and Zisserman 2012), uint8 of length LENGTH."""
    shares = descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9)
    return np.clip(np.round(np.sqrt(shares) * LENGTH), 0, 255).astype(np.uint8)
