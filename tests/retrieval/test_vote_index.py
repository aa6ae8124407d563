"""The inverted file of visual words: it names the exemplars that a photograph's features look like."""

import shutil
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
    NEIGHBOURS,
    VOTED_ON,
    WORDS,
    Ballot,
    bring_up_to_date,
    cast_votes,
    content_key,
    empty_index,
    is_current,
    nearest_features,
    no_votes,
    read_votes,
    stray_votes,
    voted_on,
    votes_path,
    write_votes,
)
from retrieval.catalogue.vote_lists import CODE_BYTES, VoteLists, read_lists
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


def searched(catalogue: Catalogue, descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the neighbours that an inverted file of FAISS finds among the same features."""
    index = faiss.read_index(str(WORDS))
    for sha256, item in catalogue.features(photo.sha256 for photo in catalogue.photos()).items():
        rows = np.linspace(0, len(item) - 1, min(len(item), VOTED_ON)).round().astype(int)
        index.add_with_ids(item.descriptors[rows].astype(np.float32), np.full(len(rows), content_key(sha256)))
    return index.search(descriptors.astype(np.float32), NEIGHBOURS)


def test_the_nearest_features_are_those_of_an_inverted_file_of_faiss(works):
    descriptors = extract_features(painting(3), SIZE).descriptors
    with Catalogue.reading(works / "data") as catalogue:
        distances, keys = nearest_features(read_votes(catalogue), descriptors)
        expected, names = searched(catalogue, descriptors)
    present = names >= 0
    assert np.array_equal(keys >= 0, present) and present.any() and not present.all()
    assert np.allclose(distances[present], expected[present], rtol=1e-4) and np.isinf(distances[~present]).all()
    assert (keys == names).mean() > 0.98  # equals in another order


def test_it_is_the_same_however_the_descriptors_lie_in_memory(works):
    with Catalogue.reading(works / "data") as catalogue:
        votes = read_votes(catalogue)
    descriptors = extract_features(painting(3), SIZE).descriptors[:40]
    (first, names), (again, same) = (
        nearest_features(votes, item) for item in (descriptors, np.asfortranarray(descriptors))
    )
    assert np.array_equal(first, again) and np.array_equal(names, same)


def test_votes_are_counted_as_a_plain_loop_counts_them(works):
    with Catalogue.reading(works / "data") as catalogue:
        votes = read_votes(catalogue)
    descriptors = extract_features(painting(3), SIZE).descriptors[:40]
    expected: dict[int, float] = {}
    for row, found in zip(*nearest_features(votes, descriptors), strict=True):
        present = found >= 0
        last, seen = row[present].max(initial=0.0), set()
        for distance, key in zip(row[present], found[present], strict=True):
            if key not in seen:
                seen.add(key)
                expected[int(key)] = expected.get(int(key), 0.0) + max(0.0, 1.0 - distance / max(last, 1e-6)) ** 2
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
    assert cast_votes(no_votes(), np.zeros((5, 128), np.uint8)).count() == []
    full = VoteLists.of(np.array([1, 2]), np.array([0, 7]), np.zeros((2, CODE_BYTES), np.uint8), count=4096)
    assert cast_votes(full, np.empty((0, 128), np.uint8)).count() == []


def list_of(votes: VoteLists, word: int) -> list[tuple]:
    part = slice(votes.starts[word], votes.starts[word + 1])
    return sorted(zip(votes.keys[votes.rows[part]].tolist(), votes.codes[part].tolist(), strict=True))


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
        updated, rebuilt = read_votes(catalogue), bring_up_to_date(catalogue, no_votes())
        assert len(updated) == len(rebuilt) > 0
        for word in range(len(updated.starts) - 1):
            assert list_of(updated, word) == list_of(rebuilt, word)
        assert votes_of(50, catalogue)[0][0] == "50"


@pytest.mark.parametrize("damage", [b"", b"no index", None])
def test_what_is_damaged_or_gone_is_built_again_and_repaired(works, tmp_path, monkeypatch, damage):
    write_paintings(tmp_path / "works", 3)
    index(tmp_path / "works", tmp_path / "data", encoder=sharp())
    path = votes_path(tmp_path / "data", 1)
    path.unlink() if damage is None else path.write_bytes(damage)
    monkeypatch.setattr("retrieval.catalogue.vote_index.can_write", lambda data: False)
    with Catalogue.reading(tmp_path / "data") as catalogue:
        assert not is_current(catalogue) and len(read_votes(catalogue)) > 0
        assert not is_current(catalogue)
    assert check_catalogue(tmp_path / "data").repaired == (f"{path.name} was missing, damaged or did not agree",)
    with Catalogue.reading(tmp_path / "data") as catalogue:
        assert is_current(catalogue)


def test_what_a_reader_had_to_build_the_next_one_finds(works, tmp_path):
    shutil.copytree(works / "data", tmp_path / "data")
    votes_path(tmp_path / "data", 1).unlink()
    with Catalogue.reading(tmp_path / "data") as catalogue:
        built = read_votes(catalogue)
        assert is_current(catalogue, whole=True) and len(built) > 0


def test_features_that_came_since_are_voted_on_and_a_run_that_writes_is_not_disturbed(works, tmp_path):
    shutil.copytree(works / "data", tmp_path / "data")
    with Catalogue.writing(tmp_path / "data") as catalogue:
        (photo, *_) = catalogue.photos()
        kept = catalogue.features([photo.sha256])
        catalogue.forget_features(photo.sha256)
        assert content_key(photo.sha256) not in read_votes(catalogue).keys
        catalogue.add_features(kept)
        before = votes_path(catalogue.data, 1).read_bytes()
        assert content_key(photo.sha256) in read_votes(catalogue).keys
        assert votes_path(catalogue.data, 1).read_bytes() == before
        votes_path(catalogue.data, 1).unlink()
        assert len(read_votes(catalogue)) and not votes_path(catalogue.data, 1).exists(), "its own writer does it"


def test_lists_of_an_earlier_catalogue_in_the_folder_are_not_taken(works, tmp_path):
    write_paintings(tmp_path / "works", 3)
    index(tmp_path / "works", tmp_path / "data", encoder=sharp())
    shutil.copy(votes_path(works / "data", 1), votes_path(tmp_path / "data", 1))
    with Catalogue.reading(tmp_path / "data") as catalogue:
        assert set(read_votes(catalogue).keys.tolist()) == {content_key(photo.sha256) for photo in catalogue.photos()}


def test_entries_of_a_damaged_file_name_nobody(works):
    with Catalogue.reading(works / "data") as catalogue:
        votes = read_votes(catalogue)
    damaged = replace(votes, rows=np.full_like(votes.rows, 2**32 - 1))
    assert cast_votes(damaged, extract_features(painting(3), SIZE).descriptors).count() == []


def test_lists_over_other_words_are_not_taken(works):
    path = votes_path(works / "data", 1)
    assert read_lists(path, words=4096) is not None and read_lists(path, words=4095) is None


@pytest.mark.parametrize("part", ["header", "starts", "keys", "rows", "codes"])
def test_a_changed_byte_is_noticed_at_once_or_where_all_is_read(works, tmp_path, part):
    lists, path = read_lists(votes_path(works / "data", 1), words=4096), tmp_path / "a.lists"
    sizes = {"header": 64, "starts": 8 * 4097, "keys": 8 * 12, "rows": 4 * len(lists), "codes": 4 * len(lists)}
    parts = list(sizes)
    data = bytearray(votes_path(works / "data", 1).read_bytes())
    assert len(data) == sum(sizes.values())
    data[sum(sizes[name] for name in parts[: parts.index(part)]) + 17] ^= 1
    path.write_bytes(data)
    assert (read_lists(path, words=4096) is None) == (part in ("header", "starts", "keys"))
    assert read_lists(path, words=4096, whole=True) is None


def test_a_full_disk_is_said_and_leaves_nothing(works, monkeypatch, tmp_path):
    shutil.copytree(works / "data", tmp_path / "data")
    with Catalogue.reading(tmp_path / "data") as catalogue:
        votes_path(tmp_path / "data", 1).unlink()
        before = sorted(tmp_path.rglob("*"))

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("retrieval.catalogue.vote_lists._header", full)
        with pytest.raises(CatalogueBusy, match=r"No space left on device\. Make room"):
            write_votes(catalogue)
        assert sorted(tmp_path.rglob("*")) == before


def test_an_exemplar_is_voted_on_by_a_bounded_number_of_its_features_from_all_of_it(works):
    with Catalogue.reading(works / "data") as catalogue:
        votes, photos = read_votes(catalogue), catalogue.photos()
        counts = [len(item) for item in catalogue.features(photo.sha256 for photo in photos).values()]
    assert len(votes) == sum(min(count, VOTED_ON) for count in counts)
    size = votes_path(works / "data", 1).stat().st_size
    assert size <= 64 + 8 * 4097 + 3000 * len(photos)


def test_of_many_features_some_are_taken_from_all_of_them():
    many = np.arange(1000)[:, None].repeat(128, 1)
    some = voted_on(many)
    assert len(some) == VOTED_ON and (some[0, 0], some[-1, 0]) == (0, 999)
    assert set(np.diff(some[:, 0]).tolist()) == {2, 3} and voted_on(many[:VOTED_ON]) is not some
    assert np.array_equal(voted_on(many[:VOTED_ON]), many[:VOTED_ON])
