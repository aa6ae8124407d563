"""What `artifact query` and `artifact compare` do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from cli.output.text import plain
from cli.output.writing import check_targets, exemplars_at
from cli.records.apart_words import apart_words
from cli.records.artifact_1 import PhotographRecord, Tally, dumps, name_of
from cli.records.away_words import first_away
from cli.records.of_verdict import parts_of, photograph_record
from cli.records.printed import print_photograph, print_together
from cli.records.recorder import recording
from cli.runs.judging_options import LookingOptions
from indexer.tables.table import SUFFIXES as TABLES_AND_LISTS
from retrieval.catalogue.catalogue import Catalogue
from retrieval.encoder.stream import Reading
from retrieval.errors import ArtifactError, UnreadableImage
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict, compare, judge_all
from retrieval.judging.together import Part
from retrieval.judging.two import judged_by
from retrieval.machine import cpu_count
from retrieval.photographs.kinds import SUFFIXES as PHOTOGRAPHS
from retrieval.photographs.numbered import NumberedPicture, named
from retrieval.photographs.reader_process import reading_apart


def run_query(
    photo: Path,
    data: Path,
    *,
    judging: LookingOptions,
    read: Reading,
    object_id: str | None = None,
    k: int = 1,
    several: bool = False,
    as_json: bool,
    report: Path | None,
    png: Path | None,
) -> Tally:
    """Judge one photograph, against one object or against all, and print the verdict; return what it came to.

    `read` reads the photograph. Raises UnreadableImage, and UnknownObject where there is no such object.
    """
    _refuse_many(photo)
    asked, limit = named(photo), judging.max_megapixels
    edition = judging.open_edition(data)
    _check_targets(report, png, photo, edition)
    if object_id is None:
        (verdict,) = judge_all(edition, [asked], k=k, several=several, read=read, max_megapixels=limit)
    else:
        verdict = compare(edition, asked, object_id, read=read, max_megapixels=limit)
    with recording(edition) as recorder:
        record = recorder.record(verdict, asked=object_id)
    _say(record, as_json, titles=_titles(record, data))
    if (line := first_away(record)) is not None:
        typer.echo(line, err=True)
    _write_evidence(verdict, edition, report, png, judging.max_megapixels, record["verdicts"])
    return Tally.of([record])


def run_two(
    exemplar: Path,
    photo: Path,
    *,
    judging: LookingOptions,
    read: Reading,
    as_json: bool,
    report: Path | None,
    png: Path | None,
) -> Tally:
    """Judge one photograph by another, without a catalogue, and print the verdict; return what it came to.

    Nothing is recorded. Raises UnreadableImage.
    """
    for one in (exemplar, photo):
        _refuse_many(one)
    check_targets([report, png], [exemplar, photo])
    name = exemplar.name if exemplar.name != photo.name else str(exemplar)
    edition = judging.open_one(named(exemplar), name, read)
    verdict = judged_by(edition, named(photo), read=read, max_megapixels=judging.max_megapixels)
    record = photograph_record(verdict, edition)
    _say(record, as_json, titles={})
    _write_evidence(verdict, edition, report, png, judging.max_megapixels)
    return Tally.of([record])


def is_photograph(second: str, data: Path) -> bool:
    """Say whether what a photograph is to be compared with is another photograph: a file, and no object's id.

    Raises ArtifactError where it may be both; a file named with its folder is a file.
    """
    file, known = Path(second), _is_object(second, data)
    is_there = file.is_file() or isinstance(named(file), NumberedPicture)
    if is_there and known and file.name == second:
        raise ArtifactError(
            f"{second} is a file here and an object of the catalogue in {data}. Write ./{second} for the file; for "
            "the object run the command from another folder."
        )
    return is_there or (not known and (file.suffix.lower() in PHOTOGRAPHS or file.is_dir()))


def _is_object(object_id: str, data: Path) -> bool:
    try:
        with Catalogue.reading(data) as catalogue:
            catalogue.object(object_id)
    except ArtifactError:  # no catalogue, or one that cannot be opened, as judging by it would say
        return False
    return True


def _say(record: PhotographRecord, as_json: bool, *, titles: Mapping[str, str]) -> None:
    """Print the record of one photograph; raises UnreadableImage where there is no verdict."""
    if as_json:
        typer.echo(dumps(record, indent=2))
    if record["error"] is not None:
        raise UnreadableImage(_problem(record))
    if not as_json:
        _print(record, titles)


def _check_targets(report: Path | None, png: Path | None, photo: Path, edition: Edition) -> None:
    """Refuse to write over the photograph or an exemplar; only exemplars of that name are asked for on their drive."""
    targets = [out for out in (report, png) if out is not None]
    check_targets(targets, [photo, *exemplars_at(targets, edition)])


def _refuse_many(photo: Path) -> None:
    """Raise ArtifactError for what holds or lists photographs, but is none."""
    screen = f"artifact screen {shlex.quote(str(photo))}"
    if photo.is_dir():
        raise ArtifactError(f"{photo} is a folder. `{screen}` judges the photographs in it.")
    if photo.suffix.lower() in TABLES_AND_LISTS:
        raise ArtifactError(f"{photo} is no photograph. `{screen}` judges those that a list names.")


def run_queries(
    photos: Sequence[Path],
    data: Path,
    *,
    judging: LookingOptions,
    k: int,
    several: bool,
    together: bool,
    as_json: bool,
) -> Tally:
    """Judge photographs against all objects, and print the verdicts; return what they came to.

    One that cannot be read is said on stderr, and stops no other. With `together`, they show one thing, and what all
    of them say is said too.
    """
    edition = judging.open_edition(data, parallel=cpu_count())
    records: list[PhotographRecord] = []
    parts: list[Part] = []
    away = None
    with recording(edition) as recorder, reading_apart() as read:
        limit = judging.max_megapixels
        for verdict in judge_all(edition, map(named, photos), k=k, several=several, read=read, max_megapixels=limit):
            record = recorder.record(verdict)
            parts += parts_of(verdict, record) if together else ()
            away = away or first_away(record)
            if record["error"] is not None:
                typer.echo(f"artifact: {plain(_problem(record))}", err=True)
            records.append(record)
            if not as_json and record["error"] is None:
                _print(record, _titles(record, data))
        for joint in recorder.say_together(parts, records):
            if not as_json:
                print_together(joint)
    if together and (apart := apart_words(records)):
        typer.echo(plain(apart), err=True)
    if as_json:
        typer.echo(dumps(records, indent=2))
    if away is not None:
        typer.echo(away, err=True)
    return Tally.of(records)


def _problem(record: PhotographRecord) -> str:
    return f"{name_of(record)}: {record['error']}"


def _titles(record: PhotographRecord, data: Path) -> Mapping[str, str]:
    """Return the titles of the objects that a record names."""
    with Catalogue.reading(data) as catalogue:
        return catalogue.titles([match["object_id"] for work in record["works"] for match in work["matches"]])


def _print(record: PhotographRecord, titles: Mapping[str, str]) -> None:
    """Print the record of a photograph for a person."""
    print_photograph(record, titles)
    if record["verdicts"]:
        typer.echo(f"recorded as verdict {record['verdicts'][0]}", err=True)


def _write_evidence(
    verdict: Verdict,
    edition: Edition,
    report: Path | None,
    png: Path | None,
    max_megapixels: float,
    numbers: Sequence[int] = (),
) -> None:
    if report is not None or png is not None:
        from cli.evidence.evidence import Origin
        from cli.evidence.gather import write_evidence

        origin = Origin(next(iter(numbers), None))
        write_evidence(verdict, edition, report=report, png=png, max_megapixels=max_megapixels, origin=origin)
