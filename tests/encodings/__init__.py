"""One painted work in every way that files hold pictures, made by the libraries that write them."""

from collections.abc import Iterator

from PIL import Image

from tests.encodings.encoding import Encoding
from tests.encodings.others import OTHER_WAYS
from tests.encodings.photoshop_and_raw import PHOTOSHOP_AND_RAW_WAYS
from tests.encodings.tiff import TIFF_WAYS
from tests.encodings.tiff_depths import TIFF_DEPTH_WAYS

WAYS = (*OTHER_WAYS, *TIFF_WAYS, *TIFF_DEPTH_WAYS, *PHOTOSHOP_AND_RAW_WAYS)  # each yields encodings of a work


def encodings(work: Image.Image) -> Iterator[Encoding]:
    """Yield the work encoded in every way."""
    for way in WAYS:
        yield from way(work)
