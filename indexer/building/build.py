"""Bring a catalogue up to date with a folder of photographs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.building.complete_features import KEEP_EVERY, complete_features, described
from indexer.building.difference import Difference, EncodingPlan, compare_folder, objects_taken, plan_encoding
from indexer.building.embedding import Embedding, Manner, embed_here
from indexer.building.metadata_difference import compare_metadata
from indexer.building.other_folders import OtherFolders
from indexer.building.publish import OnStep, Published, publish
from indexer.building.reading import AS_BEFORE, Asked, Reading, keep_reading, read_folder
from indexer.building.simulated_distances import complete_sample, measured, sampled_views
from indexer.building.understood import Understood, understand
from indexer.building.unused import drop_unused, noting_strays
from indexer.building.working_pictures import complete_pictures, without_pictures
from indexer.inputs.scan import FoundFile, Scan, SkippedItem
from indexer.inputs.walk import LeftOut
from indexer.simulation.rephotograph import VERSION
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.contents import EncodedContents
from retrieval.catalogue.folder_photos import photos_in
from retrieval.catalogue.index_choice import AS_BEFORE as AS_SEARCHED
from retrieval.catalogue.index_choice import Searching, check_choice, choose
from retrieval.catalogue.pictures import picture_side, set_picture_side
from retrieval.catalogue.rows import Content, EncoderRecord, Photo
from retrieval.catalogue.shards import check_all_sound, remake_lost
from retrieval.catalogue.store import try_store
from retrieval.encoder.encoder import Encoder
from retrieval.encoder.stream import EmbeddedPhotograph
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.photographs.quality import shows_nothing
from retrieval.photographs.reader_process import Running, run_here

OnProgress = Callable[[int, int], None]
LoadEncoder = Callable[[EncoderRecord | None], Encoder]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What an index run did; files are named relative to the folder."""

    revision: int
    objects: int
    photos: int
    taken: int  # of the photographs of the folder
    encoded: int
    difference: Difference
    excluded: tuple[str, ...]  # of those that are gone: there perhaps, but left out now
    pruned: bool
    skipped: tuple[SkippedItem, ...]
    left_out: LeftOut
    published: Published
    before: int  # the revision before
    table_notes: tuple[str, ...]  # how the table of the folder was read
    warnings: tuple[str, ...]  # of the table and of statuses
    sides: tuple[int, int]  # the long side of working pictures: until now, and from now on; 0: none
    empty: tuple[str, ...]  # exemplars encoded now that show nothing
    of_several: tuple[str, ...]  # which picture was taken of each new file of several


def build_catalogue(
    folder: Path,
    data: Path,
    *,
    load: LoadEncoder,
    asked: Asked = AS_BEFORE,
    prune: bool = False,
    pictures: int | None = None,
    searching: Searching = AS_SEARCHED,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    run: Running = run_here,
    embed: Embedding = embed_here,
    on_scan: Callable[[Understood], None] = lambda understood: None,
    on_progress: OnProgress = lambda done, total: None,
    on_step: OnStep = lambda what: None,
) -> BuildReport:
    """Index `folder` into the catalogue in `data`; only what is new or changed is encoded.

    Vectors are kept as they come, so that a killed run is completed by the next; the catalogue itself changes in one
    step at the end. `load` is given the catalogue's encoder, None for a new catalogue; `pictures` is the long side of
    working pictures from now on, 0 for none, None for the same; `searching` says how vectors are searched; `run` may
    read in other processes, and `embed` read and encode on other machines; `on_step` hears what is done after that.
    Raises ArtifactError.
    """
    scanned_ns = time.time_ns()
    reading = read_folder(folder, data, asked)
    folder = reading.folder
    with Catalogue.writing(data) as catalogue:
        (remake_lost if searching.remake_shards else check_all_sound)(catalogue)
        rows = {photo.path: photo for photo in photos_in(catalogue, str(folder))}
        scan = reading.scan(rows)
        on_scan(understand(reading, scan))
        encoder = _settled_encoder(catalogue, load, searching)
        if searching.store is not None:
            try_store(catalogue, searching.store)  # before photographs are encoded for hours
        choose(catalogue, searching)
        plan = plan_encoding(folder, scan.found, rows, EncodedContents.of(catalogue))
        sides = _settled_sides(catalogue, pictures)
        views = sampled_views(len(plan.contents) + len(plan.to_encode))
        manner = Manner(encoder=encoder, views=views, data=data, side=sides[1], run=run, max_megapixels=max_megapixels)
        with noting_strays(catalogue, are_kept=bool(plan.to_encode and manner.side)):
            encoded = _encode(catalogue, manner, folder, plan, embed, on_progress)
        _complete(catalogue, encoder, folder, scan, plan, sides[1], run, max_megapixels, on_progress)
        return _write(
            catalogue, reading, scan, plan, rows, sides, on_step, encoded=encoded, prune=prune, scanned_ns=scanned_ns
        )


def _write(
    catalogue: Catalogue,
    reading: Reading,
    scan: Scan,
    plan: EncodingPlan,
    rows: Mapping[str, Photo],
    sides: tuple[int, int],
    on_step: OnStep,
    *,
    encoded: int,
    prune: bool,
    scanned_ns: int,
) -> BuildReport:
    """Bring the catalogue in one step to what was found in the folder, and return what was done."""
    folder, table = str(reading.folder), reading.table
    others = OtherFolders(catalogue, folder)
    unread = [item.path for item in (*scan.skipped, *plan.skipped)]
    difference, claims = compare_folder(
        others, scan.found, plan.contents, rows, unread=unread, prune=prune, scanned_ns=scanned_ns
    )
    taken = objects_taken(scan.found, plan.contents, claims, rows)
    known = compare_metadata(catalogue, table, scan.found, taken, difference.changes.put)
    skipped = (*scan.skipped, *plan.skipped, *claims, *known.bad_rows)
    catalogue.touch(difference.touched)
    catalogue.set_skipped(folder, [(item.path, item.reason) for item in skipped])
    keep_reading(catalogue, reading)
    before = catalogue.revision
    published = publish(catalogue, replace(difference.changes, metadata=known.metadata), on_step=on_step)
    if prune:
        drop_unused(catalogue)
    objects, photos = catalogue.counts()
    return BuildReport(
        revision=catalogue.revision,
        objects=objects,
        photos=photos,
        taken=len(plan.contents.keys() - {item.path for item in claims}),
        encoded=encoded,
        difference=difference,
        excluded=reading.excluded(difference.gone),
        pruned=prune,
        skipped=skipped,
        left_out=scan.left_out,
        published=published,
        before=before,
        table_notes=table.notes,
        warnings=(*table.warnings, *known.kept),
        sides=sides,
        empty=tuple(plan.empty),
        of_several=tuple(plan.of_several),
    )


def _settled_encoder(catalogue: Catalogue, load: LoadEncoder, searching: Searching) -> Encoder:
    """Return the encoder of the catalogue; a new one takes that asked for, if it can be searched as asked."""
    record = catalogue.encoder
    encoder = load(record)
    check_choice(searching, encoder.dim)
    if record is None:
        catalogue.set_encoder(EncoderRecord(encoder.spec, encoder.fingerprint, encoder.precision, encoder.dim))
    return encoder


def _encode(
    catalogue: Catalogue,
    manner: Manner,
    folder: Path,
    plan: EncodingPlan,
    embed: Embedding,
    on_progress: OnProgress,
) -> int:
    """Encode what the plan asks for, noting in it what was found of each file; return how many were encoded."""
    by_file = {folder / item.path: item for item in plan.to_encode}
    batch: list[EmbeddedPhotograph] = []
    encoded = 0
    try:
        for done, item in enumerate(embed(by_file, manner), 1):
            found = by_file[item.path]
            photo = item.photograph
            if photo is None:
                plan.skipped.append(SkippedItem(found.path, str(item.error)))
            else:
                if photo.pictures > 1:
                    plan.of_several.append(f"{found.path}: picture {photo.picture} of {photo.pictures} is taken")
                plan.contents[found.path] = Content(photo.sha256, found.bytes, photo.width, photo.height)
                batch.append(item)
                encoded += 1
                if shows_nothing(photo.image):
                    plan.empty.append(found.path)
            if len(batch) == KEEP_EVERY:
                _keep(catalogue, manner.encoder, batch, by_file)
                batch = []
            on_progress(done, len(by_file))
    finally:
        _keep(catalogue, manner.encoder, batch, by_file)
    return encoded


def _keep(
    catalogue: Catalogue, encoder: Encoder, batch: Sequence[EmbeddedPhotograph], by_file: dict[Path, FoundFile]
) -> None:
    contents = [
        (Content(photo.sha256, by_file[item.path].bytes, photo.width, photo.height), item.vectors[0])
        for item in batch
        if (photo := item.photograph) is not None
    ]
    with catalogue.db.atomic():  # all or none: a content that has its vector is not measured again
        catalogue.add_vectors(contents, encoder.fingerprint)
        catalogue.add_features(described(batch))
        catalogue.add_rephotographs(measured(batch), encoder.fingerprint, VERSION)


def _settled_sides(catalogue: Catalogue, asked: int | None) -> tuple[int, int]:
    """Return the long side of working pictures until now and from now on, the one asked for or else the same."""
    before = picture_side(catalogue)
    if asked is not None:
        set_picture_side(catalogue, asked)
    return before if catalogue.revision else picture_side(catalogue), picture_side(catalogue)


def _complete(
    catalogue: Catalogue,
    encoder: Encoder,
    folder: Path,
    scan: Scan,
    plan: EncodingPlan,
    side: int,
    run: Running,
    max_megapixels: float,
    on_progress: OnProgress,
) -> None:
    """Keep what a catalogue of an earlier version, or a killed run, lacks of photographs that are encoded."""
    files = _files(folder, plan)
    new = {plan.contents[path].sha256 for path in plan.new if path in plan.contents}
    complete_features(
        catalogue, encoder, files, folder=folder, new=new, max_megapixels=max_megapixels, on_progress=on_progress
    )
    short_side = encoder.preprocessing.short_side
    missing = without_pictures(catalogue.data, files, side=side, short_side=short_side)
    with noting_strays(catalogue, are_kept=bool(missing)):
        complete_pictures(
            catalogue.data,
            missing,
            side=side,
            short_side=short_side,
            max_megapixels=max_megapixels,
            run=run,
            on_progress=on_progress,
        )
    complete_sample(catalogue, encoder, _first_exemplars(folder, scan, plan), max_megapixels=max_megapixels)


def _files(folder: Path, plan: EncodingPlan) -> dict[str, Path]:
    """Return a file of each readable content, by its hash."""
    return {content.sha256: folder / path for path, content in plan.contents.items()}


def _first_exemplars(folder: Path, scan: Scan, plan: EncodingPlan) -> dict[str, Path]:
    """Return the first readable exemplar of each object, by the hash of its content."""
    first: dict[str, FoundFile] = {}
    for item in scan.found:
        if item.path in plan.contents:
            first.setdefault(item.object_id, item)
    return {plan.contents[item.path].sha256: folder / item.path for item in first.values()}
