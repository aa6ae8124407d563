"""Turn reviews of verdicts into labels that calibration and training take."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.inputs.labels import COLUMNS, GROUP, LabelledPhoto
from indexer.inputs.lots import OFFER
from indexer.inputs.photo_names import is_file
from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import UnreadableImage
from retrieval.outcome import OF_AN_OBJECT, UNREADABLE, Outcome
from retrieval.photographs.files import sha256_of
from retrieval.verdicts.reviews import ReviewedVerdict


@dataclass(frozen=True, slots=True)
class ReviewLabels:
    """Labelled photographs; every object has a genuine one."""

    photos: tuple[LabelledPhoto, ...]
    exemplars: int  # how many photos are exemplars, of objects of which only forgeries were reviewed
    left_out: Mapping[str, int]  # reason -> number of works reviewed


def labels_of(items: Sequence[ReviewedVerdict], catalogue: Catalogue) -> ReviewLabels:
    """Return what reviewers hold photographs to be, given all reviews, the first one first.

    Of each work on a photograph the last review counts, and of its works the last one that gives a label. An object
    with nothing but forgeries gets an exemplar of its own as a genuine photograph.
    """
    works: dict[tuple[str, str | None], ReviewedVerdict] = {}
    for item in reversed(items):
        works.setdefault((_content(item), item.entry.object_id), item)
    left_out: Counter[str] = Counter()
    photos: dict[str, LabelledPhoto] = {}
    for item in works.values():
        if reason := _refusal(item, photos):
            left_out[reason] += 1
        else:
            photos[_content(item)] = _labelled(item)
    return _with_exemplars(list(reversed(photos.values())), catalogue, left_out)


def as_csv(labels: ReviewLabels) -> str:
    """Return the table of labels that `read_labels` reads."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*COLUMNS, GROUP])
    for photo in labels.photos:
        writer.writerow([photo.path, photo.object_id, int(photo.genuine), photo.group])
    return text.getvalue()


def _content(item: ReviewedVerdict) -> str:
    """Return what tells photographs apart: the content, or the name of what could not even be read."""
    return item.entry.sha256 or item.entry.photo


def _refusal(item: ReviewedVerdict, photos: Mapping[str, LabelledPhoto]) -> str | None:
    """Return why a review gives no label; None where it does."""
    if item.review.outcome not in OF_AN_OBJECT:
        return item.review.outcome
    if item.entry.outcome == UNREADABLE:
        return UNREADABLE
    if item.entry.together is not None:
        return "several photographs together"
    if _content(item) in photos:
        return "another work on the same photograph"
    return _unusable(Path(item.entry.photo), item.entry.sha256)


def _unusable(photo: Path, sha256: str | None) -> str | None:
    """Return why a photograph cannot stand in a table of labels; None where it can."""
    try:
        str(photo).encode()
    except UnicodeEncodeError:
        return "a file name that is no text"
    if str(photo) != str(photo).strip():
        return "a file name that ends in a space"
    try:
        return None if is_file(photo) and sha256_of(photo) == sha256 else "no longer the same file"
    except (OSError, UnreadableImage):
        return "no longer the same file"


def _labelled(item: ReviewedVerdict) -> LabelledPhoto:
    assert item.review.object_id is not None, "consistent and divergent are said of an object"
    lot = item.entry.lot or {}
    group = " / ".join(lot.get(name, "").strip() for name in OFFER) if lot.get("lot", "").strip() else ""
    genuine = item.review.outcome == Outcome.CONSISTENT
    return LabelledPhoto(Path(item.entry.photo), item.review.object_id, genuine, group)


def _with_exemplars(photos: list[LabelledPhoto], catalogue: Catalogue, left_out: Counter[str]) -> ReviewLabels:
    """Add an exemplar to each object without a genuine photograph; without an exemplar, leave its forgeries out."""
    genuine = {photo.object_id for photo in photos if photo.genuine}
    wanted = dict.fromkeys(photo.object_id for photo in photos if photo.object_id not in genuine)
    taken = {photo.path for photo in photos}
    exemplars = []
    for object_id in wanted:
        own = [photo for photo in catalogue.photos(object_id) if photo.role == "exemplar" and photo.file not in taken]
        usable = (photo.file for photo in own if _unusable(photo.file, photo.sha256) is None)
        exemplars += [LabelledPhoto(file, object_id, True) for file in itertools.islice(usable, 1)]
    known = genuine | {photo.object_id for photo in exemplars}
    kept = [photo for photo in photos if photo.object_id in known]
    if lost := len(photos) - len(kept):
        left_out["no exemplar of the object on disk"] += lost
    return ReviewLabels((*kept, *exemplars), len(exemplars), dict(left_out))
