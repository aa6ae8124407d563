"""One painted work in every way that files hold pictures, made by the libraries that write them."""

from collections.abc import Iterator

from PIL import Image

from tests.encodings.encoding import Encoding
from tests.encodings.others import other_encodings
from tests.encodings.photoshop_and_raw import photoshop_and_raw_encodings
from tests.encodings.tiff import tiff_encodings
from tests.encodings.tiff_depths import tiff_depth_encodings


def encodings(work: Image.Image) -> Iterator[Encoding]:
    """Yield the work encoded in every way."""
    yield from other_encodings(work)
    yield from tiff_encodings(work)
    yield from tiff_depth_encodings(work)
    yield from photoshop_and_raw_encodings(work)
