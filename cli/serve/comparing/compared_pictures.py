"""Cut the pictures of a comparison into tiles, each once, whatever verdicts show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cli.pictures.deep import Cut, Laying, Source, cut_exemplar, cut_photograph, cut_working_picture, laid_size
from cli.pictures.maps import map_layer, scale_end
from cli.pictures.pyramid import Pyramid, write_pyramid
from cli.serve.comparing.comparison import alignment_of, picture_json, pyramid_of
from cli.serve.comparing.replays import Again
from cli.serve.comparing.tiles import Tiles, key_of
from retrieval.catalogue.rows import Photo
from retrieval.comparing.alignment import reduced_size
from retrieval.comparing.divergence import Divergence
from retrieval.errors import UnreadableImage
from retrieval.photographs.facts import Facts, read_facts
from retrieval.photographs.reader_process import Reader
from retrieval.verdicts.entry import LogEntry

VERSION = 1  # of tiles; those of another version are made anew
MAP_SIDE = 1200  # pixels of the long side of a map
Picture = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a comparison in tiles, by their names; and what is to be said of them."""

    tiles: Mapping[str, Picture]
    size: tuple[int, int]  # of the photograph
    working: str  # why the exemplar is shown by its working picture; empty: it is shown by its file
    capped: bool  # whether the photograph has more pixels than are shown where it is laid over


@dataclass(frozen=True, slots=True)
class PictureMaker:
    """Cuts pictures in child processes."""

    data: Path
    tiles: Tiles
    reader: Reader
    max_megapixels: float

    def pictures(self, entry: LogEntry, again: Again, say: Callable[[str], None]) -> Pictures:
        """Return all pictures of a comparison; raises UnreadableImage where the photograph is no longer the same."""
        say("reading the exemplar")
        exemplar, working = self._exemplar(again.photo)
        source = Source(Path(entry.photo), str(entry.sha256), entry.picture, self.max_megapixels)
        key = key_of("photograph", VERSION, entry.sha256, entry.picture)
        found = {"exemplar": exemplar}
        say("reading the photograph")
        laid, capped = self._laid(again, exemplar, source, key)
        found["photograph"] = whole = self._whole(source, key)
        if laid is not None:
            found["laid"] = laid
        if again.match is not None and again.match.compared is not None:
            say("drawing the map of differences")
            found["map"] = self._map(again.match.compared, exemplar)
        return Pictures(found, (whole["width"], whole["height"]), working, capped)

    def facts(self, path: Path) -> Facts | None:
        """Return what a file says besides the pixels; None where it cannot be opened."""
        try:
            return self.reader.run(partial(read_facts, path, max_megapixels=self.max_megapixels))
        except UnreadableImage:
            return None

    def _exemplar(self, photo: Photo) -> tuple[Picture, str]:
        """Return the exemplar in tiles, and why it is only the working picture."""
        source = Source(photo.file, photo.sha256, None, self.max_megapixels)
        try:
            return self._cut(key_of("exemplar", VERSION, photo.sha256), partial(cut_exemplar, source)), ""
        except UnreadableImage as error:
            cut = partial(cut_working_picture, self.data, photo)
            return self._cut(key_of("working", VERSION, photo.sha256), cut), str(error)

    def _cut(self, key: str, cut: Callable[[Path], Pyramid]) -> Picture:
        return self.tiles.make(key, lambda folder: picture_json(key, self.reader.run(partial(cut, folder)))).record

    def _whole(self, source: Source, key: str) -> Picture:
        def make(folder: Path) -> Picture:
            return _of(source, key, self.reader.run(partial(cut_photograph, source, folder, None)).whole)

        return self.tiles.make(key, make).record

    def _laid(self, again: Again, exemplar: Picture, source: Source, key: str) -> tuple[Picture | None, bool]:
        """Return the photograph laid over the exemplar, and whether coarser than it is; cuts it as it is on the way."""
        homography = alignment_of(again.match)
        if homography is None:
            return None, False
        full = (again.photo.width, again.photo.height)
        size, capped = laid_size(full, homography)
        rows = tuple(tuple(map(float, row)) for row in homography)
        laid_key = key_of("laid", VERSION, exemplar["key"], key, rows, size)
        laying = partial(
            Laying,
            exemplar=self.tiles.file(exemplar["key"]),
            tiles=pyramid_of(exemplar),
            full=full,
            homography=rows,
            size=size,
        )

        def make(folder: Path) -> Picture:
            cuts: list[Cut] = []

            def whole(other: Path) -> Picture:
                cuts.append(self.reader.run(partial(cut_photograph, source, other, laying(folder=folder))))
                return _of(source, key, cuts[0].whole)

            self.tiles.make(key, whole)  # both from one reading, unless the one is there
            cut = cuts[0] if cuts else self.reader.run(partial(cut_photograph, source, None, laying(folder=folder)))
            return _of(source, laid_key, cut.laid)

        return self.tiles.make(laid_key, make).record, capped

    def _map(self, compared: Divergence, exemplar: Picture) -> Picture:
        size = reduced_size((exemplar["width"], exemplar["height"]), MAP_SIDE)
        key = key_of("map", VERSION, compared.map.tobytes().hex(), compared.limit, size)

        def make(folder: Path) -> Picture:
            drawn = map_layer(compared.map, size, compared.limit)
            more = {"end": scale_end(compared.map, compared.limit), "limit": compared.limit}
            return picture_json(key, write_pyramid(drawn, folder, tile=2 * MAP_SIDE)) | more

        return self.tiles.make(key, make).record


def _of(source: Source, key: str, made: Pyramid | None) -> Picture:
    assert made is not None, "it was asked for"
    return picture_json(key, made) | {"of": str(source.path)}
