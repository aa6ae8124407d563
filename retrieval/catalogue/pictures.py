"""Keep a working picture of each exemplar, by the hash of its file, to compare with whatever becomes of the file."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageOps

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Photo
from retrieval.errors import CatalogueBusy, ExemplarAway, UnreadableImage
from retrieval.photographs.images import read_photograph
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.photographs.photograph import Photograph

SIDE, MOST = 1600, 65_500  # pixels of the long side: usually, and what a JPEG can hold
QUALITY, SUBSAMPLING = 97, "4:4:4"  # JPEG
_DIGEST = hashlib.sha256().digest_size  # bytes behind the JPEG, by which a damaged picture is known


def picture_path(data: Path, sha256: str) -> Path:
    """Return where the working picture of a content lies."""
    return data / "pictures" / sha256[:2] / f"{sha256}.jpg"


def picture_side(catalogue: Catalogue) -> int:
    """Return the long side, in pixels, of the working pictures to come; 0: none are kept."""
    row = catalogue.db.execute("SELECT value FROM settings WHERE key = 'pictures'").fetchone()
    return int(row[0]) if row else SIDE


def set_picture_side(catalogue: Catalogue, side: int) -> None:
    """Keep the long side of the working pictures to come."""
    catalogue.db["settings"].upsert({"key": "pictures", "value": str(side)}, pk="key")


def keep_picture(data: Path, sha256: str, image: Image.Image) -> None:
    """Write the working picture of a content, whole or not at all, unless it is there.

    Raises CatalogueBusy where it cannot be written.
    """
    path = picture_path(data, sha256)
    if path.exists():
        return
    if max(image.size) > MOST:
        image = ImageOps.contain(image, (MOST, MOST))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY, subsampling=SUBSAMPLING)
    file.write(hashlib.sha256(file.getbuffer()).digest())
    temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(file.getbuffer())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CatalogueBusy(
            f"The working picture {path} cannot be written: {error.strerror}. Once it can, the same command goes on "
            "from there; --pictures none keeps none."
        ) from error


def is_whole(path: Path) -> bool:
    """Say whether a working picture is there, as it was written."""
    try:
        written = path.read_bytes()
    except OSError:
        return False
    return hashlib.sha256(written[:-_DIGEST]).digest() == written[-_DIGEST:]


def read_exemplar(
    data: Path, photo: Photo, *, short_side: int, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS
) -> Photograph:
    """Read an exemplar as it was indexed: by its working picture, without one by its file.

    The size is that of the file's own picture. Raises ExemplarAway where there is neither.
    """
    kept = picture_path(data, photo.sha256)
    if is_whole(kept):
        image = read_photograph(kept, short_side=short_side).image
        return Photograph(photo.file, photo.sha256, photo.width, photo.height, image)
    try:
        found = read_photograph(photo.file, short_side=short_side, max_megapixels=max_megapixels)
    except UnreadableImage as error:
        raise _away(photo, str(error)) from error
    if found.sha256 != photo.sha256:
        raise _away(photo, "it has changed since it was indexed")
    return found


def _away(photo: Photo, why: str) -> ExemplarAway:
    return ExemplarAway(
        f"the exemplar {photo.file} is away and no working picture of it is kept ({why}); bring it back, or say where "
        "its folder is now: artifact move OLD NEW"
    )


def kept_pictures(data: Path) -> Iterator[Path]:
    """Yield the working pictures that are there, and what a killed run left of one."""
    yield from (data / "pictures").glob("??/*")


def drop_unused_pictures(catalogue: Catalogue) -> int:
    """Remove the working pictures of contents that no exemplar has; return how many."""
    strays = unused_pictures(catalogue)
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def unused_pictures(catalogue: Catalogue) -> list[Path]:
    """Return the working pictures of contents that no exemplar has, and what a killed run left of one."""
    wanted = {picture_path(catalogue.data, photo.sha256) for photo in catalogue.photos()}
    return sorted(path for path in kept_pictures(catalogue.data) if path not in wanted)


def pictures_size(data: Path) -> tuple[int, int]:
    """Return the number of working pictures, and their bytes together."""
    sizes = [path.stat().st_size for path in kept_pictures(data) if path.suffix == ".jpg"]
    return len(sizes), sum(sizes)
