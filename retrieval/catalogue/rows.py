"""The rows of the catalogue, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FIELDS = ("title", "maker", "date", "materials", "measurements", "inscriptions", "accession", "status")


@dataclass(frozen=True, slots=True)
class EncoderRecord:
    """The encoder that made the catalogue's vectors."""

    spec: str
    fingerprint: str
    precision: str
    dim: int


@dataclass(frozen=True, slots=True)
class Photo:
    """One exemplar on disk: `folder` is the indexed folder, `path` is relative to it, with slashes."""

    object_id: str
    folder: str
    path: str
    sha256: str
    bytes: int
    modified_ns: int
    width: int
    height: int
    role: str = "exemplar"
    photo_id: int | None = None

    @property
    def file(self) -> Path:
        return Path(self.folder) / self.path


@dataclass(frozen=True, slots=True)
class Object:
    """A catalogued work: its metadata (empty values left out) and the number of its exemplars."""

    object_id: str
    metadata: Mapping[str, str]
    photos: int

    @property
    def title(self) -> str:
        return self.metadata.get("title", "")


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content, by its hash, that has been encoded; width and height are of the upright photograph."""

    sha256: str
    bytes: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What one index run changes; written in a single transaction."""

    put: Sequence[Photo] = ()  # with photo_id: the row moves or its content changed; without: a new row
    gone: Sequence[int] = ()
    metadata: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.put or self.gone or self.metadata)


@dataclass(frozen=True, slots=True)
class MetadataChange:
    """What one revision changed in the metadata of an object; empty: nothing is said."""

    revision: int
    object_id: str
    field: str
    before: str
    after: str
