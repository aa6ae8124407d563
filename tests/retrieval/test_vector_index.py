"""The FAISS file: named by its revision, whole or not there, and rebuilt at will."""

import zlib

import faiss
import numpy as np
import pytest

from retrieval.catalogue import vector_index as vectors_module
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.vector_index import (
    NOTED,
    build_vectors,
    has_vectors,
    note_vectors,
    noted,
    read_vectors,
    stray_files,
    vectors_path,
    write_vectors,
)
from retrieval.errors import CatalogueBusy
from tests.conftest import DIM, TINY, content, exemplar, unit

VECTORS = unit(np.random.default_rng(0).standard_normal((5, DIM)))


@pytest.fixture
def filled(writable) -> Catalogue:
    writable.add_vectors([(content(f"s{n}"), VECTORS[n]) for n in range(5)], TINY)
    writable.apply(Changes(put=[exemplar(f"o{n}", sha256=f"s{n}") for n in range(5)]))
    return writable


def holds(index) -> dict[int, bytes]:
    ids = faiss.vector_to_array(index.id_map).tolist()
    return {key: index.reconstruct(key).tobytes() for key in ids}


TRUTH = {n + 1: VECTORS[n].tobytes() for n in range(5)}


def test_an_index_answers_with_ids_not_with_rows():
    ids = np.array([900, 7, 2**40, 3, 12], np.int64)
    index = build_vectors(ids, VECTORS)
    _, found = index.search(VECTORS, 1)
    assert found[:, 0].tolist() == ids.tolist()


def test_what_is_written_is_read(filled, data, monkeypatch):
    write_vectors(build_vectors(*filled.vectors()), data, 1)
    monkeypatch.setattr(vectors_module, "build_vectors", lambda ids, vectors: build_vectors(ids[:0], vectors[:0]))
    assert holds(read_vectors(filled)) == TRUTH


def test_the_file_of_a_catalogue_restored_from_a_copy_is_not_taken(filled, data):
    write_vectors(build_vectors(np.arange(101, 106), VECTORS), data, 1)  # as large, but of other exemplars
    assert holds(read_vectors(filled)) == TRUTH


def test_a_data_folder_may_have_any_name(tmp_path):
    data = tmp_path / "Œuvres 日本 100%"
    data.mkdir()
    write_vectors(build_vectors(np.arange(5), VECTORS), data, 1)
    assert faiss.read_index(str(vectors_path(data, 1))).ntotal == 5


def test_files_of_other_revisions_and_of_killed_runs_are_removed(filled, data):
    for name in ("vectors-0.faiss", "vectors-3.faiss", "vectors-1.part", "vectors-8.part", "vectors.txt"):
        (data / name).write_bytes(b"x")
    write_vectors(build_vectors(*filled.vectors()), data, 1)
    assert sorted(path.name for path in data.glob("vectors*")) == ["vectors-1.faiss", "vectors.txt"]
    assert stray_files(data, 1) == []
    assert [path.name for path in stray_files(data, 2)] == ["vectors-1.faiss"]


@pytest.mark.parametrize("keep", [None, 0, 1, 50, -1, -64])
def test_a_missing_or_truncated_file_is_built_from_the_database(filled, data, keep):
    write_vectors(build_vectors(*filled.vectors()), data, 1)
    path = vectors_path(data, 1)
    whole = path.read_bytes()
    path.unlink()
    if keep is not None:
        path.write_bytes(whole[:keep])
    assert not has_vectors(filled)
    assert holds(read_vectors(filled)) == TRUTH


def test_a_file_that_is_no_index_is_passed_over(filled, data):
    write_vectors(build_vectors(*filled.vectors()), data, 1)
    path = vectors_path(data, 1)
    path.write_bytes(b"\xff" * path.stat().st_size)
    assert holds(read_vectors(filled)) == TRUTH


def test_the_file_of_another_revision_is_not_read(filled, data):
    write_vectors(build_vectors(*filled.vectors()), data, 1)
    filled.apply(Changes(gone=[2]))
    assert holds(read_vectors(filled)) == {key: value for key, value in TRUTH.items() if key != 2}


@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_the_size_of_a_whole_file_is_known(writable, data, count):
    made = unit(np.random.default_rng(1).standard_normal((count, DIM)))
    writable.add_vectors([(content(f"s{n}"), vector) for n, vector in enumerate(made)], TINY)
    writable.apply(Changes(put=[exemplar(f"o{n}", sha256=f"s{n}") for n in range(count)]))
    assert not has_vectors(writable)
    write_vectors(build_vectors(*writable.vectors()), data, 1)
    assert has_vectors(writable)


def test_a_file_that_cannot_be_written_is_one_line_and_leaves_the_old_one(filled, data, monkeypatch):
    write_vectors(build_vectors(*filled.vectors()), data, 1)

    def full(index, path):
        raise RuntimeError("Error in faiss::FileIOWriter: could not write\nall of it")

    monkeypatch.setattr(faiss, "write_index", full)
    with pytest.raises(CatalogueBusy, match="is the disk full") as caught:
        write_vectors(build_vectors(*filled.vectors()), data, 2)
    assert "\n" not in str(caught.value)
    assert vectors_path(data, 1).exists() and not vectors_path(data, 2).exists()


def test_what_is_noted_no_longer_counts_once_a_vector_comes_or_goes(filled, data):
    write_vectors(build_vectors(*filled.vectors()), data, 1)
    note_vectors(filled)
    assert noted(filled, NOTED) == (5, zlib.crc32(filled.vector_ids().tobytes())) and has_vectors(filled)
    filled.forget_vector("s1")
    assert noted(filled, NOTED) is None and not has_vectors(filled)
    assert holds(read_vectors(filled)) == {key: value for key, value in TRUTH.items() if key != 2}
    note_vectors(filled)
    filled.add_vectors([(content("s1"), VECTORS[1])], TINY)
    assert noted(filled, NOTED) is None and holds(read_vectors(filled)) == TRUTH


def test_the_file_of_a_catalogue_restored_from_a_copy_is_not_taken_where_one_is_noted(filled, data):
    note_vectors(filled)
    write_vectors(build_vectors(np.arange(101, 106), VECTORS), data, 1)
    assert has_vectors(filled) and holds(read_vectors(filled)) == TRUTH


def test_what_no_exemplar_has_may_go_and_the_note_stays(filled):
    filled.add_vectors([(content("unused"), VECTORS[0])], TINY)
    note_vectors(filled)
    assert filled.drop_unused_vectors() == 1 and noted(filled, NOTED) is not None
