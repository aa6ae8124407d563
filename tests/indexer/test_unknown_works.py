"""Distances of works that are not in the catalogue, by its own objects: plain loops, and works held twice."""

from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from indexer.building import same_work
from indexer.building.different_works import different_works
from indexer.building.same_work import SameWork
from indexer.measuring.unknown_works import unknown_distances
from indexer.simulation.rephotograph import rephotograph
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Photo
from retrieval.encoder.encoder import load_encoder
from retrieval.finding.nearest import exact_distance
from retrieval.statistics.calibration import allowed_beyond, lower_bound
from tests.conftest import aged, exemplar, index, unit
from tests.pictures import painting
from tests.works import drawn, neighbours, singles


def plain(ids: np.ndarray, vectors: np.ndarray, photos: dict[int, Photo], *same: set[str]) -> list[float]:
    """Return the nearest pairs of objects, each once, by the nearest that is another work of each first exemplar."""
    owners = [photos[int(key)].object_id for key in ids]
    pairs: dict[frozenset[str], float] = {}
    for name in sorted(set(owners)):
        first = vectors[owners.index(name)]
        found = [
            (exact_distance(first, vector), owner)
            for vector, owner in zip(vectors, owners, strict=True)
            if owner != name and {owner, name} not in same
        ]
        if found:
            distance, owner = min(found)
            pair = frozenset({name, owner})
            pairs[pair] = min(distance, pairs.get(pair, 9.0))
    return sorted(pairs.values())[: len(set(owners)) // 2]


@pytest.mark.parametrize("count", [2, 3, 4, 9, 40, 151])
def test_without_a_work_held_twice_they_are_the_nearest_others_each_pair_once(registered, count):
    ids, vectors, photos = drawn(count, singles(count))
    found = unknown_distances(registered[0], neighbours(ids, vectors, photos), rate=0.05)
    assert found.dtype == np.float64 and len(found) == count // 2
    assert found.tolist() == pytest.approx(plain(ids, vectors, photos))
    others = different_works(neighbours(ids, vectors, photos), SameWork(registered[0]), rate=0.01)
    each = np.unique(others.distances.round(9))
    assert found == pytest.approx(each[: count // 2], abs=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_of_several_exemplars_the_first_is_taken_for_the_unknown_work(registered, seed):
    owners = [f"o{number:02}" for number in np.random.default_rng(seed).integers(0, 60, 200)]
    ids, vectors, photos = drawn(seed, owners)
    count = len(set(owners)) // 2
    found = unknown_distances(registered[0], neighbours(ids, vectors, photos), rate=0.2)
    sure = 1 + allowed_beyond(count, 0.2)
    assert len(found) == count and sure > 1
    assert found[:sure].tolist() == pytest.approx(plain(ids, vectors, photos)[:sure])
    assert lower_bound(found, 0.2).value == pytest.approx(lower_bound(np.array(plain(ids, vectors, photos)), 0.2).value)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_objects_say_nothing(registered, count):
    found = unknown_distances(registered[0], neighbours(*drawn(0, ["alone"] * 3 * count)), rate=0.01)
    assert found.shape == (0,) and found.dtype == np.float64
    assert registered[1] == []


@pytest.mark.parametrize(("count", "rate"), [(20, 0.01), (116, 0.05), (118, 0.05), (186, 0.05), (400, 0.05), (40, 0.5)])
def test_only_the_pairs_that_the_threshold_hangs_on_are_registered(registered, count, rate):
    catalogue, asked, _ = registered
    ids, vectors, photos = drawn(count, singles(count))
    found = unknown_distances(catalogue, neighbours(ids, vectors, photos), rate=rate)
    carried = 1 - (1 - rate) ** (count // 2) >= 0.95
    needed = 1 + (allowed_beyond(count // 2, rate) if carried else 0)
    assert len(set(asked)) == needed and len(asked) < 2 * needed
    assert found[needed - 1] == lower_bound(found, rate).value


def test_a_work_held_twice_is_passed_over_for_the_next_one(registered):
    """Also where it is held three times, and for as many more pairs only as there are such works."""
    catalogue, asked, same = registered
    ids, vectors, photos = drawn(7, singles(60))
    vectors[1] = unit(vectors[0] + 0.01 * vectors[5])
    vectors[11], vectors[12] = unit(vectors[10] + 0.02 * vectors[5]), unit(vectors[10] + 0.02 * vectors[6])
    works = [{"o000", "o001"}, *(set(pair) for pair in combinations(("o010", "o011", "o012"), 2))]
    at = {photo.object_id: photo.sha256 for photo in photos.values()}
    same.update(frozenset(at[name] for name in pair) for pair in works)
    found = unknown_distances(catalogue, neighbours(ids, vectors, photos), rate=0.5)
    assert found[:3].tolist() == pytest.approx(plain(ids, vectors, photos, *works)[:3])
    assert found.min() > 0.1 and len(found) == 30
    assert len(set(asked)) == 4 + 1 + allowed_beyond(30, 0.5)


def test_one_content_under_two_ids_is_one_work_without_any_features(monkeypatch):
    monkeypatch.setattr(same_work, "find_registration", lambda *_: pytest.fail("there are no features to register"))
    vectors = unit(np.random.default_rng(8).standard_normal((5, 12)))
    vectors[3] = vectors[2]
    hashes = [letter * 64 for letter in "abcce"]
    photos = {row: exemplar(f"o{row}", sha256=sha256) for row, sha256 in enumerate(hashes)}
    catalogue = SimpleNamespace(features=lambda hashes: {})
    found = unknown_distances(catalogue, neighbours(np.arange(5), vectors, photos), rate=0.05)
    assert found.tolist() == pytest.approx(plain(np.arange(5), vectors, photos, {"o2", "o3"}))
    assert found.min() > 0.1


def test_a_catalogue_of_one_work_alone_says_nothing(registered):
    catalogue, _, same = registered
    ids, vectors, photos = drawn(9, singles(4))
    same.update(frozenset(pair) for pair in combinations((photo.sha256 for photo in photos.values()), 2))
    assert len(unknown_distances(catalogue, neighbours(ids, vectors, photos), rate=0.05)) == 0


def test_the_ids_and_the_order_of_the_rows_do_not_matter(registered, monkeypatch):
    """Nor in a large catalogue, of which a sample is taken."""
    monkeypatch.setattr("indexer.building.different_works.SAMPLE", 25)
    ids, vectors, photos = drawn(10, singles(80))
    found = unknown_distances(registered[0], neighbours(ids, vectors, photos), rate=0.3)
    order = np.random.default_rng(0).permutation(80)
    other = {int(key) + 5: photos[int(key)] for key in ids}
    again = unknown_distances(registered[0], neighbours(ids[order] + 5, vectors[order], other), rate=0.3)
    assert len(found) == 12 and again.tolist() == found.tolist()
    first = sorted(range(80), key=lambda row: photos[int(ids[row])].sha256)[:25]
    to_others = [min(exact_distance(vectors[row], vectors[at]) for at in range(80) if at != row) for row in first]
    assert found.tolist() == pytest.approx(np.unique(np.round(to_others, 9))[:12])


@pytest.fixture(scope="module")
def twice(tmp_path_factory) -> Path:
    """A catalogue of six paintings; of the first there is another photograph, of the second a copy of the file."""
    root = tmp_path_factory.mktemp("twice")
    (root / "works").mkdir()
    pictures: dict[str, Image.Image] = {f"{number}": painting(number) for number in range(6)}
    pictures |= {"0 again": rephotograph(painting(0), seed=1), "1 again": painting(1)}
    for name, picture in pictures.items():
        picture.save(root / "works" / f"{name}.png")
        aged(root / "works" / f"{name}.png")
    index(root / "works", root / "data", encoder=load_encoder(parallel=2))
    return root / "data"


def test_paintings_held_twice_are_found_by_their_features(twice):
    with Catalogue.reading(twice) as catalogue:
        ids, vectors = catalogue.vectors()
        photos = {photo.photo_id: photo for photo in catalogue.photos()}
        found = unknown_distances(catalogue, neighbours(ids, vectors, photos), rate=0.5)
    works = plain(ids, vectors, photos, {"0", "0 again"}, {"1", "1 again"})
    assert plain(ids, vectors, photos)[0] == 0.0 < works[0]
    assert found[0] == pytest.approx(works[0])
    assert len(found) == 3, "of seven works: the copy of a file is none"
