"""Read what a camera's sensor saw (DNG, NEF, CR2, ARW and others), by LibRaw: not the preview beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from PIL import Image

from retrieval.photographs.formats_extra import import_decoder, unsupported
from retrieval.photographs.heard import heard
from retrieval.photographs.pictures import Contents, Pictures, Pixels, whole

_ORIENTATIONS = {0: 1, 3: 3, 5: 8, 6: 6}  # LibRaw's flip -> EXIF
_SRGB = (2.4, 12.92)  # exponent, and slope near black
_BURNT_OUT = 0.001  # share of the pixels that brightening may clip; LibRaw's own 1 % loses highlights


@dataclass(frozen=True, slots=True)
class RawPicture:
    """Camera raw that LibRaw has opened."""

    source: Any

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in the file."""
        return self.source.sizes.iwidth, self.source.sizes.iheight

    def decode(self, enough: int) -> Pixels:
        """Develop, with the camera's white balance, in sRGB; at half the size where that suffices."""
        half = min(self.size) // 2 >= enough
        with heard() as said:
            developed = self.source.postprocess(
                use_camera_wb=True, half_size=half, user_flip=0, auto_bright_thr=_BURNT_OUT, gamma=_SRGB
            )
            damage = " ".join(said().split()).removeprefix("unknown file: ")[:200]
        pixels = whole(Image.fromarray(developed), orientation=_ORIENTATIONS.get(self.source.sizes.flip, 1))
        return replace(pixels, damage=lambda: f"LibRaw says: {damage}" if damage else None)


def contents(file: BinaryIO, max_megapixels: float) -> Contents:
    """Open camera raw; raises UnreadableImage, or what LibRaw raises."""
    rawpy = import_decoder("rawpy", "camera raw")
    file.seek(0)
    try:
        with heard():
            picture = RawPicture(rawpy.imread(file))
    except rawpy.LibRawFileUnsupportedError as error:
        raise unsupported("camera raw that LibRaw does not know") from error
    return Contents(Pictures(), lambda number: picture)
