"""Judge photographs: read and encode them, find the works on them, compare and decide."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from retrieval.catalogue.catalogue import Catalogue
from retrieval.encoder.in_order import in_order
from retrieval.encoder.stream import EmbeddedPhotograph, Reading, embed_photographs
from retrieval.errors import UnreadableImage
from retrieval.judging.edition import Edition
from retrieval.judging.look import Look
from retrieval.judging.work import Work
from retrieval.machine import cpu_count
from retrieval.photographs.features import glance_at
from retrieval.photographs.files import sha256_of
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.photographs.numbered import NumberedPicture, picture_in
from retrieval.photographs.reader_process import read_here


@dataclass(frozen=True, slots=True)
class Probe:
    """A photograph to be judged, and the object that it is said to show."""

    path: Path
    claim: str | None = None
    picture: int | None = None  # of a file of several; None: the first that shows something

    @classmethod
    def of(cls, asked: Path | NumberedPicture, claim: str | None = None) -> Probe:
        """Return a probe of a photograph, or of one picture of its file."""
        return cls(asked, claim) if isinstance(asked, Path) else cls(asked.path, claim, asked.number)

    @property
    def named(self) -> Path | NumberedPicture:
        """The file, or the picture of it that is meant."""
        return picture_in(self.path, self.picture)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that is said of one photograph; `error` says why nothing could be.

    `claim` compares the photograph with the object that it is said to show, whatever else is near.
    """

    photo: Path
    sha256: str | None
    works: tuple[Work, ...]
    error: str | None = None
    claim: Work | None = None
    picture: int = 1  # its number in a file of several, from 1
    pictures: int = 1  # that the file has


def judge_all(
    edition: Edition,
    probes: Iterable[Path | NumberedPicture | Probe],
    *,
    k: int,
    several: bool = False,
    apart: bool = False,
    read: Reading = read_here,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
) -> Iterator[Verdict]:
    """Yield the verdict of every photograph, in order; an unreadable one gets a verdict with its error.

    With `several`, each work on a photograph is found and judged by itself. With `apart`, exemplars that are the
    very photograph are left out. A claim must name an object of the catalogue.
    """

    def judged(item: EmbeddedPhotograph, probe: Probe) -> tuple[tuple[Work, ...], Work | None]:
        look = Look(edition, item, read, max_megapixels, apart)
        claim = look.compared_with(probe.claim) if probe.claim is not None else None
        return look.works(k, several=several), claim

    asked = (probe if isinstance(probe, Probe) else Probe.of(probe) for probe in probes)
    return _judged(edition, asked, judged, read, max_megapixels)


def compare_all(
    edition: Edition,
    pairs: Iterable[tuple[Path | NumberedPicture, str]],
    *,
    apart: bool = False,
    read: Reading = read_here,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
) -> Iterator[Verdict]:
    """Yield the verdict of each photograph against one object of the catalogue, its only match, in order.

    With `apart`, exemplars that are the very photograph are left out; the object must have others.
    """

    def judged(item: EmbeddedPhotograph, probe: Probe) -> tuple[tuple[Work, ...], Work | None]:
        assert probe.claim is not None
        return (Look(edition, item, read, max_megapixels, apart).compared_with(probe.claim),), None

    asked = (Probe.of(photo, object_id) for photo, object_id in pairs)
    return _judged(edition, asked, judged, read, max_megapixels)


def compare(
    edition: Edition,
    photo: Path | NumberedPicture,
    object_id: str,
    *,
    read: Reading = read_here,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
) -> Verdict:
    """Return the verdict of a photograph against one object, its only match; raises UnknownObject."""
    with Catalogue.reading(edition.data) as catalogue:
        catalogue.object(object_id)
    (verdict,) = compare_all(edition, [(photo, object_id)], read=read, max_megapixels=max_megapixels)
    return verdict


def _judged(
    edition: Edition,
    asked: Iterable[Probe],
    judged: Callable[[EmbeddedPhotograph, Probe], tuple[tuple[Work, ...], Work | None]],
    read: Reading,
    max_megapixels: float,
) -> Iterator[Verdict]:
    """Yield the verdict of each photograph; reading, encoding and comparing overlap."""
    probes: deque[Probe] = deque()

    def paths() -> Iterator[Path | NumberedPicture]:
        for probe in asked:
            probes.append(probe)
            yield probe.named

    def verdict(both: tuple[EmbeddedPhotograph, Probe]) -> Verdict:
        item, probe = both
        if item.photograph is None:
            return Verdict(item.path, _hash_or_none(item.path), (), str(item.error), picture=probe.picture or 1)
        works, claim = judged(item, probe)
        shown = item.photograph
        return Verdict(item.path, shown.sha256, works, claim=claim, picture=shown.picture, pictures=shown.pictures)

    stream = embed_photographs(paths(), edition.encoder, extract=glance_at, read=read, max_megapixels=max_megapixels)
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="judge") as pool:
        yield from in_order(pool, verdict, ((item, probes.popleft()) for item in stream), ahead=2 * cpu_count())


def _hash_or_none(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except UnreadableImage:
        return None
