"""Say of some exemplars what does not agree with their vectors, features, working pictures and files."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Sequence
from shlex import quote

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.pictures import picture_path
from retrieval.catalogue.rows import Photo
from retrieval.errors import UnreadableImage
from retrieval.photographs.files import sha256_of

UNIT_TOLERANCE = 1e-3


def without_vector(catalogue: Catalogue, photos: Sequence[Photo], *, mend: bool = False) -> Iterator[str]:
    """Say which have no sound vector; forget the unsound ones so that an index run makes them anew."""
    sound = _with_sound_vector(catalogue, photos)
    for photo in photos:
        if photo.photo_id not in sound:
            if mend:
                catalogue.forget_vector(photo.sha256)
            yield f"{photo.file} has no sound vector; {_again(photo)} encodes it again"


def _with_sound_vector(catalogue: Catalogue, photos: Sequence[Photo]) -> set[int]:
    encoder = catalogue.encoder
    assert encoder is not None, "an empty catalogue is not checked"
    sql = """SELECT p.photo_id, v.vector FROM json_each(?) asked CROSS JOIN photos p ON p.photo_id = asked.value
             CROSS JOIN vectors v ON v.sha256 = p.sha256 WHERE v.fingerprint = ? AND length(v.vector) = ?"""
    asked = json.dumps([photo.photo_id for photo in photos])
    rows = catalogue.db.execute(sql, [asked, encoder.fingerprint, 4 * encoder.dim]).fetchall()
    vectors = np.frombuffer(b"".join(blob for _, blob in rows), "<f4").reshape(len(rows), encoder.dim)
    is_unit = np.abs(np.linalg.norm(vectors.astype(np.float64), axis=1) - 1.0) < UNIT_TOLERANCE
    return {photo_id for (photo_id, _), sound in zip(rows, is_unit.tolist(), strict=True) if sound}


def without_features(catalogue: Catalogue, photos: Sequence[Photo], *, mend: bool = False) -> Iterator[str]:
    """Say which have no sound features; forget the unsound ones so that an index run finds them anew."""
    for photo in photos:
        if not catalogue.features([photo.sha256]):
            if mend:
                catalogue.forget_features(photo.sha256)
            yield f"{photo.file} has no sound features; {_again(photo)} finds them again"


def without_picture(catalogue: Catalogue, photos: Sequence[Photo], *, damaged: Container[str]) -> Iterator[str]:
    """Say which have no working picture, or one that is `damaged`, by the hash of their content."""
    for photo in photos:
        if photo.sha256 in damaged or not picture_path(catalogue.data, photo.sha256).exists():
            yield f"{photo.file} has no sound working picture; {_again(photo)} makes it again"


def file_trouble(photo: Photo) -> str:
    """Say that a file has changed or cannot be read; nothing where it is as it was indexed."""
    try:
        if sha256_of(photo.file) != photo.sha256:
            return f"{photo.file} has changed since it was indexed; {_again(photo)} takes it anew"
    except UnreadableImage as error:
        return f"{photo.file}: {error}; {_again(photo, '--prune')} removes it if it is gone"
    return ""


def _again(photo: Photo, *options: str) -> str:
    return f"`{' '.join(['artifact index', quote(photo.folder), *options])}`"
