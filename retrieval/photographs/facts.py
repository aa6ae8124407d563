"""Read what a file says of its photograph besides the pixels: format, colours, and what the camera wrote down."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from PIL import ExifTags, Image, ImageCms

from retrieval.errors import UnreadableImage
from retrieval.photographs import by_pillow
from retrieval.photographs.files import in_plain_words, open_regular
from retrieval.photographs.kinds import HEAD, kind_of
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS

LONGEST = 200  # letters of a value
NOT_BY_PILLOW = frozenset(["JXL", "PDF", "RAW"])
_TAGS = {
    "taken": ExifTags.Base.DateTimeOriginal,
    "lens": ExifTags.Base.LensModel,
    "exposure": ExifTags.Base.ExposureTime,
    "aperture": ExifTags.Base.FNumber,
    "sensitivity": ExifTags.Base.ISOSpeedRatings,
    "last changed, says EXIF": ExifTags.Base.DateTime,
    "software": ExifTags.Base.Software,
    "artist": ExifTags.Base.Artist,
    "copyright": ExifTags.Base.Copyright,
}
_MODES = {"1": "black and white", "L": "grey", "LA": "grey, transparent", "P": "palette", "RGB": "RGB", "RGBA": "RGBA"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says, each under its name; what it does not say is left out."""

    bytes: int
    modified_ns: int
    kind: str
    said: Mapping[str, str] = field(default_factory=dict)


def read_facts(path: Path, *, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> Facts:
    """Return what a file says of its photograph; raises UnreadableImage where the file cannot be opened."""
    try:
        with open_regular(path) as file:
            status, kind = os.fstat(file.fileno()), kind_of(file.read(HEAD)) or "unknown"
            said: Mapping[str, str] = {}
            with suppress(Exception):  # a broken block says nothing, and decoders raise almost anything
                said = _said(file, kind, max_megapixels) if kind not in NOT_BY_PILLOW else {}
            return Facts(status.st_size, status.st_mtime_ns, kind, said)
    except (OSError, ValueError) as error:
        raise UnreadableImage(in_plain_words(error)) from error


def _said(file: BinaryIO, kind: str, max_megapixels: float) -> Mapping[str, str]:
    source = by_pillow.opened(file, kind, max_megapixels)
    exif = source.getexif()
    inner, place = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    camera = " ".join(_text(exif.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    found = {"colours": _MODES.get(source.mode, source.mode), "colour profile": _profile(source), "camera": camera}
    found |= {name: _text(inner.get(tag, exif.get(tag))) for name, tag in _TAGS.items()}
    if place:
        found["position"] = "written down by the camera (GPS)"
    return {name: value.strip() for name, value in found.items() if value.strip()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return " ".join(text.split())[:LONGEST]


def _profile(source: Image.Image) -> str:
    """Return the name of the colour profile; one that is broken is said to be."""
    if not (profile := source.info.get("icc_profile")):
        return ""
    try:
        return _text(ImageCms.getProfileDescription(io.BytesIO(profile))) or "without a name"
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return "broken"
