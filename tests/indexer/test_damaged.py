"""Photographs that are no exemplars: damaged ones, and those on which a decoder crashes, each with its reason."""

import os
from functools import partial

from retrieval.photographs.reader_process import reading_apart
from tests.conftest import index, make_folder
from tests.retrieval.test_damage import END, JPEGS


def test_a_damaged_photograph_is_left_out_and_no_picture_of_it_is_kept(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {"a.png": 1, "b.png": 2})
    (folder / "cut.jpg").write_bytes(JPEGS["baseline"][:20_000] + END)
    report = index(folder, data)
    (skipped,) = report.skipped
    assert (skipped.path, skipped.reason) == ("cut.jpg", "damaged: libjpeg says: premature end of data segment")
    assert report.photos == 2 and len([*(data / "pictures").rglob("*.jpg")]) == 2


def test_a_decoder_that_crashes_leaves_out_its_photograph_and_no_other(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {"a.png": 1, "b.png": 2, "c.png": 3})
    with reading_apart() as reader:
        crashing = iter([True])

        def run(read):
            return reader.run(partial(os._exit, 11) if next(crashing, False) else read)

        report = index(folder, data, run=run)
    (skipped,) = report.skipped
    assert skipped.reason == "damaged: it made its decoder crash" and report.photos == 2
