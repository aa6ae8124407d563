"""How near different works lie to each other: plain loops, and works that several objects hold."""

from itertools import combinations

import numpy as np
import pytest

from indexer.building import different_works as module
from indexer.building.different_works import DifferentWorks, different_works
from indexer.building.neighbours import Neighbours, Works
from indexer.building.same_work import Pair, Same, SameWork
from retrieval.catalogue.rows import Photo
from retrieval.catalogue.vector_index import Vectors
from retrieval.finding.nearest import exact_distance
from retrieval.statistics.calibration import match_threshold, rank_at
from tests.conftest import exemplar, unit
from tests.works import drawn, neighbours, singles

Drawn = tuple[np.ndarray, np.ndarray, dict[int, Photo]]


def plain(ids: np.ndarray, vectors: np.ndarray, photos: dict[int, Photo], *same: set[str]) -> list[float]:
    """Return the distance of the first exemplar of each object to the nearest that is no other one of that work."""
    owners = [photos[int(key)].object_id for key in ids]
    work = {name: min({name}.union(*[one for one in same if name in one])) for name in owners}
    found: dict[str, float] = {}
    for name in sorted(set(owners)):
        first = vectors[owners.index(name)]
        others = [vectors[row] for row, owner in enumerate(owners) if work[owner] != work[name]]
        distance = min((exact_distance(first, vector) for vector in others), default=9.0)
        found[work[name]] = min(distance, found.get(work[name], 9.0))
    return sorted(found.values())


def found(registered: tuple, works: Drawn, *, rate: float = 0.05) -> DifferentWorks:
    return different_works(neighbours(*works), SameWork(registered[0]), rate=rate)


@pytest.mark.parametrize(("owners", "seed"), [(17, 5), (40, 6), (3, 7)])
def test_without_a_work_held_twice_they_are_the_nearest_other_objects(registered, owners, seed):
    """To the last bit: where no work is held twice the threshold is what it was."""
    works = drawn(seed, [f"o{number}" for number in np.random.default_rng(seed).integers(0, owners, 60)])
    assert np.sort(found(registered, works).distances).tolist() == plain(*works)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_fewer_than_two_works_say_nothing(registered, count):
    ids, vectors, photos = drawn(0, ["alone"] * count)
    assert found(registered, (ids, vectors, photos)).distances.shape == (0,)


@pytest.mark.parametrize("count", [19, 39, 200])
def test_only_the_pairs_that_the_threshold_hangs_on_are_registered(registered, count):
    result = found(registered, drawn(count, singles(count)))
    rank = rank_at(0.05, count)
    assert len(result.sure) == rank and len(registered[1]) <= rank
    assert result.sure[-1].distance == match_threshold(result.distances).value


def test_a_work_held_several_times_counts_once_and_is_passed_over_for_the_next(registered):
    ids, vectors, photos = drawn(7, singles(60))
    vectors[1] = unit(vectors[0] + 0.01 * vectors[5])
    for row in range(11, 40):  # a placeholder, saved anew for each
        vectors[row] = unit(vectors[10] + 0.005 * vectors[row])
    held = [{"o000", "o001"}, {f"o{number:03}" for number in range(10, 40)}]
    at = {photo.object_id: photo.sha256 for photo in photos.values()}
    registered[2].update(frozenset(at[name] for name in pair) for work in held for pair in combinations(work, 2))
    result = found(registered, (ids, vectors, photos), rate=0.2)
    wanted = plain(ids, vectors, photos, *held)
    assert len(result.distances) == len(wanted) == 30
    assert result.sure[-1].distance == match_threshold(result.distances, rate=0.2).value
    assert [pair.distance for pair in result.sure] == pytest.approx(wanted[: rank_at(0.2, 30)])
    assert result.sure[0].distance > 0.1


def test_objects_that_share_a_file_are_one_work_that_needs_no_registration(registered):
    ids, vectors, photos = drawn(8, singles(30))
    for row in range(5, 25):
        vectors[row] = vectors[4]
        photos[int(ids[row])] = exemplar(f"o{row:03}", sha256=photos[int(ids[4])].sha256)
    result = found(registered, (ids, vectors, photos))
    assert len(result.distances) == 10 and result.distances.min() > 0.1
    assert registered[1] == []


def test_a_sample_does_not_depend_on_the_order_of_the_rows(registered, monkeypatch):
    monkeypatch.setattr(module, "SAMPLE", 25)
    ids, vectors, photos = drawn(10, singles(80))
    order = np.random.default_rng(0).permutation(80)
    once = found(registered, (ids, vectors, photos)).distances
    again = found(registered, (ids[order], vectors[order], photos)).distances
    assert len(once) == 25 and sorted(once) == sorted(again)


def test_unknown_works_match_about_as_seldom_as_promised(registered):
    """The whole way: thresholds from the catalogue's own nearest others, unknown works from the same source."""
    random = np.random.default_rng(3)
    matched, probes = 0, 0
    for _ in range(60):
        vectors = unit(random.standard_normal((139, 10)))
        known, unknown = vectors[:99], vectors[99:]
        photos = {row: exemplar(f"o{row}", sha256=f"{row:015x}{0:049x}") for row in range(99)}
        threshold = match_threshold(found(registered, (np.arange(99), known, photos)).distances).value
        assert threshold is not None
        nearest = np.linalg.norm(unknown[:, None] - known[None], axis=2).min(axis=1)
        matched, probes = matched + int((nearest <= threshold).sum()), probes + len(nearest)
    assert 0.03 < matched / probes < 0.07


def test_a_pair_is_registered_once_whichever_way_it_is_asked_for(registered):
    one, other = exemplar("a", sha256="a" * 64), exemplar("b", sha256="b" * 64)
    registered[2].add(frozenset({one.sha256, other.sha256}))
    same = SameWork(registered[0])
    assert same.shown_by(Pair(0.5, one, other)) == same.shown_by(Pair(0.5, other, one)) == Same(20)
    assert len(registered[1]) == 1


@pytest.mark.parametrize(("distance", "wanted"), [(0.1, Same(0)), (0.5, None)])
def test_pictures_with_too_few_points_are_one_where_they_look_the_same(registered, distance, wanted):
    one, other = exemplar("a", sha256="short"), exemplar("b", sha256="brief")
    assert SameWork(registered[0]).shown_by(Pair(distance, one, other)) == wanted
    assert registered[1] == []


@pytest.mark.parametrize(("distance", "wanted"), [(0.1, Same(0)), (0.5, None)])
def test_pictures_that_cannot_be_registered_are_one_where_they_look_the_same(registered, distance, wanted):
    """As of a pattern that comes again and again."""
    one, other = exemplar("a", sha256="a" * 64), exemplar("b", sha256="b" * 64)
    assert SameWork(registered[0]).shown_by(Pair(distance, one, other)) == wanted
    assert len(registered[1]) == 1


def test_works_are_joined_along_chains_of_shared_files():
    photos = [
        exemplar(name, path=f"{number}.jpg", sha256=f"{ord(sha256):015x}", photo_id=number)
        for number, (name, sha256) in enumerate(["ap", "bq", "cr", "ar", "cq", "ds", "dt"])
    ]
    works = Works(Neighbours.of(Vectors((), lambda hashes: {}), photos))
    assert [works.of(photo) for photo in photos] == [0, 0, 0, 0, 0, 1, 1]
    assert [works.first(photo).path for photo in photos] == ["0.jpg"] * 5 + ["5.jpg"] * 2
    works.join(works.of(photos[0]), works.of(photos[5]))
    assert {works.of(photo) for photo in photos} == {1} and works.first(photos[0]).path == "0.jpg"
