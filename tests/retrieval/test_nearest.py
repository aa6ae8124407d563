"""Search against plain numpy, with equals, several exemplars an object, and any k."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.rows import Photo
from retrieval.catalogue.vector_index import Vectors
from retrieval.finding.match import Match
from retrieval.finding.nearest import exact_distance, nearest_objects
from tests.conftest import catalogue_of, exemplar, unit


def plain(ids: np.ndarray, vectors: np.ndarray, photos: dict[int, Photo], probe: np.ndarray, k: int) -> list:
    """Return (object, distance) of the k nearest objects by looking at every vector in double precision."""
    best: dict[str, float] = {}
    for key, vector in zip(ids.tolist(), vectors.astype(np.float64), strict=True):
        distance = min(2.0, float(np.sqrt(((vector - probe.astype(np.float64)) ** 2).sum())))
        best[photos[key].object_id] = min(distance, best.get(photos[key].object_id, 9.0))
    return sorted(((owner, distance) for owner, distance in best.items()), key=lambda pair: (pair[1], pair[0]))[:k]


def searched(ids: np.ndarray, vectors: np.ndarray, photos: dict[int, Photo]) -> Vectors:
    return Vectors.of(vectors, [photos[int(key)].sha256 for key in ids])


def by_content(photos: dict[int, Photo]) -> dict[int, list[Photo]]:
    return {content_key(photo.sha256): [photo] for photo in photos.values()}


def check(owners: list[str], vectors: np.ndarray, probe: np.ndarray, k: int) -> list[Match]:
    ids, photos = catalogue_of(owners)
    found = nearest_objects(searched(ids, vectors, photos), by_content(photos), probe, k=k)
    wanted = plain(ids, vectors, photos, probe, k)
    assert [match.object_id for match in found] == [owner for owner, _ in wanted]
    assert [match.distance for match in found] == pytest.approx([distance for _, distance in wanted], abs=1e-12)
    for match in found:
        key = int(match.exemplar.stem)
        assert photos[key].object_id == match.object_id and photos[key].file == match.exemplar
        assert exact_distance(vectors[ids.tolist().index(key)], probe) == match.distance
    return found


@pytest.mark.parametrize("k", [1, 2, 5, 30, 100])
def test_the_nearest_are_those_of_numpy(k):
    random = np.random.default_rng(k)
    vectors = unit(random.standard_normal((200, 24)))
    owners = [f"o{number}" for number in random.integers(0, 30, 200)]
    for probe in unit(random.standard_normal((20, 24))):
        check(owners, vectors, probe, k)


@pytest.mark.parametrize("k", [1, 5, 30])
def test_exemplars_that_are_not_asked_for_are_not_found_and_others_take_their_place(k):
    random = np.random.default_rng(k)
    vectors = unit(random.standard_normal((200, 24)))
    ids, photos = catalogue_of([f"o{number}" for number in random.integers(0, 30, 200)])
    index = searched(ids, vectors, photos)
    for probe in unit(random.standard_normal((10, 24))):
        nearest = ids[np.argsort(-(vectors @ probe))[:60]].tolist()  # more than the first shortlist holds
        asked = {key: photo for key, photo in photos.items() if key not in nearest}
        kept = np.isin(ids, list(asked))
        found = nearest_objects(index, by_content(asked), probe, k=k)
        wanted = plain(ids[kept], vectors[kept], asked, probe, k)
        assert [(match.object_id, pytest.approx(match.distance, abs=1e-12)) for match in found] == wanted
        assert all(int(match.exemplar.stem) in asked for match in found)
    assert nearest_objects(index, {}, probe, k=k) == []


def test_one_object_with_many_near_exemplars_does_not_hide_the_others():
    random = np.random.default_rng(1)
    probe = unit(random.standard_normal(8))
    near = unit(probe + 0.01 * random.standard_normal((300, 8)))
    far = unit(random.standard_normal((4, 8)))
    found = check(["crowd"] * 300 + ["a", "b", "c", "d"], np.concatenate([near, far]), probe, 4)
    assert len({match.object_id for match in found}) == 4


@pytest.mark.parametrize("k", [1, 2, 3])
def test_equals_are_ordered_by_id_however_many_there_are(k):
    probe = unit(np.ones(4))
    vectors = np.repeat(probe[None], 12, axis=0)
    found = check([f"{letter}" for letter in "lkjihgfedcba"], vectors, probe, k)
    assert [match.object_id for match in found] == list("abc")[:k]


def test_equals_behind_a_nearer_one_are_ordered_by_id():
    probe = unit(np.array([1.0, 0, 0, 0]))
    other = unit(np.array([1.0, 1, 0, 0]))
    found = check(["n", *"zyxwvutsa"], np.stack([probe] + [other] * 9), probe, 2)
    assert [match.object_id for match in found] == ["n", "a"]


def test_distances_closer_than_single_precision_are_told_apart():
    """FAISS sees the same inner product for all of them."""
    probe = unit(np.array([1.0, 0, 0, 0]))
    vectors = np.stack([[1.0, step * 1e-5, 0, 0] for step in range(9, 0, -1)]).astype(np.float32)
    check([f"o{step}" for step in range(9)], vectors, probe, 1)
    check([f"o{step}" for step in range(9)], vectors, probe, 3)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_small_catalogue_is_searched_as_by_numpy(data):
    count = data.draw(st.integers(1, 24))
    owners = data.draw(st.lists(st.sampled_from(["a", "b", "c", "aa", "Z", "é"]), min_size=count, max_size=count))
    grid = st.tuples(*[st.integers(-2, 2)] * 3).filter(any)  # few directions: many equals
    raw = data.draw(st.lists(grid, min_size=count + 1, max_size=count + 1))
    *vectors, probe = unit(np.array(raw, np.float64))
    check(owners, np.stack(vectors), probe, data.draw(st.integers(1, 8)))


def test_an_empty_catalogue_has_nothing_near():
    index = Vectors.of(np.empty((0, 4), np.float32), [])
    assert nearest_objects(index, {}, unit(np.ones(4)), k=5) == []


def test_distance_is_in_double_precision_and_at_most_two():
    one = unit(np.array([0.6, 0.8, 0.0]))
    assert exact_distance(one, one) == 0.0
    assert exact_distance(one, -one) <= 2.0
    near = one + np.array([1e-7, 0, 0], np.float32)
    assert exact_distance(one, near) == pytest.approx(float(near[0]) - float(one[0]), rel=1e-9)


def test_files_that_several_objects_have_name_each_of_them():
    vectors = unit(np.eye(3))
    hashes = [letter * 64 for letter in "abc"]
    photos = [exemplar(name, path=f"{name}.jpg", sha256=sha256) for name, sha256 in zip("xyz", "aab", strict=True)]
    photos = [replace(photo, sha256=photo.sha256 * 64) for photo in photos]
    contents = {content_key(sha256): [p for p in photos if p.sha256 == sha256] for sha256 in hashes[:2]}
    found = nearest_objects(Vectors.of(vectors, hashes), contents, vectors[0], k=5)
    assert [(match.object_id, match.distance) for match in found] == [
        ("x", 0.0), ("y", 0.0), ("z", pytest.approx(2**0.5)),
    ]  # fmt: skip


def test_an_exemplar_without_a_vector_is_passed_over():
    vectors = Vectors.of(unit(np.eye(3)), [letter * 64 for letter in "abc"])
    gone = replace(vectors, exact=lambda hashes: vectors.exact(set(hashes) - {"a" * 64}))
    contents = {content_key(letter * 64): [exemplar(letter, sha256=letter * 64)] for letter in "abc"}
    assert [match.object_id for match in nearest_objects(gone, contents, unit(np.eye(3))[0], k=5)] == ["b", "c"]


def test_several_indexes_are_searched_as_one():
    random = np.random.default_rng(4)
    ids, photos = catalogue_of([f"o{number % 20}" for number in range(60)])
    vectors, probes = unit(random.standard_normal((60, 8))), unit(random.standard_normal((10, 8)))
    whole = searched(ids, vectors, photos)
    parts = [searched(ids[rows], vectors[rows], photos) for rows in (slice(0, 40), slice(40, 58), slice(58, 60))]
    cut = Vectors([part for one in parts for part in one.parts], whole.exact)
    assert len(cut) == len(whole) == 60
    for probe in probes:
        assert nearest_objects(cut, by_content(photos), probe, k=7) == nearest_objects(
            whole, by_content(photos), probe, k=7
        )
