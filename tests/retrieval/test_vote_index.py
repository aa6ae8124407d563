"""The inverted file of visual words: it names the exemplars that a photograph's features look like."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from indexer.building.check import check_catalogue
from indexer.training.visual_words import train_words
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.vote_index import (
    PROBED,
    Ballot,
    bring_up_to_date,
    cast_votes,
    content_key,
    empty_index,
    is_current,
    read_votes,
    stray_votes,
    votes_path,
    write_votes,
)
from retrieval.encoder.encoder import Encoder
from retrieval.errors import CatalogueBusy
from retrieval.photographs.features import PROBE, extract_features
from tests.conftest import TinyEngine, index, tiny_encoder
from tests.pictures import SIZE, VIEWS, painting, warped, write_paintings


def sharp() -> Encoder:
    """Return the tiny encoder, for which photographs are read large enough to have features."""
    encoder = tiny_encoder()
    return replace(encoder, preprocessing=replace(encoder.preprocessing, width=260, height=260), engine=shrunk)


def shrunk(pictures: np.ndarray) -> np.ndarray:
    return TinyEngine()(pictures[:, :, ::32, ::32][:, :, :8, :8])


@pytest.fixture(scope="module")
def works(tmp_path_factory) -> Path:
    """Twelve paintings in `works`, indexed in `data`."""
    root = tmp_path_factory.mktemp("votes")
    write_paintings(root / "works", 12)
    index(root / "works", root / "data", encoder=sharp())
    return root


def votes_of(number: int, catalogue: Catalogue) -> list[tuple[str, float]]:
    photo = extract_features(warped(painting(number), *VIEWS["aslant"]), (560, 480), detail=PROBE)
    names = {content_key(photo.sha256): photo.object_id for photo in catalogue.photos()}
    counted = cast_votes(read_votes(catalogue), photo.descriptors).count()
    return [(names[key], votes) for key, votes in counted]


def test_most_votes_go_to_the_work_on_the_photograph(works):
    with Catalogue.reading(works / "data") as catalogue:
        for number in (1, 7):
            (first, most), (_, next_most), *_ = votes_of(number, catalogue)
            assert first == f"{number:02}" and most > 2 * next_most
        assert votes_of(99, catalogue)[0][1] < most / 2


def test_votes_are_counted_as_a_plain_loop_counts_them(works):
    with Catalogue.reading(works / "data") as catalogue:
        votes = read_votes(catalogue)
    descriptors = extract_features(painting(3), SIZE).descriptors[:40]
    how = faiss.SearchParametersIVF(nprobe=PROBED)
    distances, keys = votes.search(descriptors.astype(np.float32), 16, params=how)
    expected: dict[int, float] = {}
    for row, found in zip(distances, keys, strict=True):
        present = found >= 0
        last, seen = row[present].max(), set()
        for distance, key in zip(row[present], found[present], strict=True):
            if key not in seen:
                seen.add(key)
                expected[int(key)] = expected.get(int(key), 0.0) + max(0.0, 1.0 - distance / last)
    counted = dict(cast_votes(votes, descriptors).count())
    assert counted == pytest.approx({key: votes for key, votes in expected.items() if votes > 0}, abs=1e-4)


def shares_of_nearest(index: Any, descriptors: np.ndarray) -> float:
    """Return the share of descriptors, float32 (n, 128), for which the graph finds the word that is the nearest."""
    words = faiss.downcast_index(index.quantizer).reconstruct_n(0, index.nlist)
    exhaustive = ((descriptors[:, None] - words[None]) ** 2).sum(axis=2).argmin(axis=1)
    return float((index.quantizer.search(descriptors, 1)[1][:, 0] == exhaustive).mean())


def test_the_word_of_a_feature_is_next_to_always_the_nearest():
    descriptors = np.concatenate([extract_features(painting(number), SIZE).descriptors for number in range(3)])
    assert shares_of_nearest(empty_index(), descriptors[::4].astype(np.float32)) > 0.97


def test_words_are_trained_with_the_graph_that_finds_them():
    descriptors = np.concatenate([extract_features(painting(number), SIZE).descriptors for number in range(6)])
    index = train_words(descriptors, words=32)
    assert index.is_trained and index.ntotal == 0 and index.nlist == 32
    again = faiss.deserialize_index(faiss.serialize_index(index))
    assert shares_of_nearest(again, descriptors[::8].astype(np.float32)) > 0.97


def test_only_the_features_asked_for_are_counted():
    ballot = Ballot(np.array([0, 0, 1, 2]), np.array([7, 8, 7, 9]), np.array([0.5, 0.25, 1.0, 2.0], np.float32))
    assert ballot.count() == [(9, 2.0), (7, 1.5), (8, 0.25)]
    assert ballot.count(np.array([True, True, False])) == [(7, 1.5), (8, 0.25)]
    assert ballot.count(np.zeros(3, bool)) == []


def test_without_features_on_either_side_nobody_votes():
    assert cast_votes(empty_index(), np.zeros((5, 128), np.uint8)).count() == []
    full = empty_index()
    full.add_with_ids(np.zeros((2, 128), np.float32), np.array([1, 2]))
    assert cast_votes(full, np.empty((0, 128), np.uint8)).count() == []


def test_a_file_follows_the_catalogue_and_strays_go(works, tmp_path):
    write_paintings(tmp_path / "works", 4)
    index(tmp_path / "works", tmp_path / "data", encoder=sharp())
    with Catalogue.reading(tmp_path / "data") as catalogue:
        assert is_current(catalogue) and catalogue.revision == 1
        first = votes_path(tmp_path / "data", 1)
    (tmp_path / "works/03.png").unlink()
    painting(50).save(tmp_path / "works/50.png")
    index(tmp_path / "works", tmp_path / "data", encoder=sharp(), prune=True)
    with Catalogue.reading(tmp_path / "data") as catalogue:
        assert is_current(catalogue) and not first.exists() and stray_votes(catalogue.data, catalogue.revision) == []
        updated, rebuilt = read_votes(catalogue), bring_up_to_date(catalogue, empty_index())
        assert updated.ntotal == rebuilt.ntotal > 0
        assert votes_of(50, catalogue)[0][0] == "50"


@pytest.mark.parametrize("damage", [b"", b"no index", None])
def test_what_is_damaged_or_gone_is_built_again_and_repaired(works, tmp_path, damage):
    write_paintings(tmp_path / "works", 3)
    index(tmp_path / "works", tmp_path / "data", encoder=sharp())
    path = votes_path(tmp_path / "data", 1)
    path.unlink() if damage is None else path.write_bytes(damage)
    with Catalogue.reading(tmp_path / "data") as catalogue:
        assert not is_current(catalogue) and read_votes(catalogue).ntotal > 0
    assert check_catalogue(tmp_path / "data").repaired == (f"{path.name} was missing, damaged or did not agree",)
    with Catalogue.reading(tmp_path / "data") as catalogue:
        assert is_current(catalogue)


def test_an_index_of_another_kind_is_not_taken(works, tmp_path):
    write_paintings(tmp_path / "works", 3)
    index(tmp_path / "works", tmp_path / "data", encoder=sharp())
    faiss.write_index(faiss.IndexFlatL2(128), str(votes_path(tmp_path / "data", 1)))
    with Catalogue.reading(tmp_path / "data") as catalogue:
        assert read_votes(catalogue).ntotal > 0


def test_a_full_disk_is_said(works, monkeypatch, tmp_path):
    write_paintings(tmp_path / "works", 3)
    index(tmp_path / "works", tmp_path / "data", encoder=sharp())
    with Catalogue.reading(tmp_path / "data") as catalogue:
        votes_path(tmp_path / "data", 1).unlink()

        def full(*_):
            raise RuntimeError("No space left on device")

        monkeypatch.setattr("faiss.write_index", full)
        with pytest.raises(CatalogueBusy, match="is the disk full"):
            write_votes(catalogue)
