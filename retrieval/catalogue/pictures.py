"""Keep working pictures of each exemplar, by the hash of its file, to compare with whatever becomes of the file.

One is for people, as large as a page shows it. The other one is what is compared, to the last bit: with a picture at
any quality of JPEG or WebP, one pair in fifty is compared otherwise (`python -m tests.bench.working_pictures`).
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Photo
from retrieval.errors import CatalogueBusy, ExemplarAway, UnreadableImage
from retrieval.photographs.images import read_photograph
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.photographs.photograph import Photograph

SIDE, MOST = 1600, 65_500  # pixels of the long side for people: usually, and what a JPEG can hold
MOST_WEBP = 16_383  # pixels of the long side
FOR_PEOPLE = {"format": "JPEG", "quality": 85}
COMPARED = {"format": "WEBP", "lossless": True, "quality": 0, "method": 0}  # the quickest to write
COMPARED_IF_LONG = {"format": "PNG", "compress_level": 1}
LOOKED_AT = 10_000  # files, when it is asked how large all are
_DIGEST = hashlib.sha256().digest_size  # bytes behind a picture, by which a damaged one is known


def picture_path(data: Path, sha256: str) -> Path:
    """Return where the picture of a content for people lies."""
    return data / "pictures" / sha256[:2] / f"{sha256}.jpg"


def compared_path(data: Path, sha256: str, short_side: int) -> Path:
    """Return where the picture of a content lies that is compared, as it is read with that short side."""
    return picture_path(data, sha256).with_suffix(f".{short_side}.exact")


def has_pictures(data: Path, sha256: str, short_side: int) -> bool:
    """Say whether the working pictures of a content are there."""
    return picture_path(data, sha256).exists() and compared_path(data, sha256, short_side).exists()


def picture_side(catalogue: Catalogue) -> int:
    """Return the long side, in pixels, of the working pictures to come; 0: none are kept."""
    return int(catalogue.setting("pictures") or SIDE)


def set_picture_side(catalogue: Catalogue, side: int) -> None:
    """Keep the long side of the working pictures to come."""
    catalogue.db["settings"].upsert({"key": "pictures", "value": str(side)}, pk="key")


@dataclass(frozen=True, slots=True)
class PackedPictures:
    """The working pictures of a content as they are written, to be kept where the catalogue is."""

    sha256: str
    short_side: int  # with which the compared one was read
    for_people: bytes
    compared: bytes

    def keep(self, data: Path) -> None:
        """Write those that are not there, each whole or not; raises CatalogueBusy where they cannot be written."""
        _keep(picture_path(data, self.sha256), lambda: self.for_people)
        _keep(compared_path(data, self.sha256, self.short_side), lambda: self.compared)


def pack_pictures(photograph: Photograph, large: Image.Image, *, short_side: int) -> PackedPictures:
    """Return the working pictures of a photograph read with that short side."""
    for_people, compared = _packed_for_people(large), _packed_to_compare(photograph.image)
    return PackedPictures(photograph.sha256, short_side, for_people, compared)


def keep_pictures(data: Path, photograph: Photograph, large: Image.Image, *, short_side: int) -> None:
    """Write the working pictures of a photograph read with that short side, unless they are there, each whole or not.

    Raises CatalogueBusy where they cannot be written.
    """
    _keep(picture_path(data, photograph.sha256), lambda: _packed_for_people(large))
    _keep(compared_path(data, photograph.sha256, short_side), lambda: _packed_to_compare(photograph.image))


def _packed_for_people(large: Image.Image) -> bytes:
    return _packed(ImageOps.contain(large, (MOST, MOST)) if max(large.size) > MOST else large, FOR_PEOPLE)


def _packed_to_compare(image: Image.Image) -> bytes:
    return _packed(image, COMPARED if max(image.size) <= MOST_WEBP else COMPARED_IF_LONG)


def _packed(image: Image.Image, how: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    image.save(file, **how)
    file.write(hashlib.sha256(file.getbuffer()).digest())
    return file.getvalue()


def _keep(path: Path, packed: Callable[[], bytes]) -> None:
    if path.exists():
        return
    content = packed()
    temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
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
    data: Path,
    photo: Photo,
    *,
    short_side: int,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    compared: bool = False,
) -> Photograph:
    """Read an exemplar as it was indexed: by a working picture, without one by its file.

    What is `compared` place by place is read from the unchanged file sooner than from the picture for people. The size
    is that of the file's own picture. Raises ExemplarAway where there is none of them.
    """
    first, last = [compared_path(data, photo.sha256, short_side)], [picture_path(data, photo.sha256)]
    if not compared:
        first, last = first + last, []
    if (kept := _first_whole(first, photo, short_side)) is not None:
        return kept
    try:
        found = read_photograph(photo.file, short_side=short_side, max_megapixels=max_megapixels)
        if found.sha256 != photo.sha256:
            raise UnreadableImage("it has changed since it was indexed")
    except UnreadableImage as error:
        if (kept := _first_whole(last, photo, short_side)) is not None:
            return kept
        raise _away(photo, str(error), damaged=any(path.exists() for path in first + last)) from error
    return found


def _first_whole(paths: Sequence[Path], photo: Photo, short_side: int) -> Photograph | None:
    """Return an exemplar by the first of its working pictures that is there as it was written."""
    for path in filter(is_whole, paths):
        image = read_photograph(path, short_side=short_side).image
        return Photograph(photo.file, photo.sha256, photo.width, photo.height, image)
    return None


def _away(photo: Photo, why: str, *, damaged: bool) -> ExemplarAway:
    kept = "its working picture is damaged" if damaged else "no working picture of it is kept"
    return ExemplarAway(
        f"the exemplar {photo.file} is away and {kept} ({why}); bring it back, or say where its folder is now: "
        "artifact move OLD NEW"
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
    return [path for folder in _picture_folders(catalogue.data) for path in _unused_in(catalogue, folder)]


def drop_pictures_of(data: Path, sha256s: Iterable[str]) -> None:
    """Remove the working pictures of some contents, and what a killed run left of them."""
    for folder, some in groupby(sorted(sha256s), key=lambda sha256: picture_path(data, sha256).parent):
        contents = set(some)
        for path in [path for path in folder.glob("*") if content_of(path) in contents]:
            path.unlink(missing_ok=True)


def content_of(path: Path) -> str:
    """Return the hash of the content that a working picture shows."""
    return path.name.partition(".")[0]


def _unused_in(catalogue: Catalogue, folder: Path) -> list[Path]:
    sql = "SELECT sha256 FROM photos WHERE sha256 BETWEEN ? AND ?"
    wanted = {
        sha256 for (sha256,) in catalogue.db.execute(sql, [folder.name, f"{folder.name}g"])
    }  # g: after all digits
    return sorted(path for path in folder.iterdir() if path.suffix == ".part" or content_of(path) not in wanted)


def _picture_folders(data: Path) -> list[Path]:
    """Return the folders of working pictures, by the first two digits of the hashes."""
    return sorted((data / "pictures").glob("??/"))


@dataclass(frozen=True, slots=True)
class PicturesSize:
    """Of how many contents there are working pictures, and the bytes of all of them together."""

    count: int
    bytes: int
    exact: bool = True  # else reckoned from a part of the folders: hashes spread evenly over all


def pictures_size(data: Path, *, looked_at: int = LOOKED_AT) -> PicturesSize:
    """Return how large the working pictures are; of more files than are to be looked at, by those in some folders."""
    folders = _picture_folders(data)
    count = size = files = 0
    for done, folder in enumerate(folders, 1):
        for path in folder.iterdir():
            with suppress(FileNotFoundError):  # it had another name until it was whole
                files, count, size = files + 1, count + (path.suffix == ".jpg"), size + path.stat().st_size
        if files > looked_at and done < len(folders):
            return PicturesSize(count * len(folders) // done, size * len(folders) // done, exact=False)
    return PicturesSize(count, size)
