"""What a Dask worker does for an index run: read and encode a batch of photographs, and write nothing."""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.building.simulated_distances import with_rephotograph
from indexer.building.working_pictures import read_and_pack
from retrieval.catalogue.pictures import PackedPictures
from retrieval.encoder.encoder import Encoder, load_encoder
from retrieval.encoder.stream import EmbeddedPhotograph, Views, embed_photographs
from retrieval.errors import ArtifactError, UnusableWorkers
from retrieval.extras import program_version
from retrieval.photographs.features import features_of
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.reader_process import PATIENT, Order, Reader, ReadPhotograph

_LOOKED_AT = 65_536  # bytes, of the beginning and of the end of a file
LET_GO = 60.0  # seconds after which a worker lets an encoder go that no run asks it for


@dataclass(frozen=True, slots=True)
class Needed:
    """The encoder that a worker must have, and what it must make of a picture."""

    spec: str
    precision: str
    device: str
    fingerprint: str
    proof: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a worker is to do."""

    needed: Needed
    paths: tuple[Path, ...]
    views: Views
    side: int  # the long side of working pictures for people; 0: none are made
    max_megapixels: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker made of one photograph."""

    item: EmbeddedPhotograph
    pictures: PackedPictures | None
    looks: tuple[int, int] | None  # of the file that the worker found; None: it could open none


@dataclass(frozen=True, slots=True)
class Answers:
    """What a worker made of a batch."""

    worker: str
    each: tuple[Answer, ...]


def installed() -> str:
    """Return what must be the same on both sides for one to understand the other."""
    major, minor, _ = platform.python_version_tuple()
    return f"artifact {program_version()} on Python {major}.{minor}"


def proof_of(encoder: Encoder) -> str:
    """Return a hash of what this machine makes of a picture.

    Processors of different kinds, and other versions of libraries, agree on a vector but for its last bits.
    """
    patches = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    image = Image.fromarray(patches).resize((640, 480), Image.Resampling.BICUBIC)
    photograph = Photograph(Path("proof"), "0" * 64, *image.size, image)
    features = features_of(photograph)
    found = (encoder.encode(with_rephotograph(photograph)), features.points, features.descriptors)
    return hashlib.sha256(b"".join(part.tobytes() for part in found)).hexdigest()


def embed_batch(theirs: str, packed: bytes) -> Answers:
    """Read and encode a batch on a Dask worker; raises UnusableWorkers where the worker is not as the writer needs it.

    `packed` is an Asked, pickled: one of another version may not be understood.
    """
    from distributed import get_worker

    worker = get_worker()
    if theirs != installed():
        raise UnusableWorkers(
            f"The Dask worker {worker.address} has {installed()}, this machine has {theirs}: install the same on each."
        )
    asked: Asked = pickle.loads(packed)
    with _STATIONS.lend(asked.needed, worker.address, worker.state.nthreads) as station:
        return Answers(worker.address, tuple(_answers(station, asked)))


def _answers(station: _Station, asked: Asked) -> Iterator[Answer]:
    """Yield what comes of each photograph; the other threads of the worker do other batches meanwhile."""
    looks = {path: looks_of(path) for path in asked.paths}
    pictures: dict[Path, PackedPictures | None] = {}

    def read(order: Order) -> ReadPhotograph:
        found, pictures[order.path] = station.reader.run(partial(read_and_pack, asked.side, order))
        return found

    stream = embed_photographs(
        asked.paths,
        station.encoder,
        views=asked.views,
        extract=features_of,
        read=read,
        max_megapixels=asked.max_megapixels,
        threads=1,
    )
    for item in stream:
        yield Answer(item, pictures.get(item.path), looks[item.path])


def looks_of(path: Path) -> tuple[int, int] | None:
    """Return how large a file is, and a checksum of its beginning and its end; None where it cannot be opened."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            found = zlib.crc32(file.read(_LOOKED_AT))
            file.seek(max(0, size - _LOOKED_AT))
            return size, zlib.crc32(file.read(_LOOKED_AT), found)
    except OSError:
        return None


@dataclass(slots=True)
class _Station:
    """An encoder, and a reader, that the threads of a worker share."""

    encoder: Encoder
    reader: Reader
    users: int = 0
    used: float = field(default_factory=time.monotonic)  # the last time


class _Stations:
    """What a worker keeps loaded from batch to batch, and lets go once no run asks for it any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: dict[Needed, _Station] = {}

    @contextmanager
    def lend(self, needed: Needed, address: str, threads: int) -> Iterator[_Station]:
        """Give an encoder and a reader; raises UnusableWorkers."""
        with self._lock:
            if needed not in self._loaded:
                self._loaded[needed] = _Station(_load(needed, address, threads), Reader(PATIENT))
                self._look_later(needed)
            station = self._loaded[needed]
            station.users += 1
        try:
            yield station
        finally:
            with self._lock:
                station.users -= 1
                station.used = time.monotonic()

    def _look_later(self, needed: Needed) -> None:
        timer = threading.Timer(LET_GO, self._look, [needed])
        timer.daemon = True
        timer.start()

    def _look(self, needed: Needed) -> None:
        with self._lock:
            station = self._loaded[needed]
            if station.users == 0 and time.monotonic() - station.used >= LET_GO:
                del self._loaded[needed]
                station.reader.close()
            else:
                self._look_later(needed)


_STATIONS = _Stations()


def _load(needed: Needed, address: str, threads: int) -> Encoder:
    """Return the encoder that the writer has; raises UnusableWorkers where this machine has another one, or none."""
    try:
        encoder = load_encoder(needed.spec, precision=needed.precision, device=needed.device, parallel=threads)
    except ArtifactError as error:
        raise UnusableWorkers(f"The Dask worker {address} has no such encoder: {error}") from error
    if encoder.fingerprint != needed.fingerprint:
        raise UnusableWorkers(
            f"The Dask worker {address} has the encoder {encoder.fingerprint}, this machine {needed.fingerprint}: "
            f"their distances do not compare. {needed.spec} must be the same on each."
        )
    if proof_of(encoder) != needed.proof:
        raise UnusableWorkers(
            f"The Dask worker {address} computes other last digits than this machine, as another kind of processor or "
            "other versions of libraries do: index on machines that agree."
        )
    return encoder
