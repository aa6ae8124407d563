"""What many tests share: a tiny encoder, folders of generated pictures, and the state of a catalogue as values."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from PIL import Image

from indexer.building.build import BuildReport, build_catalogue
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.contents import EncodedContents, with_features
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.rows import Content, EncoderRecord, Photo
from retrieval.catalogue.segmenting import open_segments
from retrieval.catalogue.store import StoredVectors
from retrieval.encoder.encoder import Encoder
from retrieval.encoder.preprocessing import Preprocessing

SIDE, DIM = 8, 16
TINY = "tiny-random-projection"


class TinyEngine:
    """A fixed random projection of an 8 x 8 thumbnail; counts the pictures it was given."""

    def __init__(self, seed: int = 0) -> None:
        self.projection = np.random.default_rng(seed).standard_normal((3 * SIDE * SIDE, DIM)).astype(np.float32)
        self.encoded = 0

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        self.encoded += len(pictures)
        vectors = np.empty((len(pictures), DIM), np.float32)
        for row, picture in enumerate(pictures):  # one at a time: a vector must not depend on its batch
            vector = (picture.reshape(-1) - np.float32(0.45)) @ self.projection
            vectors[row] = vector / np.linalg.norm(vector)
        return vectors


def tiny_encoder(fingerprint: str = TINY, *, seed: int = 0) -> Encoder:
    """Return an encoder that needs no file and takes no time."""
    preprocessing = Preprocessing(SIDE, SIDE, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), interpolation="bilinear")
    return Encoder("tiny", fingerprint, DIM, preprocessing, "fp32", TinyEngine(seed))


def picture(number: int, *, size: tuple[int, int] = (96, 80)) -> Image.Image:
    """Return a picture of a few soft patches of colour, another one for each number."""
    patches = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC)


def write_picture(path: Path, number: int, *, size: tuple[int, int] = (96, 80), age: float = 60.0) -> Path:
    """Write picture `number`, last modified `age` seconds ago, so that its time stamp can be trusted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(number, size=size).save(path, quality=92)
    return aged(path, age)


def aged(path: Path, seconds: float = 60.0) -> Path:
    """Make a file as old as that."""
    then = time.time_ns() - int(seconds * 1e9)
    os.utime(path, ns=(then, then))
    return path


def make_folder(folder: Path, pictures: Mapping[str, int]) -> Path:
    """Write pictures, named by their path in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, number in pictures.items():
        write_picture(folder / name, number)
    return folder


def index(folder: Path, data: Path, *, encoder: Encoder | None = None, **options: Any) -> BuildReport:
    """Index with the tiny encoder."""
    loaded = encoder or tiny_encoder()
    return build_catalogue(folder, data, load=lambda record: loaded, **options)


def state(data: Path) -> dict[str, Any]:
    """Return all that a catalogue says, as values that compare: nothing in it depends on how it came about."""
    with Catalogue.reading(data) as catalogue:
        photos = catalogue.photos()
        names = {photo.photo_id: (photo.object_id, photo.path) for photo in photos}
        ids, vectors = catalogue.vectors()
        searched = held_vectors(catalogue)
        return {
            "objects": [(item.object_id, dict(item.metadata), item.photos) for item in catalogue.objects()],
            "photos": [(p.object_id, p.path, p.sha256, p.bytes, p.width, p.height, p.role) for p in photos],
            "vectors": {names[key]: vector.tobytes() for key, vector in zip(ids.tolist(), vectors, strict=True)},
            "searched": {names[p.photo_id]: searched.get(content_key(p.sha256)) for p in photos if p.photo_id in ids},
            "kept": sorted(catalogue.db.execute("SELECT sha256, fingerprint, bytes, width, height FROM vectors")),
            "rephotographs": sorted(catalogue.db.execute("SELECT * FROM rephotographs")),
            "features": sorted(
                (sha256, version, catalogue.feature_rows.get(sha256, version))
                for sha256, version in catalogue.db.execute("SELECT sha256, version FROM features").fetchall()
            ),
            "thresholds": catalogue.thresholds(),
            "skipped": [(Path(name).name, reason) for name, reason in catalogue.skipped()],
        }


def held_vectors(catalogue: Catalogue) -> dict[int, bytes]:
    """Return the vectors that a catalogue is searched by, by the keys of their contents; indexes in files are exact."""
    found: dict[int, bytes] = {}
    for part in open_segments(catalogue).vectors:
        if isinstance(part, StoredVectors):
            pages = [part.store.get(keys.tolist()) for keys in part.store.key_pages()]
            found |= {key: vector.tobytes() for page in pages for key, vector in page.items()}
            continue
        keys = faiss.vector_to_array(part.index.id_map).tolist()
        index = faiss.downcast_index(part.index.index)
        found |= {key: index.reconstruct(row).tobytes() for row, key in enumerate(keys)}
    return found


def encoded(catalogue: Catalogue, fingerprint: str = TINY, dim: int = DIM) -> dict[str, Content]:
    """Return all contents that have a whole vector of an encoder, by sha256."""
    sha256s = [sha256 for (sha256,) in catalogue.db.execute("SELECT sha256 FROM vectors")]
    return EncodedContents(catalogue.db, fingerprint, dim).among(sha256s)


def described(catalogue: Catalogue) -> set[str]:
    """Return all contents that have features of this version, by sha256."""
    return with_features(catalogue, [sha256 for (sha256,) in catalogue.db.execute("SELECT sha256 FROM features")])


def data_files(data: Path) -> dict[str, tuple[int, bytes]]:
    """Return the time stamp and the content of every file of a data folder but the lock."""
    return {
        path.relative_to(data).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(data.rglob("*"))
        if path.name != "write.lock" and path.is_file()
    }


def exemplar(object_id: str, *, path: str | None = None, sha256: str = "", **more: Any) -> Photo:
    """Return the row of an exemplar that is on no disk."""
    values: dict[str, Any] = {"folder": "/photos", "bytes": 1, "modified_ns": 0, "width": 100, "height": 100} | more
    return Photo(object_id=object_id, path=path or f"{object_id}.jpg", sha256=sha256, **values)


def content(sha256: str, *, size: int = 1) -> Content:
    """Return the record of a content."""
    return Content(sha256, size, 100, 100)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors at unit length, float32."""
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def writable(data: Path) -> Iterator[Catalogue]:
    """A new catalogue of the tiny encoder, open to be written."""
    with Catalogue.writing(data) as catalogue:
        catalogue.set_encoder(EncoderRecord("tiny", TINY, "fp32", DIM))
        yield catalogue


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def catalogue_of(owners: list[str]) -> tuple[np.ndarray, dict[int, Photo]]:
    """Return ids that are no row numbers, and their exemplars."""
    ids = np.array([1000 - 7 * row for row in range(len(owners))], np.int64)
    photos = {
        int(key): exemplar(owner, path=f"{owner}/{key}.jpg", sha256=f"{key:015x}{0:049x}")
        for key, owner in zip(ids, owners, strict=True)
    }
    return ids, photos


BERLIN, NEW_YORK = "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Put this machine in a time zone, BERLIN say."""

    def put(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()
