"""What an index run looks up is what it would come to with every row of the catalogue at hand."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from indexer.building.difference import compare_folder, objects_taken, plan_encoding
from indexer.building.metadata_difference import compare_metadata
from indexer.building.other_folders import OtherFolders
from indexer.inputs.metadata import Metadata, MetadataRow
from indexer.inputs.scan import FoundFile
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.contents import EncodedContents, unused_contents
from retrieval.catalogue.folder_photos import photo_folders, photos_in
from retrieval.catalogue.rows import Changes, Content, EncoderRecord, Photo
from retrieval.photographs.files import sha256_of
from tests.conftest import DIM, TINY
from tests.indexer import full_knowledge

FOLDERS = ("one", "one/deep", "two", "three", "one/deep/er")
NAMES = ("a.jpg", "b.jpg", "deep/a.jpg", "deep/er/a.jpg", "deep/er/b.jpg", "vase/1.jpg", "vase/2.jpg", "c.jpg")
BODIES = tuple(f"body {number}".encode() * (1 + number % 3) for number in range(6))
OBJECTS = ("a", "b", "c", "vase", "deep", "er")
NOW = 10**18
SCENARIOS = 40


class World:
    """Random folders, and a catalogue whose rows are partly of their files and partly of what is not there."""

    def __init__(self, root: Path, catalogue: Catalogue, seed: int) -> None:
        self.root, self.catalogue, self.random = root, catalogue, random.Random(seed)
        self.rich = self.random.random()
        for name in FOLDERS:
            if self.random.random() < 0.7:
                self._fill(root / name)
        for name in self.random.sample(FOLDERS, 2):
            if self.random.random() < 0.4 and (root / name).exists():
                shutil.rmtree(root / name)
        self._encode()
        self._catalogue()

    def _fill(self, folder: Path) -> None:
        for name in NAMES:
            if self.random.random() < 0.5:
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.random.choice(BODIES))

    def _encode(self) -> None:
        vector = np.ones(DIM, np.float32)
        contents = {hash_of(body): len(body) for body in BODIES}
        for sha256, size in contents.items():
            chance = self.random.random()
            if chance < 0.8:
                item = Content(sha256, size, 40, 30)
                kept = vector if chance > 0.1 else vector[:3]
                self.catalogue.add_vectors([(item, kept)], TINY if chance > 0.05 else "another")

    def _catalogue(self) -> None:
        photos = []
        for name in FOLDERS:
            if self.random.random() < 0.3:
                continue
            same_objects = self.random.random() < 0.5
            for path in NAMES:
                if self.random.random() < self.rich:
                    file = self.root / name / path
                    is_same = file.is_file() and self.random.random() < 0.7
                    body = file.read_bytes() if is_same else self.random.choice(BODIES)
                    modified = self.random.choice([0, 5, NOW])
                    object_id = path.partition("/")[0].partition(".")[0]
                    object_id = object_id if same_objects else self.random.choice(OBJECTS)
                    sides = self.random.choice([(40, 30), (40, 30), (30, 40)])
                    photos.append(
                        Photo(object_id, str(self.root / name), path, hash_of(body), len(body), modified, *sides)
                    )
        self.random.shuffle(photos)
        statuses = ["", "stolen", "missing", "sold"]
        known = {
            photo.object_id: {"title": photo.path, "status": self.random.choice(statuses), "Raum": "1"}
            for photo in photos
            if self.random.random() < 0.5
        }
        self.catalogue.apply(Changes(put=photos, metadata=known))

    def found(self, folder: Path) -> list[FoundFile]:
        """Return the photographs of a folder, some given to an object by a table."""
        files = []
        for file in sorted(folder.rglob("*.jpg")) if folder.exists() else ():
            path = file.relative_to(folder).as_posix()
            object_id = path.partition("/")[0].partition(".")[0]
            if self.random.random() < 0.2:
                object_id = self.random.choice(OBJECTS)
            files.append(FoundFile(path, object_id, file.stat().st_size, self.random.choice([5, 5, NOW])))
        return files

    def table(self, found: list[FoundFile]) -> Metadata:
        """Return a table of some of the objects; it may have no rows, or be none."""
        rows = []
        for line, item in enumerate(found):
            if self.random.random() < 0.4:
                said = {"title": item.path, "Raum": "1"}
                said |= {"status": "sold"} if self.random.random() < 0.3 else {}
                rows.append(MetadataRow(line, item.object_id, (), said))
        name = self.random.choice(["catalogue.csv", "none", ""])
        return Metadata(name, tuple(rows if name == "catalogue.csv" else ()), has_status=self.random.random() < 0.5)


def hash_of(body: bytes) -> str:
    return HASHES[body]


HASHES: dict[bytes, str] = {}


@pytest.fixture(scope="module", autouse=True)
def hashes(tmp_path_factory):
    """The hashes of the few contents there are."""
    path = tmp_path_factory.mktemp("bodies") / "body"
    for body in BODIES:
        path.write_bytes(body)
        HASHES[body] = sha256_of(path)


@pytest.mark.parametrize("seed", range(SCENARIOS))
def test_lookups_come_to_what_every_row_comes_to(tmp_path, seed):
    with Catalogue.writing(tmp_path / "data") as catalogue:
        catalogue.set_encoder(EncoderRecord("tiny", TINY, "fp32", DIM))
        world = World(tmp_path, catalogue, seed)
        for name in FOLDERS:
            if (tmp_path / name).is_dir():
                compare_both(world, tmp_path / name)


def compare_both(world: World, folder: Path) -> None:
    """Compare each step of an index run of a folder with the same step as it was with all rows."""
    catalogue, catalogued, found = world.catalogue, world.catalogue.photos(), world.found(folder)
    rows = {photo.path: photo for photo in photos_in(catalogue, str(folder))}
    assert rows == {photo.path: photo for photo in catalogued if photo.folder == str(folder)}
    assert photo_folders(catalogue) == sorted({photo.folder for photo in catalogued})
    encoded = EncodedContents.of(catalogue)
    everything = encoded.among(hash_of(body) for body in BODIES)
    plan, full = (
        plan_encoding(folder, found, rows, encoded),
        full_knowledge.plan_encoding(folder, found, rows, everything),
    )
    assert (plan.contents, plan.to_encode, plan.skipped) == (full.contents, full.to_encode, full.skipped)
    contents = plan.contents | {item.path: Content(f"new {item.path}", item.bytes, 40, 30) for item in plan.to_encode}
    if world.random.random() < 0.5:
        contents = dict(world.random.sample(sorted(contents.items()), len(contents) // 2))
    prune, unread = world.random.random() < 0.5, world.random.choice([[], ["vase"], ["b.jpg"]])
    options = {"unread": unread, "prune": prune, "scanned_ns": NOW + world.random.choice([0, 10**10])}
    difference, claims = compare_folder(OtherFolders(catalogue, str(folder)), found, contents, rows, **options)
    assert (difference, claims) == full_knowledge.compare_folder(str(folder), found, contents, catalogued, **options)
    taken = objects_taken(found, contents, claims, rows)
    table, put = world.table(found), difference.changes.put
    known = compare_metadata(catalogue, table, found, taken, put)
    full_known = full_knowledge.compare_metadata(catalogue, table, found, taken, put)
    assert (known.metadata, known.bad_rows) == (full_known.metadata, full_known.bad_rows)
    assert [line.partition(" ")[0] for line in known.kept] == list(full_known.kept)
    write_both(world, Changes(put=put, gone=difference.changes.gone, metadata=known.metadata))


def write_both(world: World, changes: Changes) -> None:
    """Write changes with all rows at hand, then without, and go on from there."""
    database, before = world.catalogue.db, tables(world.catalogue)
    database.execute("SAVEPOINT before")
    full_knowledge.write_changes(database, changes, world.catalogue.revision + 1)
    wanted = tables(world.catalogue)
    database.execute("ROLLBACK TO before")
    database.execute("RELEASE before")
    assert tables(world.catalogue) == before
    world.catalogue.apply(changes)
    assert tables(world.catalogue) == wanted
    used = {photo.sha256 for photo in world.catalogue.photos()}
    kept = {sha256 for (sha256,) in database.execute("SELECT sha256 FROM vectors")}
    assert kept - used <= set(unused_contents(world.catalogue)) and not used & set(unused_contents(world.catalogue))
    assert list(world.catalogue.counts()) == [len(wanted["objects"]), len(wanted["photos"])]


def tables(catalogue: Catalogue) -> dict[str, list[tuple]]:
    names = ("photos", "objects", "metadata_changes", "unused_contents", "row_counts")
    return {name: sorted(map(tuple, catalogue.db.execute(f"SELECT * FROM {name}")), key=repr) for name in names}
