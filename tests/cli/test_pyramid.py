"""Pictures are cut into tiles that put together are the picture again, at every level."""

import math
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.pictures.deep import Laying, Source, cut_exemplar, cut_photograph, laid_size
from cli.pictures.maps import map_layer
from cli.pictures.pyramid import OVERLAP, TILE, level_of_side, levels_of, read_level, tile_path, write_pyramid
from retrieval.errors import CatalogueBusy, UnreadableImage
from retrieval.photographs.files import sha256_of
from retrieval.photographs.reader_process import Reader, reading_apart
from tests.pictures import SIZE, painting


@pytest.mark.parametrize("size", [(1, 1), (512, 512), (513, 40), (1300, 700), (37, 2100)])
def test_every_level_is_the_picture_in_half_the_size_of_the_next(tmp_path, size):
    image = painting(3, size)
    made = write_pyramid(image, tmp_path / "tiles")
    assert made.levels == levels_of(size) and made.size(made.levels - 1) == size
    assert max(made.size(0)) <= TILE
    for level in reversed(range(made.levels)):
        found = read_level(tmp_path / "tiles", made, level)
        assert found.size == image.size == made.size(level)
        assert np.abs(np.asarray(found, int) - np.asarray(image, int)).mean() < 8  # of JPEG; a pixel aside it is 20
        image = image.reduce(2)


def test_neighbours_share_a_pixel_and_no_tile_is_larger(tmp_path):
    made = write_pyramid(painting(3, (1300, 700)), tmp_path / "tiles")
    sizes = {}
    for file in (tmp_path / "tiles" / str(made.levels - 1)).iterdir():
        with Image.open(file) as tile:
            sizes[file.stem] = tile.size
    assert sizes["0-0"] == (TILE + OVERLAP, TILE + OVERLAP) and sizes["1-0"] == (TILE + 2 * OVERLAP, TILE + OVERLAP)
    assert len(sizes) == 3 * 2


def test_what_is_transparent_stays_so(tmp_path):
    local = np.full((5, 5), 0.1, np.float32)
    local[0, 0] = np.nan
    layer = map_layer(local, (500, 400), 0.3)
    made = write_pyramid(layer, tmp_path / "tiles", tile=600)
    assert made.levels == 1 and made.suffix == ".png"
    assert np.array_equal(np.asarray(read_level(tmp_path / "tiles", made, 0)), np.asarray(layer))


def test_the_level_for_a_side_is_the_smallest_that_has_it(tmp_path):
    made = write_pyramid(painting(3, (1300, 700)), tmp_path / "tiles")
    assert made.size(level_of_side(made, 600)) == (650, 350)
    assert made.size(level_of_side(made, 5000)) == (1300, 700)


@pytest.mark.parametrize(
    ("full", "scale", "size", "capped"),
    [
        ((1000, 800), 1.0, (1000, 800), False),  # as fine as both
        ((1000, 800), 3.0, (3000, 2400), False),  # as the photograph
        ((10_000, 8000), 0.1, (2000, 1600), False),  # no finer than shows anything
        ((1000, 800), 100.0, (11_180, 8944), True),  # 100 megapixels
        ((40_000, 100), 1.0, (32_000, 80), True),  # as long as can be warped
    ],
)
def test_at_what_size_a_photograph_is_laid_over(full, scale, size, capped):
    found, is_capped = laid_size(full, np.diag([scale, scale, 1.0]))
    assert found == pytest.approx(size, abs=1) and is_capped == capped


@pytest.fixture
def source(tmp_path) -> Source:
    file = tmp_path / "photograph.png"
    painting(1).save(file)
    return Source(file, sha256_of(file), None, math.inf)


def test_a_photograph_is_read_once_for_both_its_pictures(tmp_path, source):
    tiles = cut_exemplar(source, tmp_path / "exemplar")
    identity = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    laying = Laying(tmp_path / "laid", tmp_path / "exemplar", tiles, SIZE, identity, SIZE)
    cut = cut_photograph(source, tmp_path / "whole", laying)
    assert cut.whole is not None and cut.laid is not None
    for made, folder in ((cut.whole, "whole"), (cut.laid, "laid")):
        found = np.asarray(read_level(tmp_path / folder, made, made.levels - 1), int)
        assert np.abs(found - np.asarray(painting(1), int)).mean() < 8


def test_another_content_is_refused_and_nothing_is_written(tmp_path, source):
    painting(2).save(source.path)
    for cut in (cut_exemplar, lambda *order: cut_photograph(*order, None)):
        with pytest.raises(UnreadableImage, match="no longer the same file"):
            cut(source, tmp_path / "tiles")
    assert not (tmp_path / "tiles").exists()


def test_a_full_disk_is_said_in_a_sentence(tmp_path, source):
    (tmp_path / "tiles").write_text("in the way")
    with pytest.raises(CatalogueBusy, match="cannot be written"):
        cut_exemplar(source, tmp_path / "tiles")


@pytest.mark.slow
def test_a_hundred_megapixels_take_bounded_memory(tmp_path):
    import tifffile

    rows = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8).repeat(100, 0).repeat(100, 1)
    tifffile.imwrite(tmp_path / "large.tif", rows, tile=(512, 512), photometric="rgb")
    source = Source(tmp_path / "large.tif", sha256_of(tmp_path / "large.tif"), None, math.inf)
    del rows
    with reading_apart(600) as reader:
        made = reader.run(_Cut(source, tmp_path / "tiles"))
        peak = reader.run(_peak)
    assert made.size(made.levels - 1) == (10_000, 10_000)
    assert tile_path(tmp_path / "tiles", made.levels - 1, 19, 19).is_file()
    assert peak < 2000e6, f"{peak / 1e6:,.0f} MB"


class _Cut:
    """What a child cuts."""

    def __init__(self, source, folder):
        self.source, self.folder = source, folder

    def __call__(self):
        return cut_exemplar(self.source, self.folder)


def _peak() -> float:
    """Return the most memory that this process has had, in bytes; `getrusage` would tell that of its parent too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024.0 * int(line.split()[1])


def test_a_child_that_is_killed_is_no_crash(tmp_path, source):
    reader = Reader(60)
    try:
        reader.get_ready(1)
        (child,) = reader._children
        threading.Timer(0.2, os.kill, [child.process.pid, signal.SIGKILL]).start()
        with pytest.raises(UnreadableImage):
            reader.run(_sleep)
    finally:
        reader.close()


def _sleep() -> None:
    time.sleep(30)
