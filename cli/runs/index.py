"""What `artifact index`, `remove` and `demo` do, and what they say."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import typer

from cli.output.interruption import GOES_ON, saying
from cli.output.progress import progress
from cli.output.text import counted, plain
from cli.output.threshold_words import threshold_lines
from cli.runs.build_words import say_build, say_preview, say_shards, say_understood
from cli.runs.indexing_options import IndexingOptions
from cli.runs.judging_options import JudgingOptions
from cli.runs.recheck import recheck_what_is_new
from cli.runs.register_words import say_register
from cli.runs.searching_options import refusing_kinds, searching_of
from cli.runs.segment_lines import memory_lines
from indexer.building.build import build_catalogue
from indexer.building.embedding import Embedding, embed_here
from indexer.building.preview import preview_catalogue
from indexer.building.publish import publish
from indexer.building.reading import Asked
from indexer.building.unused import drop_unused
from indexer.inputs.metadata import TABLE_FIELDS
from indexer.tables.mapping import read_mapping
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.pictures import MOST
from retrieval.catalogue.rows import Changes, EncoderRecord
from retrieval.encoder.encoder import DEFAULT, Encoder, load_encoder
from retrieval.judging.edition import load_recorded
from retrieval.machine import cpu_count
from retrieval.photographs.reader_process import PATIENT, reading_apart


def run_index(folder: Path, data: Path, options: IndexingOptions) -> bool:
    """Index a folder and say what was done; return whether every input could be taken."""
    asked, searching = _asked(options), searching_of(options)
    if options.dry_run:
        preview = preview_catalogue(folder, data, asked)
        say_preview(preview)
        return not preview.skipped
    start = time.monotonic()
    with (
        refusing_kinds(),
        saying(GOES_ON),
        _embedding(options) as embed,
        progress("Encoding") as show,
        reading_apart(PATIENT) as reader,
    ):
        report = build_catalogue(
            folder,
            data,
            load=partial(_load, options),
            asked=asked,
            prune=options.prune,
            pictures=_picture_side(options.pictures),
            searching=searching,
            max_megapixels=options.max_megapixels,
            run=reader.run,
            embed=embed,
            on_scan=say_understood,
            on_progress=show,
            on_step=show.turn_to,
        )
    say_build(report, time.monotonic() - start)
    with Catalogue.reading(data) as catalogue:
        if searching.shards is not None:
            say_shards(catalogue)
        for line in memory_lines(catalogue):
            typer.echo(line, err=True)
        say_register(catalogue, since=report.before)
        thresholds = catalogue.thresholds()
        if thresholds is not None and report.photos:
            for line in threshold_lines(thresholds):
                typer.echo(line)
    judging = JudgingOptions(encoder=options.encoder, device=options.device, max_megapixels=options.max_megapixels)
    recheck_what_is_new(data, judging)
    return not report.skipped


@contextmanager
def _embedding(options: IndexingOptions) -> Iterator[Embedding]:
    """Give what reads and encodes photographs: this machine, or the workers of a Dask scheduler."""
    if options.dask is None:
        yield embed_here
        return
    if not options.dask.startswith(("tcp://", "tls://")):
        raise typer.BadParameter("--dask is the address of a scheduler, as in --dask tcp://HOST:8786")
    from indexer.building.on_workers import workers_at

    with workers_at(options.dask, device=options.device) as workers:
        yield workers


def _asked(options: IndexingOptions) -> Asked:
    columns = read_mapping(options.map, TABLE_FIELDS)
    return Asked(pattern=options.pattern, exclude=options.exclude or None, table=options.table, columns=columns)


def _picture_side(asked: str | None) -> int | None:
    """Return the long side of the working pictures that was asked for, 0 for none, or None; raises BadParameter."""
    if asked is None or asked == "none":
        return None if asked is None else 0
    if not asked.isdecimal() or not 0 < int(asked) <= MOST:
        raise typer.BadParameter(f"--pictures is none, or a side of up to {MOST} pixels, as in --pictures 1600")
    return int(asked)


def _load(options: IndexingOptions, record: EncoderRecord | None) -> Encoder:
    """Return the encoder that made the catalogue, for a new catalogue the one asked for."""
    spec, precision, device, cores = options.encoder, options.precision, options.device, cpu_count()
    if record is not None:
        return load_recorded(record, spec=spec, precision=precision, device=device, parallel=cores)
    return load_encoder(spec or DEFAULT, precision=precision or "fp32", device=device, parallel=cores)


def run_remove(object_id: str, data: Path) -> None:
    """Take an object out of the catalogue and say so."""
    with Catalogue.reading(data) as catalogue:
        catalogue.object(object_id)
    with Catalogue.writing(data) as catalogue:
        photos = catalogue.photos(object_id)
        publish(catalogue, Changes(gone=[photo.photo_id for photo in photos if photo.photo_id is not None]))
        drop_unused(catalogue)
        typer.echo(f"removed {plain(object_id)} ({counted(len(photos), 'photograph')}); revision {catalogue.revision}")
    on_disk = [photo for photo in photos if photo.file.exists()]
    if on_disk:
        typer.echo(
            f"{plain(str(on_disk[0].file))} stays on disk: indexing its folder again would add it back",
            err=True,
        )


def run_demo(folder: Path) -> None:
    """Paint the demonstration and say what to do with it."""
    from indexer.demo import paint_demo

    with progress("Painting") as show:
        made = paint_demo(folder, on_progress=show)
    for name, path in (("catalogue", made.catalogue), ("incoming", made.incoming), ("truth", made.truth)):
        typer.echo(f"{name + ':':10} {plain(str(path))}")
    typer.echo(f"next:      artifact index {shlex.quote(plain(str(made.catalogue)))}")
