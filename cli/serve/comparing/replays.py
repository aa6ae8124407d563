"""Make a verdict of the log again, for people to look at: the log keeps no homography, no places and no map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.catalogue.rows import Photo
from retrieval.errors import UnknownObject, UnknownVerdict
from retrieval.finding.match import Match
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict, compare
from retrieval.photographs.numbered import picture_in
from retrieval.photographs.reader_process import Reader
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.replay import judged_again


@dataclass(frozen=True, slots=True)
class Again:
    """A verdict made again: the match with the object it is on, its exemplar, and what is to be said of the making."""

    photo: Photo  # the exemplar
    match: Match | None  # None: it cannot be made again, and the remarks say why
    verdict: Verdict | None  # with the one work that it is on
    edition: Edition
    remarks: tuple[str, ...]


def judged_anew(entry: LogEntry, edition: Edition, *, read: Reader, max_megapixels: float) -> Again:
    """Judge the photograph of an entry again, and return how it lies on the exemplar of the object of the entry.

    Raises UnknownObject where that object is no longer in the catalogue.
    """
    assert entry.object_id is not None, "it is on an object"
    try:
        made = judged_again(entry, edition, max_megapixels=max_megapixels, read=read)
    except UnknownVerdict as error:
        return Again(_exemplar(entry, edition), None, None, edition, (_sentence(str(error)),))
    remarks = [_sentence(remark) for remark in made.remarks]
    works = made.verdict.works[made.work : made.work + 1]
    verdict = replace(made.verdict, works=works)
    match = works[0].matches[0] if works and works[0].matches else None
    if match is None or match.object_id != entry.object_id:
        named = match.object_id if match else "no object"
        remarks.append(f"Made again, the verdict names {named}; what is shown is {entry.object_id} all the same.")
        photo = picture_in(Path(entry.photo), entry.picture)
        verdict = compare(made.edition, photo, entry.object_id, read=read, max_megapixels=max_megapixels)
        match = verdict.works[0].matches[0] if verdict.works and verdict.works[0].matches else None
    exemplar = edition.exemplar(match.object_id, match.exemplar) if match else _exemplar(entry, edition)
    return Again(exemplar, match, verdict if match else None, made.edition, tuple(remarks))


def _exemplar(entry: LogEntry, edition: Edition) -> Photo:
    """Return the exemplar that an entry names, or another one of its object."""
    photos = edition.exemplars.get(str(entry.object_id), ())
    if not photos:
        raise UnknownObject(f"The object {entry.object_id} is no longer in the catalogue, so there is no exemplar.")
    return next((photo for photo in photos if str(photo.file) == entry.exemplar), photos[0])


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith('.') else '.'}"
