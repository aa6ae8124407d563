"""What `artifact index` says of what it did."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from cli.output.left_out_words import left_out_lines
from cli.output.terminal import list_notices
from cli.output.text import counted, plain
from cli.runs.finding_words import fallen_lines, finding_lines
from cli.runs.segment_lines import searching_json, shard_lines
from cli.runs.understood_words import doubt_lines, understood_lines
from indexer.building.build import BuildReport
from indexer.building.preview import Preview
from indexer.building.understood import Understood
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.shard_features import FOLDER

LEFT_OUT = "; `artifact status` lists what was left out"


def say_understood(understood: Understood) -> None:
    """Say what a folder was taken for, before it takes long, and on stderr where that may have been meant otherwise."""
    for line in understood_lines(understood):
        typer.echo(line)
    for line in doubt_lines(understood):
        typer.echo(line, err=True)


def say_preview(preview: Preview) -> None:
    """Say what an index run would do."""
    say_understood(preview.understood)
    found = preview.understood
    objects, photos = counted(len(found.sizes), "object"), counted(found.photos, "photograph")
    typer.echo(f"{objects}, {photos} there; {preview.to_encode} to be encoded")
    _say_folder(preview, pruned=False)
    typer.echo("nothing was written (--dry-run)")


def say_build(report: BuildReport, seconds: float) -> None:
    """Say what an index run did: the summary on stdout, what needs a look on stderr."""
    if report.photos:
        typer.echo(
            f"{counted(report.objects, 'object')}, {counted(report.photos, 'photograph')}; revision {report.revision} "
            f"({report.encoded} encoded in {seconds:.1f} s)"
        )
    if not report.taken:
        empty = "" if report.photos else ", and the catalogue is empty"
        typer.echo(f"Nothing was indexed: no photograph of this folder could be taken{empty}.", err=True)
    _say_folder(report, pruned=report.pruned)
    list_notices(f"{'file' if len(report.of_several) == 1 else 'files'} of several pictures", report.of_several)
    before, side = report.sides
    if side != before:
        stay = "; those that are there stay as they are" if before else ""
        typer.echo(f"working pictures: {_long(side)} from now on, {_long(before)} before{stay}", err=True)
    show = "exemplar shows" if len(report.empty) == 1 else "exemplars show"
    list_notices(f"{show} nothing to compare; --exclude leaves such out", report.empty)
    for line in (*finding_lines(report.published.findings), *fallen_lines(report.published)):
        typer.echo(line, err=True)


def say_shards(catalogue: Catalogue) -> None:
    """Say how a catalogue is divided now."""
    shards = searching_json(catalogue)["shards"]
    for line in shard_lines(shards):
        typer.echo(line)
    if shards["count"] == 1:
        left = (catalogue.data / FOLDER).is_dir()
        later = "; those of before go with the next run, since somebody may still read them" if left else ""
        typer.echo(f"shards: none{later}")


def _say_folder(report: BuildReport | Preview, *, pruned: bool) -> None:
    """Say what differs from the last time, how the table was read, and what is left out."""
    difference = report.difference
    reassigned = f", of another object now {len(difference.reassigned)}" if difference.reassigned else ""
    typer.echo(
        f"new {len(difference.added)}, changed {len(difference.changed)}, moved {len(difference.moved)}, "
        f"{'removed' if pruned else 'gone'} {len(difference.gone)}{reassigned}"
    )
    for note in report.table_notes:
        typer.echo(f"table: {plain(note)}")
    for warning in report.warnings:
        typer.echo(plain(warning), err=True)
    if not pruned:
        excluded = set(report.excluded)
        away = [path for path in difference.gone if path not in excluded]
        list_notices(f"no longer on disk; {_prunes(away)}", away)
        list_notices(f"catalogued, but left out now; {_prunes(report.excluded)}", report.excluded)
    for line in left_out_lines(report.left_out):
        typer.echo(line, err=True)
    list_notices("left out", [f"{item.path}: {item.reason}" for item in report.skipped], where=LEFT_OUT)


def _prunes(files: Sequence[str]) -> str:
    return f"--prune removes {'it' if len(files) == 1 else 'them'} from the catalogue"


def _long(side: int) -> str:
    return f"{side} px" if side else "none"
