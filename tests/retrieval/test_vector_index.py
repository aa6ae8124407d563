"""Indexes of vectors: exact or measured, chosen by size and memory, and mapped from a file."""

from collections.abc import Iterator

import faiss
import numpy as np
import pytest

from retrieval.catalogue import index_making as module
from retrieval.catalogue.index_making import (
    EXACT_UP_TO,
    RECALL,
    check_kind,
    fewest_for,
    kind_for,
    make_index,
    recall_of,
)
from retrieval.catalogue.vector_index import (
    ASKED_FOR,
    EXACT,
    VectorIndex,
    Vectors,
    build_vectors,
    map_index,
    write_index,
)
from retrieval.errors import CatalogueBusy, UnknownIndex
from tests.conftest import unit

DIM, COUNT = 32, 4000
RANDOM = np.random.default_rng(0)
CENTRES = unit(RANDOM.standard_normal((200, DIM)))
VECTORS = unit(CENTRES[RANDOM.integers(200, size=COUNT)] + 0.1 * RANDOM.standard_normal((COUNT, DIM)))
KEYS = np.sort(RANDOM.integers(2**60, size=COUNT))
KINDS = ["IVF32,SQ8", "IVF64,SQ4", "IVF16,Flat", "HNSW16", "IVF32,PQ8np", "IVF32,PQ4x4"]


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for one another on busy cores take a hundred times as long as one."""
    faiss.omp_set_num_threads(1)


def in_batches(size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, COUNT, size):
        yield KEYS[start : start + size], VECTORS[start : start + size]


def made(kind: str) -> VectorIndex:
    return make_index(kind, COUNT, DIM, lambda: in_batches(999))


def nearest(probes: np.ndarray, count: int) -> np.ndarray:
    return KEYS[np.argsort(-(probes @ VECTORS.T), axis=1, kind="stable")[:, :count]]


def test_an_index_answers_with_keys_not_with_rows():
    keys = np.array([900, 7, 2**59, 3, 12], np.int64)
    _, found = build_vectors(keys, VECTORS[:5]).search(VECTORS[:5], 1)
    assert found[:, 0].tolist() == keys.tolist()


def test_an_exact_index_needs_no_measure_and_finds_the_nearest():
    found = made(EXACT)
    assert (found.kind, found.recall, dict(found.parameters), found.exact) == (EXACT, None, {}, True)
    assert len(found) == COUNT
    assert np.array_equal(found.search(VECTORS[:50], 10)[1], nearest(VECTORS[:50], 10))


@pytest.mark.parametrize("kind", ["HNSW8,SQ8", "IVF32_HNSW8,SQfp16", "IVF8,SQ6", "IVF8,PQ4np", "IVF8,PQ4x4np"])
def test_every_kind_that_is_taken_can_be_made(kind):
    check_kind(kind, DIM)
    assert fewest_for(kind, DIM) <= COUNT and len(made(kind)) == COUNT


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_exact_is_searched_until_its_shortlists_have_the_nearest(kind):
    found = made(kind)
    assert (found.kind, found.exact, len(found)) == (kind, False, COUNT)
    assert found.recall is not None and 0 < found.recall <= 1
    probes = unit(VECTORS[::40] + 0.05 * np.random.default_rng(1).standard_normal((100, DIM)))
    shortlists = found.search(probes, 10 * ASKED_FOR)[1]
    hits = np.mean([np.isin(one, other) for one, other in zip(nearest(probes, 10), shortlists, strict=True)])
    if "PQ4x4" in kind:  # codes of two bytes: more lists are in vain, and it is said to be as bad as it is
        assert found.parameters == {"nprobe": 8} and found.recall < RECALL and hits < RECALL
    else:
        assert found.recall >= RECALL and hits > 0.97


def test_recall_is_that_of_a_plain_loop():
    found = made("IVF64,SQ4")
    probes = unit(VECTORS[:60] + 0.1 * np.random.default_rng(2).standard_normal((60, DIM)))
    wanted = nearest(probes, 10)
    shares = []
    for probe, keys in zip(probes, wanted, strict=True):
        shortlist = set(found.search(probe[None], 40)[1][0].tolist())
        shares.append(sum(key in shortlist for key in keys.tolist()) / 10)
    assert recall_of(found, probes, wanted) == pytest.approx(np.mean(shares))


def test_too_few_lists_are_repaired(monkeypatch):
    monkeypatch.setattr(module, "RECALL", 1.1)
    assert made("IVF32,SQ8").parameters == {"nprobe": 16}, "no recall is enough, and more lists gain nothing"
    monkeypatch.setattr(module, "RECALL", made("IVF32,SQ8").recall - 1e-4)
    monkeypatch.setattr(module, "GAIN", 1.0)
    assert made("IVF32,SQ8").parameters == {"nprobe": 16}, "a little longer is enough, however little it gains"
    monkeypatch.setattr(module, "RECALL", 1.1)
    monkeypatch.setattr(module, "GAIN", -1.0)
    assert made("IVF32,SQ8").parameters == {"nprobe": 32}, "all lists are searched"
    monkeypatch.setattr(module, "RECALL", 0.0)
    assert made("IVF32,SQ8").parameters == {"nprobe": 8}


@pytest.mark.parametrize(
    ("count", "memory", "kind"),
    [
        (0, 2e9, EXACT),
        (600, 1, EXACT),
        (EXACT_UP_TO, 2e9, EXACT),
        (EXACT_UP_TO, 3e8, "IVF2048,SQ8"),
        (EXACT_UP_TO + 1, 2e9, "IVF2048,SQ8"),
        (1_000_000, 2e9, "IVF4096,SQ8"),
        (1_000_000, 3e8, "IVF4096,SQ4"),
        (1_000_000, 1e8, "IVF4096,PQ64np"),
        (10_000_000, 2e9, "IVF16384,PQ128np"),
        (10_000_000, 6e9, "IVF16384,SQ8"),
        (700, 1, "IVF17,PQ64np"),
    ],
)
def test_the_kind_goes_by_the_number_of_vectors_and_the_memory(count, memory, kind):
    assert kind_for(count, 512, int(memory)) == kind
    check_kind(kind, 512)
    assert fewest_for(kind, 512) <= count


def test_a_kind_that_faiss_does_not_know_is_said():
    odd = (
        "nonsense",
        "IVF,",
        "PQ7",
        "",
        "IDMap,Flat",
        "IVF0,Flat",
        "HNSW0",
        "IVF16,RFlat",
        "NSG32",
        "IVF16,PQ8x12",
        "IVF9,PQ7",
    )
    for kind in odd:
        with pytest.raises(UnknownIndex, match="is no index that is used here") as caught:
            check_kind(kind, 512)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [EXACT, "IVF32,SQ8", "HNSW16", "IVF32,PQ16np"])
def test_what_is_written_is_mapped_and_searched_the_same(tmp_path, kind):
    found, path = made(kind), tmp_path / "Œuvres 日本 100%.faiss"
    write_index(found.index, path)
    again = map_index(path, kind, found.parameters, found.recall)
    assert len(again) == COUNT
    for one, other in zip(found.search(VECTORS[:99], 40), again.search(VECTORS[:99], 40), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("content", [b"", b"\xff" * 5000])
def test_what_is_no_index_is_passed_over(tmp_path, content):
    (tmp_path / "a.faiss").write_bytes(content)
    assert map_index(tmp_path / "a.faiss", EXACT, {}, None) is None
    assert map_index(tmp_path / "none.faiss", EXACT, {}, None) is None


def test_a_file_that_cannot_be_written_is_one_line_and_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "vectors-1.faiss"
    write_index(made(EXACT).index, path)
    before = path.read_bytes()

    def full(index, name):
        raise RuntimeError("Error in faiss::FileIOWriter: could not write\nall of it")

    monkeypatch.setattr(faiss, "write_index", full)
    with pytest.raises(CatalogueBusy, match="is the disk full") as caught:
        write_index(made(EXACT).index, path)
    assert "\n" not in str(caught.value) and path.read_bytes() == before


def test_of_no_vectors_there_are_none():
    vectors = Vectors.of(np.empty((0, 4), np.float32), [])
    similarities, keys = vectors.nearest(unit(np.ones((2, 4))), 5)
    assert len(vectors) == 0 and similarities.shape == keys.shape == (2, 0)


def test_shortlists_are_longer_where_an_index_is_not_exact():
    exact, fast = (
        Vectors([made(EXACT)], lambda hashes: {}),
        Vectors([made(EXACT), made("IVF32,SQ8")], lambda hashes: {}),
    )
    assert (exact.margin, fast.margin) == (1, ASKED_FOR)
