"""Judge what people bring, and record the verdicts as the command line does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cli.records.artifact_1 import PhotographRecord
from cli.records.of_verdict import parts_of
from cli.records.recorder import recording
from cli.serve.service import Service
from cli.serve.uploads import Upload
from retrieval.catalogue.catalogue import Catalogue
from retrieval.judging.judge import compare, judge_all
from retrieval.judging.together import Part

NAMED = 5  # objects for each work


@dataclass(frozen=True, slots=True)
class Judged:
    """A photograph that was brought, and what was said of it."""

    upload: Upload
    record: PhotographRecord


def check_object(desk: Service, object_id: str) -> None:
    """Raise UnknownObject where the catalogue has no such object."""
    with Catalogue.reading(desk.data) as catalogue:
        catalogue.object(object_id)


def judge(desk: Service, upload: Upload, object_id: str | None = None) -> Judged:
    """Judge a photograph against all objects, or one, and record the verdict as `artifact query` does."""
    edition, limit = desk.editions.current(), desk.settings.judging.max_megapixels
    if object_id is None:
        (verdict,) = judge_all(edition, [upload.path], k=NAMED, several=True, read=desk.reader, max_megapixels=limit)
    else:
        verdict = compare(edition, upload.path, object_id, read=desk.reader, max_megapixels=limit)
    with recording(edition) as recorder:
        return Judged(upload, recorder.record(verdict, asked=object_id))


def judge_lot(desk: Service, uploads: Sequence[Upload]) -> list[Judged]:
    """Judge photographs of one thing, each and together, as `artifact query --together` does."""
    edition, limit = desk.editions.current(), desk.settings.judging.max_megapixels
    found: list[Judged] = []
    parts: list[Part] = []
    paths = [upload.path for upload in uploads]
    with recording(edition) as recorder:
        verdicts = judge_all(edition, paths, k=NAMED, several=True, read=desk.reader, max_megapixels=limit)
        for upload, verdict in zip(uploads, verdicts, strict=True):
            record = recorder.record(verdict)
            parts += parts_of(verdict, record)
            found.append(Judged(upload, record))
        recorder.say_together(parts, [one.record for one in found])
    return found
