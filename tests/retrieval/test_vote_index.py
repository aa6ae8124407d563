"""The inverted file of visual words: it names the exemplars that a photograph's features look like."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from indexer.training.visual_words import train_words
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.segmenting import open_segments
from retrieval.catalogue.segments import votes_path
from retrieval.catalogue.vote_index import (
    AS_MANY,
    NEIGHBOURS,
    VOTED_ON,
    WORDS,
    Ballot,
    cast_votes,
    empty_index,
    lists_of,
    nearest_features,
    neighbours_among,
    voted_on,
)
from retrieval.catalogue.vote_lists import CODE_BYTES, Merged, VoteLists, read_lists, write_lists
from retrieval.errors import CatalogueBusy
from retrieval.photographs.features import PROBE, extract_features
from tests.conftest import index
from tests.pictures import SIZE, VIEWS, painting, warped, write_paintings
from tests.works import sharp


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
    counted = cast_votes(open_segments(catalogue).votes, photo.descriptors).count()
    return [(names[key], votes) for key, votes in counted]


def test_most_votes_go_to_the_work_on_the_photograph(works):
    with Catalogue.reading(works / "data") as catalogue:
        for number in (1, 7):
            (first, most), (_, next_most), *_ = votes_of(number, catalogue)
            assert first == f"{number:02}" and most > 2 * next_most
        assert votes_of(99, catalogue)[0][1] < most / 2


def searched(catalogue: Catalogue, descriptors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return so many neighbours as an inverted file of FAISS finds them among the same features."""
    index = faiss.read_index(str(WORDS))
    for sha256, item in catalogue.features(photo.sha256 for photo in catalogue.photos()).items():
        rows = np.linspace(0, len(item) - 1, min(len(item), VOTED_ON)).round().astype(int)
        index.add_with_ids(item.descriptors[rows].astype(np.float32), np.full(len(rows), content_key(sha256)))
    return index.search(descriptors.astype(np.float32), count)


@pytest.mark.parametrize("as_many", [AS_MANY, 1000])
def test_the_nearest_features_are_those_of_an_inverted_file_of_faiss(works, monkeypatch, as_many):
    monkeypatch.setattr("retrieval.catalogue.vote_index.AS_MANY", as_many)
    descriptors = extract_features(painting(3), SIZE).descriptors
    with Catalogue.reading(works / "data") as catalogue:
        votes = open_segments(catalogue).votes
        count = neighbours_among(sum(map(len, votes)))
        distances, keys = nearest_features(votes, descriptors)
        expected, names = searched(catalogue, descriptors, count)
    assert (count > NEIGHBOURS) == (as_many < AS_MANY) and distances.shape == (len(descriptors), count)
    present = names >= 0
    assert np.array_equal(keys >= 0, present) and present.any() and not present.all()
    assert np.allclose(distances[present], expected[present], rtol=1e-4) and np.isinf(distances[~present]).all()
    assert (keys == names).mean() > 0.98  # equals in another order


def test_neighbours_are_more_among_more_than_ten_thousand_works():
    assert [neighbours_among(entries) for entries in (0, 372, AS_MANY)] == [NEIGHBOURS] * 3
    assert [neighbours_among(times * AS_MANY) for times in (10, 100)] == [64, 254]


def test_it_is_the_same_however_the_descriptors_lie_in_memory(works):
    with Catalogue.reading(works / "data") as catalogue:
        votes = open_segments(catalogue).votes
    descriptors = extract_features(painting(3), SIZE).descriptors[:40]
    (first, names), (again, same) = (
        nearest_features(votes, item) for item in (descriptors, np.asfortranarray(descriptors))
    )
    assert np.array_equal(first, again) and np.array_equal(names, same)


def test_votes_are_counted_as_a_plain_loop_counts_them(works):
    with Catalogue.reading(works / "data") as catalogue:
        votes = open_segments(catalogue).votes
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
    assert cast_votes((), np.zeros((5, 128), np.uint8)).count() == []
    keys = np.array([1, 2])
    full = VoteLists.of(keys, keys, np.array([0, 7]), np.zeros((2, CODE_BYTES), np.uint8), count=4096)
    assert cast_votes([full], np.empty((0, 128), np.uint8)).count() == []


def list_of(votes: VoteLists, word: int) -> list[tuple]:
    part = slice(votes.starts[word], votes.starts[word + 1])
    return sorted(zip(votes.keys[votes.rows[part]].tolist(), votes.codes[part].tolist(), strict=True))


@pytest.fixture
def parts(works) -> tuple[VoteLists, list[VoteLists]]:
    """The lists of twelve works, whole and in three parts, the second of one work without features."""
    with Catalogue.reading(works / "data") as catalogue:
        hashes = sorted(photo.sha256 for photo in catalogue.photos())
        pieces = [hashes[:7], ["5" * 64], hashes[7:]]
        return lists_of(catalogue, hashes), [lists_of(catalogue, piece) for piece in pieces]


@pytest.mark.parametrize("at_once", [1, 500, 4_000_000])
def test_lists_brought_together_are_those_of_all(parts, tmp_path, monkeypatch, at_once):
    monkeypatch.setattr("retrieval.catalogue.vote_lists._AT_ONCE", at_once)
    whole, pieces = parts
    merged = Merged.of(pieces[:1], pieces[1:])
    write_lists(merged, tmp_path / "a.lists")
    for found in (merged.in_memory(), read_lists(tmp_path / "a.lists", words=4096, whole=True)):
        assert found.keys.tolist() == sorted([*whole.keys.tolist(), content_key("5" * 64)]) and len(found) == len(whole)
        for word in range(4096):
            assert list_of(found, word) == list_of(whole, word)


def test_some_contents_are_left_out_where_lists_are_brought_together(parts, tmp_path):
    whole, pieces = parts
    gone = np.concatenate([pieces[0].keys[2:4], pieces[2].keys[:1], [77]])
    write_lists(Merged.of(pieces[:2], pieces[2:], without=gone), tmp_path / "a.lists")
    found = read_lists(tmp_path / "a.lists", words=4096, whole=True)
    assert set(found.keys.tolist()) == set(whole.keys.tolist()) - set(gone[:2].tolist()) | {content_key("5" * 64)}
    for word in range(4096):
        kept = [(key, code) for key, code in list_of(whole, word) if key not in gone[:2]]
        assert list_of(found, word) == kept


def test_what_lists_hold_is_said_of_each_key(parts):
    whole, pieces = parts
    asked = np.concatenate([whole.keys[::-1], [0, 2**60 - 1, whole.keys[3] + 1]])
    assert whole.holds(asked).tolist() == [True] * 12 + [False] * 3
    assert pieces[1].holds(whole.keys).sum() == 0 and pieces[1].holds(np.array([content_key("5" * 64)])).all()
    nothing = VoteLists.of(*(np.empty(0, np.int64),) * 3, np.empty((0, CODE_BYTES), np.uint8), count=4096)
    assert nothing.holds(asked).tolist() == [False] * 15


def test_votes_of_parts_are_those_of_all(parts):
    whole, pieces = parts
    descriptors = extract_features(warped(painting(3), *VIEWS["aslant"]), (560, 480)).descriptors
    (first, names), (again, same) = (nearest_features(votes, descriptors) for votes in ([whole], pieces))
    assert np.array_equal(first, again) and (names == same).mean() > 0.99  # equals in another order
    assert cast_votes(pieces, descriptors).count()[0] == cast_votes([whole], descriptors).count()[0]


def test_entries_of_a_damaged_file_name_nobody(works):
    with Catalogue.reading(works / "data") as catalogue:
        votes = open_segments(catalogue).votes
    damaged = [replace(one, rows=np.full_like(one.rows, 2**32 - 1)) for one in votes]
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


def test_a_full_disk_is_said_and_leaves_nothing(parts, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("retrieval.catalogue.vote_lists._header", full)
    with pytest.raises(CatalogueBusy, match=r"No space left on device\. Make room"):
        write_lists(Merged.of([parts[0]]), tmp_path / "a.lists")
    assert list(tmp_path.iterdir()) == []


def test_an_exemplar_is_voted_on_by_a_bounded_number_of_its_features_from_all_of_it(works):
    with Catalogue.reading(works / "data") as catalogue:
        (votes,), photos = open_segments(catalogue).votes, catalogue.photos()
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
